package localcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

const (
	certFile = "ca.pem"
	keyFile  = "ca-key.pem"

	authorityLife = 10 * 365 * 24 * time.Hour
	// leafLife stays below what clients accept (398 days).
	leafLife = 365 * 24 * time.Hour
	// renewBefore is how long before its end a certificate is replaced.
	renewBefore = 30 * 24 * time.Hour
	// backdate allows for clocks that are behind.
	backdate = time.Hour
)

// Options say where an authority lives and what it signs for.
type Options struct {
	// Dir is the directory of the authority's files; it is made if missing.
	Dir string
	// Domain is the gateway's domain, below which execute-api stands; "" is
	// "localhost", which is always included.
	Domain string
	// Region is that of the user pools' domains, {prefix}.auth.{region}.{domain},
	// and of their service, cognito-idp.{region}.{domain}; "" leaves those out.
	Region string
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
}

// An Authority signs for one gateway. It is safe for concurrent use.
type Authority struct {
	options Options
	cert    *x509.Certificate
	key     *ecdsa.PrivateKey
	leaf    atomic.Pointer[tls.Certificate]
}

// Open reads the authority in a directory, or makes one if there is none that
// can sign for the domain any longer.
func Open(o Options) (*Authority, error) {
	if o.Domain == "" {
		o.Domain = "localhost"
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	a := &Authority{options: o}
	err := a.load()
	if errors.Is(err, errUseless) || errors.Is(err, fs.ErrNotExist) {
		err = a.create()
	}
	if err != nil {
		return nil, fmt.Errorf("local certificate authority: %w", err)
	}
	if err := a.renew(); err != nil {
		return nil, fmt.Errorf("local certificate: %w", err)
	}
	return a, nil
}

// File is the path of the authority's certificate, for clients to trust.
func (a *Authority) File() string { return filepath.Join(a.options.Dir, certFile) }

// Certificate returns the gateway's certificate, for tls.Config.
func (a *Authority) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if leaf := a.leaf.Load(); a.options.Clock().Before(leaf.Leaf.NotAfter.Add(-renewBefore)) {
		return leaf, nil
	}
	if err := a.renew(); err != nil {
		return nil, err
	}
	return a.leaf.Load(), nil
}

// errUseless tells that the stored authority has to be replaced.
var errUseless = errors.New("the stored authority is of no use")

func (a *Authority) load() error {
	pair, err := tls.LoadX509KeyPair(filepath.Join(a.options.Dir, certFile), filepath.Join(a.options.Dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil {
		// A start that was cut between the two files leaves a pair that doesn't
		// match.
		return fmt.Errorf("%w: %w", errUseless, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !covers(pair.Leaf.PermittedDNSDomains, a.options.Domain) ||
		a.options.Clock().After(pair.Leaf.NotAfter.Add(-leafLife)) {
		return errUseless
	}
	a.cert, a.key = pair.Leaf, key
	return nil
}

func covers(domains []string, domain string) bool {
	for _, d := range domains {
		if d == domain {
			return true
		}
	}
	return false
}

func (a *Authority) create() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := a.options.Clock()
	serial, err := serialNumber()
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Gatehouse local authority " + serial.Text(36)[:6], Organization: []string{"Gatehouse"}},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(authorityLife),
		KeyUsage:     x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges:           loopback(),
	}
	if a.options.Domain != "localhost" {
		template.PermittedDNSDomains = append(template.PermittedDNSDomains, a.options.Domain)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	a.key = key
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(a.options.Dir, keyFile), "PRIVATE KEY", secret, 0o600); err != nil {
		return err
	}
	return writeFile(filepath.Join(a.options.Dir, certFile), "CERTIFICATE", der, 0o644)
}

func loopback() []*net.IPNet {
	return []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
}

// writeFile replaces a file as a whole, never widening who may read it.
func writeFile(path, kind string, der []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when all went well
	_, err = f.Write(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// renew makes a new certificate for the gateway. It isn't kept: making one
// takes less than a millisecond.
func (a *Authority) renew() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := serialNumber()
	if err != nil {
		return err
	}
	now, domain := a.options.Clock(), a.options.Domain
	names := []string{"localhost", "*.localhost", "*.execute-api.localhost"}
	if domain != "localhost" {
		names = append(names, domain, "*."+domain, "*.execute-api."+domain)
	}
	if region := a.options.Region; region != "" {
		names = append(names, "*.auth."+region+".localhost", "cognito-idp."+region+".localhost")
		if domain != "localhost" {
			names = append(names, "*.auth."+region+"."+domain, "cognito-idp."+region+"."+domain)
		}
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: domain, Organization: []string{"Gatehouse"}},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     names,
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	a.leaf.Store(&tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf})
	return nil
}

func serialNumber() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
}
