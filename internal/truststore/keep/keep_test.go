package keep_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/s3object"
	"gatehouse/internal/truststore/keep"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func authority(t *testing.T) (text []byte, cert *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), cert
}

func keeper(t *testing.T, o keep.Options) *keep.Keeper {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.Clock = func() time.Time { return now }
	k, err := keep.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// store is S3 with one object, which has two versions and asks for signatures.
func store(t *testing.T, text []byte) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed := &sigv4.Request{
			Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: r.Host,
			Header: func(name string) []string {
				if name == "host" {
					return []string{r.Host}
				}
				return r.Header.Values(name)
			},
		}
		signature, err := sigv4.Parse(signed)
		if err == nil {
			err = signature.Verify(signed, sigv4.Check{Secret: "secret", Now: now, Region: "eu-west-1", Service: "s3", Path: sigv4.EncodeOnce})
		}
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusForbidden)
		case r.URL.Path == "/base/bucket/redirect":
			http.Redirect(w, r, "/base/bucket/a b/ü.pem", http.StatusFound)
		case r.URL.Path != "/base/bucket/a b/ü.pem":
			http.Error(w, "secret details", http.StatusNotFound)
		case r.URL.Query().Get("versionId") == "v+1":
			_, _ = io.WriteString(w, "no certificate")
		default:
			_, _ = w.Write(text)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/base/"
}

func TestS3(t *testing.T) {
	text, cert := authority(t)
	endpoint := store(t, text)
	signing := func(secret string) *s3object.Store {
		s, err := s3object.New(s3object.Options{
			Endpoint: endpoint, Region: "eu-west-1", Clock: func() time.Time { return now },
			Keys: func(time.Time) (sigv4.Keys, error) {
				return sigv4.Keys{AccessKeyID: "AKID", Secret: secret}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	good, bad := signing("secret"), signing("other")
	for _, test := range []struct {
		name, uri, version string
		s3                 *s3object.Store
		fails              string
	}{
		{"an object", "s3://bucket/a b/ü.pem", "", good, ""},
		{"another version", "s3://bucket/a b/ü.pem", "v+1", good, "no certificate"},
		{"no object", "s3://bucket/gone", "", good, "S3 answers Not Found"},
		{"a redirect", "s3://bucket/redirect", "", good, "S3 answers Found"},
		{"a wrong secret", "s3://bucket/a b/ü.pem", "", bad, "S3 answers Forbidden"},
		{"no S3", "s3://bucket/key", "", nil, "--s3-endpoint"},
		{"no key", "s3://bucket/", "", good, "Invalid truststore URI"},
		{"a key that climbs", "s3://bucket/../other/key", "", good, "S3 answers Not Found"},
		{"no bucket", "s3:///key", "", good, "Invalid truststore URI"},
		{"a bucket that climbs", "s3://../key", "", good, "Invalid truststore URI"},
		{"another scheme", "http://bucket/key", "", good, "Invalid truststore URI"},
		{"a file", "file:///etc/passwd", "", good, "--truststore-files"},
	} {
		k := keeper(t, keep.Options{S3: test.s3})
		name, _, err := k.Fetch(t.Context(), test.uri, test.version)
		if (err == nil) != (test.fails == "") || err != nil && !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%s: %v, want %q", test.name, err, test.fails)
		}
		if err != nil && strings.Contains(err.Error(), "secret details") {
			t.Errorf("%s: tells what the store answers: %v", test.name, err)
		}
		if err == nil {
			kept, err := k.Kept(name)
			if err != nil {
				t.Fatalf("%s: kept: %v", test.name, err)
			}
			if err := kept.Check([]*x509.Certificate{cert}, now); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	}
}

func TestFiles(t *testing.T) {
	text, _ := authority(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "trust.pem")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	copies := t.TempDir()
	k := keeper(t, keep.Options{Files: true, Dir: copies})
	first, _, err := k.Fetch(t.Context(), "file://"+name, "")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	version := hex.EncodeToString(sum[:])
	if _, _, err := k.Fetch(t.Context(), "file://"+name, version); err != nil {
		t.Error(err)
	}
	if _, _, err := k.Fetch(t.Context(), "file://"+name, version[1:]+"0"); err == nil || !strings.Contains(err.Error(), version) {
		t.Errorf("another version than the file's: %v", err)
	}
	// The copy is what counts, whatever becomes of the file and whoever has it read
	// again.
	other, _ := authority(t)
	key := []byte("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
	if err := os.WriteFile(name, append(key, other...), 0o600); err != nil {
		t.Fatal(err)
	}
	second, warnings, err := k.Fetch(t.Context(), "file://"+name, "")
	if err != nil || second == first || len(warnings) != 1 {
		t.Fatalf("%s, %v, %v", second, warnings, err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	for copied, want := range map[string][]byte{first: text, second: other} {
		if _, err := k.Kept(copied); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(filepath.Join(copies, copied+".pem")); err != nil || string(got) != string(want) {
			t.Errorf("%v: a copy has\n%s\nwant\n%s", err, got, want)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for uri, version := range map[string]string{"file://" + name: "", "file://" + dir: "", "file://" + dir + "/pipe": "", "file:///dev/zero": "", "file://trust.pem": "", "file:///dev/null": "1"} {
		if _, _, err := k.Fetch(t.Context(), uri, version); err == nil || regexp.MustCompile("[0-9a-f]{64}").MatchString(err.Error()) {
			t.Errorf("%s is read: %v", uri, err)
		}
	}
	if _, err := k.Kept(keep.OldName("file://"+name, "1")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a copy that isn't there: %v", err)
	}
}
