package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// An Issuer is an OpenID Connect issuer that the runner plays.
type Issuer struct {
	// Keys are signing keys by their id. One called "one" is there by default.
	Keys map[string]IssuerKey `yaml:"keys"`
	// Publish are the ids of the keys that the issuer shows; all by default.
	Publish []string `yaml:"publish"`
	// Answers say how its two documents, "discovery" and "jwks", are answered;
	// see IssuerStep.
	Answers map[string]string `yaml:"answers"`
	// Discovery are members of the discovery document that differ; null is one
	// that isn't there.
	Discovery Members `yaml:"discovery"`
}

// An IssuerKey is a signing key.
type IssuerKey struct {
	// Type is RSA, the default, EC, which is P-256, or OKP, which is Ed25519.
	Type string `yaml:"type"`
	// Bits is the size of an RSA key, 2048 by default.
	Bits int `yaml:"bits"`
	// JWK are members of the published key that differ; null is one that isn't
	// there.
	JWK Members `yaml:"jwk"`
}

// An IssuerStep changes an issuer, or asks what it has been asked.
type IssuerStep struct {
	Name string `yaml:"name"`
	// Publish are the ids of the keys that it shows from now on.
	Publish []string `yaml:"publish"`
	// Answers are by document: ok, a status, "garbage", "huge", which is more
	// than 150,000 bytes, "hang" or "redirect", which is to the other one's
	// document and so to no document of this kind.
	Answers map[string]string `yaml:"answers"`
	// Asked is how often it may have been asked for a document.
	Asked map[string]int `yaml:"asked"`
}

// issuers is the server of all issuers of a world.
type issuers struct {
	// url is where endpoints find it.
	url    string
	server *http.Server

	mu sync.Mutex
	// by are the issuers by the first segment of their paths.
	by map[string]*madeIssuer
	// rsa are RSA keys, which take long to make, by their names and sizes.
	rsa map[string]func() (crypto.Signer, error)
}

// newIssuers starts the server on an address; url is where endpoints find it,
// by default at that address.
func newIssuers(address, url string) (*issuers, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &issuers{url: strings.TrimSuffix(url, "/"), by: map[string]*madeIssuer{}, rsa: map[string]func() (crypto.Signer, error){}}
	if s.url == "" {
		s.url = "http://" + l.Addr().String()
	}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: answerTimeout}
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

func (s *issuers) close() { _ = s.server.Close() }

// ServeHTTP answers with an issuer's documents.
func (s *issuers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, document, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	issuer := s.by[name]
	s.mu.Unlock()
	switch {
	case issuer == nil:
		http.NotFound(w, r)
	case document == ".well-known/openid-configuration":
		issuer.answer(w, r, "discovery")
	case document == "jwks":
		issuer.answer(w, r, "jwks")
	default:
		http.NotFound(w, r)
	}
}

// A madeIssuer is an issuer at work.
type madeIssuer struct {
	spec Issuer
	url  string
	keys map[string]crypto.Signer

	mu      sync.Mutex
	publish []string
	answers map[string]string
	asked   map[string]int
}

// make starts an issuer.
func (s *issuers) make(name string, spec Issuer) (*madeIssuer, error) {
	if len(spec.Keys) == 0 {
		spec.Keys = map[string]IssuerKey{"one": {}}
	}
	m := &madeIssuer{
		spec: spec, url: s.url + "/" + name, keys: map[string]crypto.Signer{}, publish: spec.Publish,
		answers: maps.Clone(spec.Answers), asked: map[string]int{},
	}
	if m.publish == nil {
		m.publish = sortedKeys(spec.Keys)
	}
	if m.answers == nil {
		m.answers = map[string]string{}
	}
	for _, id := range sortedKeys(spec.Keys) {
		key, err := s.key(id, spec.Keys[id])
		if err != nil {
			return nil, err
		}
		m.keys[id] = key
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[name] = m
	return m, nil
}

func (s *issuers) key(id string, spec IssuerKey) (crypto.Signer, error) {
	switch spec.Type {
	case "", "RSA":
		bits := spec.Bits
		if bits == 0 {
			bits = 2048
		}
		name := fmt.Sprint(id, " ", bits)
		s.mu.Lock()
		get := s.rsa[name]
		if get == nil {
			get = sync.OnceValues(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, bits) })
			s.rsa[name] = get
		}
		s.mu.Unlock()
		return get()
	case "EC":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "OKP":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("there are no keys of type %q", spec.Type)
}

// answer answers for one of the two documents.
func (m *madeIssuer) answer(w http.ResponseWriter, r *http.Request, name string) {
	m.mu.Lock()
	m.asked[name]++
	how := m.answers[name]
	publish := m.publish
	m.mu.Unlock()
	switch how {
	case "", "ok":
	case "garbage":
		_, _ = w.Write([]byte("<html>no document</html>"))
		return
	case "hang":
		select {
		case <-r.Context().Done():
		case <-time.After(answerTimeout):
		}
		return
	case "redirect":
		http.Redirect(w, r, m.url+"/elsewhere", http.StatusFound)
		return
	case "huge":
		_, _ = fmt.Fprintf(w, `{"keys":[],"filler":%q}`, strings.Repeat("x", 200_000))
		return
	default:
		status := 500
		_, _ = fmt.Sscan(how, &status)
		w.WriteHeader(status)
		return
	}
	var document any
	if name == "discovery" {
		document = changed(Members{"issuer": m.url, "jwks_uri": m.url + "/jwks", "id_token_signing_alg_values_supported": []string{"RS256"}}, m.spec.Discovery)
	} else {
		keys := []Members{}
		for _, id := range publish {
			keys = append(keys, changed(jwk(id, m.keys[id].Public()), m.spec.Keys[id].JWK))
		}
		document = Members{"keys": keys}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document)
}

// changed are members with others over them, of which null takes one away.
func changed(members, over Members) Members {
	out := maps.Clone(members)
	for name, value := range over {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

// jwk is a public key as it is published.
func jwk(id string, public crypto.PublicKey) Members {
	text := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case *rsa.PublicKey:
		return Members{"kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": text(k.N.Bytes()), "e": text(big.NewInt(int64(k.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			return nil
		}
		return Members{"kty": "EC", "kid": id, "use": "sig", "alg": "ES256", "crv": "P-256", "x": text(point[1:33]), "y": text(point[33:])}
	case ed25519.PublicKey:
		return Members{"kty": "OKP", "kid": id, "use": "sig", "alg": "EdDSA", "crv": "Ed25519", "x": text(k)}
	}
	return nil
}

// issuer finds an issuer in this setup and those around it.
func (s *scene) issuer(name string) (*madeIssuer, error) {
	for ; s != nil; s = s.outer {
		if get := s.issuers[name]; get != nil {
			return get()
		}
	}
	return nil, fmt.Errorf("there is no issuer %q", name)
}

// issuer does what a step says to an issuer.
func (r *run) issuer(want *IssuerStep) error {
	m, err := r.scene.issuer(want.Name)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var problems []error
	for _, document := range sortedKeys(want.Asked) {
		if got := m.asked[document]; got > want.Asked[document] {
			problems = append(problems, fmt.Errorf("the issuer was asked %d times for %s, want %d at most", got, document, want.Asked[document]))
		}
	}
	for _, id := range want.Publish {
		if m.keys[id] == nil {
			problems = append(problems, fmt.Errorf("the issuer has no key %q", id))
		}
	}
	if want.Publish != nil {
		m.publish = want.Publish
	}
	maps.Copy(m.answers, want.Answers)
	return errors.Join(problems...)
}
