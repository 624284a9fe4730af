package apigatewayv2_test

import (
	"fmt"
	"reflect"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/plan"
)

// mapped describes what the route GET /hello makes of a request and of a
// response with a status.
func (g *gateway) mapped(apiID string, status int) string {
	g.t.Helper()
	a, ok := g.compiler.Plan().API(apiID)
	if !ok {
		g.t.Fatalf("no API %s", apiID)
	}
	x := &plan.Exchange{Stage: a.Stages["$default"], StagePath: "/hello"}
	x.Request.Method = "GET"
	if err := x.Stage.Match(x); err != nil {
		g.t.Fatal(err)
	}
	x.Response.Status = status
	for _, m := range []plan.Mapping{x.Route.MapRequest, x.Route.MapResponse} {
		if m == nil {
			continue
		}
		if err := m.Map(x); err != nil {
			g.t.Fatal(err)
		}
	}
	return fmt.Sprint(x.Mapped.Headers, x.Mapped.Path, x.Response.Status, x.Response.Headers)
}

// Mappings are read as they were written, merged by key, and act at once where
// a stage deploys by itself.
func TestMappings(t *testing.T) {
	g := newGateway(t)
	id, integration, _ := g.hello()
	c := g.call()
	for _, step := range []struct {
		name         string
		request      map[string]string
		response     map[string]map[string]string
		wantRequest  map[string]string
		wantResponse map[string]map[string]string
		// mapped is what becomes of a request and of a 500.
		mapped string
	}{
		{
			name: "none", mapped: "[]500 []",
		},
		{
			name:         "both",
			request:      map[string]string{"append:header.A": "1", "remove:header.B": "anything", "overwrite:path": "/p"},
			response:     map[string]map[string]string{"500": {"overwrite:statuscode": "403", "append:header.c": "2"}, "404": {"remove:header.d": "'x'"}},
			wantRequest:  map[string]string{"append:header.A": "1", "remove:header.B": "''", "overwrite:path": "/p"},
			wantResponse: map[string]map[string]string{"500": {"overwrite:statuscode": "403", "append:header.c": "2"}, "404": {"remove:header.d": "''"}},
			mapped:       "[{A 1}]/p403 [{c 2}]",
		},
		{
			name:         "neither named",
			wantRequest:  map[string]string{"append:header.A": "1", "remove:header.B": "''", "overwrite:path": "/p"},
			wantResponse: map[string]map[string]string{"500": {"overwrite:statuscode": "403", "append:header.c": "2"}, "404": {"remove:header.d": "''"}},
			mapped:       "[{A 1}]/p403 [{c 2}]",
		},
		{
			name:         "changed and removed, as Terraform does",
			request:      map[string]string{"append:header.A": "3", "remove:header.B": "''", "overwrite:path": ""},
			response:     map[string]map[string]string{"500": {"append:header.e": "4"}, "404": {}},
			wantRequest:  map[string]string{"append:header.A": "3", "remove:header.B": "''"},
			wantResponse: map[string]map[string]string{"500": {"append:header.e": "4"}},
			mapped:       "[{A 3}]500 [{e 4}]",
		},
		{
			name:     "all removed",
			request:  map[string]string{"append:header.A": "", "remove:header.B": "", "remove:header.none": ""},
			response: map[string]map[string]string{"500": {}, "503": {}},
			mapped:   "[]500 []",
		},
	} {
		updated := must[*api.UpdateIntegrationResult](t)(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{
			ApiId: &id, IntegrationId: &integration, IntegrationType: new("AWS_PROXY"), RequestParameters: step.request, ResponseParameters: step.response,
		}))
		read := must[*api.GetIntegrationResult](t)(g.GetIntegration(c, &api.GetIntegrationRequest{ApiId: &id, IntegrationId: &integration}))
		for _, got := range []struct {
			request  map[string]string
			response map[string]map[string]string
		}{{updated.RequestParameters, updated.ResponseParameters}, {read.RequestParameters, read.ResponseParameters}} {
			if !reflect.DeepEqual(got.request, step.wantRequest) || !reflect.DeepEqual(got.response, step.wantResponse) {
				t.Errorf("%s: %v %v, want %v %v", step.name, got.request, got.response, step.wantRequest, step.wantResponse)
			}
		}
		if got := g.mapped(id, 500); got != step.mapped {
			t.Errorf("%s: %s, want %s", step.name, got, step.mapped)
		}
		// A start from what is stored comes to the same.
		g.reload()
		if got := g.mapped(id, 500); got != step.mapped {
			t.Errorf("%s, after a restart: %s, want %s", step.name, got, step.mapped)
		}
	}
}

// A new integration has its mappings from the start, and an empty map is none.
func TestMappingsOfANewIntegration(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	created := must[*api.CreateIntegrationResult](t)(g.CreateIntegration(g.call(), &api.CreateIntegrationRequest{
		ApiId: &id, IntegrationType: new("HTTP_PROXY"), IntegrationUri: new("https://h"), IntegrationMethod: new("ANY"),
		RequestParameters:  map[string]string{"append:header.header1": "$context.requestId", "remove:querystring.qs1": "''"},
		ResponseParameters: map[string]map[string]string{"500": {"append:header.header1": "$context.requestId", "overwrite:statuscode": "403"}, "404": {}},
	}))
	sameJSON(t, "created", created, `{"ConnectionType": "INTERNET", "IntegrationId": "`+*created.IntegrationId+`", "IntegrationMethod": "ANY", "IntegrationType": "HTTP_PROXY",
		"IntegrationUri": "https://h", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 30000,
		"RequestParameters": {"append:header.header1": "$context.requestId", "remove:querystring.qs1": "''"},
		"ResponseParameters": {"500": {"append:header.header1": "$context.requestId", "overwrite:statuscode": "403"}}}`)
	bare := must[*api.CreateIntegrationResult](t)(g.CreateIntegration(g.call(), &api.CreateIntegrationRequest{
		ApiId: &id, IntegrationType: new("HTTP_PROXY"), IntegrationUri: new("https://h"), IntegrationMethod: new("ANY"),
		RequestParameters: map[string]string{}, ResponseParameters: map[string]map[string]string{"200": {}},
	}))
	if bare.RequestParameters != nil || bare.ResponseParameters != nil {
		t.Errorf("%v %v", bare.RequestParameters, bare.ResponseParameters)
	}
}
