package apigatewayv2

import (
	"reflect"
	"testing"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/plan"
)

func TestApply(t *testing.T) {
	shape := func() *apigatewayv2.Route {
		return &apigatewayv2.Route{
			OperationName:       new("op"),
			ApiKeyRequired:      new(true),
			AuthorizationScopes: []string{"a"},
			RequestModels:       map[string]string{"x": "1", "y": "2"},
			RequestParameters:   map[string]apigatewayv2.ParameterConstraints{"p": {Required: new(true)}},
		}
	}
	for _, test := range []struct {
		name    string
		request apigatewayv2.UpdateRouteRequest
		change  func(want *apigatewayv2.Route)
	}{
		{"nothing", apigatewayv2.UpdateRouteRequest{}, func(*apigatewayv2.Route) {}},
		{"a label the shape lacks", apigatewayv2.UpdateRouteRequest{ApiId: new("a")}, func(*apigatewayv2.Route) {}},
		{"a text", apigatewayv2.UpdateRouteRequest{OperationName: new("new")}, func(r *apigatewayv2.Route) { r.OperationName = new("new") }},
		{"no text", apigatewayv2.UpdateRouteRequest{OperationName: new("")}, func(r *apigatewayv2.Route) { r.OperationName = nil }},
		{"false is a value", apigatewayv2.UpdateRouteRequest{ApiKeyRequired: new(false)}, func(r *apigatewayv2.Route) { r.ApiKeyRequired = new(false) }},
		{"a list", apigatewayv2.UpdateRouteRequest{AuthorizationScopes: []string{"b", "c"}}, func(r *apigatewayv2.Route) { r.AuthorizationScopes = []string{"b", "c"} }},
		{"an empty list", apigatewayv2.UpdateRouteRequest{AuthorizationScopes: []string{}}, func(r *apigatewayv2.Route) { r.AuthorizationScopes = nil }},
		{"a map", apigatewayv2.UpdateRouteRequest{RequestModels: map[string]string{"x": "", "z": "3"}}, func(r *apigatewayv2.Route) { r.RequestModels = map[string]string{"y": "2", "z": "3"} }},
		{"an empty map", apigatewayv2.UpdateRouteRequest{RequestModels: map[string]string{}}, func(*apigatewayv2.Route) {}},
		{"the last of a map", apigatewayv2.UpdateRouteRequest{RequestParameters: map[string]apigatewayv2.ParameterConstraints{"p": {}}}, func(r *apigatewayv2.Route) { r.RequestParameters = nil }},
	} {
		got, want := shape(), shape()
		test.change(want)
		apply(got, &test.request)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", test.name, got, want)
		}
	}
	got := shape()
	apply(got, &apigatewayv2.UpdateRouteRequest{OperationName: new("new")}, "OperationName")
	if *got.OperationName != "op" {
		t.Error("a skipped member was set")
	}
	// What was stored may be shared with a reader.
	models := map[string]string{"x": "1"}
	apply(&apigatewayv2.Route{RequestModels: models}, &apigatewayv2.UpdateRouteRequest{RequestModels: map[string]string{"x": "2"}})
	if models["x"] != "1" {
		t.Error("the stored map was written")
	}
}

func TestPresent(t *testing.T) {
	in := &apigatewayv2.CreateIntegrationRequest{ConnectionId: new(""), RequestParameters: map[string]string{}, TlsConfig: &apigatewayv2.TlsConfigInput{}}
	if got := present(in, "ConnectionId", "RequestParameters", "TlsConfig", "NoSuchMember"); got != "" {
		t.Errorf("%s counts as present", got)
	}
	in.RequestParameters["a"] = "b"
	if got := present(in, "ConnectionId", "RequestParameters"); got != "RequestParameters" {
		t.Errorf("present = %q", got)
	}
}

// Every request of this service can be applied to its shape: apply knows the
// kinds of all members.
func TestApplyKnowsEveryMember(t *testing.T) {
	for _, pair := range [][2]any{
		{&apigatewayv2.Api{}, &apigatewayv2.CreateApiRequest{}}, {&apigatewayv2.Api{}, &apigatewayv2.UpdateApiRequest{}},
		{&apigatewayv2.Integration{}, &apigatewayv2.CreateIntegrationRequest{}}, {&apigatewayv2.Integration{}, &apigatewayv2.UpdateIntegrationRequest{}},
		{&apigatewayv2.Route{}, &apigatewayv2.CreateRouteRequest{}}, {&apigatewayv2.Route{}, &apigatewayv2.UpdateRouteRequest{}},
		{&apigatewayv2.Authorizer{}, &apigatewayv2.CreateAuthorizerRequest{}}, {&apigatewayv2.Authorizer{}, &apigatewayv2.UpdateAuthorizerRequest{}},
		{&apigatewayv2.Model{}, &apigatewayv2.CreateModelRequest{}}, {&apigatewayv2.Model{}, &apigatewayv2.UpdateModelRequest{}},
		{&apigatewayv2.RouteResponse{}, &apigatewayv2.CreateRouteResponseRequest{}}, {&apigatewayv2.RouteResponse{}, &apigatewayv2.UpdateRouteResponseRequest{}},
		{&apigatewayv2.IntegrationResponse{}, &apigatewayv2.CreateIntegrationResponseRequest{}}, {&apigatewayv2.IntegrationResponse{}, &apigatewayv2.UpdateIntegrationResponseRequest{}},
		{&apigatewayv2.Stage{}, &apigatewayv2.CreateStageRequest{}}, {&apigatewayv2.Stage{}, &apigatewayv2.UpdateStageRequest{}},
		{&apigatewayv2.Deployment{}, &apigatewayv2.CreateDeploymentRequest{}}, {&apigatewayv2.Deployment{}, &apigatewayv2.UpdateDeploymentRequest{}},
	} {
		apply(pair[0], pair[1])
	}
	// The lists of what is refused name members that exist.
	for request, members := range map[any][]string{
		&apigatewayv2.CreateIntegrationRequest{}: integrationLater, &apigatewayv2.UpdateIntegrationRequest{}: integrationLater,
		&apigatewayv2.Route{}: routeWebSocketOnly,
	} {
		for _, name := range members {
			if !reflect.ValueOf(request).Elem().FieldByName(name).IsValid() {
				t.Errorf("%T has no member %s", request, name)
			}
		}
	}
}

// What is stored as a route key can be matched.
func FuzzRouteKey(f *testing.F) {
	for _, key := range []string{"$default", "GET /", "ANY /{proxy+}", "GET /a/{b}/c.d:e_f-g", "POST /{x.y}", "GET /{x+}/y", "GET /x/", "GET  /x", "HEAD /{a}{b}"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if checkRouteKey(key) != nil {
			return
		}
		parsed, err := plan.ParseRouteKey(key)
		if err != nil {
			t.Fatalf("%q was accepted and can't be matched: %v", key, err)
		}
		if key != "$default" && parsed.Method+" "+parsed.Path != key {
			t.Errorf("%q became %q %q", key, parsed.Method, parsed.Path)
		}
	})
}
