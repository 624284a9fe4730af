package tlspolicy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Options are what New makes a front of. Zero values are as noted.
type Options struct {
	// Policy is the name of a security policy; "" is TLS_1_2, the default of
	// every custom domain name.
	Policy string
	// Certificate is what the server shows, with its key. GetCertificate, if it
	// isn't nil, is asked instead, each time hands are shaken: it must be quick.
	Certificate    tls.Certificate
	GetCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// RequireClientCertificate refuses clients that show no certificate. Whether
	// one that is shown is trusted is asked later, of the domain: AWS answers 403
	// to those who bring a wrong one. Clients aren't told which authorities are
	// trusted, or many would show none rather than another.
	RequireClientCertificate bool
	// Name and Tickets are for resuming sessions: a ticket is good for the name
	// it was given for, whichever front of that name gave it. Without Tickets those
	// of the listener are used.
	Name    string
	Tickets *Tickets
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
}

// protocols are what a connection may speak, the first one rather.
var protocols = []string{"h2", "http/1.1"}

// A Handshaker is how connections of a name begin. It is never written to, and small:
// there may be ten thousand.
type Handshaker struct {
	policy         *Policy
	getCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	name           string
	tickets        *Tickets
	clock          func() time.Time
	mutual         bool
}

// New makes the front of a domain.
func New(o Options) (*Handshaker, error) {
	if o.Policy == "" {
		o.Policy = "TLS_1_2"
	}
	p, ok := Lookup(o.Policy)
	if !ok {
		return nil, fmt.Errorf("no security policy is named %q", o.Policy)
	}
	h := &Handshaker{policy: p, getCertificate: o.GetCertificate, name: o.Name, tickets: o.Tickets, clock: o.Clock, mutual: o.RequireClientCertificate}
	if h.getCertificate == nil {
		certificate, err := complete(o.Certificate)
		if err != nil {
			return nil, err
		}
		h.getCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }
	}
	return h, nil
}

// Config makes the configuration of one handshake, which costs less than keeping
// one for each name. Like what a listener's GetConfigForClient returns, it has no
// say in what the listener's own says of tickets, unless the front has Tickets.
func (h *Handshaker) Config(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	p := h.policy
	c := &tls.Config{
		GetCertificate: h.getCertificate,
		MinVersion:     p.Min, MaxVersion: p.Max,
		CipherSuites: p.Suites, CurvePreferences: p.Groups,
		NextProtos: protocols,
		Time:       h.clock,
	}
	if !p.fitsHTTP2(hello) {
		c.NextProtos = protocols[1:]
	}
	if h.mutual {
		c.ClientAuth = tls.RequireAnyClientCert
		c.VerifyPeerCertificate = refuseLongChain
	}
	if h.tickets != nil {
		h.tickets.Bind(c, h.name)
	}
	if p.FIPS {
		c.VerifyConnection = refuseChaCha20
	}
	return c, nil
}

// What a client may show of certificates. Only the first counts, but each stays in
// memory as long as the connection, and strangers make up as many as they like.
const (
	maxClientChain = 10
	maxClientBytes = 32 << 10
)

// refuseLongChain ends a handshake in which the client shows more than a chain of
// four authorities needs, several times over.
func refuseLongChain(chain [][]byte, _ [][]*x509.Certificate) error {
	size := 0
	for _, der := range chain {
		size += len(der)
	}
	if len(chain) > maxClientChain || size > maxClientBytes {
		return fmt.Errorf("the client shows %d certificates of %d bytes", len(chain), size)
	}
	return nil
}

// complete returns a certificate with what is parsed of it, or each handshake
// would do that.
func complete(c tls.Certificate) (tls.Certificate, error) {
	if len(c.Certificate) == 0 || c.PrivateKey == nil {
		return c, errors.New("a certificate and its key are needed")
	}
	if c.Leaf == nil {
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			return c, fmt.Errorf("parse the certificate: %w", err)
		}
		c.Leaf = leaf
	}
	return c, nil
}

// fitsHTTP2 tells whether HTTP/2 may run over what will be agreed on: RFC 9113,
// section 9.2, wants TLS 1.2 and a suite with forward secrecy and an AEAD. A
// client without one is served over HTTP/1.1 instead of being turned away.
func (p *Policy) fitsHTTP2(hello *tls.ClientHelloInfo) bool {
	version := uint16(0)
	for _, v := range hello.SupportedVersions {
		if v <= p.Max {
			version = max(version, v)
		}
	}
	switch {
	case version >= tls.VersionTLS13:
		return true
	case version < tls.VersionTLS12:
		return false
	}
	return slices.ContainsFunc(hello.CipherSuites, func(suite uint16) bool {
		return (slices.Contains(ecdheGCM, suite) || slices.Contains(ecdheChaCha20, suite)) && slices.Contains(p.Suites, suite)
	})
}

// refuseChaCha20 ends a handshake that agreed on ChaCha20, which FIPS doesn't
// approve of. crypto/tls can't be told which suites of TLS 1.3 to take, so a client
// that would rather have ChaCha20 is refused, where AWS agrees on AES with it.
func refuseChaCha20(s tls.ConnectionState) error {
	if s.CipherSuite == tls.TLS_CHACHA20_POLY1305_SHA256 {
		return errors.New("the security policy has no ChaCha20")
	}
	return nil
}
