package serve_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/tlspolicy"
)

// An issuer signs certificates in tests.
type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var serials struct {
	sync.Mutex
	last int64
}

// issue makes a certificate of a template; without an issuer it signs itself.
func issue(t testing.TB, by *issuer, key crypto.Signer, template x509.Certificate) *issuer {
	t.Helper()
	serials.Lock()
	serials.last++
	template.SerialNumber = big.NewInt(serials.last)
	serials.Unlock()
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	template.BasicConstraintsValid = true
	parent, signer := &template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{cert, key}
}

// show is the certificate as a party of a handshake shows it, with the chain.
func (i *issuer) show(chain ...*issuer) tls.Certificate {
	c := tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key, Leaf: i.cert}
	for _, above := range chain {
		c.Certificate = append(c.Certificate, above.cert.Raw)
	}
	return c
}

func newECDSA(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRSA(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// serverOf is a certificate for a name.
func serverOf(t testing.TB, key crypto.Signer, name string) tls.Certificate {
	return issue(t, nil, key, x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}}).show()
}

// addDomain adds a domain that leads to the API's $default stage.
func (g *gateway) addDomain(t testing.TB, name string, o tlspolicy.Options, change func(*plan.Domain)) {
	t.Helper()
	d := plan.NewDomain(name, plan.MappingsOnly, nil, []plan.PathMapping{{APIID: "abc", Stage: plan.DefaultStage}})
	var err error
	if d.TLS, err = tlspolicy.New(o); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(d)
	}
	g.plan.Store(g.plan.Load().WithDomain(d))
}

// answered tells whether openssl s_client gets the answer to a request to a
// domain. A server may end a handshake when its client takes it for done.
func answered(t *testing.T, addr, name string, args ...string) bool {
	t.Helper()
	args = append([]string{"s_client", "-connect", addr, "-servername", name, "-ign_eof"}, args...)
	cmd := exec.CommandContext(t.Context(), "openssl", args...)
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+os.DevNull) // what the system forbids isn't what is asked
	cmd.Stdin = strings.NewReader("GET / HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n")
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if bytes.Contains(out, []byte("Usage:")) || bytes.Contains(out, []byte("no cipher match")) {
		t.Fatalf("openssl %s: %s", args, out)
	}
	return bytes.Contains(out, []byte("HTTP/1.1 200 OK"))
}

// Every policy, from outside: what it takes connects and what it doesn't take
// doesn't. It runs through a server with one domain for each policy and key.
func TestSecurityPoliciesFromOutside(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("there is no openssl")
	}
	if testing.Short() {
		t.Skip("some hundred processes")
	}
	// What openssl is to try, by a word. Old versions and SHA-1 need its security
	// level 0.
	probes := []struct {
		word string
		args []string
		rsa  bool // needs an RSA key
	}{
		{"1.0", []string{"-tls1", "-cipher", "ALL:@SECLEVEL=0"}, false},
		{"1.1", []string{"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}, false},
		{"1.2", []string{"-tls1_2"}, false},
		{"1.3", []string{"-tls1_3"}, false},
		{"1.3-chacha", []string{"-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"}, false},
		{"ecdsa-gcm", []string{"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"}, false},
		{"ecdsa-sha1", []string{"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"}, false},
		{"ecdsa-chacha", []string{"-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"}, false},
		{"gcm", []string{"-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"}, true},
		{"cbc", []string{"-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256"}, true},
		{"sha1", []string{"-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA:@SECLEVEL=0"}, true},
		{"chacha", []string{"-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"}, true},
		{"rsa-gcm", []string{"-tls1_2", "-cipher", "AES128-GCM-SHA256"}, true},
		{"rsa-cbc", []string{"-tls1_2", "-cipher", "AES128-SHA256"}, true},
		{"rsa-sha1", []string{"-tls1_2", "-cipher", "AES256-SHA:@SECLEVEL=0"}, true},
		{"dhe", []string{"-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"}, true},
		{"x25519", []string{"-groups", "X25519"}, false},
		{"p256", []string{"-groups", "P-256"}, false},
	}
	const (
		all13   = " 1.3 1.3-chacha x25519 p256 "
		fips13  = " 1.3 p256 "
		pfs     = " 1.2 ecdsa-gcm gcm "
		cbc     = " cbc "
		sha1    = " ecdsa-sha1 sha1 rsa-sha1 "
		rsaOnly = " rsa-gcm rsa-cbc "
	)
	policies := map[string]string{
		"TLS_1_0":                                       all13 + pfs + cbc + sha1 + rsaOnly + " 1.0 1.1 ",
		"TLS_1_2":                                       all13 + pfs + cbc + rsaOnly,
		"SecurityPolicy_TLS13_1_3_2025_09":              all13,
		"SecurityPolicy_TLS13_1_3_FIPS_2025_09":         fips13,
		"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09":       all13 + pfs,
		"SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09":  fips13 + pfs,
		"SecurityPolicy_TLS13_1_2_PQ_2025_09":           all13 + pfs + cbc + rsaOnly,
		"SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09":      fips13 + pfs + cbc + rsaOnly,
		"SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09":      all13 + pfs + cbc + sha1 + rsaOnly,
		"SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09": fips13 + pfs + cbc + sha1 + rsaOnly,
		"SecurityPolicy_TLS13_1_2_2021_06":              all13 + pfs + cbc,
		"SecurityPolicy_TLS13_2025_EDGE":                all13,
		"SecurityPolicy_TLS12_PFS_2025_EDGE":            all13 + pfs + " ecdsa-chacha chacha ",
		"SecurityPolicy_TLS12_2018_EDGE":                all13 + pfs + cbc + rsaOnly,
	}
	g := startGateway(t, serve.Options{Certificate: certificate(t).Certificate}, route(t, "$default", answer("x")))
	ecdsaKey, rsaKey := newECDSA(t), newRSA(t, 2048)
	for _, policy := range tlspolicy.Names() {
		host := strings.ToLower(strings.ReplaceAll(policy, "_", "-"))
		g.addDomain(t, host+".ec.test", tlspolicy.Options{Policy: policy, Certificate: serverOf(t, ecdsaKey, host+".ec.test")}, nil)
		g.addDomain(t, host+".rsa.test", tlspolicy.Options{Policy: policy, Certificate: serverOf(t, rsaKey, host+".rsa.test")}, nil)
	}
	for _, policy := range tlspolicy.Names() {
		takes, ok := policies[policy]
		if !ok {
			t.Errorf("nothing is known of %s", policy)
			continue
		}
		host := strings.ToLower(strings.ReplaceAll(policy, "_", "-"))
		for _, probe := range probes {
			key := ".ec.test"
			if probe.rsa {
				key = ".rsa.test"
			}
			got := answered(t, g.addr, host+key, probe.args...)
			if want := strings.Contains(takes, " "+probe.word+" "); got != want {
				t.Errorf("%s, %s: connects: %v, want %v", policy, probe.word, got, want)
			}
		}
	}
}
