package acm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"sync"
)

// newPair makes a certificate to shake hands with. The private key, whose check
// takes longer than all the rest, is parsed when it first signs: a gateway with
// ten thousand names is ready sooner.
func newPair(body, chain, key string) (*tls.Certificate, error) {
	pair := &tls.Certificate{}
	for _, text := range [...]string{body, chain} {
		for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
			pair.Certificate = append(pair.Certificate, block.Bytes)
		}
	}
	if len(pair.Certificate) == 0 {
		return nil, errors.New("the stored certificate is no PEM")
	}
	var err error
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return nil, err
	}
	late := &lateKey{public: pair.Leaf.PublicKey, parse: sync.OnceValues(func() (crypto.Signer, error) { return parseKey([]byte(key)) })}
	pair.PrivateKey = late
	if _, ok := late.public.(*rsa.PublicKey); ok {
		pair.PrivateKey = lateRSA{late}
	}
	return pair, nil
}

// A lateKey is a private key that is parsed when it is first used.
type lateKey struct {
	public crypto.PublicKey
	parse  func() (crypto.Signer, error)
}

// Public returns the certificate's key.
func (k *lateKey) Public() crypto.PublicKey { return k.public }

// Sign signs a digest.
func (k *lateKey) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	key, err := k.parse()
	if err != nil {
		return nil, err
	}
	return key.Sign(random, digest, opts)
}

// A lateRSA can decrypt, too: key exchanges without forward secrecy do.
type lateRSA struct{ *lateKey }

// Decrypt decrypts a message.
func (k lateRSA) Decrypt(random io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	key, err := k.parse()
	if err != nil {
		return nil, err
	}
	decrypter, ok := key.(crypto.Decrypter)
	if !ok {
		return nil, errKey
	}
	return decrypter.Decrypt(random, msg, opts)
}

var errKey = errors.New("no private key in PEM of a kind that certificates have")

// parseKey reads the first private key of a PEM text: PKCS #8, PKCS #1 or SEC 1,
// not encrypted, RSA or on a curve of NIST's.
func parseKey(text []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "EC PARAMETERS": // openssl writes them before the key
			continue
		default:
			return nil, errKey
		}
		if err != nil {
			return nil, errKey // whose text tells nothing of the key
		}
		switch key := key.(type) {
		case *rsa.PrivateKey:
			return key, nil
		case *ecdsa.PrivateKey:
			return key, nil
		}
		return nil, errKey
	}
	return nil, errKey
}

func encodeKey(key crypto.Signer) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

func encodeCertificates(ders ...[]byte) string {
	var text []byte
	for _, der := range ders {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return string(text)
}
