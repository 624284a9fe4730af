package apigateway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigateway"
)

// document is a document of OpenAPI 3 with these members.
func document(members string) []byte {
	return []byte(`{"openapi":"3.0.1","info":{"title":"imported","version":"7","description":"of a document"},` + members + `}`)
}

const mock = `"x-amazon-apigateway-integration":{"type":"mock"}`

// tree prints what an API has, a line for each thing, without ids.
func (g *gateway) tree(apiID string) string {
	g.t.Helper()
	c, all := g.call(), new(int32(500))
	var lines []string
	for _, r := range must[*api.Resources](g.t)(g.GetResources(c, &api.GetResourcesRequest{RestApiId: &apiID, Limit: all, Embed: []string{"methods"}})).Items {
		lines = append(lines, *r.Path)
		for verb, m := range r.ResourceMethods {
			line := *r.Path + " " + verb
			if m.MethodIntegration != nil {
				line += " " + *m.MethodIntegration.Type
			}
			lines = append(lines, line)
		}
	}
	for _, m := range must[*api.Models](g.t)(g.GetModels(c, &api.GetModelsRequest{RestApiId: &apiID, Limit: all})).Items {
		lines = append(lines, "model "+*m.Name)
	}
	for _, a := range must[*api.Authorizers](g.t)(g.GetAuthorizers(c, &api.GetAuthorizersRequest{RestApiId: &apiID, Limit: all})).Items {
		lines = append(lines, "authorizer "+*a.Name)
	}
	for _, v := range must[*api.RequestValidators](g.t)(g.GetRequestValidators(c, &api.GetRequestValidatorsRequest{RestApiId: &apiID, Limit: all})).Items {
		lines = append(lines, "validator "+*v.Name)
	}
	for _, r := range must[*api.GatewayResponses](g.t)(g.GetGatewayResponses(c, &api.GetGatewayResponsesRequest{RestApiId: &apiID})).Items {
		if !*r.DefaultResponse {
			lines = append(lines, "gateway response "+*r.ResponseType)
		}
	}
	for _, p := range must[*api.DocumentationParts](g.t)(g.GetDocumentationParts(c, &api.GetDocumentationPartsRequest{RestApiId: &apiID, Limit: all})).Items {
		lines = append(lines, "part "+*p.Location.Type)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// ids maps the paths of an API to the ids of its resources.
func (g *gateway) ids(apiID string) map[string]string {
	g.t.Helper()
	ids := map[string]string{}
	for _, r := range must[*api.Resources](g.t)(g.GetResources(g.call(), &api.GetResourcesRequest{RestApiId: &apiID, Limit: new(int32(500))})).Items {
		ids[*r.Path] = *r.Id
	}
	return ids
}

func (g *gateway) imports(body []byte, parameters ...string) (*api.RestApi, error) {
	return g.ImportRestApi(g.call(), &api.ImportRestApiRequest{Body: body, Parameters: pairs(parameters)})
}

func (g *gateway) puts(apiID, mode string, body []byte, parameters ...string) (*api.RestApi, error) {
	return g.PutRestApi(g.call(), &api.PutRestApiRequest{RestApiId: &apiID, Mode: &mode, Body: body, Parameters: pairs(parameters)})
}

func pairs(of []string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(of); i += 2 {
		m[of[i]] = of[i+1]
	}
	return m
}

func TestImportRestApi(t *testing.T) {
	g := newServing(t)
	out := must[*api.RestApi](t)(g.imports(document(`
		"x-amazon-apigateway-api-key-source":"AUTHORIZER","x-amazon-apigateway-binary-media-types":["image/png"],"x-amazon-apigateway-minimum-compression-size":0,
		"x-amazon-apigateway-policy":{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"}]},
		"x-amazon-apigateway-request-validators":{"all":{"validateRequestBody":true,"validateRequestParameters":true}},
		"x-amazon-apigateway-gateway-responses":{"THROTTLED":{"statusCode":503}},
		"tags":[{"name":"_custom_id_","x-amazon-apigateway-tag-value":"shop"}],
		"paths":{"/pets/{id}":{"get":{"operationId":"get","summary":"One pet","security":[{"callers":[]}],"x-amazon-apigateway-request-validator":"all",
			"parameters":[{"in":"query","name":"q","required":true}],"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Pet"}}}},
			"responses":{"200":{"description":"200 response","headers":{"X-A":{}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Pet"}}}}},
			"x-amazon-apigateway-integration":{"type":"http","httpMethod":"GET","uri":"https://example.com/{id}","requestParameters":{"integration.request.path.id":"method.request.path.id"},
				"responses":{"default":{"statusCode":200,"responseParameters":{"method.response.header.X-A":"'a'"}}}}}}},
		"components":{"schemas":{"Pet":{"type":"object","properties":{"friend":{"$ref":"#/components/schemas/Pet"}}}},
			"securitySchemes":{"callers":{"type":"apiKey","name":"Token","in":"header","x-amazon-apigateway-authorizer":{"type":"token",
				"authorizerUri":"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations"}}}}`),
		"endpointConfigurationTypes", "REGIONAL"))
	root := *out.RootResourceId
	sameJSON(t, "API", out, `{"id":"shop","name":"imported","description":"of a document","version":"7","createdDate":"2026-03-04T05:06:07Z","binaryMediaTypes":["image/png"],
		"minimumCompressionSize":0,"apiKeySource":"AUTHORIZER","disableExecuteApiEndpoint":false,"endpointConfiguration":{"types":["REGIONAL"],"ipAddressType":"ipv4"},
		"policy":"{\\\"Statement\\\":[{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":\\\"execute-api:Invoke\\\",\\\"Resource\\\":\\\"arn:aws:execute-api:us-east-1:000000000000:shop\\/*\\\"}]}","rootResourceId":"`+root+`","tags":{"_custom_id_":"shop"}}`)
	const want = "/\n/pets\n/pets/{id}\n/pets/{id} GET HTTP\nauthorizer callers\ngateway response THROTTLED\nmodel Pet\npart API\npart METHOD\nvalidator all"
	if got := g.tree("shop"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	c, id := g.call(), "shop"
	authorizer := must[*api.Authorizers](t)(g.GetAuthorizers(c, &api.GetAuthorizersRequest{RestApiId: &id})).Items[0]
	validator := must[*api.RequestValidators](t)(g.GetRequestValidators(c, &api.GetRequestValidatorsRequest{RestApiId: &id})).Items[0]
	// As recorded: there is no time to live where the document names none.
	sameJSON(t, "authorizer", authorizer, `{"id":"`+*authorizer.Id+`","name":"callers","type":"TOKEN","authType":"custom","identitySource":"method.request.header.Token",
		"authorizerUri":"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations"}`)
	resource := g.ids(id)["/pets/{id}"]
	sameJSON(t, "method", must[*api.Method](t)(g.GetMethod(c, &api.GetMethodRequest{RestApiId: &id, ResourceId: &resource, HttpMethod: new("GET")})), `{
		"httpMethod":"GET","authorizationType":"CUSTOM","authorizerId":"`+*authorizer.Id+`","apiKeyRequired":false,"requestValidatorId":"`+*validator.Id+`","operationName":"get",
		"requestParameters":{"method.request.path.id":true,"method.request.querystring.q":true},"requestModels":{"application/json":"Pet"},
		"methodResponses":{"200":{"statusCode":"200","responseParameters":{"method.response.header.X-A":false},"responseModels":{"application/json":"Pet"}}},
		"methodIntegration":{"type":"HTTP","httpMethod":"GET","uri":"https://example.com/{id}","connectionType":"INTERNET","requestParameters":{"integration.request.path.id":"method.request.path.id"},
			"passthroughBehavior":"WHEN_NO_MATCH","timeoutInMillis":29000,"cacheNamespace":"`+resource+`","cacheKeyParameters":[],
			"integrationResponses":{"200":{"statusCode":"200","responseParameters":{"method.response.header.X-A":"'a'"}}}}}`)
	model := must[*api.Model](t)(g.GetModel(c, &api.GetModelRequest{RestApiId: &id, ModelName: new("Pet")}))
	if !strings.Contains(*model.Schema, `"https://apigateway.amazonaws.com/restapis/shop/models/Pet"`) {
		t.Errorf("the schema is %s", *model.Schema)
	}
	if parts := g.tree(*must[*api.RestApi](t)(g.imports(document(`"paths":{}`), "ignore", "documentation")).Id); parts != "/" {
		t.Errorf("without documentation: %s", parts)
	}
}

// Merging keeps what the document doesn't have, overwriting removes it; both keep
// ids.
func TestPutRestApi(t *testing.T) {
	first := document(`"x-amazon-apigateway-binary-media-types":["image/png"],"x-amazon-apigateway-minimum-compression-size":5,"x-amazon-apigateway-policy":{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}]},
		"x-amazon-apigateway-request-validators":{"v":{},"w":{}},"x-amazon-apigateway-gateway-responses":{"THROTTLED":{},"DEFAULT_4XX":{}},
		"paths":{"/":{"get":{` + mock + `}},"/a":{"get":{` + mock + `},"put":{` + mock + `}},"/a/{x}":{"get":{` + mock + `}},"/b/c":{"get":{"summary":"s",` + mock + `}}},
		"components":{"schemas":{"A":{"type":"object"},"B":{"type":"object"}}}`)
	second := []byte(`{"swagger":"2.0","info":{"title":"second"},"x-amazon-apigateway-binary-media-types":["image/gif"],
		"x-amazon-apigateway-request-validators":{"v":{"validateRequestBody":true}},"x-amazon-apigateway-gateway-responses":{"THROTTLED":{"statusCode":"503"}},
		"paths":{"/a/d":{"post":{` + mock + `}},"/a":{"put":{"operationId":"put",` + mock + `}},"/b":{}},"definitions":{"A":{"type":"array"}}}`)
	for _, test := range []struct{ mode, tree, api string }{
		{
			"merge", "/\n/ GET MOCK\n/a\n/a GET MOCK\n/a PUT MOCK\n/a/d\n/a/d POST MOCK\n/a/{x}\n/a/{x} GET MOCK\n/b\n/b/c\n/b/c GET MOCK\n" +
				"gateway response DEFAULT_4XX\ngateway response THROTTLED\nmodel A\nmodel B\npart API\npart METHOD\nvalidator v\nvalidator w",
			`"name":"second","description":"of a document","version":"7","binaryMediaTypes":["image/png","image/gif"],"minimumCompressionSize":5,"policy":"{\\\"Statement\\\":[{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":\\\"execute-api:Invoke\\\",\\\"Resource\\\":\\\"*\\\"}]}"`,
		},
		{
			"overwrite", "/\n/a\n/a PUT MOCK\n/a/d\n/a/d POST MOCK\n/b\ngateway response THROTTLED\nmodel A\nvalidator v",
			`"name":"second","binaryMediaTypes":["image/gif"]`,
		},
	} {
		t.Run(test.mode, func(t *testing.T) {
			g := newServing(t)
			made := must[*api.RestApi](t)(g.imports(first))
			before := g.ids(*made.Id)
			validators := func() map[string]string {
				ids := map[string]string{}
				for _, v := range must[*api.RequestValidators](t)(g.GetRequestValidators(g.call(), &api.GetRequestValidatorsRequest{RestApiId: made.Id})).Items {
					ids[*v.Name] = *v.Id
				}
				return ids
			}
			old := validators()["v"]
			put := must[*api.RestApi](t)(g.puts(*made.Id, test.mode, second))
			sameJSON(t, "API", put, `{"id":"`+*made.Id+`","rootResourceId":"`+*made.RootResourceId+`","createdDate":"2026-03-04T05:06:07Z","apiKeySource":"HEADER",
				"disableExecuteApiEndpoint":false,"endpointConfiguration":{"types":["EDGE"],"ipAddressType":"ipv4"},"tags":{},`+test.api+`}`)
			if got := g.tree(*made.Id); got != test.tree {
				t.Errorf("got\n%s\nwant\n%s", got, test.tree)
			}
			for path, id := range g.ids(*made.Id) {
				if was := before[path]; was != "" && was != id {
					t.Errorf("%s has a new id", path)
				}
			}
			if validators()["v"] != old {
				t.Error("the validator has a new id")
			}
			// What was imported can be deployed, and imported once more.
			must[*api.Deployment](t)(g.CreateDeployment(g.call(), &api.CreateDeploymentRequest{RestApiId: made.Id, StageName: new("s")}))
			must[*api.RestApi](t)(g.puts(*made.Id, test.mode, second))
			if got := g.tree(*made.Id); got != test.tree {
				t.Errorf("put again it is\n%s", got)
			}
		})
	}
}

// A variable may take another name: the old one isn't in the way.
func TestOverwriteRenamesVariables(t *testing.T) {
	g := newServing(t)
	made := must[*api.RestApi](t)(g.imports(document(`"paths":{"/a/{x}/b":{"get":{` + mock + `}}}`)))
	must[*api.RestApi](t)(g.puts(*made.Id, "overwrite", document(`"paths":{"/a/{y}/b":{"get":{`+mock+`}}}`), "ignore", "documentation"))
	if got, want := g.tree(*made.Id), "/\n/a\n/a/{y}\n/a/{y}/b\n/a/{y}/b GET MOCK"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestImportRefusals(t *testing.T) {
	g := newServing(t)
	id, _ := g.api()
	method := func(members string) []byte { return document(`"paths":{"/x":{"get":{` + members + `}}}`) }
	integration := func(members string) []byte {
		return method(`"x-amazon-apigateway-integration":{` + members + `}`)
	}
	put := func(body []byte, parameters ...string) error { return one(g.puts(id, "merge", body, parameters...)) }
	before := g.tree(id)
	const failed = "BadRequestException 400: Errors found during import:\n\t"
	long := "/" + strings.Repeat("x", 3000)
	checkRefusals(t, []refusal{
		{"broken", one(g.imports([]byte("{'key:value}"))), "BadRequestException 400: Invalid OpenAPI input."},
		// Recorded: AWS doesn't look for the API first.
		{"broken, of no API", one(g.puts("nope", "merge", []byte("{'key:value}"))), "BadRequestException 400: Invalid OpenAPI input."},
		{"no API", one(g.puts("nope", "merge", document(`"paths":{}`))), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"no title", one(g.imports([]byte(`{"openapi":"3.0.1","paths":{}}`))), "BadRequestException 400: API name cannot be an empty string"},
		{"base path", put(document(`"paths":{}`), "basepath", "keep"), "BadRequestException 400: Invalid value for basepath: keep. Must be one of [ignore, prepend, split]"},
		{"endpoint type", put(document(`"paths":{}`), "endpointConfigurationTypes", "LOCAL"), "BadRequestException 400: Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"},
		{"endpoint types", put(document(`"paths":{}`), "endpointConfigurationTypes", "EDGE,REGIONAL"), "BadRequestException 400: Cannot create an api with multiple Endpoint Types."},
		{"address type", put(document(`"x-amazon-apigateway-endpoint-configuration":{"ipAddressType":"ipv6"}`)), "BadRequestException 400: ipAddressType must be either ipv4 or dualstack."},
		{"key source", put(document(`"x-amazon-apigateway-api-key-source":"cookie"`)), "BadRequestException 400: Invalid API key source specified. Valid options are HEADER,AUTHORIZER"},
		{"compression", put(document(`"x-amazon-apigateway-minimum-compression-size":-1`)), "BadRequestException 400: Invalid minimum compression size, must be between 0 and 10485760"},
		{"policy", put(document(`"x-amazon-apigateway-policy":{"a":1}`)), "BadRequestException 400: Invalid policy document. Please check the policy syntax and ensure that Principals are valid."},
		{"warnings", one(g.ImportRestApi(g.call(), &api.ImportRestApiRequest{FailOnWarnings: new(true), Body: method(`"parameters":[{"in":"cookie","name":"c"}],"responses":{"default":{}}`)})),
			"BadRequestException 400: Warnings found during import:\n\tUnknown parameter location 'cookie' for parameter 'c' in method 'GET /x'. Ignoring.\n\tDefault responses are not supported. Ignoring."},

		{"path part", put(document(`"paths":{"/a b/c":{}}`)), failed + "Unable to create resource at path '/a b': Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end."},
		{"two variables", put(document(`"paths":{"/{a}":{},"/{b}/c":{}}`)), failed + "Unable to create resource at path '/{b}': A sibling ({a}) of this resource already has a variable path part -- only one is allowed"},
		{"below a greedy one", put(document(`"paths":{"/{a+}":{},"/{a+}/c":{}}`)), failed + "Unable to create resource at path '/{a+}/c': Cannot create a child of a resource with a greedy path variable: {a+}"},
		{"slashes", put(document(`"paths":{"//x":{}}`)), failed + "Unable to create resource at path '/': Resource's path part must be specified"},
		{"long path", put(document(`"paths":{"` + long + `":{}}`)), "BadRequestException 400: A path of the document is longer than 2048 bytes"},
		{"no type", put(integration(``)), failed + "Unable to put integration on 'GET' for resource at path '/x': Invalid integration type specified. Valid options are HTTP,AWS,MOCK,HTTP_PROXY,AWS_PROXY"},
		{"URI", put(integration(`"type":"http","httpMethod":"GET","uri":"there"`)), failed + "Unable to put integration on 'GET' for resource at path '/x': Invalid HTTP endpoint specified for URI"},
		{"content handling", put(integration(`"type":"mock","contentHandling":"x"`)), failed + "Unable to put integration on 'GET' for resource at path '/x': Invalid contentHandling specified. Valid options are CONVERT_TO_BINARY,CONVERT_TO_TEXT"},
		{"template", put(integration(`"type":"mock","requestTemplates":{"application/json":"#if("}`)), failed + "Unable to put integration on 'GET' for resource at path '/x': …"},
		{"response header", put(integration(`"type":"mock","responses":{"default":{"statusCode":200,"responseParameters":{"method.response.header.a":"'b'"}}}`)),
			failed + "Unable to put integration response on 'GET' for resource at path '/x': Invalid mapping expression specified: Validation Result: warnings : [], errors : [No method response exists for method.]"},
		{"response media type", put(integration(`"type":"mock","responses":{"default":{"statusCode":200,"responseTemplates":{"text":""}}}`)),
			failed + "Unable to put integration response on 'GET' for resource at path '/x': Validation Result: warnings : [], errors : [Invalid content type specified: text]"},
		{"response status", put(integration(`"type":"mock","responses":{"default":{"statusCode":"2XX"}}`)), failed + "Unable to put integration response on 'GET' for resource at path '/x': Invalid status code specified: 2XX"},
		{"status", put(method(`"responses":{"2XX":{}}`)), failed + "Unable to put method response on 'GET' for resource at path '/x': Invalid status code specified: 2XX"},
		{"header", put(method(`"responses":{"200":{"headers":{"a b":{}}}}`)), failed + "Unable to put method response on 'GET' for resource at path '/x': Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.response.header.a b]"},
		{"parameter", put(method(`"parameters":[{"in":"query","name":"a b"}]`)), failed + "Unable to put method 'GET' on resource at path '/x': Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.request.querystring.a b]"},
		{"authorization", put(method(`"x-amazon-apigateway-auth":{"type":"x"}`)), failed + "Unable to put method 'GET' on resource at path '/x': Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS"},
		{"authorizer", put(document(`"components":{"securitySchemes":{"s":{"type":"apiKey","x-amazon-apigateway-authorizer":{"type":"request","authorizerUri":
			"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations"}}}}`)),
			failed + "Unable to create authorizer from security definition: 's': Identity source must be set if authorizer caching is enabled (TTL is greater than 0)"},
		{"validator", put(document(`"x-amazon-apigateway-request-validators":{"":{}}`)), failed + "Unable to create request validator '': Request Validator name cannot be blank"},
		{"gateway response", put(document(`"x-amazon-apigateway-gateway-responses":{"TEAPOT":{}}`)), failed + "Unable to put gateway response of type 'TEAPOT': Invalid gateway response type specified"},
		{"models", put(document(`"components":{"schemas":{"A":{"description":"` + strings.Repeat("x", 400<<10) + `"}}}`)), "BadRequestException 400: The models of an API can have at most 409600 bytes in total"},
		{"two", put(document(`"paths":{"/x":{"get":{"x-amazon-apigateway-integration":{"type":"y"}}},"/z":{"get":{"responses":{"1":{}}}}}`)),
			failed + "Unable to put integration on 'GET' for resource at path '/x': Invalid integration type specified. Valid options are HTTP,AWS,MOCK,HTTP_PROXY,AWS_PROXY\n\tUnable to put method response on 'GET' for resource at path '/z': Invalid status code specified: 1"},
	})
	if got := g.tree(id); got != before {
		t.Errorf("a refused import left\n%s", got)
	}
	if n := len(must[*api.RestApis](t)(g.GetRestApis(g.call(), &api.GetRestApisRequest{})).Items); n != 1 {
		t.Errorf("refused imports left %d APIs", n-1)
	}
}

// A document of bad paths isn't answered with a book.
func TestImportProblemsAreBounded(t *testing.T) {
	g := newServing(t)
	paths := map[string]any{}
	for i := range 1000 {
		paths[fmt.Sprintf("/bad part%d", i)] = map[string]any{}
	}
	body, err := json.Marshal(map[string]any{"swagger": "2.0", "info": map[string]any{"title": "t"}, "paths": paths})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(describeError(one(g.imports(body))), "\n\t"); n != 100 {
		t.Errorf("%d problems", n)
	}
}

// manyMethods is a document of 10,000 methods.
func manyMethods() []byte {
	var b strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&b, `,"/a%d/{id}/b%d":{"get":{"summary":"s","parameters":[{"in":"path","name":"id"}],"responses":{"200":{}},"x-amazon-apigateway-integration":{"type":"http_proxy","httpMethod":"GET",
			"uri":"https://example.com/{id}","requestParameters":{"integration.request.path.id":"method.request.path.id"}}}}`, i%100, i)
	}
	return document(`"paths":{` + b.String()[1:] + `}`)
}

func TestImportOfTenThousandMethodsTakesSeconds(t *testing.T) {
	g, start := newServing(t), cpuTime(t)
	id := *must[*api.RestApi](t)(g.imports(manyMethods())).Id
	// The race detector makes a minute of a few seconds.
	if took := cpuTime(t) - start; took > 90*time.Second {
		t.Errorf("it took %v of a processor", took)
	}
	must[*api.Deployment](t)(g.CreateDeployment(g.call(), &api.CreateDeploymentRequest{RestApiId: &id, StageName: new("s")}))
	out := must[*api.ExportResponse](t)(g.GetExport(g.call(), &api.GetExportRequest{RestApiId: &id, StageName: new("s"), ExportType: new("oas30")}))
	if n := strings.Count(string(out.Body), `"get" :`); n != 10000 {
		t.Errorf("the export has %d methods", n)
	}
}

// cpuTime is what the process has used: unlike the time of day it doesn't grow
// with what else the machine does.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func BenchmarkImportRestApi(b *testing.B) {
	g, body := newServing(b), manyMethods()
	for b.Loop() {
		if _, err := g.imports(body); err != nil {
			b.Fatal(err)
		}
	}
}

// An overwriting document without a policy takes the API's away, which is its own
// permission.
func TestPutRestApiClearsPolicy(t *testing.T) {
	const policy = `"x-amazon-apigateway-policy":{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}]},`
	g := newServing(t)
	c := g.call()
	var asked []string
	allow := false
	c.Guard = func(action, resource string) error {
		asked = append(asked, action+" "+resource)
		if !allow {
			return errors.New("not allowed")
		}
		return nil
	}
	made := must[*api.RestApi](t)(g.imports(document(policy + `"paths":{}`)))
	put := func(mode, members string) error {
		_, err := g.PutRestApi(c, &api.PutRestApiRequest{RestApiId: made.Id, Mode: &mode, Body: document(members + `"paths":{}`)})
		return err
	}
	has := func() bool {
		return must[*api.RestApi](t)(g.GetRestApi(g.call(), &api.GetRestApiRequest{RestApiId: made.Id})).Policy != nil
	}
	want := "apigateway:UpdateRestApiPolicy arn:aws:apigateway:us-east-1::/restapis/" + *made.Id
	for _, step := range []struct {
		name, mode, members string
		allow               bool
		asked, has          bool
	}{
		{"merging", "merge", "", false, false, true},
		{"with a policy, which was asked about before", "overwrite", policy, false, false, true},
		{"without, and not allowed", "overwrite", "", false, true, true},
		{"without", "overwrite", "", true, true, false},
		{"without, where there is none", "overwrite", "", false, false, false},
	} {
		asked, allow = nil, step.allow
		err := put(step.mode, step.members)
		if refused := step.asked && !step.allow; (err != nil) != refused || step.asked != slices.Equal(asked, []string{want}) || has() != step.has {
			t.Errorf("%s: %v, asked %q, has a policy: %v", step.name, err, asked, has())
		}
	}
}
