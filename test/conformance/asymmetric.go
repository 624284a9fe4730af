package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"math/big"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// asymmetricAlgorithm signs with a key pair of which the region is no part.
const asymmetricAlgorithm = "AWS4-ECDSA-P256-SHA256"

// asymmetricKey derives the private key of credentials: the first number of a
// keyed counter's that is one below the order of the curve.
func asymmetricKey(c aws.Credentials) (*ecdsa.PrivateKey, error) {
	const bits = 256
	for counter := byte(1); counter < 255; counter++ {
		h := hmac.New(sha256.New, []byte("AWS4A"+c.SecretAccessKey))
		h.Write([]byte{0, 0, 0, 1})
		h.Write([]byte(asymmetricAlgorithm))
		h.Write([]byte{0})
		h.Write([]byte(c.AccessKeyID))
		h.Write([]byte{counter, 0, 0, bits >> 8, bits & 0xff})
		candidate := new(big.Int).SetBytes(h.Sum(nil))
		last := new(big.Int).Sub(elliptic.P256().Params().N, big.NewInt(2))
		if candidate.Cmp(last) <= 0 {
			d := candidate.Add(candidate, big.NewInt(1)).FillBytes(make([]byte, 32))
			return ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
		}
	}
	return nil, errors.New("no key can be derived")
}

// asymmetric is the signature of a text.
func asymmetric(c aws.Credentials, text string) ([]byte, error) {
	key, err := asymmetricKey(c)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(text))
	return ecdsa.SignASN1(rand.Reader, key, digest[:])
}
