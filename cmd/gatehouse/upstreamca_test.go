package main

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUpstreamRoots(t *testing.T) {
	backend := httptest.NewTLSServer(nil)
	defer backend.Close()
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: backend.Certificate().Raw}))
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}))
	notOne := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("nonsense")}))
	tests := []struct {
		name  string
		files []string
		want  string // of the error; "" is none
	}{
		{"one", []string{certificate}, ""},
		{"a bundle with words between", []string{"# ours\n" + certificate + "# theirs\n" + certificate}, ""},
		{"several files", []string{certificate, certificate}, ""},
		{"empty", []string{certificate, ""}, "1.pem holds no certificate in PEM form"},
		{"not PEM", []string{"0\x82\x03"}, "0.pem holds no certificate in PEM form"},
		{"a key", []string{certificate + key}, "0.pem holds a PRIVATE KEY"},
		{"not a certificate", []string{certificate + notOne}, "0.pem: certificate 2: "},
		{"cut short", []string{certificate + certificate[:len(certificate)/2]}, "0.pem: of 2 certificates only 1 are well-formed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			var args []string
			for i, text := range tt.files {
				file := filepath.Join(dir, string(rune('0'+i))+".pem")
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--upstream-ca", file)
			}
			c, err := loadConfig(t, args, nil)
			if err != nil {
				t.Fatal(err)
			}
			roots, err := c.upstreamRoots()
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "--upstream-ca") {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := backend.Certificate().Verify(x509.VerifyOptions{Roots: roots, DNSName: "example.com"}); err != nil {
				t.Error(err)
			}
			system, err := x509.SystemCertPool()
			if err != nil {
				t.Fatal(err)
			}
			system.AddCert(backend.Certificate())
			if !roots.Equal(system) {
				t.Error("the system's authorities aren't among them")
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		c := config{UpstreamCA: []string{"no/such.pem"}}
		if _, err := c.upstreamRoots(); err == nil || !strings.Contains(err.Error(), "--upstream-ca: open no/such.pem") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("none", func(t *testing.T) {
		if roots, err := (&config{}).upstreamRoots(); roots != nil || err != nil {
			t.Errorf("got %v, %v: the system's were meant", roots, err)
		}
	})
}
