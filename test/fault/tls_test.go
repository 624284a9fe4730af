package fault

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/test/harness"
)

// An authority signs for backends.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "a private authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

// sign signs a template with the authority's key, or its own when that is the
// first.
func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// file writes the authority's certificate for --upstream-ca.
func (a *authority) file() string {
	a.t.Helper()
	name := filepath.Join(a.t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return name
}

// backend starts a backend over TLS that is certified for names and addresses.
// It answers with the name it was asked for.
func (a *authority) backend(max uint16, names []string, addresses ...net.IP) *httptest.Server {
	cert, key := a.sign(&x509.Certificate{DNSNames: names, IPAddresses: addresses, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "asked for "+r.TLS.ServerName)
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}, MinVersion: tls.VersionTLS10, MaxVersion: max}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // failed handshakes are the point
	s.StartTLS()
	a.t.Cleanup(s.Close)
	return s
}

// Backends over TLS are called when an authority of the system's or the
// operator's vouches for the name in the URI, and only then.
func TestTLSBackends(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	both := ours.backend(0, []string{"localhost"}, net.IPv4(127, 0, 0, 1))
	address := ours.backend(0, nil, net.IPv4(127, 0, 0, 1))
	old := ours.backend(tls.VersionTLS11, []string{"localhost"})
	twelve := ours.backend(tls.VersionTLS12, []string{"localhost"})
	stranger := theirs.backend(0, []string{"localhost"})
	plain := startBackend(t, nil)
	a := newAPI(t, "--upstream-ca", ours.file())
	port := func(s *httptest.Server) string { _, p, _ := strings.Cut(s.Listener.Addr().String(), ":"); return p }
	tests := []struct {
		name, uri string
		status    int
		want      string // of the body or the reason
	}{
		{"by name", "https://localhost:" + port(both), 200, "asked for localhost"},
		{"by address", "https://127.0.0.1:" + port(both), 200, "asked for "},
		{"TLS 1.2", "https://localhost:" + port(twelve), 200, "asked for localhost"},
		{"TLS 1.1", "https://localhost:" + port(old), 503, "protocol version"},
		{"another name", "https://localhost:" + port(address), 503, "wanted to match localhost"},
		{"unknown authority", "https://localhost:" + port(stranger), 503, "unknown authority"},
		{"no TLS there", "https://" + plain.addr, 503, "EOF"},
	}
	for i, tt := range tests {
		a.route(t, "GET /"+string(rune('a'+i)), tt.uri, ample)
	}
	a.mark(t)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 {
				c := a.dial(t)
				c.send("GET /" + string(rune('a'+i)) + " HTTP/1.1\r\nHost: " + a.host + "\r\nConnection: close\r\n\r\n")
				res, body := c.receive()
				got := body
				if tt.status != 200 {
					got = res.Header.Get("X-Gatehouse-Reason")
					if body != unavailable {
						t.Errorf("answered %q", body)
					}
				}
				if res.StatusCode != tt.status || !strings.Contains(got, tt.want) {
					t.Errorf("got %d %q, want %d with %q", res.StatusCode, got, tt.status, tt.want)
				}
				c.closed()
			}
		})
	}
	for _, s := range []*httptest.Server{both, address, old, twelve, stranger} {
		s.Close()
	}
	plain.close()
	a.nothingLeft(t)
}

// A file of authorities that isn't there stops the start, with its name.
func TestMissingAuthorities(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.pem")
	out, err := exec.CommandContext(t.Context(), harness.Binary(t), "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--upstream-ca", missing).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--upstream-ca: open "+missing) {
		t.Errorf("%v, %s", err, out)
	}
}
