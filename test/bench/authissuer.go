package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"
)

// issuerBits is the length of the issuer's key.
const issuerBits = 2048

// An issuer is an OpenID Connect provider that knows one client.
type issuer struct {
	url    string
	key    *rsa.PrivateKey
	server *http.Server
}

const (
	issuerKeyID = "bench-1"
	audience    = "bench-client"
)

func newIssuer() (*issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, issuerBits)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i := &issuer{url: "http://" + l.Addr().String(), key: key}
	pages := http.NewServeMux()
	pages.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"issuer": i.url, "jwks_uri": i.url + "/keys"})
	})
	pages.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "kid": issuerKeyID, "use": "sig", "alg": "RS256",
			"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	i.server = &http.Server{Handler: pages, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := i.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // the bench can't go on
		}
	}()
	return i, nil
}

func (i *issuer) close() { _ = i.server.Close() } // the run is over

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the gateway tells if it fails
}

// token signs the access token of the n-th user.
func (i *issuer) token(n int) (string, error) {
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": i.url, "aud": audience, "sub": fmt.Sprintf("user-%d", n), "scope": "items:read items:write",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "email": fmt.Sprintf("user-%d@example.com", n),
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"RS256","kid":"`+issuerKeyID+`","typ":"JWT"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	return text + "." + encode(signature), err
}
