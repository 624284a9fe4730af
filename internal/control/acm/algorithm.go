package acm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"

	api "gatehouse/internal/awsapi/acm"
)

// newKey makes the key of a certificate that was requested. ACM's own
// certificates have one of these three kinds.
func newKey(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case api.KeyAlgorithmRSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case api.KeyAlgorithmECPrime256v1:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case api.KeyAlgorithmECSecp384r1:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	// UNVERIFIED wording.
	return nil, api.NewInvalidParameterException("The key algorithm " + algorithm + " can't be requested of a public certificate; RSA_2048, EC_prime256v1 and EC_secp384r1 can.")
}

// algorithmOf names the kind of a key as ACM does, "" for one that it has no
// name for.
func algorithmOf(public crypto.PublicKey) string {
	switch key := public.(type) {
	case *rsa.PublicKey:
		switch key.N.BitLen() {
		case 1024:
			return api.KeyAlgorithmRSA1024
		case 2048:
			return api.KeyAlgorithmRSA2048
		case 3072:
			return api.KeyAlgorithmRSA3072
		case 4096:
			return api.KeyAlgorithmRSA4096
		}
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return api.KeyAlgorithmECPrime256v1
		case elliptic.P384():
			return api.KeyAlgorithmECSecp384r1
		case elliptic.P521():
			return api.KeyAlgorithmECSecp521r1
		}
	}
	return ""
}
