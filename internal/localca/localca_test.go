package localca_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/localca"
)

func open(t *testing.T, dir string, clock func() time.Time) *localca.Authority {
	t.Helper()
	a, err := localca.Open(localca.Options{Dir: dir, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// check issues for a new key and verifies as a client does that trusts roots.
func check(t *testing.T, a *localca.Authority, key crypto.Signer, roots *x509.Certificate, now time.Time, names ...string) *x509.Certificate {
	t.Helper()
	ders, err := a.Issue(context.Background(), key, names)
	if err != nil {
		t.Fatal(err)
	}
	var certs []*x509.Certificate
	for _, der := range ders {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, cert)
	}
	trusted, between := x509.NewCertPool(), x509.NewCertPool()
	trusted.AddCert(roots)
	between.AddCert(certs[1])
	for _, name := range names {
		if name[0] == '*' {
			name = "any" + name[1:]
		}
		if _, err := certs[0].Verify(x509.VerifyOptions{DNSName: name, Roots: trusted, Intermediates: between, CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return certs[0]
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestIssue(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	a := open(t, dir, nil)
	now := time.Now()
	ec := check(t, a, ecKey(t), a.Root(), now, "api.example.test", "*.example.test")
	if ec.SignatureAlgorithm != x509.ECDSAWithSHA256 || ec.KeyUsage != x509.KeyUsageDigitalSignature || ec.Subject.CommonName != "api.example.test" {
		t.Errorf("%v, usage %b, subject %v", ec.SignatureAlgorithm, ec.KeyUsage, ec.Subject)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	long := "a-very-long-label-that-fills-the-name-of-the-certificate-all-by-itself.example.test"
	r := check(t, a, key, a.Root(), now, long)
	if r.SignatureAlgorithm != x509.SHA256WithRSA || r.KeyUsage&x509.KeyUsageKeyEncipherment == 0 || r.Subject.CommonName != "" {
		t.Errorf("%v, usage %b, subject %v", r.SignatureAlgorithm, r.KeyUsage, r.Subject)
	}
	if life := r.NotAfter.Sub(now); life < 197*24*time.Hour || life > 199*24*time.Hour {
		t.Errorf("good for %v", life)
	}

	// Another start has the same root, and intermediates of the same keys.
	again := open(t, dir, nil)
	if !again.Root().Equal(a.Root()) {
		t.Error("another root after a restart")
	}
	check(t, again, ecKey(t), a.Root(), now, "b.test")
	for _, name := range []string{"root-key.pem", "intermediate-ecdsa.pem", "intermediate-rsa.pem"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// Processes that start at once agree on one root.
func TestOneRoot(t *testing.T) {
	dir := t.TempDir()
	authorities := make([]*localca.Authority, 8)
	var wg sync.WaitGroup
	for i := range authorities {
		wg.Go(func() {
			var err error
			if authorities[i], err = localca.Open(localca.Options{Dir: dir}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	for _, a := range authorities {
		if !a.Root().Equal(authorities[0].Root()) {
			t.Fatal("two roots")
		}
	}
}

func TestAging(t *testing.T) {
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	a := open(t, dir, func() time.Time { return now })
	first := a.Root()
	check(t, a, ecKey(t), first, now, "a.test")
	// An intermediate that is too old is replaced, the root stays.
	now = now.AddDate(4, 9, 0)
	leaf := check(t, a, ecKey(t), first, now, "a.test")
	if leaf.NotAfter.Sub(now) != localca.LeafLife {
		t.Errorf("good until %v", leaf.NotAfter)
	}
	// The root's time comes, too; certificates chain to the new one.
	now = now.AddDate(5, 0, 0)
	check(t, a, ecKey(t), mustRoot(t, a, ecKey(t)), now, "a.test")
	if a.Root().Equal(first) {
		t.Error("the root outlives its time")
	}
	if !open(t, dir, func() time.Time { return now }).Root().Equal(a.Root()) {
		t.Error("another root after a restart")
	}
}

// mustRoot is the root after an issue may have replaced it.
func mustRoot(t *testing.T, a *localca.Authority, key crypto.Signer) *x509.Certificate {
	t.Helper()
	if _, err := a.Issue(context.Background(), key, []string{"x.test"}); err != nil {
		t.Fatal(err)
	}
	return a.Root()
}

func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, nil)
	if err := os.WriteFile(filepath.Join(dir, "root-key.pem"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Clients trust the old root: it isn't replaced behind their backs.
	if _, err := localca.Open(localca.Options{Dir: dir}); err == nil {
		t.Error("a damaged root was replaced")
	}
}
