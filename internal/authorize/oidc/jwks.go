package oidc

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws/jwsbb"
)

// maxModulusBits bounds what one verification can cost. jwk refuses keys of less
// than 2048 bits. UNVERIFIED: that AWS does.
const maxModulusBits = 8192

// Algorithms are what tokens may be signed with: AWS takes RSA with PKCS #1 v1.5
// only.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
var algorithms = [...]string{"RS256", "RS384", "RS512"}

// Supported tells whether tokens may be signed with an algorithm.
func Supported(algorithm string) bool { return slices.Contains(algorithms[:], algorithm) }

// A material is a public key as a key set names it.
type material struct {
	// id is never "".
	id string
	// algorithm is the only one the key is for, "" for all.
	algorithm string
	public    *rsa.PublicKey
}

func (m *material) equal(o *material) bool {
	return m.id == o.id && m.algorithm == o.algorithm && m.public.Equal(o.public)
}

// verify checks a signature with an algorithm. The key says which algorithms
// there are, so that a token can't have its signature taken for one of another
// kind.
func (m *material) verify(algorithm string, signed, signature []byte) error {
	if !Supported(algorithm) || m.algorithm != "" && m.algorithm != algorithm {
		return errors.New("the key isn't for " + algorithm)
	}
	return jwsbb.Verify(m.public, algorithm, signed, signature)
}

// parseKeys reads a JSON Web Key Set. Keys that can't have signed a token are
// left out, whatever is wrong with them: others may be good. Of keys with one id
// the first one counts.
func parseKeys(document []byte) ([]material, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, fmt.Errorf("the key set isn't JSON: %w", err)
	}
	if set.Keys == nil {
		return nil, errors.New(`the key set has no "keys"`)
	}
	var list []material
	for _, text := range set.Keys {
		m, err := parseKey(text)
		if err != nil || slices.ContainsFunc(list, func(o material) bool { return o.id == m.id }) {
			continue
		}
		list = append(list, m)
	}
	return list, nil
}

func parseKey(text []byte) (material, error) {
	var head struct {
		Kty        string   `json:"kty"`
		Use        string   `json:"use"`
		Operations []string `json:"key_ops"`
		Algorithm  string   `json:"alg"`
		ID         string   `json:"kid"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return material{}, err
	}
	switch {
	case head.Kty != "RSA":
		return material{}, errors.New("not an RSA key")
	case head.ID == "":
		return material{}, errors.New("no key id")
	case head.Use != "" && head.Use != "sig",
		head.Operations != nil && !slices.Contains(head.Operations, "verify"),
		head.Algorithm != "" && !Supported(head.Algorithm):
		return material{}, errors.New("not for signatures")
	}
	key, err := jwk.ParseKey(text)
	if err != nil {
		return material{}, err
	}
	if key, err = jwk.PublicKeyOf(key); err != nil {
		return material{}, err
	}
	m := material{id: head.ID, algorithm: head.Algorithm, public: &rsa.PublicKey{}}
	if err := jwk.Export(key, m.public); err != nil {
		return material{}, err
	}
	if m.public.N.BitLen() > maxModulusBits {
		return material{}, errors.New("the modulus is too long")
	}
	return m, nil
}
