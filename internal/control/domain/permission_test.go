package domain_test

import (
	"slices"
	"testing"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
)

// Who may change a domain may not for that change whose clients it takes.
func TestMutualTLSPermissions(t *testing.T) {
	f := newFaces(t)
	var asked []string
	allowed := true
	f.c.Guard = func(action, resource string) error {
		asked = append(asked, action+" "+resource)
		if allowed {
			return nil
		}
		return &awswire.Error{Code: "AccessDeniedException", Status: 403, Message: "no"}
	}
	const (
		add    = "apigateway:AddCertificateToDomain "
		remove = "apigateway:RemoveCertificateFromDomain "
		all    = "arn:aws:apigateway:eu-west-1::/domainnames"
		one    = all + "/a.example.com"
	)
	mutual := func(uri string) *apigatewayv2.MutualTlsAuthenticationInput {
		return &apigatewayv2.MutualTlsAuthenticationInput{TruststoreUri: &uri}
	}
	create := func() error {
		_, err := f.create("a.example.com", func(in *apigatewayv2.CreateDomainNameRequest) { in.MutualTlsAuthentication = mutual("s3://b/t.pem") })
		return err
	}
	update := func(m *apigatewayv2.MutualTlsAuthenticationInput) func() error {
		return func() error {
			_, err := f.v2.UpdateDomainName(f.c, &apigatewayv2.UpdateDomainNameRequest{DomainName: new("a.example.com"), MutualTlsAuthentication: m,
				DomainNameConfigurations: []apigatewayv2.DomainNameConfiguration{{CertificateArn: certificateARN(region, "wild"), EndpointType: new("REGIONAL")}}})
			return err
		}
	}
	patch := func(op, path, value string) func() error {
		return func() error {
			_, err := f.v1.UpdateDomainName(f.c, &apigateway.UpdateDomainNameRequest{DomainName: new("a.example.com"), PatchOperations: []apigateway.PatchOperation{{Op: &op, Path: &path, Value: &value}}})
			return err
		}
	}
	drop := func() error {
		return f.v1.DeleteDomainName(f.c, &apigateway.DeleteDomainNameRequest{DomainName: new("a.example.com")})
	}
	const uri = "/mutualTlsAuthentication/truststoreUri"
	for _, test := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"made with it", create, []string{add + all}},
		{"another certificate", update(nil), nil},
		{"the same truststore", update(mutual("s3://b/t.pem")), nil},
		{"another truststore", update(mutual("s3://b/u.pem")), []string{add + one}},
		{"another version", patch("replace", "/mutualTlsAuthentication/truststoreVersion", "2"), []string{add + one}},
		{"an end", update(mutual("")), []string{remove + one}},
		{"a beginning", patch("replace", uri, "s3://b/t.pem"), []string{add + one}},
		{"an end by the other face", patch("replace", uri, ""), []string{remove + one}},
		{"another beginning", patch("add", uri, "s3://b/t.pem"), []string{add + one}},
		{"removed", patch("remove", "/mutualTlsAuthentication", ""), []string{remove + one}},
		{"the last beginning", update(mutual("s3://b/t.pem")), []string{add + one}},
		{"deleted", drop, []string{remove + one}},
	} {
		for _, allowed = range []bool{false, true} {
			asked = nil
			err := test.do()
			if !slices.Equal(asked, test.want) {
				t.Errorf("%s: asked %q, want %q", test.name, asked, test.want)
			}
			want := ""
			if len(test.want) > 0 && !allowed {
				want = "403 AccessDeniedException: no"
			}
			check(t, test.name, err, want)
		}
	}
	f.mustCreate("a.example.com")
	asked = nil
	if err := f.v2.DeleteDomainName(f.c, &apigatewayv2.DeleteDomainNameRequest{DomainName: new("a.example.com")}); err != nil || asked != nil {
		t.Errorf("without mutual TLS: %v, %q", err, asked)
	}
}
