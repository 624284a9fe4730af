package localca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Organization is the name that certificates give as their issuer's.
const Organization = "Gatehouse"

const (
	// RootFile is the root's certificate, for clients to trust.
	RootFile = "root.pem"

	rootLife         = 10 * 365 * 24 * time.Hour
	intermediateLife = 5 * 365 * 24 * time.Hour
	// LeafLife is how long an issued certificate is good: what ACM gives since
	// public authorities may give 200 days at most.
	LeafLife = 198 * 24 * time.Hour
	// backdate allows for clocks that are behind.
	backdate = time.Hour
)

// Options say where an authority lives.
type Options struct {
	// Dir is the directory of the authority's files; it is made if missing.
	Dir string
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
}

// An Authority issues certificates. It is safe for concurrent use.
type Authority struct {
	dir   string
	clock func() time.Time

	// mu guards what is replaced when it gets old.
	mu            sync.Mutex
	root          *signer
	intermediates map[x509.PublicKeyAlgorithm]*signer
}

// A signer is a certificate that may sign others, with its key.
type signer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// Open reads the authority in a directory, or makes one.
func Open(o Options) (*Authority, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	a := &Authority{dir: o.Dir, clock: o.Clock, intermediates: map[x509.PublicKeyAlgorithm]*signer{}}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.openRoot(); err != nil {
		return nil, fmt.Errorf("authority of certificates: %w", err)
	}
	return a, nil
}

// File is the path of the root's certificate.
func (a *Authority) File() string { return filepath.Join(a.dir, RootFile) }

// Root is the certificate that clients may trust.
func (a *Authority) Root() *x509.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.root.cert
}

// Issue signs a certificate for a key and DNS names, which may begin with "*.".
// It returns the certificate and the intermediate, in DER, without the root.
func (a *Authority) Issue(_ context.Context, key crypto.Signer, names []string) ([][]byte, error) {
	usage := x509.KeyUsageDigitalSignature
	kind := x509.ECDSA
	if _, ok := key.Public().(*rsa.PublicKey); ok {
		usage |= x509.KeyUsageKeyEncipherment
		kind = x509.RSA
	}
	by, err := a.intermediate(kind)
	if err != nil {
		return nil, err
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	now := a.clock()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName(names)},
		NotBefore:    now.Add(-backdate), NotAfter: now.Add(LeafLife),
		KeyUsage: usage, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              names,
	}, by.cert, key.Public(), by.key)
	if err != nil {
		return nil, err
	}
	return [][]byte{der, by.cert.Raw}, nil
}

// commonName is the first name; a longer one than X.509 has room for stands
// among the alternative names only.
func commonName(names []string) string {
	if len(names) == 0 || len(names[0]) > 64 {
		return ""
	}
	return names[0]
}

// openRoot reads or makes the root. One that couldn't see a new intermediate
// through its certificates is replaced.
func (a *Authority) openRoot() error {
	made, err := a.open("root-key.pem", a.clock().Add(2*LeafLife), func() (*signer, error) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		return a.make("root", key, nil, rootLife)
	})
	if err != nil {
		return err
	}
	a.root = made
	return writeCertificate(a.File(), made.cert)
}

// intermediate is what signs certificates for keys of a kind, so that a client
// which knows one kind of signature can follow the chain up to the root.
func (a *Authority) intermediate(kind x509.PublicKeyAlgorithm) (*signer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	until := a.clock().Add(LeafLife)
	if a.root.cert.NotAfter.Before(until) {
		if err := a.openRoot(); err != nil {
			return nil, err
		}
		clear(a.intermediates)
	}
	if s := a.intermediates[kind]; s != nil && !s.cert.NotAfter.Before(until) {
		return s, nil
	}
	name := "ecdsa"
	if kind == x509.RSA {
		name = "rsa"
	}
	s, err := a.open("intermediate-"+name+".pem", until, func() (*signer, error) {
		var key crypto.Signer
		var err error
		if kind == x509.RSA {
			key, err = rsa.GenerateKey(rand.Reader, 2048)
		} else {
			key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		}
		if err != nil {
			return nil, err
		}
		return a.make(name+" intermediate", key, a.root, intermediateLife)
	})
	if err != nil {
		return nil, fmt.Errorf("intermediate authority: %w", err)
	}
	a.intermediates[kind] = s
	return s, nil
}

// open reads a signer out of its file. One that is missing, wouldn't last until
// a time or wasn't signed by the present root is made anew.
func (a *Authority) open(file string, until time.Time, fresh func() (*signer, error)) (*signer, error) {
	path := filepath.Join(a.dir, file)
	s, err := readSigner(path)
	missing := errors.Is(err, os.ErrNotExist)
	if err != nil && !missing {
		return nil, err
	}
	if !missing && !s.cert.NotAfter.Before(until) && (a.root == nil || s.cert.CheckSignatureFrom(a.root.cert) == nil) {
		return s, nil
	}
	if s, err = fresh(); err != nil {
		return nil, err
	}
	if err := writeSigner(path, s, missing); !errors.Is(err, os.ErrExist) {
		return s, err
	}
	// Another process was faster; its root is the one.
	return readSigner(path)
}

// make signs a new signer; by is nil for the root, which signs itself.
func (a *Authority) make(name string, key crypto.Signer, by *signer, life time.Duration) (*signer, error) {
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	now := a.clock()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: Organization + " " + name + " " + serial.Text(36)[:6], Organization: []string{Organization}},
		NotBefore:    now.Add(-backdate), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
		MaxPathLen: 1,
	}
	if by == nil {
		by = &signer{template, key}
	} else {
		template.MaxPathLen, template.MaxPathLenZero = 0, true
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		if template.NotAfter.After(by.cert.NotAfter) {
			template.NotAfter = by.cert.NotAfter
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &signer{cert, key}, err
}

func serialNumber() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
}
