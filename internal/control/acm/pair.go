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
	"slices"
	"strings"
	"sync"
)

// newPair makes a certificate to shake hands with, of PEM. Nothing of it is
// parsed before hands are shaken: a gateway with ten thousand names is ready
// sooner, and takes less memory. For the same reason its Leaf is nil.
func newPair(body string, chain [][]byte, key, algorithm string) (*tls.Certificate, error) {
	block, _ := pem.Decode([]byte(body))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("the stored certificate is no PEM")
	}
	pair := &tls.Certificate{Certificate: append(make([][]byte, 0, 1+len(chain)), slices.Clip(block.Bytes))}
	pair.Certificate = append(pair.Certificate, chain...)
	late := &lateKey{text: key}
	pair.PrivateKey = late
	if strings.HasPrefix(algorithm, "RSA") {
		pair.PrivateKey = lateRSA{late}
	}
	return pair, nil
}

// A lateKey is a private key that is parsed when it is first used.
type lateKey struct {
	once sync.Once
	text string // PEM, until it is parsed
	key  crypto.Signer
	err  error
}

func (k *lateKey) parse() (crypto.Signer, error) {
	k.once.Do(func() {
		k.key, k.err = parseKey([]byte(k.text))
		k.text = ""
	})
	return k.key, k.err
}

// Public returns the public key; nil, with which nobody can shake hands, for a
// private one that can't be read.
func (k *lateKey) Public() crypto.PublicKey {
	key, err := k.parse()
	if err != nil {
		return nil
	}
	return key.Public()
}

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
