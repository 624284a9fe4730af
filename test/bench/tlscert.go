package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// A certificate is that of a domain, in PEM.
type certificate struct{ leaf, chain, key []byte }

// rsaKeys is how many RSA keys there are: making one takes so long that domains
// share them. Each server reads each of them anew.
const rsaKeys = 16

// makeCertificates makes a certificate for each domain below an intermediate of
// the same kind of key, as public authorities issue them.
func makeCertificates(kind string, n int) ([]certificate, error) {
	rootKey, err := newKey(kind)
	if err != nil {
		return nil, err
	}
	root := authorityTemplate(1, "bench root")
	_, rootCert, err := sign(root, root, rootKey, rootKey)
	if err != nil {
		return nil, err
	}
	middleKey, err := newKey(kind)
	if err != nil {
		return nil, err
	}
	middle, middleCert, err := sign(authorityTemplate(2, "bench intermediate"), rootCert, middleKey, rootKey)
	if err != nil {
		return nil, err
	}
	list := make([]certificate, n)
	keys := make([]crypto.Signer, n)
	for i := range list {
		if kind == "rsa" && i >= rsaKeys {
			keys[i] = keys[i%rsaKeys]
		} else if keys[i], err = newKey(kind); err != nil {
			return nil, err
		}
		key := keys[i]
		leaf, _, err := sign(&x509.Certificate{
			SerialNumber: big.NewInt(int64(1000 + i)), Subject: pkix.Name{CommonName: domainName(i)}, DNSNames: []string{domainName(i)},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}, middleCert, key, middleKey)
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, err
		}
		list[i] = certificate{leaf: leaf, chain: middle, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})}
	}
	return list, nil
}

func newKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "ecdsa":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "rsa":
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, fmt.Errorf("keys are ecdsa (P-256) or rsa (2048 bits), not %q", kind)
}

func authorityTemplate(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
}

// sign makes a certificate, in PEM and parsed.
func sign(template, by *x509.Certificate, key, byKey crypto.Signer) ([]byte, *x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), byKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), cert, err
}
