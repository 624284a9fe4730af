package apigatewayv2_test

import (
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
)

func TestRouteResponsesOfAnHTTPAPI(t *testing.T) {
	g := newGateway(t)
	id, _, route := g.hello()
	c := g.call()
	if out := must[*api.GetRouteResponsesResponse](t)(g.GetRouteResponses(c, &api.GetRouteResponsesRequest{ApiId: &id, RouteId: &route})); out.Items == nil || len(out.Items) != 0 {
		t.Errorf("route responses %+v, want an empty list", out)
	}
	const none = "NotFoundException 404: Invalid RouteResponse identifier specified"
	const noRoute = "NotFoundException 404: Invalid Route identifier specified"
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"create", one(g.CreateRouteResponse(c, &api.CreateRouteResponseRequest{ApiId: &id, RouteId: &route, RouteResponseKey: new("$default")})),
			"BadRequestException 400: RouteResponses are currently not supported for this API protocol type. This is because the API may only be configured with proxy integration at this time."},
		{"get", one(g.GetRouteResponse(c, &api.GetRouteResponseRequest{ApiId: &id, RouteId: &route, RouteResponseId: new("r")})), none},
		{"update", one(g.UpdateRouteResponse(c, &api.UpdateRouteResponseRequest{ApiId: &id, RouteId: &route, RouteResponseId: new("r")})), none},
		{"delete", g.DeleteRouteResponse(c, &api.DeleteRouteResponseRequest{ApiId: &id, RouteId: &route, RouteResponseId: new("r")}), none},
		{"get from an unknown route", one(g.GetRouteResponse(c, &api.GetRouteResponseRequest{ApiId: &id, RouteId: new("nope"), RouteResponseId: new("r")})), noRoute},
		{"list of an unknown route", one(g.GetRouteResponses(c, &api.GetRouteResponsesRequest{ApiId: &id, RouteId: new("nope")})), noRoute},
		{"create in an unknown API", one(g.CreateRouteResponse(c, &api.CreateRouteResponseRequest{ApiId: new("nope"), RouteId: &route})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
	} {
		if got := describeError(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestRouteResponses(t *testing.T) {
	g := newGateway(t)
	id, route, _ := g.webSocket()
	c := g.call()
	create := func(key string) (*api.CreateRouteResponseResponse, error) {
		return g.CreateRouteResponse(c, &api.CreateRouteResponseRequest{ApiId: &id, RouteId: &route, RouteResponseKey: &key,
			ResponseModels: map[string]string{"$default": "m"}, ResponseParameters: map[string]api.ParameterConstraints{"p": {Required: new(false)}}})
	}
	made := must[*api.CreateRouteResponseResponse](t)(create("$default"))
	get := func() (*api.GetRouteResponseResponse, error) {
		return g.GetRouteResponse(c, &api.GetRouteResponseRequest{ApiId: &id, RouteId: &route, RouteResponseId: made.RouteResponseId})
	}
	sameJSON(t, "read", must[*api.GetRouteResponseResponse](t)(get()), marshal(t, made))
	must[*api.UpdateRouteResponseResponse](t)(g.UpdateRouteResponse(c, &api.UpdateRouteResponseRequest{ApiId: &id, RouteId: &route, RouteResponseId: made.RouteResponseId,
		ModelSelectionExpression: new("$default"), ResponseModels: map[string]string{"$default": "", "x": "y"}, ResponseParameters: map[string]api.ParameterConstraints{"p": {}}}))
	sameJSON(t, "updated", must[*api.GetRouteResponseResponse](t)(get()), `{"RouteResponseId": "`+*made.RouteResponseId+`", "RouteResponseKey": "$default",
		"ModelSelectionExpression": "$default", "ResponseModels": {"x": "y"}}`)
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"another key": {one(create("other")), "BadRequestException 400: Currently, only $default is supported as a RouteResponseKey. The creation of the RouteResponse with a key of $default will indicate to API Gateway that this Route is intended to handle two-way communication."},
		"a key twice": {one(create("$default")), "ConflictException 409: RouteResponse with key $default already exists for this Route"},
	} {
		if got := describeError(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if err := g.DeleteRouteResponse(c, &api.DeleteRouteResponseRequest{ApiId: &id, RouteId: &route, RouteResponseId: made.RouteResponseId}); err != nil {
		t.Fatal(err)
	}
	if _, err := get(); describeError(err) != "NotFoundException 404: Invalid RouteResponse identifier specified" {
		t.Errorf("after its deletion: %v", err)
	}

	// A route takes its responses with it.
	must[*api.CreateRouteResponseResponse](t)(create("$default"))
	if err := g.DeleteRouteRequestParameter(c, &api.DeleteRouteRequestParameterRequest{ApiId: &id, RouteId: &route, RequestParameterKey: new("p")}); err != nil {
		t.Fatal(err)
	}
	if r := must[*api.GetRouteResult](t)(g.GetRoute(c, &api.GetRouteRequest{ApiId: &id, RouteId: &route})); len(r.RequestParameters) != 0 {
		t.Errorf("request parameters %v after the last was deleted", r.RequestParameters)
	}
	if err := g.DeleteRoute(c, &api.DeleteRouteRequest{ApiId: &id, RouteId: &route}); err != nil {
		t.Fatal(err)
	}
	g.absent("apigatewayv2/route-response")
}
