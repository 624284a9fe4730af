package sigv4

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/big"
)

// KeyPair derives the key pair of version 4a from an access key: the key
// derivation of NIST SP 800-108 in counter mode, with a counter of our own
// around it for the rare secret whose number is too great.
func KeyPair(accessKeyID, secret string) (*ecdsa.PrivateKey, error) {
	// A private key is one more than a number of at most the curve's order less two.
	greatest := new(big.Int).Sub(elliptic.P256().Params().N, big.NewInt(2))
	h := hmac.New(sha256.New, []byte("AWS4A"+secret))
	for counter := 1; counter <= 254; counter++ {
		h.Reset()
		input := binary.BigEndian.AppendUint32(nil, 1)
		input = append(append(input, asymmetric...), 0)
		input = append(append(input, accessKeyID...), byte(counter))
		h.Write(binary.BigEndian.AppendUint32(input, 256))
		n := new(big.Int).SetBytes(h.Sum(nil))
		if n.Cmp(greatest) > 0 {
			continue
		}
		n.Add(n, big.NewInt(1))
		return ecdsa.ParseRawPrivateKey(elliptic.P256(), n.FillBytes(make([]byte, 32)))
	}
	return nil, errors.New("sigv4: no key pair can be made of the secret")
}

// holdsAsymmetric is holds of version 4a: the signature is DER in hex.
func (s *Signature) holdsAsymmetric(text []byte, c Check) bool {
	key := c.PublicKey
	if key == nil {
		pair, err := KeyPair(s.AccessKeyID, c.Secret)
		if err != nil {
			return false
		}
		key = &pair.PublicKey
	}
	der, err := hex.DecodeString(s.signature)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(text)
	return ecdsa.VerifyASN1(key, sum[:], der)
}
