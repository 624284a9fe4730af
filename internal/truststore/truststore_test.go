package truststore_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/truststore"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A maker makes certificates of one test.
type maker struct {
	t      testing.TB
	serial int64
}

type signed struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (m *maker) ecdsa(c elliptic.Curve) crypto.Signer {
	m.t.Helper()
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		m.t.Fatal(err)
	}
	return key
}

// make makes a certificate, valid around now unless change says otherwise.
func (m *maker) make(name string, by *signed, change func(*x509.Certificate)) *signed {
	m.t.Helper()
	return m.makeOf(name, by, m.ecdsa(elliptic.P256()), change)
}

func (m *maker) makeOf(name string, by *signed, key crypto.Signer, change func(*x509.Certificate)) *signed {
	m.t.Helper()
	m.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(m.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		m.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		m.t.Fatal(err)
	}
	return &signed{cert, key}
}

func (m *maker) client(by *signed, change func(*x509.Certificate)) *signed {
	return m.make("client", by, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature
		if change != nil {
			change(c)
		}
	})
}

func pemOf(list ...*signed) []byte {
	var text []byte
	for _, c := range list {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})...)
	}
	return text
}

func expired(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }

func TestCheck(t *testing.T) {
	m := &maker{t: t}
	root := m.make("root", nil, nil)
	chain := []*signed{root}
	for i := range 4 {
		chain = append(chain, m.make(fmt.Sprint("ca", i), chain[i], nil))
	}
	other := m.make("other", nil, nil)
	rsaRoot, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaCA := m.makeOf("rsa", nil, rsaRoot, nil)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	noPath := m.make("short", nil, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	belowNoPath := m.make("below", noPath, nil)

	store, warnings, err := truststore.Parse(pemOf(append(chain, rsaCA, noPath, belowNoPath)...), now)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	lone, warnings, err := truststore.Parse(pemOf(chain[1]), now)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	for _, test := range []struct {
		name  string
		store *truststore.Store
		chain []*signed
		at    time.Time
		want  error
	}{
		{"of the root", store, []*signed{m.client(root, nil)}, now, nil},
		{"of RSA", store, []*signed{m.client(rsaCA, nil)}, now, nil},
		{"four authorities", store, []*signed{m.client(chain[3], nil)}, now, nil},
		{"five authorities", store, []*signed{m.client(chain[4], nil)}, now, truststore.ErrChainTooLong},
		{"of another", store, []*signed{m.client(other, nil)}, now, truststore.ErrNoIssuer},
		{"the other sent along", store, []*signed{m.client(other, nil), other}, now, truststore.ErrNoIssuer},
		{"the chain ends below the root", lone, []*signed{m.client(chain[1], nil)}, now, truststore.ErrNoIssuer},
		{"and what the client sends doesn't count", lone, []*signed{m.client(chain[1], nil), root}, now, truststore.ErrNoIssuer},
		{"signed by itself", store, []*signed{m.client(nil, nil)}, now, truststore.ErrSelfSigned},
		{"an authority's own", store, []*signed{root}, now, nil},
		{"expired", store, []*signed{m.client(root, expired)}, now, truststore.ErrExpired},
		{"later expired", store, []*signed{m.client(root, nil)}, now.Add(2 * time.Hour), truststore.ErrExpired},
		{"not valid yet", store, []*signed{m.client(root, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) })}, now, truststore.ErrNotYetValid},
		{"a weak key", store, []*signed{m.makeOf("weak", root, weak, nil)}, now, truststore.ErrInsecureKey},
		{"SHA-1", store, []*signed{m.client(rsaCA, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA })}, now, truststore.ErrInsecureAlgorithm},
		{"a server's", store, []*signed{m.client(root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })}, now, nil},
		{"none", store, nil, now, errors.New("no certificate")},
	} {
		var list []*x509.Certificate
		for _, c := range test.chain {
			list = append(list, c.cert)
		}
		err := test.store.Check(list, test.at)
		if !errors.Is(err, test.want) && (err == nil || test.want == nil || err.Error() != test.want.Error()) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if err := store.Check([]*x509.Certificate{m.client(belowNoPath, nil).cert}, now); err == nil {
		t.Error("an authority below one that may have none vouches for a client")
	}
}

func TestParse(t *testing.T) {
	m := &maker{t: t}
	root := m.make("root", nil, nil)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		text     []byte
		warnings int
		fails    string
	}{
		{"one", pemOf(root), 0, ""},
		{"twice", pemOf(root, root), 0, ""},
		{"with text around it", append([]byte("subject=root\n"), pemOf(root)...), 0, ""},
		{"expired", pemOf(root, m.make("old", nil, expired)), 1, ""},
		{"only an expired one", pemOf(m.make("old", nil, expired)), 2, ""},
		{"a weak key", pemOf(root, m.makeOf("weak", nil, weak, nil)), 1, ""},
		{"no authority", pemOf(root, m.client(root, nil)), 1, ""},
		{"SHA-1", pemOf(root, m.makeOf("sha1", nil, weak, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA })), 1, ""},
		{"a key", append(pemOf(root), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"...), 1, ""},
		{"a certificate that isn't one", append(pemOf(root), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"...), 1, ""},
		{"one subject, two issuers", pemOf(m.make("x", root, nil), m.make("x", nil, nil)), 0, "The certificate subject CN=x conflicts with an existing certificate from a different issuer."},
		{"nothing", nil, 0, "no certificate"},
		{"no PEM", []byte("hello"), 0, "no certificate"},
		{"too large", []byte(strings.Repeat(" ", truststore.MaxBytes+1)), 0, "larger than"},
	} {
		_, warnings, err := truststore.Parse(test.text, now)
		if len(warnings) != test.warnings {
			t.Errorf("%s: warnings %q, want %d", test.name, warnings, test.warnings)
		}
		if (err == nil) != (test.fails == "") || err != nil && !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%s: %v, want %q", test.name, err, test.fails)
		}
	}
}

func FuzzParse(f *testing.F) {
	m := &maker{t: f}
	root := m.make("root", nil, nil)
	client := m.client(root, nil)
	f.Add(pemOf(root))
	f.Add(pemOf(root, client))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN X-----\n-----END X-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		store, _, err := truststore.Parse(text, now)
		if err != nil {
			return
		}
		// Nobody vouches for a certificate of an authority that isn't there.
		if err := store.Check([]*x509.Certificate{client.cert}, now); err == nil && !strings.Contains(string(text), "CERTIFICATE") {
			t.Error("trusted by nothing")
		}
	})
}
