package sdk

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"gatehouse/test/harness"
)

// onlyOver is the resource policy of what one VPC endpoint leads to, as AWS's guide has it.
func onlyOver(endpoint string) *string {
	return new(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"},
		{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*","Condition":{"StringNotEquals":{"aws:SourceVpce":"` + endpoint + `"}}}]}`)
}

// networked is a gateway with a listener for the internet and two for networks.
type networked struct {
	*harness.Gateway
	internet, one, two string
}

func startNetworked(t *testing.T) *networked {
	gw := harness.Start(t, "", "--traffic", "127.0.0.1:0", "--traffic-private", "vpce-1@vpc-9=127.0.0.1:0", "--traffic-private", "vpce-2=127.0.0.1:0")
	at := func(pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(gw.Logs())
		if m == nil {
			t.Fatalf("no %s in\n%s", pattern, gw.Logs())
		}
		return m[1]
	}
	return &networked{gw, at(`"serving traffic" address=(\S+)`), at(`address=(\S+) endpoint=vpce-1`), at(`address=(\S+) endpoint=vpce-2`)}
}

// ask asks an address for a URL, whose host needn't resolve, and returns status and body.
func ask(t *testing.T, address, url string, headers ...string) string {
	t.Helper()
	tr := &http.Transport{
		// Over TLS it speaks HTTP/2.
		ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))(t)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res := must(tr.RoundTrip(req))(t)
	defer res.Body.Close() //nolint:errcheck // read only
	return res.Status[:3] + " " + string(must(io.ReadAll(res.Body))(t))
}

// newPrivateAPI deploys a private API whose GET /who says over which endpoint it was called.
func newPrivateAPI(t *testing.T, c *apigateway.Client, policy *string, endpoints ...string) string {
	t.Helper()
	ctx := t.Context()
	api := must(c.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: new("inside"), EndpointConfiguration: &types.EndpointConfiguration{
		Types: []types.EndpointType{types.EndpointTypePrivate}, VpcEndpointIds: endpoints,
	}}))(t)
	who := must(c.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: api.Id, ParentId: api.RootResourceId, PathPart: new("who")}))(t).Id
	must(c.PutMethod(ctx, &apigateway.PutMethodInput{RestApiId: api.Id, ResourceId: who, HttpMethod: new("GET"), AuthorizationType: new("NONE")}))(t)
	must(c.PutIntegration(ctx, &apigateway.PutIntegrationInput{
		RestApiId: api.Id, ResourceId: who, HttpMethod: new("GET"), Type: types.IntegrationTypeMock, RequestTemplates: map[string]string{"application/json": `{"statusCode": 200}`},
	}))(t)
	must(c.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{RestApiId: api.Id, ResourceId: who, HttpMethod: new("GET"), StatusCode: new("200")}))(t)
	must(c.PutIntegrationResponse(ctx, &apigateway.PutIntegrationResponseInput{
		RestApiId: api.Id, ResourceId: who, HttpMethod: new("GET"), StatusCode: new("200"),
		ResponseTemplates: map[string]string{"application/json": "$context.identity.vpceId $context.identity.vpcId"},
	}))(t)
	_, err := c.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: new("v1")})
	fails(t, err, "BadRequestException")
	if !strings.Contains(err.Error(), "Private REST API doesn't have a resource policy attached to it") {
		t.Errorf("a deployment without a policy: %v", err)
	}
	must(c.UpdateRestApi(ctx, &apigateway.UpdateRestApiInput{RestApiId: api.Id, PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: new("/policy"), Value: policy}}}))(t)
	must(c.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: new("v1")}))(t)
	return *api.Id
}

// A private API answers over VPC endpoints, as far as its policy lets them, and to
// whoever develops it on the same machine.
func TestPrivateAPI(t *testing.T) {
	g := startNetworked(t)
	c := apigateway.NewFromConfig(g.Config())
	api := newPrivateAPI(t, c, onlyOver("vpce-1"), "vpce-1")
	const forbidden = `403 {"message":"Forbidden"}`
	host := "http://" + api + ".execute-api.us-east-1.amazonaws.com/v1/who"
	for _, test := range []struct{ name, address, url, byID, want string }{
		{"over its endpoint", g.one, host, "", "200 vpce-1 vpc-9"},
		{"over TLS", g.one, strings.Replace(host, "http", "https", 1), "", "200 vpce-1 vpc-9"},
		{"by its alias", g.one, "http://" + api + "-vpce-1.execute-api.us-east-1.amazonaws.com/v1/who", "", "200 vpce-1 vpc-9"},
		{"by the endpoint's name", g.one, "https://vpce-1-abcd.execute-api.us-east-1.vpce.amazonaws.com/v1/who", api, "200 vpce-1 vpc-9"},
		{"over another endpoint", g.two, host, "", "denied"},
		{"by an alias that it hasn't", g.two, "http://" + api + "-vpce-2.execute-api.us-east-1.amazonaws.com/v1/who", "", forbidden},
		{"from the internet", g.internet, host, "", forbidden},
		{"from the internet by path", g.internet, "http://127.0.0.1/_aws/execute-api/" + api + "/v1/who", "", forbidden},
		{"from the internet by alias", g.internet, "http://" + api + "-vpce-1.execute-api.us-east-1.amazonaws.com/v1/who", "", forbidden},
		{"from the internet by header", g.internet, "http://vpce-1.execute-api.us-east-1.vpce.amazonaws.com/v1/who", api, forbidden},
		{"on the shared listener", g.Addr, host, "", "200 vpce-1 "},
		{"management over an endpoint", g.one, "http://localhost/restapis", "", forbidden},
		{"pages over an endpoint", g.one, "http://localhost/_gatehouse/health", "", forbidden},
	} {
		want := test.want
		if want == "denied" {
			want = `403 {"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:` + api + `/v1/GET/who with an explicit deny in a resource-based policy"}`
		}
		var headers []string
		if test.byID != "" {
			headers = []string{"x-apigw-api-id", test.byID}
		}
		if got := ask(t, test.address, test.url, headers...); got != want {
			t.Errorf("%s: %s, want %s", test.name, got, want)
		}
	}

	// One that becomes public is at once out of the network.
	must(c.UpdateRestApi(t.Context(), &apigateway.UpdateRestApiInput{RestApiId: &api, PatchOperations: []types.PatchOperation{
		{Op: types.OpReplace, Path: new("/endpointConfiguration/types/PRIVATE"), Value: new("REGIONAL")},
	}}))(t)
	if got := ask(t, g.one, host); got != forbidden {
		t.Errorf("a public API over an endpoint: %s", got)
	}
	if got := ask(t, g.internet, host); !strings.HasPrefix(got, "403 ") || !strings.Contains(got, "explicit deny") {
		t.Errorf("a policy for an endpoint, on the internet: %s", got)
	}
}

// A private domain is reached over the VPC endpoints that are associated with it, with
// its own certificate, if its policy and the API's agree.
func TestPrivateDomain(t *testing.T) {
	g := startNetworked(t)
	c, ctx := apigateway.NewFromConfig(g.Config()), t.Context()
	api := newPrivateAPI(t, c, onlyOver("vpce-1"))
	const name, forbidden = "inside.example.test", `403 {"message":"Forbidden"}`
	d := must(c.CreateDomainName(ctx, &apigateway.CreateDomainNameInput{
		DomainName: new(name), CertificateArn: certificate(t, g.Gateway, "example.test"),
		EndpointConfiguration: &types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointTypePrivate}},
	}))(t)
	must(c.CreateBasePathMapping(ctx, &apigateway.CreateBasePathMappingInput{DomainName: d.DomainName, DomainNameId: d.DomainNameId, RestApiId: &api, Stage: new("v1"), BasePath: new("shop")}))(t)
	associate := func(endpoint string) *string {
		return must(c.CreateDomainNameAccessAssociation(ctx, &apigateway.CreateDomainNameAccessAssociationInput{
			DomainNameArn: d.DomainNameArn, AccessAssociationSource: &endpoint, AccessAssociationSourceType: types.AccessAssociationSourceTypeVpce,
		}))(t).DomainNameAccessAssociationArn
	}
	answers := func(when, address, want string) {
		t.Helper()
		if got := ask(t, address, "https://"+name+"/shop/who"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	answers("before there is an association", g.one, forbidden)
	one := associate("vpce-1")
	denied := `403 {"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:/domainnames/` + name + "+" + *d.DomainNameId
	answers("without a policy", g.one, denied)
	allow := func(policy *string) {
		must(c.UpdateDomainName(ctx, &apigateway.UpdateDomainNameInput{
			DomainName: d.DomainName, DomainNameId: d.DomainNameId, PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: new("/policy"), Value: policy}},
		}))(t)
	}
	allow(onlyOver("vpce-2"))
	answers("a policy for another endpoint", g.one, denied)
	allow(new(strings.ReplaceAll(*onlyOver("vpce-1"), "execute-api:/*", "arn:aws:execute-api:us-east-1:000000000000:/domainnames/"+name+"+"+*d.DomainNameId)))
	answers("a policy with the domain's ARN", g.one, "200 vpce-1 vpc-9")
	allow(onlyOver("vpce-1"))
	answers("over its endpoint", g.one, "200 vpce-1 vpc-9")
	answers("over an endpoint that isn't associated", g.two, forbidden)
	answers("on the shared listener", g.Addr, "200 vpce-1 ")
	if got := ask(t, g.internet, "http://"+name+"/shop/who"); got != forbidden && !strings.HasPrefix(got, "403 ") {
		t.Errorf("on the internet: %s", got)
	}
	if got := ask(t, g.one, "https://"+name+"/other/who"); got != forbidden {
		t.Errorf("no mapping: %s", got)
	}
	shown := must(tls.Dial("tcp", g.one, &tls.Config{ServerName: name, InsecureSkipVerify: true}))(t)
	if err := shown.ConnectionState().PeerCertificates[0].VerifyHostname(name); err != nil {
		t.Error(err)
	}
	if err := shown.Close(); err != nil {
		t.Error(err)
	}

	// Another endpoint comes, whom the policies don't let in, and the first goes.
	two := associate("vpce-2")
	answers("associated, and not let in", g.two, denied)
	must(c.DeleteDomainNameAccessAssociation(ctx, &apigateway.DeleteDomainNameAccessAssociationInput{DomainNameAccessAssociationArn: one}))(t)
	answers("after the association", g.one, forbidden)
	must(c.DeleteDomainNameAccessAssociation(ctx, &apigateway.DeleteDomainNameAccessAssociationInput{DomainNameAccessAssociationArn: two}))(t)
	answers("after the last association", g.two, forbidden)
	associate("vpce-1")
	must(c.DeleteDomainName(ctx, &apigateway.DeleteDomainNameInput{DomainName: d.DomainName, DomainNameId: d.DomainNameId}))(t)
	answers("after the domain", g.one, forbidden)
}
