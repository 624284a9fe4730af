package acm_test

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/acm"
)

func TestList(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	rsa := request("rsa.test")
	rsa.KeyAlgorithm = nil
	f.make(rsa)
	var ec []string
	for i := range 5 {
		f.pass(time.Minute)
		ec = append(ec, *f.make(request(fmt.Sprintf("ec%d.test", i), "more.test")))
	}
	key := ecKey(t)
	_, err := f.ImportCertificate(f.Call, &api.ImportCertificateRequest{Certificate: certPEM(sign(t, key, nil, nil, func(c *x509.Certificate) {
		for i := range 150 {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("n%d.test", i))
		}
	})), PrivateKey: keyPEM(t, key)})
	ok(t, err)
	list := func(in *api.ListCertificatesRequest) []api.CertificateSummary {
		t.Helper()
		out, err := f.ListCertificates(f.Call, in)
		ok(t, err)
		return out.CertificateSummaryList
	}
	names := func(in *api.ListCertificatesRequest) string {
		var out []string
		for _, c := range list(in) {
			out = append(out, strings.TrimSuffix(*c.DomainName, ".test"))
		}
		if in.SortBy == nil {
			slices.Sort(out)
		}
		return strings.Join(out, " ")
	}
	both := []string{"RSA_2048", "EC_prime256v1"}
	for _, tt := range []struct {
		in   api.ListCertificatesRequest
		want string
	}{
		{api.ListCertificatesRequest{}, "rsa"},
		{api.ListCertificatesRequest{Includes: &api.Filters{KeyTypes: both}}, "ec0 ec1 ec2 ec3 ec4 rsa www"},
		{api.ListCertificatesRequest{Includes: &api.Filters{KeyTypes: both}, SortBy: new("CREATED_AT"), SortOrder: new("DESCENDING"), CertificateKeyPairOrigins: []string{"AWS_MANAGED"}}, "ec4 ec3 ec2 ec1 ec0 rsa"},
		{api.ListCertificatesRequest{Includes: &api.Filters{KeyTypes: both}, SortBy: new("CREATED_AT"), SortOrder: new("ASCENDING"), MaxItems: new(int32(3))}, "rsa ec0 ec1"},
		{api.ListCertificatesRequest{Includes: &api.Filters{KeyTypes: both, KeyUsage: []string{"KEY_ENCIPHERMENT"}}}, "rsa"},
		{api.ListCertificatesRequest{Includes: &api.Filters{KeyTypes: both, KeyUsage: []string{"NON_REPUDIATION", "CRL_SIGNING"}}}, "www"},
		{api.ListCertificatesRequest{Includes: &api.Filters{KeyTypes: both, ExtendedKeyUsage: []string{"CODE_SIGNING"}}}, ""},
		{api.ListCertificatesRequest{Includes: &api.Filters{KeyTypes: both, ExportOption: new("ENABLED")}}, ""},
		{api.ListCertificatesRequest{Includes: &api.Filters{KeyTypes: both}, CertificateStatuses: []string{"PENDING_VALIDATION"}}, ""},
	} {
		if got := names(&tt.in); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.in, got, tt.want)
		}
	}
	_, err = f.ListCertificates(f.Call, &api.ListCertificatesRequest{SortBy: new("CREATED_AT")})
	fails(t, err, "ValidationException", "together")
	_, err = f.ListCertificates(f.Call, &api.ListCertificatesRequest{NextToken: new("nonsense")})
	fails(t, err, "ValidationException", "NextToken")

	in := &api.ListCertificatesRequest{Includes: &api.Filters{KeyTypes: both}, MaxItems: new(int32(2))}
	seen := map[string]bool{}
	for {
		out, err := f.ListCertificates(f.Call, in)
		ok(t, err)
		for _, c := range out.CertificateSummaryList {
			seen[*c.CertificateArn] = true
			if *c.DomainName == "www.test" && (len(c.SubjectAlternativeNameSummaries) != 100 || !*c.HasAdditionalSubjectAlternativeNames || c.Exported != nil) {
				t.Errorf("%+v", c)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(seen) != 7 || !seen[ec[3]] {
		t.Errorf("%d certificates", len(seen))
	}
	// Nobody else sees them.
	f.Region = "us-east-1"
	if n := len(list(&api.ListCertificatesRequest{Includes: &api.Filters{KeyTypes: both}})); n != 0 {
		t.Errorf("%d certificates in another region", n)
	}
}

func TestTags(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	in := request("a.test")
	in.Tags = []api.Tag{{Key: new("b"), Value: new("1")}, {Key: new("a")}}
	arn := f.make(in)
	tags := func() string {
		t.Helper()
		out, err := f.ListTagsForCertificate(f.Call, &api.ListTagsForCertificateRequest{CertificateArn: arn})
		ok(t, err)
		var text []string
		for _, tag := range out.Tags {
			text = append(text, *tag.Key+"="+*tag.Value)
		}
		return strings.Join(text, " ")
	}
	if got := tags(); got != "a= b=1" {
		t.Error(got)
	}
	ok(t, f.AddTagsToCertificate(f.Call, &api.AddTagsToCertificateRequest{CertificateArn: arn, Tags: []api.Tag{{Key: new("b"), Value: new("2")}, {Key: new("c"), Value: new("3")}}}))
	ok(t, f.RemoveTagsFromCertificate(f.Call, &api.RemoveTagsFromCertificateRequest{CertificateArn: arn, Tags: []api.Tag{{Key: new("b"), Value: new("1")}, {Key: new("a")}, {Key: new("none")}}}))
	if got := tags(); got != "b=2 c=3" {
		t.Error(got)
	}
	ok(t, f.TagResource(f.Call, &api.TagResourceRequest{ResourceArn: arn, Tags: []api.Tag{{Key: new("d"), Value: new("4")}}}))
	ok(t, f.UntagResource(f.Call, &api.UntagResourceRequest{ResourceArn: arn, TagKeys: []string{"b", "c"}}))
	if got := tags(); got != "d=4" {
		t.Error(got)
	}
	var many []api.Tag
	for i := range 50 {
		many = append(many, api.Tag{Key: new(fmt.Sprint("k", i)), Value: new("v")})
	}
	fails(t, f.AddTagsToCertificate(f.Call, &api.AddTagsToCertificateRequest{CertificateArn: arn, Tags: many}), "TooManyTagsException", "50")
	if got := tags(); got != "d=4" {
		t.Error(got)
	}
}

func TestOthers(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	arn := f.make(request("a.test"))
	update := func(o *api.CertificateOptions) error {
		return f.UpdateCertificateOptions(f.Call, &api.UpdateCertificateOptionsRequest{CertificateArn: arn, Options: o})
	}
	ok(t, update(&api.CertificateOptions{CertificateTransparencyLoggingPreference: new("DISABLED")}))
	if *f.describe(arn).Options.CertificateTransparencyLoggingPreference != "DISABLED" {
		t.Error("options didn't change")
	}
	fails(t, update(&api.CertificateOptions{Export: new("ENABLED")}), "ValidationException", "export")

	got, err := f.GetAccountConfiguration(f.Call)
	ok(t, err)
	if *got.ExpiryEvents.DaysBeforeExpiry != 45 {
		t.Errorf("%+v", got)
	}
	ok(t, f.PutAccountConfiguration(f.Call, &api.PutAccountConfigurationRequest{IdempotencyToken: new("t"), ExpiryEvents: &api.ExpiryEventsConfiguration{DaysBeforeExpiry: new(int32(10))}}))
	if got, err = f.GetAccountConfiguration(f.Call); err != nil || *got.ExpiryEvents.DaysBeforeExpiry != 10 {
		t.Errorf("%+v, %v", got, err)
	}

	// What isn't there, and what isn't an ARN of a certificate.
	for text, code := range map[string]string{
		*arn + "0": "ResourceNotFoundException",
		"arn:aws:acm:us-east-1:123456789012:certificate/x":    "ResourceNotFoundException",
		"arn:aws:acm:eu-central-1:999999999999:certificate/x": "ResourceNotFoundException",
		"arn:aws:acm:eu-central-1:123456789012:other/x":       "InvalidArnException",
		"arn:aws:iam:eu-central-1:123456789012:certificate/x": "InvalidArnException",
		"nonsense": "InvalidArnException",
	} {
		_, err := f.DescribeCertificate(f.Call, &api.DescribeCertificateRequest{CertificateArn: &text})
		fails(t, err, code, "")
		_, err = f.GetCertificate(f.Call, &api.GetCertificateRequest{CertificateArn: &text})
		fails(t, err, code, "")
		fails(t, f.DeleteCertificate(f.Call, &api.DeleteCertificateRequest{CertificateArn: &text}), code, "")
	}
}
