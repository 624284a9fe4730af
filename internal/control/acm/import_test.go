package acm_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/store"
)

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	return key
}

// sign makes a certificate by a parent, or by itself.
func sign(t testing.TB, key crypto.Signer, parent *x509.Certificate, by crypto.Signer, change func(c *x509.Certificate)) *x509.Certificate {
	t.Helper()
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1001), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(90 * day),
		Subject: pkix.Name{CommonName: "www.test", Organization: []string{"Example"}, Country: []string{"AU"}}, DNSNames: []string{"www.test", "*.www.test"},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	if parent == nil {
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	ok(t, err)
	cert, err := x509.ParseCertificate(der)
	ok(t, err)
	return cert
}

func authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	c.Subject = pkix.Name{CommonName: "Some CA"}
}

func certPEM(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

func keyPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	ok(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestImport(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	rootKey, key := ecKey(t), ecKey(t)
	root := sign(t, rootKey, nil, nil, authority)
	leaf := sign(t, key, root, rootKey, nil)
	out, err := f.ImportCertificate(f.Call, &api.ImportCertificateRequest{
		Certificate: certPEM(leaf), PrivateKey: keyPEM(t, key), CertificateChain: certPEM(root), Tags: []api.Tag{{Key: new("team"), Value: new("a")}},
	})
	ok(t, err)
	arn := out.CertificateArn
	d := f.describe(arn)
	if *d.Serial != "03:e9" || *d.Subject != "C=AU,O=Example,CN=www.test" || *d.Issuer != "Some CA" || *d.Type != "IMPORTED" || *d.Status != "ISSUED" ||
		*d.KeyAlgorithm != "EC-prime256v1" || *d.SignatureAlgorithm != "SHA256WITHECDSA" || d.IssuedAt != nil || *d.ImportedAt != f.Time || *d.CreatedAt != f.Time ||
		*d.DomainName != "www.test" || !slices.Equal(d.SubjectAlternativeNames, []string{"www.test", "*.www.test"}) || len(d.DomainValidationOptions) != 2 ||
		d.DomainValidationOptions[0].ValidationStatus != nil || *d.RenewalEligibility != "INELIGIBLE" || *d.Options.CertificateTransparencyLoggingPreference != "DISABLED" ||
		len(d.KeyUsages) != 2 || *d.KeyUsages[1].Name != "NON_REPUDIATION" {
		t.Errorf("%+v", d)
	}
	got, err := f.GetCertificate(f.Call, &api.GetCertificateRequest{CertificateArn: arn})
	ok(t, err)
	if *got.Certificate != string(certPEM(leaf)) || *got.CertificateChain != string(certPEM(root)) {
		t.Errorf("%s\n%s", *got.Certificate, *got.CertificateChain)
	}
	_, err = f.ExportCertificate(f.Call, &api.ExportCertificateRequest{CertificateArn: arn, Passphrase: []byte("secret")})
	fails(t, err, "ValidationException", "export")

	// Imported again: the ARN, the tags and since when it is there stay.
	f.pass(day)
	again := sign(t, key, nil, nil, func(c *x509.Certificate) {
		c.SerialNumber = big.NewInt(5)
		c.DNSNames = []string{"www.test", "new.test"}
	})
	in := &api.ImportCertificateRequest{CertificateArn: arn, Certificate: certPEM(again), PrivateKey: keyPEM(t, key)}
	_, err = f.ImportCertificate(f.Call, in)
	ok(t, err)
	d = f.describe(arn)
	if *d.Serial != "05" || *d.ImportedAt != f.Time || *d.CreatedAt == f.Time || !slices.Contains(d.SubjectAlternativeNames, "new.test") {
		t.Errorf("%+v", d)
	}
	tags, err := f.ListTagsForCertificate(f.Call, &api.ListTagsForCertificateRequest{CertificateArn: arn})
	ok(t, err)
	if len(tags.Tags) != 1 || *tags.Tags[0].Value != "a" {
		t.Errorf("%+v", tags)
	}
	pair, _ := f.directory.Certificate(store.Scope{Account: account, Region: f.Region}, *arn)
	roots := x509.NewCertPool()
	roots.AddCert(again)
	if err := handshake(t, pair, &tls.Config{RootCAs: roots, ServerName: "new.test", Time: f.clock}); err != nil {
		t.Error(err)
	}
	in.Tags = []api.Tag{{Key: new("a"), Value: new("b")}}
	_, err = f.ImportCertificate(f.Call, in)
	fails(t, err, "ValidationException", "Tags")
	in.Tags = nil
	other := sign(t, key, nil, nil, func(c *x509.Certificate) { c.Subject.CommonName = "x.test"; c.DNSNames = []string{"x.test"} })
	in.Certificate = certPEM(other)
	_, err = f.ImportCertificate(f.Call, in)
	fails(t, err, "ValidationException", "domain names")
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	ok(t, err)
	in.Certificate, in.PrivateKey = certPEM(sign(t, p384, nil, nil, nil)), keyPEM(t, p384)
	_, err = f.ImportCertificate(f.Call, in)
	fails(t, err, "ValidationException", "key type")
	in.CertificateArn = f.make(request("a.test"))
	_, err = f.ImportCertificate(f.Call, in)
	fails(t, err, "ValidationException", "imported")
}

func TestImportRefusals(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	rootKey, key := ecKey(t), ecKey(t)
	root := sign(t, rootKey, nil, nil, authority)
	leaf, own := sign(t, key, root, rootKey, nil), sign(t, key, nil, nil, nil)
	other := sign(t, ecKey(t), nil, nil, authority)
	late := sign(t, key, nil, nil, func(c *x509.Certificate) { c.NotBefore = c.NotBefore.Add(2 * day) })
	past := sign(t, key, nil, nil, func(c *x509.Certificate) {
		c.NotBefore = c.NotBefore.AddDate(-1, 0, 0)
		c.NotAfter = c.NotAfter.AddDate(0, -6, 0)
	})
	pastRoot := sign(t, rootKey, nil, nil, func(c *x509.Certificate) {
		authority(c)
		c.NotBefore, c.NotAfter = c.NotBefore.AddDate(-1, 0, 0), c.NotAfter.AddDate(0, -6, 0)
	})
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	ok(t, err)
	nameless := sign(t, key, nil, nil, func(c *x509.Certificate) { c.Subject.CommonName = ""; c.DNSNames = nil })
	private := keyPEM(t, key)
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{0x30, 0}})
	for _, tt := range []struct {
		name             string
		cert, key, chain []byte
		part             string
	}{
		{"no PEM", []byte("CERT123"), []byte("KEY123"), nil, "The certificate is not PEM-encoded or is not valid."},
		{"damaged", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Raw[:100]}), private, nil, "The certificate is not PEM-encoded or is not valid."},
		{"two", certPEM(leaf, root), private, nil, "The certificate field contains more than one certificate."},
		{"no key", certPEM(own), []byte("KEY123"), nil, "The private key is not PEM-encoded or is not valid."},
		{"encrypted key", certPEM(own), encrypted, nil, "The private key is not PEM-encoded or is not valid."},
		{"other key", certPEM(own), keyPEM(t, rootKey), nil, "The private key does not match"},
		{"key of another kind", certPEM(own), keyPEM(t, ed), nil, "The private key is not PEM-encoded or is not valid."},
		{"a key as certificate", private, private, nil, "The certificate is not PEM-encoded or is not valid."},
		{"expired", certPEM(past), private, nil, "has expired"},
		{"too early", certPEM(late), private, nil, "not in effect yet"},
		{"no chain", certPEM(leaf), private, nil, "Provided certificate is not a valid self signed."},
		{"another's chain", certPEM(leaf), private, certPEM(other), "Could not validate the certificate with the certificate chain."},
		{"expired chain", certPEM(leaf), private, certPEM(pastRoot), "The certificate chain has expired"},
		{"chain of nothing", certPEM(leaf), private, []byte("x"), "The certificate chain is not PEM-encoded"},
		{"endless chain", certPEM(leaf), private, certPEM(slices.Repeat([]*x509.Certificate{root}, 30)...), "The certificate chain is not PEM-encoded"},
		{"nameless", certPEM(nameless), private, nil, "names no domain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.ImportCertificate(f.Call, &api.ImportCertificateRequest{Certificate: tt.cert, PrivateKey: tt.key, CertificateChain: tt.chain})
			fails(t, err, "ValidationException", tt.part)
		})
	}
	if strings.Contains(f.log.String(), "PRIVATE") {
		t.Error("a key is in the log")
	}
}

// Nothing that can be imported makes the gateway panic, and what is taken can
// serve.
func FuzzImport(f *testing.F) {
	key := ecKey(f)
	own := sign(f, key, nil, nil, nil)
	f.Add(certPEM(own), keyPEM(f, key), []byte(nil))
	f.Add(certPEM(own), keyPEM(f, key), certPEM(own))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), []byte("-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----\n"), []byte("x"))
	x := open(f, f.TempDir(), nil)
	f.Fuzz(func(t *testing.T, cert, key, chain []byte) {
		out, err := x.ImportCertificate(x.Call, &api.ImportCertificateRequest{Certificate: cert, PrivateKey: key, CertificateChain: chain})
		if err != nil {
			return
		}
		if _, found := x.directory.Certificate(store.Scope{Account: account, Region: x.Region}, *out.CertificateArn); !found {
			t.Error("imported and not there")
		}
		x.t = t
		x.describe(out.CertificateArn)
	})
}

// What is exported, openssl reads with the passphrase and not without.
func TestExport(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl")
	}
	f := open(t, t.TempDir(), nil)
	plain := f.make(request("plain.test"))
	in := request("a.test")
	in.Options = &api.CertificateOptions{Export: new("ENABLED")}
	arn := f.make(in)
	export := func(arn *string, passphrase string) (*api.ExportCertificateResponse, error) {
		return f.ExportCertificate(f.Call, &api.ExportCertificateRequest{CertificateArn: arn, Passphrase: []byte(passphrase)})
	}
	_, err = export(plain, "secret")
	fails(t, err, "ValidationException", "export")
	_, err = export(arn, "sec#ret")
	fails(t, err, "ValidationException", "passphrase")
	if *f.describe(arn).RenewalEligibility != "INELIGIBLE" {
		t.Error("eligible before it was exported")
	}
	out, err := export(arn, "secret")
	ok(t, err)
	if *f.describe(arn).RenewalEligibility != "ELIGIBLE" {
		t.Error("not eligible after it was exported")
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	ok(t, os.WriteFile(file, []byte(*out.PrivateKey), 0o600))
	public, err := exec.CommandContext(context.Background(), openssl, "pkey", "-in", file, "-passin", "pass:secret", "-pubout").Output()
	ok(t, err)
	block, _ := pem.Decode([]byte(*out.Certificate))
	cert, err := x509.ParseCertificate(block.Bytes)
	ok(t, err)
	of, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
	ok(t, err)
	if got, _ := pem.Decode(public); got == nil || !bytes.Equal(got.Bytes, of) {
		t.Errorf("another key: %s", public)
	}
	if exec.CommandContext(context.Background(), openssl, "pkey", "-in", file, "-passin", "pass:wrong1", "-noout").Run() == nil {
		t.Error("read without the passphrase")
	}
	if !strings.Contains(*out.CertificateChain, "BEGIN CERTIFICATE") {
		t.Error("no chain")
	}
}
