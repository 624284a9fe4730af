package sdk

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	v1types "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	v2types "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/harness"
)

// A browser calls names that all lead to the gateway, and trusts the gateway's
// authority alone.
func browser(t *testing.T, gw *harness.Gateway) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(filepath.Join(gw.Data, "tls", "authority", "root.pem")))(t))
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, gw.Addr)
		},
	}
	return &http.Client{Transport: transport}
}

// visit returns what a URL answers.
func visit(t *testing.T, client *http.Client, url string) (status int, body string) {
	t.Helper()
	response := must(client.Get(url))(t)
	defer response.Body.Close() //nolint:errcheck // read only
	return response.StatusCode, string(must(io.ReadAll(response.Body))(t))
}

// certificate is an issued one for a name and those below it.
func certificate(t *testing.T, gw *harness.Gateway, name string) *string {
	t.Helper()
	return must(acm.NewFromConfig(gw.Config()).RequestCertificate(t.Context(), &acm.RequestCertificateInput{
		DomainName: &name, SubjectAlternativeNames: []string{"*." + name}, ValidationMethod: acmtypes.ValidationMethodDns,
	}))(t).CertificateArn
}

// TestDomainByTerraform makes the calls of the provider for aws_acm_certificate,
// aws_apigatewayv2_domain_name and aws_apigatewayv2_api_mapping: created, read,
// served over TLS, changed in place and deleted.
func TestDomainByTerraform(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "backend saw "+r.URL.Path) }))
	defer backend.Close()
	gw := harness.Start(t, "")
	c := apigatewayv2.NewFromConfig(gw.Config())
	ctx := t.Context()
	const name = "api.example.test"
	arn := certificate(t, gw, name)

	api := must(c.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: new("shop"), ProtocolType: v2types.ProtocolTypeHttp, DisableExecuteApiEndpoint: new(true),
	}))(t).ApiId
	integration := must(c.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api, IntegrationType: v2types.IntegrationTypeHttpProxy, IntegrationMethod: new("ANY"), IntegrationUri: new(backend.URL + "/{proxy}"),
		PayloadFormatVersion: new("1.0"),
	}))(t).IntegrationId
	must(c.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: api, RouteKey: new("ANY /{proxy+}"), Target: new("integrations/" + *integration)}))(t)
	must(c.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api, StageName: new("$default"), AutoDeploy: new(true)}))(t)

	made := must(c.CreateDomainName(ctx, &apigatewayv2.CreateDomainNameInput{
		DomainName: new(name), Tags: map[string]string{"team": "a"},
		DomainNameConfigurations: []v2types.DomainNameConfiguration{{
			CertificateArn: arn, EndpointType: v2types.EndpointTypeRegional, SecurityPolicy: v2types.SecurityPolicyTls12,
		}},
	}))(t)
	if made.DomainNameConfigurations[0].DomainNameStatus != v2types.DomainNameStatusAvailable {
		t.Errorf("the provider would wait: %s", lines(t, made))
	}
	read := func() *apigatewayv2.GetDomainNameOutput {
		t.Helper()
		out := must(c.GetDomainName(ctx, &apigatewayv2.GetDomainNameInput{DomainName: new(name)}))(t)
		out.ResultMetadata = apigatewayv2.GetDomainNameOutput{}.ResultMetadata
		return out
	}
	d := read()
	alike(t, "a second read", d, read())
	shown := d.DomainNameConfigurations[0]
	if !strings.HasPrefix(*shown.ApiGatewayDomainName, "d-") || *shown.HostedZoneId != "Z1UJRXOUMOOFQ8" || *shown.CertificateArn != *arn ||
		shown.EndpointType != v2types.EndpointTypeRegional || shown.SecurityPolicy != v2types.SecurityPolicyTls12 || d.MutualTlsAuthentication != nil ||
		*d.ApiMappingSelectionExpression != "$request.basepath" || d.Tags["team"] != "a" {
		t.Errorf("%s", lines(t, d))
	}
	mapping := must(c.CreateApiMapping(ctx, &apigatewayv2.CreateApiMappingInput{
		ApiId: api, DomainName: new(name), Stage: new("$default"), ApiMappingKey: new("orders/v1"),
	}))(t).ApiMappingId
	if got := must(c.GetApiMapping(ctx, &apigatewayv2.GetApiMappingInput{ApiMappingId: mapping, DomainName: new(name)}))(t); *got.ApiMappingKey != "orders/v1" || *got.ApiId != *api || *got.Stage != "$default" {
		t.Errorf("%s", lines(t, got))
	}
	client := browser(t, gw)
	defer client.CloseIdleConnections()
	expect := func(url string, status int, body string) {
		t.Helper()
		if gotStatus, got := visit(t, client, url); gotStatus != status || got != body {
			t.Errorf("%s answers %d %q, want %d %q", url, gotStatus, got, status, body)
		}
	}
	const forbidden = `{"message":"Forbidden"}`
	expect("https://api.example.test/orders/v1/pets/7", 200, "backend saw /pets/7")
	expect("https://API.example.test/orders/v1/pets/7", 200, "backend saw /pets/7")
	expect("http://api.example.test/orders/v1/pets/7", 200, "backend saw /pets/7")
	expect("https://api.example.test/pets/7", 403, forbidden)
	// The API's own host is closed.
	expect("http://"+*api+".execute-api.localhost/pets/7", 404, `{"message":"Not Found"}`)

	// What is in use can't go.
	_, err := c.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: api})
	fails(t, err, "BadRequestException")
	_, err = acm.NewFromConfig(gw.Config()).DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: arn})
	fails(t, err, "ResourceInUseException")

	// Another key, then another certificate in place.
	must(c.UpdateApiMapping(ctx, &apigatewayv2.UpdateApiMappingInput{ApiId: api, ApiMappingId: mapping, DomainName: new(name), ApiMappingKey: new("")}))(t)
	expect("https://api.example.test/pets/8", 200, "backend saw /pets/8")
	expect("https://api.example.test/orders/v1/pets/8", 200, "backend saw /orders/v1/pets/8")
	other := certificate(t, gw, name)
	must(c.UpdateDomainName(ctx, &apigatewayv2.UpdateDomainNameInput{DomainName: new(name), DomainNameConfigurations: []v2types.DomainNameConfiguration{{
		CertificateArn: other, EndpointType: v2types.EndpointTypeRegional, SecurityPolicy: v2types.SecurityPolicyTls12,
	}}}))(t)
	if got := *read().DomainNameConfigurations[0].ApiGatewayDomainName; got != *shown.ApiGatewayDomainName {
		t.Errorf("the regional name became %s", got)
	}
	must(acm.NewFromConfig(gw.Config()).DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: arn}))(t)
	expect("https://api.example.test/pets/9", 200, "backend saw /pets/9")

	must(c.DeleteApiMapping(ctx, &apigatewayv2.DeleteApiMappingInput{ApiMappingId: mapping, DomainName: new(name)}))(t)
	expect("https://api.example.test/pets/9", 403, forbidden)
	must(c.DeleteDomainName(ctx, &apigatewayv2.DeleteDomainNameInput{DomainName: new(name)}))(t)
	_, err = c.GetDomainName(ctx, &apigatewayv2.GetDomainNameInput{DomainName: new(name)})
	fails(t, err, "NotFoundException")
	must(c.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: api}))(t)
	must(acm.NewFromConfig(gw.Config()).DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: other}))(t)
}

// TestBasePathsByTerraform makes the calls of the provider for
// aws_api_gateway_domain_name and aws_api_gateway_base_path_mapping, on a gateway
// that is killed in between.
func TestBasePathsByTerraform(t *testing.T) {
	gw := harness.Start(t, "")
	c := apigateway.NewFromConfig(gw.Config())
	ctx := t.Context()
	const name = "rest.example.test"
	arn := certificate(t, gw, name)
	api := must(c.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: new("shop")}))(t)
	child := must(c.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: api.Id, ParentId: api.RootResourceId, PathPart: new("{proxy+}")}))(t).Id
	must(c.PutMethod(ctx, &apigateway.PutMethodInput{RestApiId: api.Id, ResourceId: child, HttpMethod: new("GET"), AuthorizationType: new("NONE")}))(t)
	must(c.PutIntegration(ctx, &apigateway.PutIntegrationInput{
		RestApiId: api.Id, ResourceId: child, HttpMethod: new("GET"), Type: v1types.IntegrationTypeMock,
		RequestTemplates: map[string]string{"application/json": `{"statusCode":200}`},
	}))(t)
	must(c.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{RestApiId: api.Id, ResourceId: child, HttpMethod: new("GET"), StatusCode: new("200")}))(t)
	must(c.PutIntegrationResponse(ctx, &apigateway.PutIntegrationResponseInput{
		RestApiId: api.Id, ResourceId: child, HttpMethod: new("GET"), StatusCode: new("200"),
		ResponseTemplates: map[string]string{"application/json": `{"stage":"$context.stage","path":"$context.path","resource":"$context.resourcePath","base":"$context.customDomain.basePathMatched","domain":"$context.domainName","proxy":"$input.params('proxy')"}`},
	}))(t)
	for _, stage := range []string{"prod", "beta"} {
		must(c.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: &stage}))(t)
	}

	d := must(c.CreateDomainName(ctx, &apigateway.CreateDomainNameInput{
		DomainName: new(name), RegionalCertificateArn: arn, SecurityPolicy: v1types.SecurityPolicyTls10,
		EndpointConfiguration: &v1types.EndpointConfiguration{Types: []v1types.EndpointType{v1types.EndpointTypeRegional}}, Tags: map[string]string{"a": "1"},
	}))(t)
	if d.DomainNameStatus != v1types.DomainNameStatusAvailable || d.RegionalDomainName == nil || *d.RegionalHostedZoneId != "Z1UJRXOUMOOFQ8" || d.CertificateUploadDate == nil || d.CertificateArn != nil {
		t.Errorf("%s", lines(t, d))
	}
	// What isn't set, the provider sends as the empty text.
	all := must(c.CreateBasePathMapping(ctx, &apigateway.CreateBasePathMappingInput{DomainName: new(name), RestApiId: api.Id, BasePath: new(""), Stage: new("")}))(t)
	if *all.BasePath != "(none)" || all.Stage != nil {
		t.Errorf("%s", lines(t, all))
	}
	must(c.CreateBasePathMapping(ctx, &apigateway.CreateBasePathMappingInput{DomainName: new(name), RestApiId: api.Id, BasePath: new("shop"), Stage: new("prod")}))(t)
	if got := must(c.GetBasePathMapping(ctx, &apigateway.GetBasePathMappingInput{DomainName: new(name), BasePath: new("(none)")}))(t); *got.RestApiId != *api.Id || *got.BasePath != "(none)" {
		t.Errorf("%s", lines(t, got))
	}

	gw.Kill()
	gw = harness.Start(t, gw.Data)
	c = apigateway.NewFromConfig(gw.Config())
	client := browser(t, gw)
	defer client.CloseIdleConnections()
	answers := func(url string, want map[string]string) {
		t.Helper()
		status, body := visit(t, client, url)
		var got map[string]string
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
			t.Errorf("%s answers %d %s", url, status, body)
			return
		}
		alike(t, url, got, want)
	}
	answers("https://rest.example.test/shop/pets/7", map[string]string{
		"stage": "prod", "path": "/shop/pets/7", "resource": "/{proxy+}", "base": "shop", "domain": name, "proxy": "pets/7",
	})
	answers("https://rest.example.test/beta/pets/7", map[string]string{
		"stage": "beta", "path": "/beta/pets/7", "resource": "/{proxy+}", "base": "", "domain": name, "proxy": "pets/7",
	})

	replace := func(path, value string) v1types.PatchOperation {
		return v1types.PatchOperation{Op: v1types.OpReplace, Path: &path, Value: &value}
	}
	must(c.UpdateBasePathMapping(ctx, &apigateway.UpdateBasePathMappingInput{
		DomainName: new(name), BasePath: new("shop"), PatchOperations: []v1types.PatchOperation{replace("/stage", "beta"), replace("/restapiId", *api.Id), replace("/basePath", "store")},
	}))(t)
	answers("https://rest.example.test/store/pets/7", map[string]string{
		"stage": "beta", "path": "/store/pets/7", "resource": "/{proxy+}", "base": "store", "domain": name, "proxy": "pets/7",
	})
	must(c.UpdateDomainName(ctx, &apigateway.UpdateDomainNameInput{DomainName: new(name), PatchOperations: []v1types.PatchOperation{
		replace("/securityPolicy", "TLS_1_2"), replace("/regionalCertificateArn", *arn),
	}}))(t)
	_, err := c.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: api.Id, StageName: new("beta")})
	fails(t, err, "BadRequestException")
	list := must(c.GetBasePathMappings(ctx, &apigateway.GetBasePathMappingsInput{DomainName: new(name)}))(t)
	if len(list.Items) != 2 {
		t.Errorf("%s", lines(t, list))
	}
	for _, base := range []string{"(none)", "store"} {
		must(c.DeleteBasePathMapping(ctx, &apigateway.DeleteBasePathMappingInput{DomainName: new(name), BasePath: &base}))(t)
	}
	must(c.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: api.Id, StageName: new("beta")}))(t)
	must(c.DeleteDomainName(ctx, &apigateway.DeleteDomainNameInput{DomainName: new(name)}))(t)
	_, err = c.GetDomainName(ctx, &apigateway.GetDomainNameInput{DomainName: new(name)})
	fails(t, err, "NotFoundException")
}
