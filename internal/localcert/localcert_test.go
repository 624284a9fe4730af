package localcert_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/internal/localcert"
)

func open(t *testing.T, o localcert.Options) *localcert.Authority {
	t.Helper()
	a, err := localcert.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func pool(t *testing.T, a *localcert.Authority) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(a.File())
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in the authority's file")
	}
	return p
}

// handshake connects a client that trusts p to a server with a's certificate.
func handshake(t *testing.T, a *localcert.Authority, p *x509.CertPool, name string) error {
	t.Helper()
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	done := make(chan error, 1)
	go func() { done <- tls.Server(server, &tls.Config{GetCertificate: a.Certificate}).Handshake() }()
	err := tls.Client(client, &tls.Config{RootCAs: p, ServerName: name}).Handshake()
	client.Close()
	<-done
	return err
}

func TestNames(t *testing.T) {
	a := open(t, localcert.Options{Dir: t.TempDir(), Domain: "gw.example", Region: "us-east-1"})
	p := pool(t, a)
	for name, want := range map[string]bool{
		"localhost": true, "abc.execute-api.localhost": true, "127.0.0.1": true, "::1": true,
		"people.auth.us-east-1.localhost": true, "people.auth.us-east-1.gw.example": true, "people.auth.eu-west-1.gw.example": false,
		"cognito-idp.us-east-1.localhost": true, "cognito-idp.us-east-1.gw.example": true, "lambda.us-east-1.gw.example": false,
		"abc.execute-api.gw.example": true, "gw.example": true,
		"example.com": false, "10.0.0.1": false,
	} {
		if err := handshake(t, a, p, name); (err == nil) != want {
			t.Errorf("%s: %v, want success %t", name, err, want)
		}
	}
}

func TestKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	first := open(t, localcert.Options{Dir: dir})
	trusted := pool(t, first)
	info, err := os.Stat(filepath.Join(dir, "ca-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v", info.Mode())
	}
	if err := handshake(t, open(t, localcert.Options{Dir: dir}), trusted, "localhost"); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	// An authority that may not sign for a new domain is replaced.
	if err := handshake(t, open(t, localcert.Options{Dir: dir, Domain: "gw.example"}), trusted, "localhost"); err == nil {
		t.Error("the authority was kept for a domain it may not sign for")
	}
}

func TestTornStart(t *testing.T) {
	dir := t.TempDir()
	open(t, localcert.Options{Dir: dir})
	other := t.TempDir()
	open(t, localcert.Options{Dir: other})
	if err := os.Rename(filepath.Join(other, "ca-key.pem"), filepath.Join(dir, "ca-key.pem")); err != nil {
		t.Fatal(err)
	}
	a := open(t, localcert.Options{Dir: dir})
	if err := handshake(t, a, pool(t, a), "localhost"); err != nil {
		t.Error(err)
	}
}

func TestRenewal(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, localcert.Options{Dir: t.TempDir(), Clock: func() time.Time { return now }})
	first, err := a.Certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(340 * 24 * time.Hour)
	second, err := a.Certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if first == second || !second.Leaf.NotAfter.After(now.Add(300*24*time.Hour)) {
		t.Errorf("not renewed: valid until %v at %v", second.Leaf.NotAfter, now)
	}
}
