package apigateway_test

import (
	"encoding/json"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
)

// everything is a document with which an export has to be the same again.
const everything = `{"openapi":"3.0.1","info":{"title":"all","version":"1.0/\"2\"","description":"d"},
	"servers":[{"url":"https://example.com","x-amazon-apigateway-endpoint-configuration":{"disableExecuteApiEndpoint":true,"types":["REGIONAL"],"ipAddressType":"dualstack"}}],
	"tags":[{"name":"team","x-amazon-apigateway-tag-value":"pets"}],
	"x-amazon-apigateway-api-key-source":"AUTHORIZER","x-amazon-apigateway-binary-media-types":["image/png"],"x-amazon-apigateway-minimum-compression-size":100,
	"x-amazon-apigateway-policy":{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}]},"x-amazon-apigateway-request-validators":{"all":{"validateRequestBody":true,"validateRequestParameters":true}},
	"x-amazon-apigateway-gateway-responses":{"THROTTLED":{"statusCode":503,"responseParameters":{"gatewayresponse.header.a":"'b'"}}},
	"paths":{
		"/":{"get":{"security":[{"api_key":[]}],"x-amazon-apigateway-request-validator":"all","responses":{"200":{"description":"fine","content":{"application/json":{"schema":{"type":"object","minProperties":1}}}}},
			"x-amazon-apigateway-integration":{"type":"mock","requestTemplates":{"application/json":"{\"statusCode\": 200}"},"responses":{"default":{"statusCode":200},"4..":{"statusCode":400}}}}},
		"/empty":{},
		"/pets/{id}":{"x-amazon-apigateway-any-method":{"operationId":"any","security":[{"callers":[]}],"parameters":[{"in":"header","name":"h","required":true}],
			"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Pet"}},"text/csv":{"schema":{"$ref":"#/components/schemas/Row"}}}},
			"x-amazon-apigateway-integration":{"type":"http_proxy","httpMethod":"ANY","uri":"https://example.com/","timeoutInMillis":1000,"cacheNamespace":"n","cacheKeyParameters":["method.request.header.h"]}},
			"delete":{"security":[{"sigv4":[]}],"summary":"Gone","x-amazon-apigateway-integration":{"type":"mock"}}}},
	"components":{"schemas":{"Pet":{"type":"object","properties":{"next":{"$ref":"#/components/schemas/Pet"},"row":{"$ref":"#/components/schemas/Row"}}},"Row":{"type":"array"}},
		"securitySchemes":{"api_key":{"type":"apiKey","name":"x-api-key","in":"header"},"sigv4":{"type":"apiKey","name":"Authorization","in":"header","x-amazon-apigateway-authtype":"awsSigv4"},
			"callers":{"type":"apiKey","name":"T","in":"header","x-amazon-apigateway-authtype":"custom","x-amazon-apigateway-authorizer":{"type":"token","authorizerResultTtlInSeconds":0,
				"authorizerUri":"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations"}}}}}`

// deployed imports a document and deploys it with its documentation.
func (g *gateway) deployed(body string) string {
	g.t.Helper()
	c := g.call()
	id := must[*api.RestApi](g.t)(g.imports([]byte(body))).Id
	// A resource without a method has no integration to miss.
	must[*api.Deployment](g.t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{RestApiId: id, StageName: new("prod")}))
	must[*api.DocumentationVersion](g.t)(g.CreateDocumentationVersion(c, &api.CreateDocumentationVersionRequest{RestApiId: id, DocumentationVersion: new("v1"), StageName: new("prod")}))
	return *id
}

func (g *gateway) export(id, kind, accepts, extensions string) *api.ExportResponse {
	g.t.Helper()
	return must[*api.ExportResponse](g.t)(g.GetExport(g.call(), &api.GetExportRequest{
		RestApiId: &id, StageName: new("prod"), ExportType: &kind, Accepts: &accepts, Parameters: map[string]string{"extensions": extensions},
	}))
}

// Exported and imported an API is the same, in every form.
func TestExportRoundTrip(t *testing.T) {
	g := newServing(t)
	id := g.deployed(everything)
	want := g.export(id, "oas30", "", "apigateway")
	for _, kind := range [...]string{"oas30", "swagger"} {
		for _, accepts := range [...]string{"application/json", "application/yaml"} {
			again := g.deployed(string(g.export(id, kind, accepts, "apigateway").Body))
			if g.tree(again) != g.tree(id) {
				t.Errorf("%s as %s: it has\n%s\nand had\n%s", kind, accepts, g.tree(again), g.tree(id))
			}
			if got := strings.ReplaceAll(string(g.export(again, "oas30", "", "apigateway").Body), again, id); got != string(want.Body) {
				t.Errorf("%s as %s: exported again it is\n%s\nand was\n%s", kind, accepts, got, want.Body)
			}
		}
	}
}

func TestGetExport(t *testing.T) {
	g := newServing(t)
	id := g.deployed(everything)
	out := g.export(id, "swagger", "application/yaml", "")
	if *out.ContentType != "application/octet-stream" || *out.ContentDisposition != `attachment; filename="swagger_1.0__2_.yaml"` {
		t.Errorf("%s, %s", *out.ContentType, *out.ContentDisposition)
	}
	// OpenAPI has no other word for a method that is all methods.
	extended := func(body string) bool {
		return strings.Contains(strings.ReplaceAll(body, "x-amazon-apigateway-any-method", ""), "x-amazon")
	}
	if body := string(out.Body); extended(body) || !strings.Contains(body, "host: \""+id+".example.com\"\nbasePath: \"/prod\"\n") || !strings.Contains(body, `summary: "Gone"`) {
		t.Errorf("exported\n%s", body)
	}
	if body := string(g.export(id, "swagger", "*/*", "postman").Body); body[0] != '{' || extended(body) {
		t.Errorf("exported\n%s", body)
	}
	for extension, want := range map[string]string{"integrations": "x-amazon-apigateway-integration", "authorizers": "x-amazon-apigateway-authorizer"} {
		if body := string(g.export(id, "oas30", "", extension).Body); !strings.Contains(body, want) || strings.Contains(body, "x-amazon-apigateway-policy") {
			t.Errorf("%s: exported\n%s", extension, body)
		}
	}

	// An export is of what was deployed, and without a version of its time.
	plain := *must[*api.RestApi](t)(g.imports([]byte(`{"swagger":"2.0","info":{"title":"t"},"paths":{"/a":{"get":{"summary":"s",` + mock + `}}}}`))).Id
	must[*api.Deployment](t)(g.CreateDeployment(g.call(), &api.CreateDeploymentRequest{RestApiId: &plain, StageName: new("prod")}))
	must[*api.RestApi](t)(g.puts(plain, "overwrite", document(`"paths":{"/b":{"get":{`+mock+`}}}`)))
	var body struct {
		Info  map[string]string
		Paths map[string]map[string]map[string]any
	}
	if err := json.Unmarshal(g.export(plain, "oas30", "", "apigateway").Body, &body); err != nil {
		t.Fatal(err)
	}
	if body.Info["version"] != "2026-03-04T05:06:07Z" || body.Info["title"] != "t" || len(body.Paths) != 1 || body.Paths["/a"]["get"] == nil {
		t.Errorf("exported %+v", body)
	}
	// The stage has no version of the documentation.
	if body.Paths["/a"]["get"]["summary"] != nil {
		t.Error("the export has documentation")
	}

	get := func(in api.GetExportRequest) error {
		if in.RestApiId == nil {
			in.RestApiId = &id
		}
		if in.StageName == nil {
			in.StageName = new("prod")
		}
		return one(g.GetExport(g.call(), &in))
	}
	checkRefusals(t, []refusal{
		{"type", get(api.GetExportRequest{ExportType: new("raml")}), "BadRequestException 400: Invalid export type specified: raml. Must be one of [oas30, swagger]"},
		{"accept", get(api.GetExportRequest{ExportType: new("oas30"), Accepts: new("text/html")}), "BadRequestException 400: Invalid Accept header specified: text/html. Must be one of [application/json, application/yaml]"},
		{"extensions", get(api.GetExportRequest{ExportType: new("oas30"), Parameters: map[string]string{"extensions": "x"}}),
			"BadRequestException 400: Invalid extensions specified: x. Must be of [integrations, authorizers, apigateway, postman, documentation]"},
		{"postman", get(api.GetExportRequest{ExportType: new("oas30"), Parameters: map[string]string{"extensions": "postman"}}), "BadRequestException 400: The extension postman is only supported for the export type swagger"},
		{"API", get(api.GetExportRequest{ExportType: new("oas30"), RestApiId: new("nope")}), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"stage", get(api.GetExportRequest{ExportType: new("oas30"), StageName: new("nope")}), "NotFoundException 404: Invalid stage identifier specified"},
	})
}
