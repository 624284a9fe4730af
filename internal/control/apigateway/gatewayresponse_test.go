package apigateway_test

import (
	"slices"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
)

const messageTemplate = `"{\"message\":$context.error.messageString}"`

func TestGatewayResponses(t *testing.T) {
	g := newGateway(t)
	id, _ := g.api()
	c := g.call()
	get := func(kind string) *api.GatewayResponse {
		t.Helper()
		return must[*api.GatewayResponse](t)(g.GetGatewayResponse(c, &api.GetGatewayResponseRequest{RestApiId: &id, ResponseType: &kind}))
	}
	put := func(kind string, in api.PutGatewayResponseRequest) (*api.GatewayResponse, error) {
		in.RestApiId, in.ResponseType = &id, &kind
		return g.PutGatewayResponse(c, &in)
	}
	update := func(kind string, ops ...string) (*api.GatewayResponse, error) {
		return g.UpdateGatewayResponse(c, &api.UpdateGatewayResponseRequest{RestApiId: &id, ResponseType: &kind, PatchOperations: patch(ops...)})
	}
	plain := func(kind, status string) string {
		return `{"defaultResponse":true,"responseParameters":{},"responseTemplates":{"application/json":` + messageTemplate + `},"responseType":"` + kind + `"` + status + `}`
	}
	sameJSON(t, "default", get("MISSING_AUTHENTICATION_TOKEN"), plain("MISSING_AUTHENTICATION_TOKEN", `,"statusCode":"403"`))
	sameJSON(t, "default of a class", get("DEFAULT_4XX"), plain("DEFAULT_4XX", ""))

	// What isn't given is the type's own.
	sameJSON(t, "status only", must[*api.GatewayResponse](t)(put("MISSING_AUTHENTICATION_TOKEN", api.PutGatewayResponseRequest{StatusCode: new("404")})),
		`{"defaultResponse":false,"responseParameters":{},"responseTemplates":{"application/json":`+messageTemplate+`},"responseType":"MISSING_AUTHENTICATION_TOKEN","statusCode":"404"}`)
	custom := api.PutGatewayResponseRequest{StatusCode: new("599"), ResponseParameters: map[string]string{"gatewayresponse.header.x": "method.request.header.Accept"}, ResponseTemplates: map[string]string{"application/json": "T"}}
	must[*api.GatewayResponse](t)(put("DEFAULT_5XX", custom))
	sameJSON(t, "parameters only, of a class that was put", must[*api.GatewayResponse](t)(put("AUTHORIZER_FAILURE", api.PutGatewayResponseRequest{ResponseParameters: map[string]string{"gatewayresponse.header.foo": "'bar'"}})),
		`{"defaultResponse":false,"responseParameters":{"gatewayresponse.header.foo":"'bar'"},"responseTemplates":{"application/json":`+messageTemplate+`},"responseType":"AUTHORIZER_FAILURE","statusCode":"500"}`)
	// The others of the class inherit.
	sameJSON(t, "inherited", get("INTEGRATION_TIMEOUT"), `{"defaultResponse":true,"responseParameters":{"gatewayresponse.header.x":"method.request.header.Accept"},"responseTemplates":{"application/json":"T"},"responseType":"INTEGRATION_TIMEOUT","statusCode":"599"}`)
	sameJSON(t, "of the other class", get("THROTTLED"), plain("THROTTLED", `,"statusCode":"429"`))

	all := must[*api.GatewayResponses](t)(g.GetGatewayResponses(c, &api.GetGatewayResponsesRequest{RestApiId: &id}))
	if len(all.Items) != 21 || all.Position != nil || !slices.IsSortedFunc(all.Items, func(a, b api.GatewayResponse) int {
		if *a.ResponseType < *b.ResponseType {
			return -1
		}
		return 1
	}) {
		t.Errorf("all: %d, position %v", len(all.Items), all.Position)
	}
	for _, r := range all.Items {
		sameJSON(t, "as alone", r, marshal(t, get(*r.ResponseType)))
	}

	// A patch of what isn't set sets it. A class without a status leaves the types theirs.
	sameJSON(t, "patched", must[*api.GatewayResponse](t)(update("DEFAULT_4XX", "add", "/responseTemplates/application~1xml", "<m/>", "add", "/responseParameters/gatewayresponse.header.a", "'b'")),
		`{"defaultResponse":false,"responseParameters":{"gatewayresponse.header.a":"'b'"},"responseTemplates":{"application/json":`+messageTemplate+`,"application/xml":"<m/>"},"responseType":"DEFAULT_4XX"}`)
	if got := get("THROTTLED"); *got.StatusCode != "429" || got.ResponseTemplates["application/xml"] != "<m/>" || !*got.DefaultResponse {
		t.Errorf("inherited without a status: %s", marshal(t, got))
	}
	sameJSON(t, "patched status", must[*api.GatewayResponse](t)(update("DEFAULT_4XX", "replace", "/statusCode", "444", "remove", "/responseTemplates/application~1xml", "", "remove", "/responseParameters/gatewayresponse.header.a", "")),
		`{"defaultResponse":false,"responseParameters":{},"responseTemplates":{"application/json":`+messageTemplate+`},"responseType":"DEFAULT_4XX","statusCode":"444"}`)

	checkRefusals(t, []refusal{
		{"unknown API", one(g.GetGatewayResponses(c, &api.GetGatewayResponsesRequest{RestApiId: new("nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"put in an unknown API", one(g.PutGatewayResponse(c, &api.PutGatewayResponseRequest{RestApiId: new("nope"), ResponseType: new("THROTTLED")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"delete what isn't set", g.DeleteGatewayResponse(c, &api.DeleteGatewayResponseRequest{RestApiId: &id, ResponseType: new("ACCESS_DENIED")}), "NotFoundException 404: Gateway response type not defined on api"},
		{"add a status", one(update("DEFAULT_4XX", "add", "/statusCode", "444")), "BadRequestException 400: Invalid patch path /statusCode"},
		{"remove a status", one(update("DEFAULT_4XX", "remove", "/statusCode", "")), "BadRequestException 400: Invalid patch path /statusCode"},
		{"wrong path", one(update("DEFAULT_4XX", "add", "/wrongPath", "x")), "BadRequestException 400: Invalid patch path /wrongPath"},
		{"no path", one(g.UpdateGatewayResponse(c, &api.UpdateGatewayResponseRequest{RestApiId: &id, ResponseType: new("DEFAULT_4XX"), PatchOperations: []api.PatchOperation{{Op: new("add"), Value: new("x")}}})), "BadRequestException 400: Invalid patch path null"},
		{"replace what isn't there", one(update("WAF_FILTERED", "replace", "/responseParameters/gatewayresponse.header.x", "'x'")), "NotFoundException 404: Invalid parameter name specified"},
		{"no parameter", one(update("DEFAULT_5XX", "replace", "/responseParameters/gatewayresponse.header.x", "")), "BadRequestException 400: Invalid null or empty value in responseParameters"},
		{"no template", one(update("DEFAULT_5XX", "replace", "/responseTemplates/application~1json", "")), "BadRequestException 400: Invalid null or empty value in responseTemplates"},
		{"status", one(update("DEFAULT_5XX", "replace", "/statusCode", "99")), "BadRequestException 400: Invalid status code specified: 99"},
		{"parameter name", one(put("THROTTLED", api.PutGatewayResponseRequest{ResponseParameters: map[string]string{"method.response.header.x": "'y'"}})), "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.response.header.x]"},
		{"parameter value", one(put("THROTTLED", api.PutGatewayResponseRequest{ResponseParameters: map[string]string{"gatewayresponse.header.x": "y"}})), "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: y]"},
	})
	if err := g.DeleteGatewayResponse(c, &api.DeleteGatewayResponseRequest{RestApiId: &id, ResponseType: new("DEFAULT_5XX")}); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "no longer inherited", get("INTEGRATION_TIMEOUT"), plain("INTEGRATION_TIMEOUT", `,"statusCode":"504"`))
}
