package apigatewayv2_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// books is a document with something of everything an import stores.
const books = `
openapi: 3.0.1
info: {title: books, description: all of them, version: 2.0}
tags: [{name: Owner, x-amazon-apigateway-tag-value: Admin}]
x-amazon-apigateway-cors: {allowOrigins: ["https://example.com"], maxAge: 60}
servers:
  - url: https://h.example/v1
    x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true}
paths:
  /books:
    get:
      operationId: ListBooks
      responses: {}
      x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/backend'}
    post:
      responses: {}
      security: [{jwt: [write]}]
      x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/backend'}
  /books/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    delete: {responses: {}, security: [{function: []}]}
    get:
      responses: {}
      x-amazon-apigateway-integration:
        type: aws_proxy
        httpMethod: POST
        uri: arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:hello/invocations
        payloadFormatVersion: "2.0"
        timeoutInMillis: 5000
  /$default:
    x-amazon-apigateway-any-method: {isDefaultRoute: true, security: []}
components:
  securitySchemes:
    jwt:
      type: oauth2
      x-amazon-apigateway-authorizer:
        type: jwt
        identitySource: $request.header.Authorization
        jwtConfiguration: {issuer: https://issuer.example, audience: [books]}
    function:
      type: apiKey
      name: x-token
      in: header
      x-amazon-apigateway-authorizer:
        type: request
        identitySource: $request.header.x-token
        authorizerUri: arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:auth/invocations
        authorizerPayloadFormatVersion: "2.0"
        enableSimpleResponses: true
  x-amazon-apigateway-integrations:
    backend: {type: http_proxy, httpMethod: ANY, uri: https://backend.example, payloadFormatVersion: "1.0"}
    unused: {type: http_proxy, httpMethod: GET, uri: https://unused.example, payloadFormatVersion: "1.0"}
`

func (g *gateway) imports(document string) *api.ImportApiResponse {
	g.t.Helper()
	return must[*api.ImportApiResponse](g.t)(g.ImportApi(g.call(), &api.ImportApiRequest{Body: &document}))
}

func (g *gateway) reimports(apiID, document string) *api.ReimportApiResponse {
	g.t.Helper()
	return must[*api.ReimportApiResponse](g.t)(g.ReimportApi(g.call(), &api.ReimportApiRequest{ApiId: &apiID, Body: &document}))
}

func (g *gateway) exports(in api.ExportApiRequest) string {
	g.t.Helper()
	in.Specification = new("OAS30")
	if in.OutputType == nil {
		in.OutputType = new("JSON")
	}
	return string(must[*api.ExportApiResponse](g.t)(g.ExportApi(g.call(), &in)).Body)
}

// has lists everything an API has but itself, a line for each with its id.
func (g *gateway) has(apiID string) (list []string) {
	g.t.Helper()
	c := g.call()
	for _, r := range must[*api.GetRoutesResponse](g.t)(g.GetRoutes(c, &api.GetRoutesRequest{ApiId: &apiID})).Items {
		list = append(list, fmt.Sprintf("route %s %s → %s %s %s %v", *r.RouteId, *r.RouteKey, deref(r.Target), *r.AuthorizationType, deref(r.AuthorizerId), r.AuthorizationScopes))
	}
	for _, i := range must[*api.GetIntegrationsResponse](g.t)(g.GetIntegrations(c, &api.GetIntegrationsRequest{ApiId: &apiID})).Items {
		list = append(list, fmt.Sprintf("integration %s %s %s", *i.IntegrationId, *i.IntegrationType, *i.IntegrationUri))
	}
	for _, a := range must[*api.GetAuthorizersResponse](g.t)(g.GetAuthorizers(c, &api.GetAuthorizersRequest{ApiId: &apiID})).Items {
		list = append(list, fmt.Sprintf("authorizer %s %s %s", *a.AuthorizerId, *a.Name, *a.AuthorizerType))
	}
	slices.Sort(list)
	return list
}

func deref(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

// kinds counts what has lists.
func kinds(list []string) string {
	n := map[string]int{}
	for _, line := range list {
		kind, _, _ := strings.Cut(line, " ")
		n[kind]++
	}
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(n)) {
		out = append(out, fmt.Sprintf("%d %s", n[kind], kind))
	}
	return strings.Join(out, ", ")
}

func TestImportApi(t *testing.T) {
	g := newGateway(t)
	got := g.imports(books)
	id := *got.ApiId
	want := &api.ImportApiResponse{
		ApiEndpoint: new("http://" + id + ".execute-api.localhost:4566"), ApiId: &id, ApiKeySelectionExpression: new("$request.header.x-api-key"),
		CorsConfiguration: &api.Cors{AllowOrigins: []string{"https://example.com"}, MaxAge: new(int32(60))}, CreatedDate: got.CreatedDate,
		Description: new("all of them"), DisableExecuteApiEndpoint: new(true), IpAddressType: new("ipv4"), Name: new("books"), ProtocolType: new("HTTP"),
		RouteSelectionExpression: new("$request.method $request.path"), Tags: map[string]string{"Owner": "Admin"}, Version: new("2.0"),
		ImportInfo: []string{
			"paths./books.get: key [responses] will be ignored by API Gateway",
			"paths./books.post: key [responses] will be ignored by API Gateway",
			"paths./books/{id}: key [parameters] will be ignored by API Gateway",
			"paths./books/{id}.delete: key [responses] will be ignored by API Gateway",
			"paths./books/{id}.get: key [responses] will be ignored by API Gateway",
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got, want := kinds(g.has(id)), "2 authorizer, 3 integration, 5 route"; got != want {
		t.Errorf("has %s, want %s", got, want)
	}
	if n := len(must[*api.GetStagesResponse](t)(g.GetStages(g.call(), &api.GetStagesRequest{ApiId: &id})).Items); n != 0 {
		t.Errorf("%d stages, want none", n)
	}
	must[*api.ReimportApiResponse](t)(g.ReimportApi(g.call(), &api.ReimportApiRequest{ApiId: &id, Body: new(strings.Replace(books, "disableExecuteApiEndpoint: true", "disableExecuteApiEndpoint: false", 1)), Basepath: new("prepend")}))
	must[*api.CreateStageResponse](t)(g.CreateStage(g.call(), &api.CreateStageRequest{ApiId: &id, StageName: new("$default"), AutoDeploy: new(true)}))
	for path, want := range map[string]string{
		"/v1/books":   "$default GET /v1/books → http ANY https://backend.example []",
		"/v1/books/7": "$default GET /v1/books/{id} → lambda " + functionARN + "  2.0 [7]",
		"/else":       "$default $default → <nil> []",
	} {
		if got := g.route(id, "GET", path); got != want {
			t.Errorf("GET %s: %s, want %s", path, got, want)
		}
	}
}

func TestImportApiTakesAnID(t *testing.T) {
	g := newGateway(t)
	got := g.imports("openapi: 3.0.1\ninfo: {title: t}\npaths: {}\ntags: [{name: _custom_id_, x-amazon-apigateway-tag-value: mine}]")
	if *got.ApiId != "mine" {
		t.Errorf("id %s", *got.ApiId)
	}
}

// What a create would refuse is left out and said; a route without a good
// authorizer isn't made.
func TestImportWarnings(t *testing.T) {
	const document = `
openapi: 3.0.1
info: {title: t, version: "1"}
paths:
  /pets: {get: {responses: {}, x-amazon-apigateway-integration: {type: HTTP_PROXY, httpMethod: GET, uri: "https://h.example", payloadFormatVersion: 1}}}
  /aws: {get: {responses: {}, x-amazon-apigateway-integration: {type: AWS, httpMethod: POST, uri: "arn:aws:lambda:us-east-1:000000000000:function:f", payloadFormatVersion: "1.0"}}}
  /shared: {get: {responses: {}, x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/bad'}}}
  /closed: {post: {responses: {}, security: [{jwt: []}]}}
  /slash/: {get: {responses: {}}}
  /trace: {trace: {responses: {}}}
  /scopes: {get: {responses: {}, security: [{function: [a]}]}}
  /$default: {x-amazon-apigateway-any-method: {isDefaultRoute: true}}
  $default: {x-amazon-apigateway-any-method: {isDefaultRoute: true}}
components:
  securitySchemes:
    jwt: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, identitySource: $request.header.Authorization, jwtConfiguration: {audience: [a]}}}
    function:
      type: apiKey
      name: x
      in: header
      x-amazon-apigateway-authorizer: {type: request, authorizerUri: "arn:aws:lambda:us-east-1:000000000000:function:a", authorizerPayloadFormatVersion: "2.0"}
  x-amazon-apigateway-integrations:
    bad: {type: HTTP_PROXY, httpMethod: GET, payloadFormatVersion: "1.0"}
`
	want := []string{
		"Parse issue: attribute paths. Resource $default should start with /",
		"Unable to create Authorizer 'jwt': Invalid issuer: Issuer is not a valid URL for JWT Authorizer. Ignoring.",
		"Unable to create integration 'bad': IntegrationUri is required for an integration of type HTTP_PROXY. Ignoring.",
		"Unable to create integration for resource at path 'GET /pets': Unsupported PayloadFormatVersion: 1. Ignoring.",
		"Unable to create integration for resource at path 'GET /aws': Currently, an API with a protocol type of HTTP may only be associated with proxy integrations (AWS_PROXY, HTTP_PROXY). Ignoring.",
		"Unable to put method 'POST' on resource at path '/closed': Invalid authorizer definition. Setting the authorization type to JWT requires a valid authorizer. Ignoring.",
		`Unable to put method 'GET' on resource at path '/slash/': One or more path parts appear to be invalid. Parts are validated against this regular expression: ^(\{[\w.:-]+\+?\}|[a-zA-Z0-9.:_-]+)$. Ignoring.`,
		`Unable to put method 'TRACE' on resource at path '/trace': The provided route key is not formatted properly for HTTP protocol. Format should be "[HTTP METHOD] /[RESOURCE PATH]" or "$default". Ignoring.`,
		"Unable to put method 'GET' on resource at path '/scopes': Invalid Route authorization type specified. Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization types. Ignoring.",
		"Unable to put method 'ANY' on resource at path '$default': Route with key $default already exists for this API. Ignoring.",
	}
	g := newGateway(t)
	_, err := g.ImportApi(g.call(), &api.ImportApiRequest{Body: new(document), FailOnWarnings: new(true)})
	if got, want := describeError(err), "BadRequestException 400: Warnings found during import:\n\t"+strings.Join(want, "\n\t"); got != want {
		t.Errorf("failing: %s\nwant %s", got, want)
	}
	if n := len(must[*api.GetApisResponse](t)(g.GetApis(g.call(), &api.GetApisRequest{})).Items); n != 0 {
		t.Errorf("%d APIs after a failed import", n)
	}
	out := g.imports(document)
	if !slices.Equal(out.Warnings, want) {
		t.Errorf("warnings %s\nwant %s", strings.Join(out.Warnings, "\n"), strings.Join(want, "\n"))
	}
	var keys []string
	for _, r := range must[*api.GetRoutesResponse](t)(g.GetRoutes(g.call(), &api.GetRoutesRequest{ApiId: out.ApiId})).Items {
		if r.Target != nil {
			t.Errorf("%s has a target", *r.RouteKey)
		}
		keys = append(keys, *r.RouteKey)
	}
	slices.Sort(keys)
	if want := []string{"$default", "GET /aws", "GET /pets", "GET /shared"}; !slices.Equal(keys, want) {
		t.Errorf("routes %q, want %q", keys, want)
	}
}

func TestImportRefusals(t *testing.T) {
	g := newGateway(t)
	id := *g.imports(books).ApiId
	before, exported := g.has(id), g.exports(api.ExportApiRequest{ApiId: &id})
	imports := func(document string) error {
		_, err := g.ReimportApi(g.call(), &api.ReimportApiRequest{ApiId: &id, Body: &document})
		_, same := g.ImportApi(g.call(), &api.ImportApiRequest{Body: &document})
		if strings.Replace(describeError(err), "ReimportApi", "ImportApi", 1) != describeError(same) {
			t.Errorf("reimport says %v, import %v", err, same)
		}
		return err
	}
	with := func(members string) error {
		return imports("openapi: 3.0.1\ninfo: {title: t, version: '1'}\npaths: {/x: {get: {responses: {}}}}\n" + members)
	}
	operation := func(members string) error {
		return imports("openapi: 3.0.1\ninfo: {title: t, version: '1'}\npaths: {/x: {get: {responses: {}, x-amazon-apigateway-integration: {" + members + "}}}}")
	}
	export := func(in api.ExportApiRequest) error {
		in.ApiId = &id
		return one(g.ExportApi(g.call(), &in))
	}
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"not a document", imports("nothing"), "BadRequestException 400: Unable to build importer with provided input. Unable to determine OAS version"},
		{"OpenAPI 3.1", imports("openapi: 3.1.0"), "BadRequestException 400: Unable to build importer with provided input. Unable to determine OAS version from '3.1.0'"},
		{"errors", imports("openapi: 3.0.1"), "BadRequestException 400: Errors found during import:\n\tParse issue: attribute paths is missing"},
		{"no title", one(g.ImportApi(g.call(), &api.ImportApiRequest{Body: new("openapi: 3.0.1\npaths: {}")})), "BadRequestException 400: Invalid API name specified"},
		{"base path", one(g.ImportApi(g.call(), &api.ImportApiRequest{Body: new(books), Basepath: new("append")})), "BadRequestException 400: Invalid value for basepath: append"},
		{"an API that isn't there", one(g.ReimportApi(g.call(), &api.ReimportApiRequest{ApiId: new("nope"), Body: new(books)})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"long version", imports("openapi: 3.0.1\ninfo: {title: t, version: " + strings.Repeat("1", 65) + "}\npaths: {}"), "BadRequestException 400: Member must have length"},
		{"CORS for everyone", with("x-amazon-apigateway-cors: {allowOrigins: ['*'], allowCredentials: true}"), "BadRequestException 400: allow-credentials is not supported if 'allow-origin' is *"},
		{"reserved tag", with("tags: [{name: 'aws:x'}]"), "BadRequestException 400: Tag keys beginning with aws:"},
		{"the caller's credentials", operation("type: AWS_PROXY, httpMethod: POST, credentials: 'arn:aws:iam::*:user/*', uri: x, payloadFormatVersion: '1.0'"),
			"501: Unable to create integration for resource at path 'GET /x': gatehouse does not implement apigatewayv2:"},

		{"export of nothing", one(g.ExportApi(g.call(), &api.ExportApiRequest{ApiId: new("nope"), Specification: new("OAS30"), OutputType: new("JSON")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"specification", export(api.ExportApiRequest{Specification: new("OAS31"), OutputType: new("JSON")}), "BadRequestException 400: Invalid specification specified: OAS31"},
		{"output", export(api.ExportApiRequest{Specification: new("OAS30"), OutputType: new("XML")}), "BadRequestException 400: Invalid output type specified: XML"},
		{"export version", export(api.ExportApiRequest{Specification: new("OAS30"), OutputType: new("JSON"), ExportVersion: new("2.0")}), "BadRequestException 400: Invalid export version specified: 2.0"},
		{"stage", export(api.ExportApiRequest{Specification: new("OAS30"), OutputType: new("JSON"), StageName: new("nope")}), "NotFoundException 404: Invalid stage identifier specified"},
	} {
		if got := describeError(test.err); !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	if after := g.has(id); !slices.Equal(after, before) || g.exports(api.ExportApiRequest{ApiId: &id}) != exported {
		t.Errorf("a refused import left something behind: %q, was %q", after, before)
	}
	must[*api.CreateStageResponse](t)(g.CreateStage(g.call(), &api.CreateStageRequest{ApiId: &id, StageName: new("empty")}))
	if got, want := describeError(export(api.ExportApiRequest{Specification: new("OAS30"), OutputType: new("JSON"), StageName: new("empty")})), "BadRequestException 400: Stage empty has no deployment to export"; got != want {
		t.Errorf("a stage without a deployment: %s, want %s", got, want)
	}
}

// A reimport changes what the document changes; stages and deployments stay.
func TestReimportApi(t *testing.T) {
	g := newGateway(t)
	id := *g.imports(strings.Replace(books, "disableExecuteApiEndpoint: true", "disableExecuteApiEndpoint: false", 1)).ApiId
	c := g.call()
	must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: new("live"), AutoDeploy: new(true)}))
	frozen := must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id}))
	must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: new("frozen"), DeploymentId: frozen.DeploymentId}))
	before := g.has(id)
	deployment := func() string {
		return *must[*api.GetStageResponse](t)(g.GetStage(c, &api.GetStageRequest{ApiId: &id, StageName: new("live")})).DeploymentId
	}
	deployed := deployment()

	g.reimports(id, strings.Replace(books, "disableExecuteApiEndpoint: true", "disableExecuteApiEndpoint: false", 1))
	if after := g.has(id); !slices.Equal(after, before) || deployment() != deployed {
		t.Errorf("the same document changed something: %q, was %q", after, before)
	}

	changed := strings.NewReplacer(
		"uri: https://backend.example", "uri: https://new.example", "  /$default:", "  /other:", "isDefaultRoute: true", "isDefaultRoute: false",
		"    jwt:\n", "    token:\n", "security: [{jwt: [write]}]", "security: [{token: []}]", "title: books, description: all of them", "title: new books",
		"disableExecuteApiEndpoint: true", "other: true", "x-amazon-apigateway-cors", "x-cors", "tags: [", "x-tags: [",
	).Replace(books)
	out := g.reimports(id, changed)
	if *out.Name != "new books" || out.Description != nil || out.CorsConfiguration != nil || *out.DisableExecuteApiEndpoint || out.Tags["Owner"] != "Admin" {
		t.Errorf("the API is %+v", out)
	}
	var kept, changes []string
	for _, line := range g.has(id) {
		if slices.Contains(before, line) {
			kept = append(kept, line)
			continue
		}
		changes = append(changes, line)
	}
	// Of the two authorizers and three integrations, one each stayed as it was;
	// the changed integration kept its id, so its routes are what they were.
	if got, want := kinds(kept), "1 authorizer, 2 integration, 3 route"; got != want {
		t.Errorf("kept %s: %q, want %s", got, kept, want)
	}
	if got, want := kinds(changes), "1 authorizer, 1 integration, 2 route"; got != want {
		t.Errorf("changed %s: %q, want %s", got, changes, want)
	}
	for _, test := range []struct{ method, path, want string }{
		{"GET", "/live/books", "live GET /books → http ANY https://new.example []"},
		{"GET", "/live/other", "live ANY /other → <nil> []"},
		{"GET", "/live/else", "fault: "},
		{"GET", "/frozen/books", "frozen GET /books → http ANY https://backend.example []"},
		{"GET", "/frozen/else", "frozen $default → <nil> []"},
	} {
		if got := g.route(id, test.method, test.path); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s %s: %s, want %s", test.method, test.path, got, test.want)
		}
	}
	// An export of a stage is what the stage serves.
	if export := g.exports(api.ExportApiRequest{ApiId: &id, StageName: new("frozen")}); !strings.Contains(export, "https://backend.example") ||
		!strings.Contains(export, `"isDefaultRoute" : true`) || !strings.Contains(export, `"default" : "frozen"`) || strings.Contains(export, "new.example") {
		t.Errorf("the export of the frozen stage is %s", export)
	}
	if g.exports(api.ExportApiRequest{ApiId: &id, StageName: new("live")}) != strings.Replace(g.exports(api.ExportApiRequest{ApiId: &id}), `"default" : ""`, `"default" : "live"`, 1) {
		t.Error("the live stage isn't the API as it is now")
	}
}

// A document with other tags replaces the API's.
func TestReimportTags(t *testing.T) {
	g := newGateway(t)
	id := *g.imports(books).ApiId
	out := g.reimports(id, strings.Replace(books, "{name: Owner, x-amazon-apigateway-tag-value: Admin}", "{name: Key3}", 1))
	if want := map[string]string{"Key3": ""}; !maps.Equal(out.Tags, want) {
		t.Errorf("tags %v, want %v", out.Tags, want)
	}
}

// What quick create made is kept where the document has it, too.
func TestReimportQuickCreate(t *testing.T) {
	g := newGateway(t)
	id := *must[*api.CreateApiResponse](t)(g.CreateApi(g.call(), &api.CreateApiRequest{Name: new("quick"), ProtocolType: new("HTTP"), Target: new("https://h.example")})).ApiId
	before := g.has(id)
	g.reimports(id, g.exports(api.ExportApiRequest{ApiId: &id}))
	if after := g.has(id); !slices.Equal(after, before) {
		t.Errorf("has %q, was %q", after, before)
	}
	must[*api.UpdateApiResponse](t)(g.UpdateApi(g.call(), &api.UpdateApiRequest{ApiId: &id, Target: new("https://i.example")}))
	g.reimports(id, "openapi: 3.0.1\npaths: {/x: {get: {responses: {}}}}")
	_, err := g.UpdateApi(g.call(), &api.UpdateApiRequest{ApiId: &id, Target: new("https://j.example")})
	if got, want := describeError(err), "BadRequestException 400: Target, RouteKey and CredentialsArn can only be updated"; !strings.Contains(got, want) {
		t.Errorf("after the managed route is gone: %s, want %s", got, want)
	}
}

// An API made by calls is exported, and nothing of it is lost when that is
// imported: into itself, where not even an id changes, or into a new API.
func TestExportApi(t *testing.T) {
	g := newGateway(t)
	id, integration, _ := g.hello()
	c := g.call()
	must[*api.UpdateApiResponse](t)(g.UpdateApi(c, &api.UpdateApiRequest{
		ApiId: &id, Description: new("with \"quotes\"\nand lines"), DisableExecuteApiEndpoint: new(true),
		CorsConfiguration: &api.Cors{AllowOrigins: []string{"*"}, AllowMethods: []string{"GET", "POST"}, AllowHeaders: []string{"x-a"}, ExposeHeaders: []string{"x-b"}, MaxAge: new(int32(0)), AllowCredentials: new(false)},
	}))
	must[*api.TagResourceResponse](t)(g.TagResource(c, &api.TagResourceRequest{ResourceArn: new("arn:aws:apigateway:us-east-1::/apis/" + id), Tags: map[string]string{"a": "1", "b": ""}}))
	jwt := must[*api.CreateAuthorizerResponse](t)(g.CreateAuthorizer(c, &api.CreateAuthorizerRequest{
		ApiId: &id, Name: new("jwt"), AuthorizerType: new("JWT"), IdentitySource: []string{"$request.querystring.token"},
		JwtConfiguration: &api.JWTConfiguration{Issuer: new("https://issuer.example"), Audience: []string{"one", "two"}},
	}))
	function := must[*api.CreateAuthorizerResponse](t)(g.CreateAuthorizer(c, &api.CreateAuthorizerRequest{
		ApiId: &id, Name: new("function"), AuthorizerType: new("REQUEST"), IdentitySource: []string{"$request.header.x-token"}, AuthorizerPayloadFormatVersion: new("2.0"),
		AuthorizerUri:         new("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:auth/invocations"),
		EnableSimpleResponses: new(true), AuthorizerResultTtlInSeconds: new(int32(60)), AuthorizerCredentialsArn: new("arn:aws:iam::000000000000:role/auth"),
	}))
	proxy := must[*api.CreateIntegrationResult](t)(g.CreateIntegration(c, &api.CreateIntegrationRequest{
		ApiId: &id, IntegrationType: new("HTTP_PROXY"), IntegrationMethod: new("ANY"), IntegrationUri: new("https://h.example/{proxy}?a=b"), TimeoutInMillis: new(int32(29000)), Description: new("proxy"),
	}))
	must[*api.CreateIntegrationResult](t)(g.CreateIntegration(c, &api.CreateIntegrationRequest{
		ApiId: &id, IntegrationType: new("AWS_PROXY"), IntegrationUri: new(functionARN), CredentialsArn: new("arn:aws:iam::000000000000:role/r"),
	}))
	for _, route := range []api.CreateRouteRequest{
		{RouteKey: new("$default"), Target: &integration},
		{RouteKey: new("ANY /{proxy+}"), Target: proxy.IntegrationId},
		{RouteKey: new("POST /pets/{id}"), Target: &integration, OperationName: new("AddPet"), AuthorizationType: new("JWT"), AuthorizerId: jwt.AuthorizerId, AuthorizationScopes: []string{"a", "b"}},
		{RouteKey: new("ANY /pets/{id}"), AuthorizationType: new("CUSTOM"), AuthorizerId: function.AuthorizerId},
		{RouteKey: new("GET /pets/{id}"), AuthorizationType: new("AWS_IAM")},
	} {
		route.ApiId = &id
		if route.Target != nil {
			route.Target = new("integrations/" + *route.Target)
		}
		must[*api.CreateRouteResult](t)(g.CreateRoute(c, &route))
	}
	golden := func(name string, in api.ExportApiRequest) string {
		t.Helper()
		in.ApiId = &id
		got, file := g.exports(in), filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			return got
		}
		if want := must[[]byte](t)(os.ReadFile(file)); !bytes.Equal([]byte(got), want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
		return got
	}
	asJSON := golden("export.json", api.ExportApiRequest{})
	asYAML := golden("export.yaml", api.ExportApiRequest{OutputType: new("YAML"), ExportVersion: new("1.0"), IncludeExtensions: new(true)})
	golden("export_without_extensions.json", api.ExportApiRequest{IncludeExtensions: new(false)})

	before := g.has(id)
	for _, document := range []string{asJSON, asYAML} {
		if out := g.reimports(id, document); len(out.Warnings) > 0 {
			t.Errorf("the export makes warnings: %q", out.Warnings)
		}
		if after := g.has(id); !slices.Equal(after, before) {
			t.Errorf("has %q, was %q", after, before)
		}
		if got := g.exports(api.ExportApiRequest{ApiId: &id}); got != asJSON {
			t.Errorf("exported, imported and exported again:\n%s\nwas\n%s", got, asJSON)
		}
		copied := *g.imports(document).ApiId
		if got, want := masked(g, copied), masked(g, id); got != want {
			t.Errorf("exported, imported as a new API and exported again:\n%s\nwas\n%s", got, want)
		}
	}
}

// masked is an export without ids.
func masked(g *gateway, apiID string) string {
	export := strings.ReplaceAll(g.exports(api.ExportApiRequest{ApiId: &apiID}), apiID, "API")
	for _, integration := range must[*api.GetIntegrationsResponse](g.t)(g.GetIntegrations(g.call(), &api.GetIntegrationsRequest{ApiId: &apiID})).Items {
		export = strings.ReplaceAll(export, *integration.IntegrationId, "INTEGRATION")
	}
	return export
}

// BenchmarkImportApi imports and changes an API of 10,000 routes, each with an
// integration of its own; the reimport is deployed.
func BenchmarkImportApi(b *testing.B) {
	document := func(host string) string {
		var text strings.Builder
		text.WriteString(`{"openapi":"3.0.1","info":{"title":"large","version":"1"},"paths":{`)
		for i := range 10_000 {
			if i > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, `"/section%d/items%d/{id}":{"get":{"operationId":"get%d","parameters":[{"name":"id","in":"path","required":true}],`+
				`"responses":{"200":{"description":"ok"}},"x-amazon-apigateway-integration":{"type":"HTTP_PROXY","httpMethod":"GET",`+
				`"uri":"https://%s/items/%d/{id}","payloadFormatVersion":"1.0"}}}`, i%100, i, i, host, i)
		}
		text.WriteString("}}")
		return text.String()
	}
	b.Run("10k_routes", func(b *testing.B) {
		g, text := newGateway(b), document("h.example")
		for b.Loop() {
			g.imports(text)
		}
	})
	b.Run("10k_routes_changed", func(b *testing.B) {
		g := newGateway(b)
		texts := []string{document("h.example"), document("i.example")}
		id := *g.imports(texts[0]).ApiId
		must[*api.CreateStageResponse](b)(g.CreateStage(g.call(), &api.CreateStageRequest{ApiId: &id, StageName: new("$default"), AutoDeploy: new(true)}))
		for i := 1; b.Loop(); i++ {
			g.reimports(id, texts[i%2])
		}
	})
	b.Run("10k_routes_unchanged", func(b *testing.B) {
		g, text := newGateway(b), document("h.example")
		id := *g.imports(text).ApiId
		for b.Loop() {
			g.reimports(id, text)
		}
	})
}
