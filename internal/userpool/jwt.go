package userpool

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
)

const keyBits = 2048

// maxToken is the longest token that is looked at.
const maxToken = 16 << 10

// ErrToken is returned for a token that none of the keys signed.
var ErrToken = errors.New("userpool: not a token of this pool")

// A SigningKey signs tokens with RS256.
type SigningKey struct {
	ID      string
	private *rsa.PrivateKey
}

// A PublicKey is what is told of a SigningKey.
type PublicKey struct {
	ID string
	// Modulus is the big-endian modulus; the exponent is always 65537.
	Modulus []byte
}

// publicExponent is AQAB, as in all of Cognito's keys.
const publicExponent = 65537

// NewSigningKey makes a key, which takes some 100 ms. Its id comes from random.
func NewSigningKey(random io.Reader) (*SigningKey, error) {
	var id [32]byte
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return nil, fmt.Errorf("userpool: make a key: %w", err)
	}
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("userpool: make a key: %w", err)
	}
	return &SigningKey{base64.StdEncoding.EncodeToString(id[:]), private}, nil
}

// ParseSigningKey reads what Marshal wrote.
func ParseSigningKey(id string, pkcs8 []byte) (*SigningKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("userpool: signing key %s: %w", id, err)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("userpool: signing key %s is a %T", id, key)
	}
	return &SigningKey{id, private}, nil
}

// Marshal writes the private key as PKCS #8.
func (k *SigningKey) Marshal() ([]byte, error) { return x509.MarshalPKCS8PrivateKey(k.private) }

// Public is what may be told of the key.
func (k *SigningKey) Public() PublicKey { return PublicKey{k.ID, k.private.N.Bytes()} }

// header is all that the header of Cognito's tokens has.
type header struct {
	KeyID     string `json:"kid"`
	Algorithm string `json:"alg"`
}

const algorithm = "RS256"

// Sign makes a token of claims.
func (k *SigningKey) Sign(claims any) (string, error) {
	head, err := json.Marshal(header{k.ID, algorithm})
	if err != nil {
		return "", fmt.Errorf("userpool: sign: %w", err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("userpool: sign: %w", err)
	}
	b64 := base64.RawURLEncoding
	text := b64.EncodeToString(head) + "." + b64.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.private, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("userpool: sign: %w", err)
	}
	return text + "." + b64.EncodeToString(signature), nil
}

// Issuer reads the issuer a token names, before anything of it is believed.
func Issuer(token string) (string, bool) {
	_, body, _, err := split(token)
	if err != nil {
		return "", false
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(body, &claims) != nil {
		return "", false
	}
	return claims.Issuer, claims.Issuer != ""
}

// Verify returns the claims of a token that one of the keys signed. Times and
// everything else in them are the caller's to check.
func Verify(token string, keys []PublicKey) (claims []byte, err error) {
	head, body, signature, err := split(token)
	if err != nil {
		return nil, err
	}
	var h header
	if json.Unmarshal(head, &h) != nil || h.Algorithm != algorithm {
		return nil, ErrToken
	}
	sum := sha256.Sum256([]byte(token[:strings.LastIndexByte(token, '.')]))
	for _, k := range keys {
		if k.ID != h.KeyID {
			continue
		}
		public := rsa.PublicKey{N: new(big.Int).SetBytes(k.Modulus), E: publicExponent}
		if rsa.VerifyPKCS1v15(&public, crypto.SHA256, sum[:], signature) == nil {
			return body, nil
		}
	}
	return nil, ErrToken
}

func split(token string) (head, body, signature []byte, err error) {
	parts := strings.Split(token, ".")
	if len(token) > maxToken || len(parts) != 3 {
		return nil, nil, nil, ErrToken
	}
	var decoded [3][]byte
	for i, p := range parts {
		if decoded[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			return nil, nil, nil, ErrToken
		}
	}
	return decoded[0], decoded[1], decoded[2], nil
}

// jwk is a key of a key set, with its members in Cognito's order.
type jwk struct {
	Algorithm string `json:"alg"`
	Exponent  string `json:"e"`
	ID        string `json:"kid"`
	Type      string `json:"kty"`
	Modulus   string `json:"n"`
	Use       string `json:"use"`
}

// KeySet is the JSON Web Key Set of keys.
func KeySet(keys []PublicKey) []byte {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range keys {
		set.Keys = append(set.Keys, jwk{algorithm, "AQAB", k.ID, "RSA", base64.RawURLEncoding.EncodeToString(k.Modulus), "sig"})
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err) // strings only
	}
	return text
}
