package apigatewayv2_test

import (
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
)

func TestRouteAuthorization(t *testing.T) {
	g := newGateway(t)
	id, integration, route := g.hello()
	c := g.call()
	jwt, request := g.authorizers(id)
	update := func(in api.UpdateRouteRequest) error {
		in.ApiId, in.RouteId = &id, &route
		return one(g.UpdateRoute(c, &in))
	}
	// check reads the route, and asks whether its requests are let through.
	check := func(name, want string) {
		t.Helper()
		got := must[*api.GetRouteResult](t)(g.GetRoute(c, &api.GetRouteRequest{ApiId: &id, RouteId: &route}))
		sameJSON(t, name, got, `{"ApiKeyRequired": false, "RouteId": "`+route+`", "RouteKey": "GET /hello", "Target": "integrations/`+integration+`", `+want+`}`)
		for range 2 {
			closed := strings.Contains(g.route(id, "GET", "/hello"), "fault: ")
			if open := *got.AuthorizationType == "NONE"; open == closed {
				t.Errorf("%s: requests are answered with %s", name, g.route(id, "GET", "/hello"))
			}
			g.reload()
		}
	}
	const (
		needsJWT     = "BadRequestException 400: Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer."
		needsRequest = "BadRequestException 400: Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer."
		takesNone    = "BadRequestException 400: Invalid authorizer ID specified. The authorization type "
		onlyJWT      = "BadRequestException 400: Invalid Route authorization type specified. Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization types"
		open         = `"AuthorizationType": "NONE"`
	)
	refused := func(name string, err error, want string) {
		t.Helper()
		if got := describeError(err); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	accepted := func(name string, err error, want string) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		check(name, want)
	}

	check("at first", open)
	refused("JWT alone", update(api.UpdateRouteRequest{AuthorizationType: new("JWT")}), needsJWT)
	refused("JWT with an unknown authorizer", update(api.UpdateRouteRequest{AuthorizationType: new("JWT"), AuthorizerId: new("nope")}), needsJWT)
	refused("JWT with a function", update(api.UpdateRouteRequest{AuthorizationType: new("JWT"), AuthorizerId: &request}), needsJWT)
	refused("CUSTOM alone", update(api.UpdateRouteRequest{AuthorizationType: new("CUSTOM")}), needsRequest)
	refused("CUSTOM with a token", update(api.UpdateRouteRequest{AuthorizationType: new("CUSTOM"), AuthorizerId: &jwt}), needsRequest)
	refused("an authorizer alone", update(api.UpdateRouteRequest{AuthorizerId: &jwt}), takesNone+"NONE")
	refused("AWS_IAM with an authorizer", update(api.UpdateRouteRequest{AuthorizationType: new("AWS_IAM"), AuthorizerId: &request}), takesNone+"AWS_IAM")
	refused("scopes alone", update(api.UpdateRouteRequest{AuthorizationScopes: []string{"a"}}), onlyJWT)
	refused("CUSTOM with scopes", update(api.UpdateRouteRequest{AuthorizationType: new("CUSTOM"), AuthorizerId: &request, AuthorizationScopes: []string{"a"}}), onlyJWT)
	refused("a type that isn't one", update(api.UpdateRouteRequest{AuthorizationType: new("none")}), "BadRequestException 400: Invalid authorization type specified: none")
	refused("a new route with an authorizer alone", one(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET /new"), AuthorizerId: &jwt})), takesNone+"NONE")
	refused("a new route with another API's authorizer", func() error {
		other, _, _ := g.hello()
		theirs, _ := g.authorizers(other)
		return one(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET /new"), AuthorizationType: new("JWT"), AuthorizerId: &theirs}))
	}(), needsJWT)
	check("after refusals", open)

	guarded := `"AuthorizationType": "JWT", "AuthorizerId": "` + jwt + `"`
	accepted("JWT", update(api.UpdateRouteRequest{AuthorizationType: new("JWT"), AuthorizerId: &jwt, AuthorizationScopes: []string{"a", "b"}}), guarded+`, "AuthorizationScopes": ["a", "b"]`)
	// What is rebuilt under the route leaves it closed.
	must[*api.UpdateIntegrationResult](t)(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{ApiId: &id, IntegrationId: &integration, IntegrationUri: new(functionARN + ":live")}))
	check("another integration", guarded+`, "AuthorizationScopes": ["a", "b"]`)
	refused("many scopes", update(api.UpdateRouteRequest{AuthorizationScopes: strings.Fields("a b c d e f g h i j k")}), "BadRequestException 400: A route can have at most 10 authorization scopes")
	refused("an empty scope", update(api.UpdateRouteRequest{AuthorizationScopes: []string{""}}), "BadRequestException 400: An authorization scope must not be empty")
	refused("a long scope", update(api.UpdateRouteRequest{AuthorizationScopes: []string{strings.Repeat("s", 65)}}), "BadRequestException 400: Member must have length")
	refused("taking the authorizer away", update(api.UpdateRouteRequest{AuthorizerId: new("")}), needsJWT)
	accepted("fewer scopes", update(api.UpdateRouteRequest{AuthorizationScopes: []string{"b"}}), guarded+`, "AuthorizationScopes": ["b"]`)
	accepted("nothing", update(api.UpdateRouteRequest{}), guarded+`, "AuthorizationScopes": ["b"]`)
	accepted("the same", update(api.UpdateRouteRequest{AuthorizationType: new("JWT")}), guarded+`, "AuthorizationScopes": ["b"]`)
	accepted("no scopes", update(api.UpdateRouteRequest{AuthorizationScopes: []string{}}), guarded)

	// Naming the new type is enough, and frees the authorizer.
	accepted("CUSTOM", update(api.UpdateRouteRequest{AuthorizationType: new("CUSTOM"), AuthorizerId: &request}), `"AuthorizationType": "CUSTOM", "AuthorizerId": "`+request+`"`)
	if err := g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{ApiId: &id, AuthorizerId: &jwt}); err != nil {
		t.Errorf("deleting the authorizer that was left: %v", err)
	}
	refused("deleting the one in use", g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{ApiId: &id, AuthorizerId: &request}), "ConflictException 409: Cannot delete authorizer 'request', is referenced in route: GET /hello")
	accepted("AWS_IAM", update(api.UpdateRouteRequest{AuthorizationType: new("AWS_IAM")}), `"AuthorizationType": "AWS_IAM"`)
	accepted("NONE", update(api.UpdateRouteRequest{AuthorizationType: new("NONE"), AuthorizerId: new(""), AuthorizationScopes: []string{}}), open)
	accepted("CUSTOM again", update(api.UpdateRouteRequest{AuthorizationType: new("CUSTOM"), AuthorizerId: &request}), `"AuthorizationType": "CUSTOM", "AuthorizerId": "`+request+`"`)
	if err := g.DeleteRoute(c, &api.DeleteRouteRequest{ApiId: &id, RouteId: &route}); err != nil {
		t.Fatal(err)
	}
	if err := g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{ApiId: &id, AuthorizerId: &request}); err != nil {
		t.Errorf("deleting the authorizer of a route that is gone: %v", err)
	}
}
