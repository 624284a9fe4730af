package acmeissuer

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// challengePath is where HTTP-01 is answered (RFC 8555, 8.3).
const challengePath = "/.well-known/acme-challenge/"

// Challenges are the answers that an authority may ask for now. It is safe for
// concurrent use, and takes no lock to find that there are none.
type Challenges struct {
	texts sync.Map // of HTTP-01: token → challengeText
	certs sync.Map // of TLS-ALPN-01: name → *tls.Certificate
}

type challengeText struct{ name, text string }

// Serves tells whether a request is an authority's that was called.
func (c *Challenges) Serves(host, path string) bool {
	_, ok := c.text(host, path)
	return ok
}

func (c *Challenges) text(host, path string) (string, bool) {
	token, ok := strings.CutPrefix(path, challengePath)
	if !ok {
		return "", false
	}
	found, _ := c.texts.Load(token)
	t, ok := found.(challengeText)
	return t.text, ok && strings.EqualFold(t.name, strings.TrimSuffix(host, "."))
}

// ServeHTTP answers what Serves said yes to.
func (c *Challenges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	text, ok := c.text(host, r.URL.Path)
	if !ok { // it ended meanwhile
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = io.WriteString(w, text) // the authority will notice
}

// Certificate returns what to show to an authority that shakes hands for a name
// to speak acme-tls/1 (RFC 8737).
func (c *Challenges) Certificate(name string) (*tls.Certificate, bool) {
	found, _ := c.certs.Load(strings.ToLower(name))
	cert, ok := found.(*tls.Certificate)
	return cert, ok
}

// answerHTTP answers a challenge of the kind HTTP-01 until it is withdrawn.
func (c *Challenges) answerHTTP(ch acme.Challenge) (withdraw func()) {
	c.texts.Store(ch.Token, challengeText{ch.Identifier.Value, ch.KeyAuthorization})
	return func() { c.texts.Delete(ch.Token) }
}

// answerTLS answers a challenge of the kind TLS-ALPN-01 until it is withdrawn.
func (c *Challenges) answerTLS(ch acme.Challenge) (withdraw func(), err error) {
	cert, err := acmez.TLSALPN01ChallengeCert(ch)
	if err != nil {
		return func() {}, err
	}
	name := strings.ToLower(ch.Identifier.Value)
	c.certs.Store(name, cert)
	return func() { c.certs.CompareAndDelete(name, cert) }, nil
}
