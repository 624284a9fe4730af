package acm_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/store"
)

// never is a validator that finds no record, until one is put there.
type records map[string]string

func (r records) Validated(record api.ResourceRecord) bool { return r[*record.Name] == *record.Value }

func TestRequest(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	arn := f.make(&api.RequestCertificateRequest{
		DomainName: new("api.example.test"), SubjectAlternativeNames: []string{"*.api.example.test", "API.example.test", "other.test"}, ValidationMethod: new("DNS"),
	})
	if !regexp.MustCompile(`^arn:aws:acm:eu-central-1:123456789012:certificate/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(*arn) {
		t.Errorf("ARN %s", *arn)
	}
	d := f.describe(arn)
	serial := *d.Serial
	if !regexp.MustCompile(`^([0-9a-f]{2}:){5,}[0-9a-f]{2}$`).MatchString(serial) {
		t.Errorf("serial %s", serial)
	}
	if len(d.DomainValidationOptions) != 3 {
		t.Fatalf("%d validations", len(d.DomainValidationOptions))
	}
	first, second := d.DomainValidationOptions[0].ResourceRecord, d.DomainValidationOptions[1].ResourceRecord
	if *first.Name != *second.Name || *first.Value != *second.Value {
		t.Error("a name and its wildcard have two records")
	}
	if !regexp.MustCompile(`^_[0-9a-f]{32}\.api\.example\.test\.$`).MatchString(*first.Name) ||
		!regexp.MustCompile(`^_[0-9a-f]{32}\.[a-z]{10}\.acm-validations\.aws\.$`).MatchString(*first.Value) {
		t.Errorf("record %s CNAME %s", *first.Name, *first.Value)
	}
	d.Serial, d.DomainValidationOptions = nil, d.DomainValidationOptions[2:]
	d.DomainValidationOptions[0].ResourceRecord = nil
	got, err := json.Marshal(d)
	ok(t, err)
	want := `{"CertificateArn":"` + *arn + `","DomainName":"api.example.test","SubjectAlternativeNames":["api.example.test","*.api.example.test","other.test"],` +
		`"DomainValidationOptions":[{"DomainName":"other.test","ValidationDomain":"other.test","ValidationStatus":"SUCCESS","ValidationMethod":"DNS"}],` +
		`"Subject":"CN=api.example.test","Issuer":"Gatehouse","CreatedAt":"2026-11-27T08:00:00Z","IssuedAt":"2026-11-27T08:00:00Z","Status":"ISSUED",` +
		`"NotBefore":"2026-11-27T07:00:00Z","NotAfter":"2027-06-13T08:00:00Z","KeyAlgorithm":"RSA-2048","SignatureAlgorithm":"SHA256WITHRSA","InUseBy":[],` +
		`"Type":"AMAZON_ISSUED","KeyUsages":[{"Name":"DIGITAL_SIGNATURE"},{"Name":"KEY_ENCIPHERMENT"}],` +
		`"ExtendedKeyUsages":[{"Name":"TLS_WEB_SERVER_AUTHENTICATION","OID":"1.3.6.1.5.5.7.3.1"}],"RenewalEligibility":"INELIGIBLE",` +
		`"Options":{"CertificateTransparencyLoggingPreference":"ENABLED","Export":"DISABLED"},"CertificateKeyPairOrigin":"AWS_MANAGED"}`
	if string(got) != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(string(got), "PRIVATE") || strings.Contains(f.log.String(), "PRIVATE") {
		t.Error("a private key is shown")
	}
}

// What was issued, a client that trusts the root accepts, after a restart as well.
func TestHandshake(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, nil)
	rsa := request("rsa.test", "*.rsa.test")
	rsa.KeyAlgorithm = nil
	arns := map[string]*string{"ec.test": f.make(request("ec.test")), "a.rsa.test": f.make(rsa)}
	roots := x509.NewCertPool()
	roots.AddCert(f.authority.Root())
	scope := store.Scope{Account: account, Region: f.Region}
	for range 2 {
		for name, arn := range arns {
			pair, found := f.directory.Certificate(scope, *arn)
			if !found {
				t.Fatalf("%s isn't in the directory", name)
			}
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				if err := handshake(t, pair, &tls.Config{RootCAs: roots, ServerName: name, MaxVersion: version, Time: f.clock}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		// Without forward secrecy the key decrypts.
		pair, _ := f.directory.Certificate(scope, *arns["a.rsa.test"])
		config := &tls.Config{RootCAs: roots, ServerName: "a.rsa.test", MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, Time: f.clock}
		if err := handshake(t, pair, config); err != nil {
			t.Errorf("RSA key exchange: %v", err)
		}
		f.close()
		f = open(t, dir, nil)
	}
	if _, found := f.directory.Certificate(store.Scope{Account: "999999999999", Region: f.Region}, *arns["ec.test"]); found {
		t.Error("another account has the certificate")
	}
}

func handshake(t *testing.T, pair *tls.Certificate, client *tls.Config) error {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Server(b, &tls.Config{Certificates: []tls.Certificate{*pair}, CipherSuites: client.CipherSuites}).Handshake() // the client tells
		b.Close()
	}()
	err := tls.Client(a, client).Handshake()
	a.Close()
	<-done
	return err
}

func TestRequestRefusals(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	for _, tt := range []struct {
		change     func(in *api.RequestCertificateRequest)
		code, part string
	}{
		{func(in *api.RequestCertificateRequest) { in.KeyAlgorithm = new("RSA_4096") }, "InvalidParameterException", "RSA_4096"},
		{func(in *api.RequestCertificateRequest) { in.ValidationMethod = new("HTTP") }, "InvalidParameterException", "CloudFront"},
		{func(in *api.RequestCertificateRequest) { in.ManagedBy = new("CLOUDFRONT") }, "InvalidParameterException", "CLOUDFRONT"},
		{func(in *api.RequestCertificateRequest) {
			in.CertificateAuthorityArn = new("arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/x")
		}, "InvalidArnException", "acm-pca"},
		{func(in *api.RequestCertificateRequest) { in.Tags = []api.Tag{{Key: new("aws:x"), Value: new("y")}} }, "InvalidTagException", "aws:x"},
		{func(in *api.RequestCertificateRequest) {
			in.DomainValidationOptions = []api.DomainValidationOption{{DomainName: new("no.test"), ValidationDomain: new("test")}}
		}, "InvalidDomainValidationOptionsException", "no.test"},
		{func(in *api.RequestCertificateRequest) {
			in.DomainValidationOptions = []api.DomainValidationOption{{DomainName: new("a.test"), ValidationDomain: new("b.a.test")}}
		}, "InvalidDomainValidationOptionsException", "b.a.test"},
	} {
		in := request("a.test")
		tt.change(in)
		_, err := f.RequestCertificate(f.Call, in)
		fails(t, err, tt.code, tt.part)
	}
}

func TestIdempotency(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	in := request("a.test")
	in.IdempotencyToken = new("tf1")
	first := f.make(in)
	if again := f.make(in); *again != *first {
		t.Error("the same request made two certificates")
	}
	other := request("b.test")
	other.IdempotencyToken = new("tf1")
	if b := f.make(other); *b == *first {
		t.Error("another request with the token made no certificate")
	}
	f.pass(2 * time.Hour)
	if late := f.make(in); *late == *first {
		t.Error("the token is good for longer than an hour")
	}
	ok(t, f.DeleteCertificate(f.Call, &api.DeleteCertificateRequest{CertificateArn: first}))
	f.make(in)
}

func TestValidation(t *testing.T) {
	proven := records{}
	f := open(t, t.TempDir(), func(o *acm.Options) { o.Validator = proven })
	arn := f.make(request("api.test", "b.test"))
	d := f.describe(arn)
	if *d.Status != "PENDING_VALIDATION" || d.Serial != nil || d.IssuedAt != nil || d.NotAfter != nil || *d.Issuer != "Amazon" || *d.SignatureAlgorithm != "SHA256WITHECDSA" ||
		d.KeyUsages == nil || d.ExtendedKeyUsages == nil || d.InUseBy == nil || *d.DomainValidationOptions[0].ValidationStatus != "PENDING_VALIDATION" {
		t.Errorf("%+v", d)
	}
	_, err := f.GetCertificate(f.Call, &api.GetCertificateRequest{CertificateArn: arn})
	fails(t, err, "RequestInProgressException", "PENDING_VALIDATION")
	if _, found := f.directory.Certificate(store.Scope{Account: account, Region: f.Region}, *arn); found {
		t.Error("a certificate before it was issued")
	}
	f.pass(time.Minute)
	// One record is not enough for two names.
	r := d.DomainValidationOptions[0].ResourceRecord
	proven[*r.Name] = *r.Value
	f.pass(time.Minute)
	if *f.describe(arn).Status != "PENDING_VALIDATION" {
		t.Error("issued with one of two names proven")
	}
	r = d.DomainValidationOptions[1].ResourceRecord
	proven[*r.Name] = *r.Value
	f.pass(time.Minute)
	d = f.describe(arn)
	if *d.Status != "ISSUED" || *d.DomainValidationOptions[1].ValidationStatus != "SUCCESS" || *d.IssuedAt != f.Time {
		t.Errorf("%+v", d)
	}

	// Nobody has for ever to prove a name, and e-mail is proven by no record.
	late := f.make(request("late.test"))
	mail := request("mail.test")
	mail.ValidationMethod = nil
	byMail := f.make(mail)
	v := f.describe(byMail).DomainValidationOptions[0]
	if *v.ValidationMethod != "EMAIL" || len(v.ValidationEmails) != 5 || !slices.Contains(v.ValidationEmails, "hostmaster@mail.test") || v.ResourceRecord != nil {
		t.Errorf("%+v", v)
	}
	resend := &api.ResendValidationEmailRequest{CertificateArn: byMail, Domain: new("mail.test"), ValidationDomain: new("mail.test")}
	ok(t, f.ResendValidationEmail(f.Call, resend))
	resend.ValidationDomain = new("other.test")
	fails(t, f.ResendValidationEmail(f.Call, resend), "InvalidDomainValidationOptionsException", "")
	fails(t, f.ResendValidationEmail(f.Call, &api.ResendValidationEmailRequest{CertificateArn: late, Domain: new("late.test"), ValidationDomain: new("test")}), "InvalidStateException", "")
	f.pass(73 * time.Hour)
	if status := *f.describe(late).Status; status != "VALIDATION_TIMED_OUT" {
		t.Errorf("status %s", status)
	}
	out, err := f.ListCertificateDomainValidations(f.Call, &api.ListCertificateDomainValidationsRequest{CertificateArn: arn, MaxItems: new(int32(1))})
	ok(t, err)
	if len(out.DomainValidationSummaryList) != 1 || out.NextToken == nil || *out.DomainValidationSummaryList[0].ActiveValidationConfiguration.ValidationStatus != "SUCCESS" {
		t.Errorf("%+v", out)
	}
}
