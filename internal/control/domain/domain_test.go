package domain_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
)

func TestCreateBothFaces(t *testing.T) {
	f := newFaces(t)
	made, err := f.create("API.Example.com", func(in *apigatewayv2.CreateDomainNameRequest) { in.Tags = map[string]string{"team": "web"} })
	if err != nil {
		t.Fatal(err)
	}
	if len(made.DomainNameConfigurations) != 1 {
		t.Fatalf("%d configurations", len(made.DomainNameConfigurations))
	}
	shown := made.DomainNameConfigurations[0]
	if *made.DomainName != "api.example.com" || *made.DomainNameArn != "arn:aws:apigateway:eu-west-1::/domainnames/api.example.com" ||
		*made.ApiMappingSelectionExpression != "$request.basepath" || *made.RoutingMode != "API_MAPPING_ONLY" || made.MutualTlsAuthentication != nil ||
		*shown.DomainNameStatus != "AVAILABLE" || *shown.HostedZoneId != "ZLY8HYME6SFDD" || *shown.IpAddressType != "ipv4" || *shown.SecurityPolicy != "TLS_1_2" ||
		!strings.HasPrefix(*shown.ApiGatewayDomainName, "d-") || !strings.HasSuffix(*shown.ApiGatewayDomainName, ".execute-api.eu-west-1.amazonaws.com") {
		t.Errorf("%+v %+v", made, shown)
	}
	v1, err := f.v1.GetDomainName(f.c, &apigateway.GetDomainNameRequest{DomainName: new("api.EXAMPLE.com")})
	if err != nil {
		t.Fatal(err)
	}
	if *v1.RegionalDomainName != *shown.ApiGatewayDomainName || *v1.RegionalHostedZoneId != *shown.HostedZoneId || *v1.RoutingMode != "BASE_PATH_MAPPING_ONLY" ||
		*v1.RegionalCertificateArn != *shown.CertificateArn || v1.CertificateArn != nil || v1.DistributionDomainName != nil || v1.Tags["team"] != "web" ||
		v1.EndpointConfiguration.Types[0] != "REGIONAL" || !v1.CertificateUploadDate.Equal(f.c.Time.Truncate(time.Second)) {
		t.Errorf("%+v", v1)
	}
	// Tags by either face.
	arn := made.DomainNameArn
	if err := f.v1.TagResource(f.c, &apigateway.TagResourceRequest{ResourceArn: arn, Tags: map[string]string{"a": "1"}}); err != nil {
		t.Error(err)
	}
	if err := f.v2.UntagResource(f.c, &apigatewayv2.UntagResourceRequest{ResourceArn: arn, TagKeys: []string{"team"}}); err != nil {
		t.Error(err)
	}
	tags, err := f.v2.GetTags(f.c, &apigatewayv2.GetTagsRequest{ResourceArn: arn})
	if err != nil || len(tags.Tags) != 1 || tags.Tags["a"] != "1" {
		t.Errorf("%v, %v", tags, err)
	}
	// Everywhere, a name is one domain's.
	_, err = f.create("api.example.com")
	check(t, "twice", err, "400 BadRequestException: The domain name you provided already exists.")
	if err := f.v2.DeleteDomainName(f.c, &apigatewayv2.DeleteDomainNameRequest{DomainName: new("api.example.com")}); err != nil {
		t.Fatal(err)
	}
	_, err = f.v2.GetDomainName(f.c, &apigatewayv2.GetDomainNameRequest{DomainName: new("api.example.com")})
	check(t, "after it was deleted", err, "404 NotFoundException: Invalid domain name identifier specified")
	f.mustCreate("api.example.com")
}

func TestNames(t *testing.T) {
	f := newFaces(t)
	f.update(func(tx *store.Tx) error {
		theirs := &definition.Reference{ID: "999999999999/eu-west-1"}
		return errors.Join(
			definition.DomainOwners.Put(tx, store.Scope{}, theirs, "theirs.eu.example.com"),
			definition.DomainOwners.Put(tx, store.Scope{}, theirs, "*.us.example.com"),
		)
	})
	const invalid = "400 BadRequestException: Invalid domain name specified: …"
	const taken = "400 BadRequestException: The domain name you provided already exists."
	for name, want := range map[string]string{
		"a.example.com": "", "*.example.com": "", "A-b.EU.example.com": "", "_x.example.com": "", "xn--bcher-kva.example.com": "",
		"": invalid, "com": invalid, "*": invalid, "*.com": invalid, "a.*.example.com": invalid, "*a.example.com": invalid,
		"*.*.example.com": invalid, "a..example.com": invalid, ".example.com": invalid, "a.example.com.": invalid, "-a.example.com": invalid,
		"a_.example.com": "", "a-.example.com": invalid, "a b.example.com": invalid, "bücher.example.com": invalid, "127.0.0.1": invalid, "[::1]": invalid, "::1": invalid,
		"a.example.com:443": invalid, "a.example.com/x": invalid, "a.example.123": invalid, strings.Repeat("a", 64) + ".example.com": invalid,
		strings.Repeat("a.", 126) + "example.com": invalid,
		"shop.localhost":        "400 BadRequestException: The domain name shop.localhost is reserved: clients call services by such names. With another label in front, as in api.shop.localhost, it can be taken",
		"gateway.example.com":   "400 BadRequestException: The domain name gateway.example.com is reserved: …",
		"theirs.eu.example.com": taken,
		"*.eu.example.com":      taken, // would get what theirs leaves
		"ours.us.example.com":   taken, // would take what their star gets
		"*.us.example.com":      taken,
		"x.ours.us.example.com": "400 BadRequestException: The domain name to be created is not covered by the provided certificate.",
		"us.example.com":        "",
		"a.b.example.com":       "400 BadRequestException: The domain name to be created is not covered by the provided certificate.",
		"*.a.example.com":       "400 BadRequestException: The domain name to be created is not covered by the provided certificate.",
		"example.org":           "400 BadRequestException: The domain name to be created is not covered by the provided certificate.",
		"example.com":           "",
	} {
		_, err := f.create(name)
		check(t, name, err, want)
	}
}

func TestRefusedDomains(t *testing.T) {
	f := newFaces(t)
	config := func(edit func(*apigatewayv2.DomainNameConfiguration)) func(*apigatewayv2.CreateDomainNameRequest) {
		return func(in *apigatewayv2.CreateDomainNameRequest) { edit(&in.DomainNameConfigurations[0]) }
	}
	for _, test := range []struct {
		name string
		edit func(*apigatewayv2.CreateDomainNameRequest)
		want string
	}{
		{"no configuration", func(in *apigatewayv2.CreateDomainNameRequest) { in.DomainNameConfigurations = nil }, "400 BadRequestException: Invalid input. Expected one domain name configuration"},
		{"edge", config(func(c *apigatewayv2.DomainNameConfiguration) { c.EndpointType = new("EDGE") }), "400 BadRequestException: EDGE endpoint type is not supported for APIGatewayV2 domainName"},
		{"TLS 1.0", config(func(c *apigatewayv2.DomainNameConfiguration) { c.SecurityPolicy = new("TLS_1_0") }), "400 BadRequestException: TLS_1_0 is not supported for APIGatewayV2 domainName"},
		{"no certificate", config(func(c *apigatewayv2.DomainNameConfiguration) { c.CertificateArn = nil }), "400 BadRequestException: A certificate was not provided for the endpoint type REGIONAL."},
		{"no ARN", config(func(c *apigatewayv2.DomainNameConfiguration) { c.CertificateArn = new("wild") }), "400 BadRequestException: Invalid certificate ARN: wild."},
		{"another region", config(func(c *apigatewayv2.DomainNameConfiguration) { c.CertificateArn = certificateARN("us-east-1", "edge") }),
			"400 BadRequestException: Invalid certificate ARN: arn:aws:acm:us-east-1:123456789012:certificate/edge. Certificate must be in 'eu-west-1'."},
		{"another account", config(func(c *apigatewayv2.DomainNameConfiguration) {
			c.CertificateArn = new("arn:aws:acm:eu-west-1:999999999999:certificate/wild")
		}), "400 BadRequestException: The certificate provided must be owned by the account creating the domain."},
		{"unknown", config(func(c *apigatewayv2.DomainNameConfiguration) { c.CertificateArn = certificateARN(region, "nope") }),
			"400 BadRequestException: The certificate provided must be owned by the account creating the domain."},
		{"pending", config(func(c *apigatewayv2.DomainNameConfiguration) { c.CertificateArn = certificateARN(region, "pending") }),
			"400 BadRequestException: The certificate arn:aws:acm:eu-west-1:123456789012:certificate/pending is not issued: its status is PENDING_VALIDATION."},
		{"ownership without mTLS", config(func(c *apigatewayv2.DomainNameConfiguration) {
			c.OwnershipVerificationCertificateArn = certificateARN(region, "wild")
		}), "400 BadRequestException: An ownership verification…"},
		{"no truststore", func(in *apigatewayv2.CreateDomainNameRequest) {
			in.MutualTlsAuthentication = &apigatewayv2.MutualTlsAuthenticationInput{TruststoreUri: new("s3://b/gone.pem")}
		}, "400 BadRequestException: there is no truststore s3://b/gone.pem"},
		{"an imported certificate and mTLS", func(in *apigatewayv2.CreateDomainNameRequest) {
			in.DomainNameConfigurations[0].CertificateArn = certificateARN(region, "imported")
			in.MutualTlsAuthentication = &apigatewayv2.MutualTlsAuthenticationInput{TruststoreUri: new("s3://b/t.pem")}
		}, "400 BadRequestException: Missing ownershipVerificationCertificate."},
		{"ownership by an imported certificate", func(in *apigatewayv2.CreateDomainNameRequest) {
			in.DomainNameConfigurations[0].OwnershipVerificationCertificateArn = certificateARN(region, "imported")
			in.MutualTlsAuthentication = &apigatewayv2.MutualTlsAuthenticationInput{TruststoreUri: new("s3://b/t.pem")}
		}, "400 BadRequestException: The ownership verification certificate must be…"},
		{"reserved tag", func(in *apigatewayv2.CreateDomainNameRequest) { in.Tags = map[string]string{"aws:x": "1"} }, "400 BadRequestException: Tag keys…"},
	} {
		_, err := f.create("x.example.com", test.edit)
		check(t, test.name, err, test.want)
	}
	if _, err := f.create("x.example.com"); err != nil {
		t.Errorf("what was refused left something behind: %v", err)
	}
}

func TestV1Domains(t *testing.T) {
	f := newFaces(t)
	regional := func() *apigateway.CreateDomainNameRequest {
		return &apigateway.CreateDomainNameRequest{
			DomainName: new("r.example.com"), RegionalCertificateArn: certificateARN(region, "wild"),
			EndpointConfiguration: &apigateway.EndpointConfiguration{Types: []string{"REGIONAL"}},
		}
	}
	for _, test := range []struct {
		name string
		edit func(*apigateway.CreateDomainNameRequest)
		want string
	}{
		{"edge without its certificate", func(in *apigateway.CreateDomainNameRequest) { in.EndpointConfiguration = nil }, "400 BadRequestException: A certificate was not provided for the endpoint type EDGE."},
		{"edge certificate", func(in *apigateway.CreateDomainNameRequest) { in.CertificateArn = certificateARN("us-east-1", "edge") }, "400 BadRequestException: Cannot import certificates for EDGE while REGIONAL is active."},
		{"another type", func(in *apigateway.CreateDomainNameRequest) { in.EndpointConfiguration.Types[0] = "LOCAL" }, "400 BadRequestException: Invalid EndpointTypes specified…"},
		{"enhanced without a mode", func(in *apigateway.CreateDomainNameRequest) {
			in.SecurityPolicy = new("SecurityPolicy_TLS13_1_3_2025_09")
		}, "400 BadRequestException: Endpoint access mode is required for the specified security policy"},
		{"enhanced of edge", func(in *apigateway.CreateDomainNameRequest) {
			in.SecurityPolicy, in.EndpointAccessMode = new("SecurityPolicy_TLS13_2025_EDGE"), new("BASIC")
		}, "400 BadRequestException: The security policy SecurityPolicy_TLS13_2025_EDGE is not supported for the endpoint type REGIONAL."},
		{"strict without enhanced", func(in *apigateway.CreateDomainNameRequest) { in.EndpointAccessMode = new("BASIC") }, "400 BadRequestException: Endpoint access mode is not supported…"},
		{"mTLS with TLS 1.0", func(in *apigateway.CreateDomainNameRequest) {
			in.SecurityPolicy = new("TLS_1_0")
			in.MutualTlsAuthentication = &apigateway.MutualTlsAuthenticationInput{TruststoreUri: new("s3://b/t.pem")}
		}, "400 BadRequestException: Mutual TLS authentication is only supported with…"},
		{"mTLS without a truststore", func(in *apigateway.CreateDomainNameRequest) {
			in.MutualTlsAuthentication = &apigateway.MutualTlsAuthenticationInput{}
		}, "400 BadRequestException: truststoreUri is required…"},
		{"a policy", func(in *apigateway.CreateDomainNameRequest) {
			in.Policy = new(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}]}`)
		}, "400 BadRequestException: A policy can only…"},
		{"no policy", func(in *apigateway.CreateDomainNameRequest) { in.Policy = new("{") }, "400 BadRequestException: Invalid policy document…"},
		{"a certificate's body", func(in *apigateway.CreateDomainNameRequest) { in.CertificateBody = new("x") }, "501 …"},
	} {
		in := regional()
		test.edit(in)
		_, err := f.v1.CreateDomainName(f.c, in)
		check(t, test.name, err, test.want)
	}
	edge, err := f.v1.CreateDomainName(f.c, &apigateway.CreateDomainNameRequest{DomainName: new("edge.example.com"), CertificateArn: certificateARN("us-east-1", "edge")})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(*edge.DistributionDomainName, ".cloudfront.net") || *edge.DistributionHostedZoneId != "Z2FDTNDATAQYW2" || edge.RegionalDomainName != nil || *edge.SecurityPolicy != "TLS_1_2" {
		t.Errorf("%+v", edge)
	}
	// The other face shows it and can't change it.
	if shown, err := f.v2.GetDomainName(f.c, &apigatewayv2.GetDomainNameRequest{DomainName: edge.DomainName}); err != nil ||
		*shown.DomainNameConfigurations[0].EndpointType != "EDGE" || *shown.DomainNameConfigurations[0].ApiGatewayDomainName != *edge.DistributionDomainName {
		t.Errorf("%+v, %v", shown, err)
	}
	_, err = f.v2.CreateApiMapping(f.c, &apigatewayv2.CreateApiMappingRequest{DomainName: edge.DomainName, ApiId: new("rest1"), Stage: new("prod")})
	check(t, "a mapping of an edge domain", err, "400 BadRequestException: Only REGIONAL domain names can be managed through the API Gateway V2 API. For EDGE…")
	_, err = f.v2.UpdateDomainName(f.c, &apigatewayv2.UpdateDomainNameRequest{DomainName: edge.DomainName})
	check(t, "an update of an edge domain", err, "400 BadRequestException: Only REGIONAL domain names can be managed through the API Gateway V2 API. For EDGE…")

	// From edge to regional, by way of both.
	patch := func(ops ...apigateway.PatchOperation) (*apigateway.DomainName, error) {
		return f.v1.UpdateDomainName(f.c, &apigateway.UpdateDomainNameRequest{DomainName: edge.DomainName, PatchOperations: ops})
	}
	op := func(op, path, value string) apigateway.PatchOperation {
		return apigateway.PatchOperation{Op: &op, Path: &path, Value: &value}
	}
	_, err = patch(op("add", "/securityPolicy", "TLS_1_0"))
	check(t, "an operation that isn't", err, "400 BadRequestException: Invalid patch path  '/securityPolicy' specified for op 'add'…")
	_, err = patch(op("remove", "/certificateArn", ""))
	check(t, "no certificate", err, "400 BadRequestException: A certificate was not provided for the endpoint type EDGE.")
	both, err := patch(op("add", "/endpointConfiguration/types", "REGIONAL"), op("add", "/regionalCertificateArn", *certificateARN(region, "wild")))
	if err != nil {
		t.Fatal(err)
	}
	if len(both.EndpointConfiguration.Types) != 2 || both.RegionalDomainName == nil || both.DistributionDomainName == nil {
		t.Errorf("%+v", both)
	}
	_, err = patch(op("replace", "/securityPolicy", "TLS_1_0"))
	check(t, "the policy of two types", err, "400 BadRequestException: The security policy of a domain name with several endpoint types…")
	_, err = patch(op("remove", "/endpointConfiguration/types/EDGE", ""), op("replace", "/securityPolicy", "TLS_1_0"))
	check(t, "the policy with the type", err, "400 BadRequestException: The security policy of a domain name with several endpoint types…")
	back, err := patch(op("remove", "/endpointConfiguration/types", "REGIONAL"), op("remove", "/regionalCertificateArn", ""))
	if err != nil || back.RegionalCertificateArn != nil || back.RegionalDomainName != nil || back.CertificateArn == nil {
		t.Fatalf("%+v, %v", back, err)
	}
	both, err = patch(op("add", "/endpointConfiguration/types", "REGIONAL"), op("replace", "/regionalCertificateArn", *certificateARN(region, "wild")))
	if err != nil {
		t.Fatal(err)
	}
	moved, err := patch(op("remove", "/endpointConfiguration/types", "EDGE"))
	if err != nil {
		t.Fatal(err)
	}
	if moved.DistributionDomainName != nil || moved.CertificateArn != nil || *moved.RegionalDomainName != *both.RegionalDomainName {
		t.Errorf("%+v", moved)
	}
	_, err = patch(op("replace", "/endpointConfiguration/types/0", "PRIVATE"))
	check(t, "to private", err, "400 BadRequestException: The endpoint type of a domain name can't be changed to or from PRIVATE.")
	_, err = patch(op("replace", "/securityPolicy", "TLS_9"))
	check(t, "no policy", err, "400 BadRequestException: Invalid security policy specified: TLS_9")
	_, err = patch(op("replace", "/routingMode", "SOMETIMES"))
	check(t, "no mode", err, "400 BadRequestException: Invalid routing mode specified…")
	if d, err := patch(op("replace", "/mutualTlsAuthentication/truststoreUri", "s3://b/t.pem")); err != nil || len(d.MutualTlsAuthentication.TruststoreWarnings) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	// What was read is what the domain goes on with.
	copied := func() (name string) {
		f.update(func(tx *store.Tx) error {
			d, err := definition.Domains.Get(tx, store.Scope{Account: account, Region: region}, *edge.DomainName)
			if err == nil {
				name = d.Truststore
			}
			return err
		})
		return name
	}
	if got := copied(); got != "copy of s3://b/t.pem" {
		t.Errorf("the copy is %q", got)
	}
	if d, err := patch(op("replace", "/mutualTlsAuthentication/truststoreUri", "")); err != nil || d.MutualTlsAuthentication != nil || copied() != "" {
		t.Errorf("%+v, %v, %q", d, err, copied())
	}
	if d, err := patch(op("replace", "/securityPolicy", "TLS_1_0")); err != nil || *d.SecurityPolicy != "TLS_1_0" {
		t.Errorf("%+v, %v", d, err)
	}
	_, err = f.v2.CreateApiMapping(f.c, &apigatewayv2.CreateApiMappingRequest{DomainName: edge.DomainName, ApiId: new("rest1"), Stage: new("prod")})
	check(t, "a mapping with TLS 1.0", err, "400 BadRequestException: Only REGIONAL domain names with a security policy of TLS 1.2…")
}

// A domain that an older release let have mutual TLS beside an imported
// certificate can be changed otherwise.
func TestOwnershipOfAnOlderRelease(t *testing.T) {
	f := newFaces(t)
	if _, err := f.create("old.example.com", func(in *apigatewayv2.CreateDomainNameRequest) {
		in.MutualTlsAuthentication = &apigatewayv2.MutualTlsAuthenticationInput{TruststoreUri: new("s3://b/t.pem")}
	}); err != nil {
		t.Fatal(err)
	}
	f.update(func(tx *store.Tx) error {
		at := store.Scope{Account: account, Region: region}
		d, err := definition.Domains.Get(tx, at, "old.example.com")
		if err != nil {
			return err
		}
		d.RegionalCertificateArn = certificateARN(region, "imported")
		return definition.Domains.Put(tx, at, d, "old.example.com")
	})
	update := func(config *apigatewayv2.DomainNameConfiguration) error {
		in := &apigatewayv2.UpdateDomainNameRequest{DomainName: new("old.example.com"), RoutingMode: new("ROUTING_RULE_ONLY")}
		if config != nil {
			in.DomainNameConfigurations = []apigatewayv2.DomainNameConfiguration{*config}
		}
		_, err := f.v2.UpdateDomainName(f.c, in)
		return err
	}
	if err := update(nil); err != nil {
		t.Error(err)
	}
	f.update(func(tx *store.Tx) error {
		return f.certificate(tx, store.Scope{Account: account, Region: region}, "imported2", acm.CertificateStatusIssued, "*.example.com")
	})
	check(t, "another certificate", update(&apigatewayv2.DomainNameConfiguration{CertificateArn: certificateARN(region, "imported2")}),
		"400 BadRequestException: Missing ownershipVerificationCertificate.")
}

func TestCertificatesInUse(t *testing.T) {
	f := newFaces(t)
	f.mustCreate("a.example.com")
	f.mustCreate("b.example.com")
	uses := func() (arns []string) {
		t.Helper()
		if err := f.store.View(f.c, func(tx *store.Tx) (err error) {
			arns, err = definition.CertificateUses(tx, *certificateARN(region, "wild"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return arns
	}
	if got := uses(); len(got) != 2 || got[0] != "arn:aws:apigateway:eu-west-1::/domainnames/a.example.com" {
		t.Errorf("%v", got)
	}
	for _, name := range []string{"a.example.com", "b.example.com"} {
		if err := f.v1.DeleteDomainName(f.c, &apigateway.DeleteDomainNameRequest{DomainName: &name}); err != nil {
			t.Fatal(err)
		}
	}
	if got := uses(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// A name is an API's or a user pool's.
func TestNamesOfUserPools(t *testing.T) {
	f := newFaces(t)
	f.update(func(tx *store.Tx) error {
		return errors.Join(
			definition.UserPoolDomains.Put(tx, store.Scope{}, &definition.UserPoolDomain{}, "auth.example.com", ""),
			definition.UserPoolDomains.Put(tx, store.Scope{}, &definition.UserPoolDomain{}, "shop", region),
		)
	})
	for _, test := range []struct{ name, want string }{
		{"Auth.example.com", "400 BadRequestException: The domain name you provided is already associated with an existing CloudFront distribution.…"},
		{"shop.example.com", ""},
		{"*.example.com", ""}, // the name goes before the star
	} {
		_, err := f.v1.CreateDomainName(f.c, &apigateway.CreateDomainNameRequest{
			DomainName: &test.name, RegionalCertificateArn: certificateARN(region, "wild"), EndpointConfiguration: &apigateway.EndpointConfiguration{Types: []string{"REGIONAL"}},
		})
		check(t, test.name, err, test.want)
	}
}

// TestLevels gives a domain as many mappings of several levels as it can have.
func TestLevels(t *testing.T) {
	f := newFaces(t)
	f.mustCreate("api.example.com")
	put := func(key string) (*apigatewayv2.CreateApiMappingResponse, error) {
		return f.v2.CreateApiMapping(f.c, &apigatewayv2.CreateApiMappingRequest{DomainName: new("api.example.com"), ApiId: new("http1"), Stage: new("v1"), ApiMappingKey: &key})
	}
	var last *apigatewayv2.CreateApiMappingResponse
	for i := range 200 {
		var err error
		if last, err = put(fmt.Sprint("a/", i)); err != nil {
			t.Fatal(i, err)
		}
	}
	const full = "400 BadRequestException: A domain name can have at most 200 API mappings with multiple levels"
	_, err := put("a/200")
	check(t, "one more", err, full)
	single, err := put("single")
	if err != nil {
		t.Fatal(err)
	}
	change := func(id *string, key string) error {
		_, err := f.v2.UpdateApiMapping(f.c, &apigatewayv2.UpdateApiMappingRequest{DomainName: new("api.example.com"), ApiMappingId: id, ApiId: new("http1"), ApiMappingKey: &key})
		return err
	}
	check(t, "one that becomes such", change(single.ApiMappingId, "a/200"), full)
	check(t, "one that stays such", change(last.ApiMappingId, "a/b/c"), "")
}

// A REST API with an enhanced policy of its own has no key of several segments beside
// an HTTP API.
func TestLevelsOfEnhancedAPIs(t *testing.T) {
	f := newFaces(t)
	f.update(func(tx *store.Tx) error {
		at := store.Scope{Account: account, Region: region}
		api, err := definition.RestAPIs.Get(tx, at, "rest1")
		if err != nil {
			return err
		}
		api.SecurityPolicy, api.EndpointAccessMode = new("SecurityPolicy_TLS13_1_3_2025_09"), new("BASIC")
		return errors.Join(definition.RestAPIs.Put(tx, at, api, "rest1"), f.rest(tx, at, "plain", "prod"))
	})
	const refused = "400 BadRequestException: Multi-level API mapping keys for REST APIs with an enhanced security policy…"
	for i, steps := range [][]struct{ api, key, want string }{
		{{"rest1", "a/b", ""}, {"rest1", "c/d", ""}, {"http1", "", refused}},
		{{"http1", "", ""}, {"rest1", "a", ""}, {"plain", "a/b", ""}, {"rest1", "a/c", refused}},
	} {
		name := fmt.Sprintf("d%d.example.com", i)
		f.mustCreate(name)
		for _, step := range steps {
			stage := "prod"
			if step.api == "http1" {
				stage = "v1"
			}
			_, err := f.v2.CreateApiMapping(f.c, &apigatewayv2.CreateApiMappingRequest{DomainName: &name, ApiId: &step.api, Stage: &stage, ApiMappingKey: &step.key})
			check(t, name+" "+step.api+" "+step.key, err, step.want)
		}
	}
}

// A domain with an enhanced policy moves as AWS's guide has it: the policy of the new
// type comes with the type, and the old one goes afterwards.
func TestMovedWithPolicy(t *testing.T) {
	f := newFaces(t)
	name := new("edge.example.com")
	patch := func(ops ...[3]string) (*apigateway.DomainName, error) {
		in := &apigateway.UpdateDomainNameRequest{DomainName: name}
		for _, o := range ops {
			in.PatchOperations = append(in.PatchOperations, apigateway.PatchOperation{Op: &o[0], Path: &o[1], Value: &o[2]})
		}
		return f.v1.UpdateDomainName(f.c, in)
	}
	if _, err := f.v1.CreateDomainName(f.c, &apigateway.CreateDomainNameRequest{
		DomainName: name, CertificateArn: certificateARN("us-east-1", "edge"),
		SecurityPolicy: new("SecurityPolicy_TLS13_2025_EDGE"), EndpointAccessMode: new("BASIC"),
	}); err != nil {
		t.Fatal(err)
	}
	policy := [3]string{"replace", "/securityPolicy", "SecurityPolicy_TLS13_1_3_2025_09"}
	_, err := patch(policy)
	check(t, "a policy of another type", err, "400 BadRequestException: The security policy SecurityPolicy_TLS13_1_3_2025_09 is not supported for the endpoint type EDGE.")
	both, err := patch([3]string{"add", "/endpointConfiguration/types", "REGIONAL"}, policy, [3]string{"add", "/regionalCertificateArn", *certificateARN(region, "wild")})
	if err != nil || len(both.EndpointConfiguration.Types) != 2 || *both.SecurityPolicy != policy[2] {
		t.Fatalf("%+v, %v", both, err)
	}
	moved, err := patch([3]string{"remove", "/endpointConfiguration/types", "EDGE"}, [3]string{"remove", "/certificateName"}, [3]string{"remove", "/certificateArn"})
	if err != nil || moved.CertificateArn != nil || *moved.SecurityPolicy != policy[2] || *moved.EndpointAccessMode != "BASIC" {
		t.Errorf("%+v, %v", moved, err)
	}
}
