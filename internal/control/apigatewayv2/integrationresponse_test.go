package apigatewayv2_test

import (
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
)

func TestIntegrationResponsesOfAnHTTPAPI(t *testing.T) {
	g := newGateway(t)
	id, integration, _ := g.hello()
	c := g.call()
	if out := must[*api.GetIntegrationResponsesResponse](t)(g.GetIntegrationResponses(c, &api.GetIntegrationResponsesRequest{ApiId: &id, IntegrationId: &integration})); out.Items == nil || len(out.Items) != 0 {
		t.Errorf("integration responses %+v, want an empty list", out)
	}
	const none = "NotFoundException 404: Invalid IntegrationResponse identifier specified"
	const noIntegration = "NotFoundException 404: Invalid Integration identifier specified"
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"create", one(g.CreateIntegrationResponse(c, &api.CreateIntegrationResponseRequest{ApiId: &id, IntegrationId: &integration, IntegrationResponseKey: new("$default")})),
			"BadRequestException 400: IntegrationResponses are currently not supported for this API protocol type. This is because the API may only be configured with proxy integration at this time."},
		{"get", one(g.GetIntegrationResponse(c, &api.GetIntegrationResponseRequest{ApiId: &id, IntegrationId: &integration, IntegrationResponseId: new("r")})), none},
		{"update", one(g.UpdateIntegrationResponse(c, &api.UpdateIntegrationResponseRequest{ApiId: &id, IntegrationId: &integration, IntegrationResponseId: new("r")})), none},
		{"delete", g.DeleteIntegrationResponse(c, &api.DeleteIntegrationResponseRequest{ApiId: &id, IntegrationId: &integration, IntegrationResponseId: new("r")}), none},
		{"get from an unknown integration", one(g.GetIntegrationResponse(c, &api.GetIntegrationResponseRequest{ApiId: &id, IntegrationId: new("nope"), IntegrationResponseId: new("r")})), noIntegration},
		{"list of an unknown integration", one(g.GetIntegrationResponses(c, &api.GetIntegrationResponsesRequest{ApiId: &id, IntegrationId: new("nope")})), noIntegration},
		{"create in an unknown API", one(g.CreateIntegrationResponse(c, &api.CreateIntegrationResponseRequest{ApiId: new("nope"), IntegrationId: &integration})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
	} {
		if got := describeError(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestIntegrationResponses(t *testing.T) {
	g := newGateway(t)
	id, _, integration := g.webSocket()
	c := g.call()
	create := func(key string) (*api.CreateIntegrationResponseResponse, error) {
		return g.CreateIntegrationResponse(c, &api.CreateIntegrationResponseRequest{ApiId: &id, IntegrationId: &integration, IntegrationResponseKey: &key,
			ContentHandlingStrategy: new("CONVERT_TO_TEXT"), ResponseTemplates: map[string]string{"$default": "{}"}, TemplateSelectionExpression: new("${request.body.kind}")})
	}
	made := must[*api.CreateIntegrationResponseResponse](t)(create("/2\\d\\d/"))
	must[*api.CreateIntegrationResponseResponse](t)(create("$default"))
	get := func() (*api.GetIntegrationResponseResponse, error) {
		return g.GetIntegrationResponse(c, &api.GetIntegrationResponseRequest{ApiId: &id, IntegrationId: &integration, IntegrationResponseId: made.IntegrationResponseId})
	}
	sameJSON(t, "read", must[*api.GetIntegrationResponseResponse](t)(get()), marshal(t, made))
	update := func(in api.UpdateIntegrationResponseRequest) error {
		in.ApiId, in.IntegrationId, in.IntegrationResponseId = &id, &integration, made.IntegrationResponseId
		return one(g.UpdateIntegrationResponse(c, &in))
	}
	if err := update(api.UpdateIntegrationResponseRequest{IntegrationResponseKey: new("/4\\d\\d/"), TemplateSelectionExpression: new(""), ResponseTemplates: map[string]string{"a": "b"}}); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "updated", must[*api.GetIntegrationResponseResponse](t)(get()), `{"IntegrationResponseId": "`+*made.IntegrationResponseId+`", "IntegrationResponseKey": "/4\\d\\d/",
		"ContentHandlingStrategy": "CONVERT_TO_TEXT", "ResponseTemplates": {"$default": "{}", "a": "b"}}`)
	const badKey = "BadRequestException 400: Invalid integration response key specified: "
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"a status":            {one(create("200")), badKey + "200"},
		"an empty expression": {one(create("//")), badKey + "//"},
		"no key":              {update(api.UpdateIntegrationResponseRequest{IntegrationResponseKey: new("")}), badKey},
		"a key twice":         {update(api.UpdateIntegrationResponseRequest{IntegrationResponseKey: new("$default")}), "ConflictException 409: IntegrationResponse with key $default already exists for this Integration"},
		"a long template":     {update(api.UpdateIntegrationResponseRequest{ResponseTemplates: map[string]string{"a": strings.Repeat("x", 32<<10+1)}}), "BadRequestException 400: Member must have length less than or equal to 32768: responseTemplates"},
	} {
		if got := describeError(test.err); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if err := g.DeleteIntegrationResponse(c, &api.DeleteIntegrationResponseRequest{ApiId: &id, IntegrationId: &integration, IntegrationResponseId: made.IntegrationResponseId}); err != nil {
		t.Fatal(err)
	}
	if _, err := get(); describeError(err) != "NotFoundException 404: Invalid IntegrationResponse identifier specified" {
		t.Errorf("after its deletion: %v", err)
	}
	if n := len(must[*api.GetIntegrationResponsesResponse](t)(g.GetIntegrationResponses(c, &api.GetIntegrationResponsesRequest{ApiId: &id, IntegrationId: &integration})).Items); n != 1 {
		t.Errorf("%d responses, want the other one", n)
	}
	// An integration takes its responses with it.
	if err := g.DeleteIntegration(c, &api.DeleteIntegrationRequest{ApiId: &id, IntegrationId: &integration}); err != nil {
		t.Fatal(err)
	}
	g.absent("apigatewayv2/integration-response")
}
