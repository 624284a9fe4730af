package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"maps"
	"strings"
	"time"
)

// A Token is a JSON Web Token of an issuer. It has iss, iat and an exp in an
// hour unless it says otherwise.
type Token struct {
	// Like names a token whose fields it has where it says nothing itself.
	Like   string `yaml:"like"`
	Issuer string `yaml:"issuer"`
	// Key is the id of the key that signs; "one" by default.
	Key string `yaml:"key"`
	// Algorithm signs, RS256 by default: RS, PS and ES with their sizes, EdDSA, HS
	// with their sizes, whose secret is the public key's PEM, or none.
	Algorithm string `yaml:"algorithm"`
	// Header and Claims are members that differ; null is one that isn't there.
	Header Members `yaml:"header"`
	Claims Members `yaml:"claims"`
	// Times are claims in seconds from now.
	Times map[string]float64 `yaml:"times"`
	// Forged are claims that are changed after the signature was made.
	Forged Members `yaml:"forged"`
}

// over is the token over the one it is like.
func (t Token) over(like Token) Token {
	join := func(a, b Members) Members {
		out := Members{}
		maps.Copy(out, a)
		maps.Copy(out, b)
		return out
	}
	times := maps.Clone(like.Times)
	if times == nil {
		times = map[string]float64{}
	}
	maps.Copy(times, t.Times)
	return Token{
		Like: like.Like, Issuer: or(t.Issuer, like.Issuer), Key: or(t.Key, like.Key), Algorithm: or(t.Algorithm, like.Algorithm),
		Header: join(like.Header, t.Header), Claims: join(like.Claims, t.Claims), Times: times, Forged: join(like.Forged, t.Forged),
	}
}

// token finds a token's specification in this setup and those around it.
func (s *scene) token(name string) (Token, bool) {
	for ; s != nil; s = s.outer {
		if t, ok := s.setup.Tokens[name]; ok {
			return t, true
		}
	}
	return Token{}, false
}

// mint makes a token.
func (s *scene) mint(name string) (string, error) {
	t, ok := s.token(name)
	for like := t.Like; ok && like != ""; like = t.Like {
		var base Token
		if base, ok = s.token(like); ok {
			t = t.over(base)
		}
	}
	if !ok {
		return "", fmt.Errorf("token %q is like one that isn't there", name)
	}
	issuer, err := s.issuer(t.Issuer)
	if err != nil {
		return "", err
	}
	id := or(t.Key, "one")
	key := issuer.keys[id]
	if key == nil {
		return "", fmt.Errorf("the issuer %q has no key %q", t.Issuer, id)
	}
	algorithm := or(t.Algorithm, "RS256")
	now := time.Now().Unix()
	claims := Members{"iss": issuer.url, "iat": now, "exp": now + 3600}
	for claim, seconds := range t.Times {
		claims[claim] = json.Number(fmt.Sprint(float64(now) + seconds))
		if whole := int64(seconds); float64(whole) == seconds {
			claims[claim] = now + whole
		}
	}
	header, err := s.tokenPart(Members{"alg": algorithm, "kid": id, "typ": "JWT"}, t.Header)
	if err != nil {
		return "", err
	}
	body, err := s.tokenPart(claims, t.Claims)
	if err != nil {
		return "", err
	}
	signed := header + "." + body
	mac, err := signToken(algorithm, key, []byte(signed))
	if err != nil {
		return "", err
	}
	if len(t.Forged) > 0 {
		if body, err = s.tokenPart(changed(claims, t.Claims), t.Forged); err != nil {
			return "", err
		}
	}
	return header + "." + body + "." + base64.RawURLEncoding.EncodeToString(mac), nil
}

func (s *scene) tokenPart(members, over Members) (string, error) {
	expanded, err := expandMembers(changed(members, over), s.lookup)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(expanded)
	return base64.RawURLEncoding.EncodeToString(text), err
}

// signToken signs the first two parts of a token.
func signToken(algorithm string, key crypto.Signer, signed []byte) ([]byte, error) {
	if algorithm == "none" {
		return nil, nil
	}
	if algorithm == "EdDSA" {
		private, ok := key.(ed25519.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("%s needs another key", algorithm)
		}
		return ed25519.Sign(private, signed), nil
	}
	sizes := map[string]struct {
		new  func() hash.Hash
		hash crypto.Hash
	}{"256": {sha256.New, crypto.SHA256}, "384": {sha512.New384, crypto.SHA384}, "512": {sha512.New, crypto.SHA512}}
	size, ok := sizes[strings.TrimLeft(algorithm, "ERSHP")]
	if !ok {
		return nil, fmt.Errorf("there is no algorithm %q", algorithm)
	}
	h := size.new()
	h.Write(signed)
	digest := h.Sum(nil)
	switch family := algorithm[:2]; private := key.(type) {
	case *rsa.PrivateKey:
		switch family {
		case "RS":
			return rsa.SignPKCS1v15(nil, private, size.hash, digest)
		case "PS":
			return rsa.SignPSS(rand.Reader, private, size.hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		case "HS":
			der, err := x509.MarshalPKIXPublicKey(private.Public())
			mac := hmac.New(size.new, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
			mac.Write(signed)
			return mac.Sum(nil), err
		}
	case *ecdsa.PrivateKey:
		if family == "ES" {
			r, s, err := ecdsa.Sign(rand.Reader, private, digest)
			if err != nil {
				return nil, err
			}
			out := make([]byte, 64)
			r.FillBytes(out[:32])
			s.FillBytes(out[32:])
			return out, nil
		}
	}
	return nil, fmt.Errorf("%s needs another key", algorithm)
}
