package oidctest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	// The hashes that signatures are of.
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// An Issuer serves a discovery document and a key set.
type Issuer struct {
	// URL is what its tokens have as iss.
	URL string
	// Discoveries and KeySets count the requests for each document.
	Discoveries, KeySets atomic.Int64

	mu        sync.Mutex
	document  []byte
	override  map[string]http.HandlerFunc
	server    *httptest.Server
	discovery string
}

// The paths of an issuer's documents.
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	KeySetPath    = "/keys"
)

// New starts an issuer with keys; it ends with the test.
func New(t testing.TB, keys ...*Key) *Issuer {
	i := &Issuer{override: map[string]http.HandlerFunc{}}
	i.server = httptest.NewServer(i)
	t.Cleanup(i.server.Close)
	i.URL = i.server.URL
	i.discovery = fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, i.URL, i.URL+KeySetPath)
	i.SetKeys(keys...)
	return i
}

// SetKeys has the issuer publish other keys.
func (i *Issuer) SetKeys(keys ...*Key) { i.SetDocument(Set(keys...)) }

// SetDocument has the issuer publish any text as its key set.
func (i *Issuer) SetDocument(document []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.document = document
}

// Override answers a path by a handler; nil ends that.
func (i *Issuer) Override(path string, h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.override[path] = h
}

// ServeHTTP implements http.Handler.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case DiscoveryPath:
		i.Discoveries.Add(1)
	case KeySetPath:
		i.KeySets.Add(1)
	}
	i.mu.Lock()
	override, document := i.override[r.URL.Path], i.document
	i.mu.Unlock()
	switch {
	case override != nil:
		override(w, r)
	case r.URL.Path == DiscoveryPath:
		_, _ = w.Write([]byte(i.discovery))
	case r.URL.Path == KeySetPath:
		_, _ = w.Write(document)
	default:
		http.NotFound(w, r)
	}
}

// A Key signs tokens.
type Key struct {
	ID      string
	Private *rsa.PrivateKey
	// Members are further members of the key in a key set, in place of those it
	// would have.
	Members map[string]any
}

// NewKey makes a key of 2048 bits.
func NewKey(t testing.TB, id string) *Key { return NewKeyOf(t, id, 2048) }

// NewKeyOf makes a key of some bits.
func NewKeyOf(t testing.TB, id string, bits int) *Key {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return &Key{ID: id, Private: private}
}

// With is the key with other members in its key set.
func (k *Key) With(members map[string]any) *Key {
	return &Key{ID: k.ID, Private: k.Private, Members: members}
}

// JWK is the public key as a key set has it.
func (k *Key) JWK() map[string]any {
	jwk := map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.ID,
		"n": Encode(k.Private.N.Bytes()), "e": Encode(big.NewInt(int64(k.Private.E)).Bytes()),
	}
	for name, value := range k.Members {
		if value == nil {
			delete(jwk, name)
		} else {
			jwk[name] = value
		}
	}
	return jwk
}

// Set is a key set.
func Set(keys ...*Key) []byte {
	list := make([]any, len(keys))
	for i, k := range keys {
		list[i] = k.JWK()
	}
	text, err := json.Marshal(map[string]any{"keys": list})
	if err != nil {
		panic(err) // only maps and texts are in it
	}
	return text
}

// Sign makes a token of claims, which are JSON or a text that passes for it.
func (k *Key) Sign(t testing.TB, claims any) string {
	return k.SignWith(t, map[string]any{"alg": "RS256", "kid": k.ID}, claims)
}

// SignWith makes a token with a header of its own. It is signed with the hash
// that its algorithm names, SHA-256 if that isn't RSA's.
func (k *Key) SignWith(t testing.TB, header, claims any) string {
	signed := Encode(text(t, header)) + "." + Encode(text(t, claims))
	hash := crypto.SHA256
	if h, ok := header.(map[string]any); ok {
		switch h["alg"] {
		case "RS384":
			hash = crypto.SHA384
		case "RS512":
			hash = crypto.SHA512
		}
	}
	digest := hash.New()
	digest.Write([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, k.Private, hash, digest.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + Encode(signature)
}

// Encode is base64 as tokens have it.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func text(t testing.TB, v any) []byte {
	if s, ok := v.(string); ok {
		return []byte(s)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
