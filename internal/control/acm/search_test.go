package acm_test

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/acm"
)

func TestSearch(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	rsa := request("rsa.test")
	rsa.KeyAlgorithm = nil
	first := f.make(rsa)
	f.pass(time.Hour)
	second := f.make(request("a.test", "*.a.test"))
	f.use("a.test", second)
	f.pass(time.Hour)
	exportable := request("b.test")
	exportable.Options = &api.CertificateOptions{Export: new("ENABLED")}
	f.make(exportable)
	key := ecKey(t)
	_, err := f.ImportCertificate(f.Call, &api.ImportCertificateRequest{Certificate: certPEM(sign(t, key, nil, nil, func(c *x509.Certificate) {
		c.NotAfter = f.now.Add(time.Hour)
	})), PrivateKey: keyPEM(t, key)})
	ok(t, err)
	f.Region = "us-east-1"
	f.make(request("elsewhere.test"))
	f.Region = "eu-central-1"

	search := func(in *api.SearchCertificatesRequest) (string, *string) {
		t.Helper()
		out, err := f.SearchCertificates(f.Call, in)
		ok(t, err)
		var names []string
		for _, r := range out.Results {
			names = append(names, strings.TrimSuffix(*r.X509Attributes.Subject.CommonName, ".test"))
		}
		return strings.Join(names, " "), out.NextToken
	}
	type statement = api.CertificateFilterStatement
	x509Filter := func(x api.X509AttributeFilter) *statement {
		return &statement{Filter: &api.CertificateFilter{X509AttributeFilter: &x}}
	}
	metadata := func(m api.AcmCertificateMetadataFilter) *statement {
		return &statement{Filter: &api.CertificateFilter{AcmCertificateMetadataFilter: &m}}
	}
	named := func(operator, text string) *statement {
		return x509Filter(api.X509AttributeFilter{SubjectAlternativeName: &api.SubjectAlternativeNameFilter{DnsName: &api.DnsNameFilter{Value: &text, ComparisonOperator: &operator}}})
	}
	for _, tt := range []struct {
		by, order string
		filter    *statement
		want      string
	}{
		{"COMMON_NAME", "ASCENDING", nil, "a b rsa www"},
		{"COMMON_NAME", "DESCENDING", nil, "www rsa b a"},
		{"CREATED_AT", "ASCENDING", metadata(api.AcmCertificateMetadataFilter{Type: new("AMAZON_ISSUED")}), "rsa a b"},
		{"NOT_AFTER", "ASCENDING", x509Filter(api.X509AttributeFilter{NotAfter: &api.TimestampRange{End: new(f.now.Add(day))}}), "www"},
		{"NOT_AFTER", "DESCENDING", x509Filter(api.X509AttributeFilter{NotBefore: &api.TimestampRange{Start: new(f.now.Add(-2 * time.Hour)), End: &f.now}}), "b a"},
		{"IN_USE", "DESCENDING", metadata(api.AcmCertificateMetadataFilter{InUse: new(true)}), "a"},
		{"TYPE", "ASCENDING", named("EQUALS", "*.A.test"), "a"},
		{"COMMON_NAME", "ASCENDING", named("CONTAINS", "A.TEST"), "a rsa"},
		{"COMMON_NAME", "ASCENDING", x509Filter(api.X509AttributeFilter{KeyAlgorithm: new("EC_prime256v1")}), "a b www"},
		{"COMMON_NAME", "ASCENDING", x509Filter(api.X509AttributeFilter{Subject: &api.SubjectFilter{CommonName: &api.CommonNameFilter{Value: new("b.test"), ComparisonOperator: new("EQUALS")}}}), "b"},
		{"COMMON_NAME", "ASCENDING", x509Filter(api.X509AttributeFilter{SerialNumber: f.describe(first).Serial}), "rsa"},
		{"COMMON_NAME", "ASCENDING", x509Filter(api.X509AttributeFilter{KeyUsage: new("KEY_ENCIPHERMENT")}), "rsa"},
		{"COMMON_NAME", "ASCENDING", metadata(api.AcmCertificateMetadataFilter{ExportOption: new("ENABLED")}), "b"},
		{"COMMON_NAME", "ASCENDING", metadata(api.AcmCertificateMetadataFilter{Status: new("REVOKED")}), ""},
		{"COMMON_NAME", "ASCENDING", &statement{Filter: &api.CertificateFilter{CertificateArn: second}}, "a"},
		{"COMMON_NAME", "ASCENDING", &statement{And: []statement{
			*metadata(api.AcmCertificateMetadataFilter{ValidationMethod: new("DNS")}),
			{Or: []statement{*named("EQUALS", "a.test"), *named("EQUALS", "rsa.test")}},
			{Not: metadata(api.AcmCertificateMetadataFilter{InUse: new(true)})},
		}}, "rsa"},
	} {
		got, _ := search(&api.SearchCertificatesRequest{FilterStatement: tt.filter, SortBy: &tt.by, SortOrder: &tt.order})
		if got != tt.want {
			t.Errorf("by %s %s of %+v: %s, want %s", tt.by, tt.order, tt.filter, got, tt.want)
		}
	}

	in := &api.SearchCertificatesRequest{SortBy: new("CREATED_AT"), SortOrder: new("DESCENDING"), MaxResults: new(int32(3))}
	page, next := search(in)
	in.NextToken = next
	rest, end := search(in)
	if page+" "+rest != "www b a rsa" && page+" "+rest != "b www a rsa" || end != nil {
		t.Errorf("pages %q and %q, then %v", page, rest, end)
	}

	tooMany := make([]statement, 16)
	for i := range tooMany {
		tooMany[i] = *named("EQUALS", "a.test")
	}
	// 1 + 15 + 15·15 + 15·15·15 statements.
	wide := *named("EQUALS", "a.test")
	for range 3 {
		wide = statement{Or: slices.Repeat([]statement{wide}, 15)}
	}
	for _, tt := range []struct {
		in   api.SearchCertificatesRequest
		part string
	}{
		{api.SearchCertificatesRequest{MaxResults: new(int32(501))}, "MaxResults"},
		{api.SearchCertificatesRequest{MaxResults: new(int32(0))}, "MaxResults"},
		{api.SearchCertificatesRequest{NextToken: new("nonsense")}, "NextToken"},
		{api.SearchCertificatesRequest{FilterStatement: &statement{}}, "exactly one of"},
		{api.SearchCertificatesRequest{FilterStatement: &statement{Not: named("EQUALS", "a"), And: []statement{*named("EQUALS", "a")}}}, "exactly one of"},
		{api.SearchCertificatesRequest{FilterStatement: &statement{And: []statement{}}}, "1 to 15"},
		{api.SearchCertificatesRequest{FilterStatement: &statement{Or: tooMany}}, "1 to 15"},
		{api.SearchCertificatesRequest{FilterStatement: &statement{Or: []statement{{}}}}, "exactly one of"},
		{api.SearchCertificatesRequest{FilterStatement: &wide}, "up to 1000"},
		{api.SearchCertificatesRequest{FilterStatement: &statement{Not: metadata(api.AcmCertificateMetadataFilter{})}}, "exactly one member"},
		{api.SearchCertificatesRequest{FilterStatement: x509Filter(api.X509AttributeFilter{Subject: &api.SubjectFilter{}})}, "exactly one member"},
	} {
		_, err := f.SearchCertificates(f.Call, &tt.in)
		fails(t, err, "ValidationException", tt.part)
	}
}
