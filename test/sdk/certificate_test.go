package sdk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"gatehouse/test/harness"
)

// TestCertificateByTerraform makes the calls that the provider makes for
// aws_acm_certificate, aws_acm_certificate_validation and the data source:
// requested, read twice, tagged, validated, found, deleted.
func TestCertificateByTerraform(t *testing.T) {
	gw := harness.Start(t, "")
	c := acm.NewFromConfig(gw.Config())
	ctx := t.Context()

	arn := must(c.RequestCertificate(ctx, &acm.RequestCertificateInput{
		DomainName: new("api.example.test"), IdempotencyToken: new("tf20261127080000000000000001"), ValidationMethod: types.ValidationMethodDns,
		SubjectAlternativeNames: []string{"*.api.example.test"}, Tags: []types.Tag{{Key: new("team"), Value: new("a")}},
	}))(t).CertificateArn
	read := func() *types.CertificateDetail {
		t.Helper()
		return must(c.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate
	}
	tags := func() []types.Tag {
		t.Helper()
		return must(c.ListTagsForCertificate(ctx, &acm.ListTagsForCertificateInput{CertificateArn: arn}))(t).Tags
	}
	d := read()
	alike(t, "a second read", d, read())
	// The provider waits until each option has a record, and dereferences these.
	for _, v := range d.DomainValidationOptions {
		if v.ResourceRecord == nil || v.ResourceRecord.Type != types.RecordTypeCname || !strings.HasSuffix(*v.ResourceRecord.Name, ".api.example.test.") {
			t.Errorf("validation %+v", v)
		}
	}
	if len(d.DomainValidationOptions) != 2 || d.Type != types.CertificateTypeAmazonIssued || d.RenewalEligibility != types.RenewalEligibilityIneligible ||
		d.NotAfter.Before(time.Now().AddDate(0, 3, 0)) {
		t.Errorf("%s", lines(t, d))
	}
	if got := tags(); len(got) != 1 || *got[0].Value != "a" {
		t.Errorf("tags %v", got)
	}
	must(c.AddTagsToCertificate(ctx, &acm.AddTagsToCertificateInput{CertificateArn: arn, Tags: []types.Tag{{Key: new("team"), Value: new("b")}}}))(t)
	must(c.RemoveTagsFromCertificate(ctx, &acm.RemoveTagsFromCertificateInput{CertificateArn: arn, Tags: []types.Tag{{Key: new("team")}}}))(t)
	if got := tags(); len(got) != 0 {
		t.Errorf("tags %v", got)
	}
	must(c.UpdateCertificateOptions(ctx, &acm.UpdateCertificateOptionsInput{CertificateArn: arn, Options: &types.CertificateOptions{
		CertificateTransparencyLoggingPreference: types.CertificateTransparencyLoggingPreferenceDisabled, //nolint:SA1019 // the provider still sends it
	}}))(t)

	// aws_acm_certificate_validation.
	if err := acm.NewCertificateValidatedWaiter(c).Wait(ctx, &acm.DescribeCertificateInput{CertificateArn: arn}, time.Minute); err != nil {
		t.Error(err)
	}

	// data.aws_acm_certificate, whose certificate a client that trusts the root
	// accepts.
	var found bool
	pages := acm.NewListCertificatesPaginator(c, &acm.ListCertificatesInput{CertificateStatuses: []types.CertificateStatus{types.CertificateStatusIssued}})
	for pages.HasMorePages() {
		for _, summary := range must(pages.NextPage(ctx))(t).CertificateSummaryList {
			found = found || *summary.CertificateArn == *arn && *summary.DomainName == "api.example.test"
		}
	}
	if !found {
		t.Error("the data source doesn't find the certificate")
	}
	text := must(c.GetCertificate(ctx, &acm.GetCertificateInput{CertificateArn: arn}))(t)
	leaf, rest := pem.Decode([]byte(*text.Certificate))
	if len(rest) != 0 {
		t.Errorf("more than a certificate: %s", rest)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(filepath.Join(gw.Data, "tls", "authority", "root.pem")))(t))
	between.AppendCertsFromPEM([]byte(*text.CertificateChain))
	cert := must(x509.ParseCertificate(leaf.Bytes))(t)
	if _, err := cert.Verify(x509.VerifyOptions{DNSName: "eu.api.example.test", Roots: roots, Intermediates: between}); err != nil {
		t.Error(err)
	}

	must(c.DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: arn}))(t)
	_, err := c.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: arn})
	fails(t, err, "ResourceNotFoundException")
}

// TestImportedCertificateByTerraform imports and imports again, as the provider
// does for aws_acm_certificate with a certificate_body.
func TestImportedCertificateByTerraform(t *testing.T) {
	gw := harness.Start(t, "")
	c := acm.NewFromConfig(gw.Config())
	ctx := t.Context()
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "own.test"}, DNSNames: []string{"own.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	body := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: must(x509.CreateCertificate(rand.Reader, template, template, private.Public(), private))(t)})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(private))(t)})
	arn := must(c.ImportCertificate(ctx, &acm.ImportCertificateInput{Certificate: body, PrivateKey: key}))(t).CertificateArn
	d := must(c.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate
	if d.Type != types.CertificateTypeImported || d.Status != types.CertificateStatusIssued || *d.DomainName != "own.test" || d.ImportedAt == nil {
		t.Errorf("%s", lines(t, d))
	}
	again := must(c.ImportCertificate(ctx, &acm.ImportCertificateInput{CertificateArn: arn, Certificate: body, PrivateKey: key}))(t)
	if *again.CertificateArn != *arn {
		t.Errorf("another ARN %s", *again.CertificateArn)
	}
	must(c.DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: arn}))(t)
}
