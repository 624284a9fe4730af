package acm_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// What is damaged of what is stored keeps nothing else from serving.
func TestDamagedCertificates(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	good, badKey, noPEM, noShape := f.make(request("good.test")), f.make(request("key.test")), f.make(request("pem.test")), f.make(request("shape.test"))
	scope := store.Scope{Account: account, Region: f.Region}
	id := func(arn *string) string { return (*arn)[strings.LastIndexByte(*arn, '/')+1:] }
	raw := store.Kind[map[string]any]{Name: definition.Certificates.Name, Sealed: true, Version: definition.Certificates.Version}
	// The store's directory is told and refuses; a release that wrote it wasn't.
	damage := func(arn *string, member string, text any) {
		t.Helper()
		quiet, err := store.Open(f.Call, f.backend, store.Options{Sealer: f.sealer})
		ok(t, err)
		ok(t, quiet.Update(f.Call, func(tx *store.Tx) error {
			doc, err := raw.Get(tx, scope, id(arn))
			if err != nil {
				return err
			}
			(*doc)[member] = text
			return raw.Put(tx, scope, doc, id(arn))
		}))
	}
	damage(badKey, "_privateKey", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	damage(noPEM, "_body", "no PEM")
	damage(noShape, "CreatedAt", "yesterday")

	var log bytes.Buffer
	fresh := &acm.Directory{Log: slog.New(slog.NewTextHandler(&log, nil))}
	ok(t, f.store.View(f.Call, fresh.Load))
	for arn, want := range map[*string]bool{good: true, badKey: true, noPEM: false, noShape: false} {
		pair, found := fresh.Certificate(scope, *arn)
		if found != want {
			t.Errorf("%s is there: %v", *arn, found)
		}
		if !found {
			continue
		}
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			if err := shake(t, pair, version); (err == nil) != (arn == good) {
				t.Errorf("%s, %x: %v", *arn, version, err)
			}
		}
	}
	if n := strings.Count(log.String(), "can't be used"); n != 2 || !strings.Contains(log.String(), id(noPEM)) || !strings.Contains(log.String(), id(noShape)) {
		t.Errorf("the log says %d times: %s", n, log.String())
	}
}

// shake has a client shake hands with whom has the certificate.
func shake(t *testing.T, pair *tls.Certificate, version uint16) error {
	t.Helper()
	a, b := net.Pipe()
	server := tls.Server(a, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair, nil }})
	client := tls.Client(b, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
	served := make(chan error, 1)
	go func() {
		err := server.HandshakeContext(t.Context())
		served <- errors.Join(err, a.Close())
	}()
	err := client.HandshakeContext(t.Context())
	// A pipe has no room for the goodbye.
	return errors.Join(err, b.Close(), <-served)
}

// Certificates of one authority have its certificate in common.
func TestChainsAreShared(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	a, b := f.make(request("a.test")), f.make(request("b.test"))
	root := ecKey(t)
	other := sign(t, root, nil, nil, authority)
	key := ecKey(t)
	out, err := f.ImportCertificate(f.Call, &api.ImportCertificateRequest{
		Certificate: certPEM(sign(t, key, other, root, nil)), CertificateChain: certPEM(other), PrivateKey: keyPEM(t, key),
	})
	ok(t, err)
	chainOf := func(arn *string) []byte {
		pair, found := f.directory.Certificate(store.Scope{Account: account, Region: f.Region}, *arn)
		if !found || len(pair.Certificate) < 2 {
			t.Fatalf("%s: %v", *arn, pair)
		}
		if _, err := x509.ParseCertificate(pair.Certificate[1]); err != nil {
			t.Error(err)
		}
		return pair.Certificate[1]
	}
	if &chainOf(a)[0] != &chainOf(b)[0] {
		t.Error("two copies of one chain")
	}
	if !bytes.Equal(chainOf(out.CertificateArn), other.Raw) {
		t.Error("another chain than what was imported")
	}
}
