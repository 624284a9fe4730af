package apigatewayv2_test

import (
	"encoding/json"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
)

const authorizerURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + functionARN + "/invocations"

func jwtAuthorizer(apiID string) *api.CreateAuthorizerRequest {
	return &api.CreateAuthorizerRequest{
		ApiId: &apiID, Name: new("jwt"), AuthorizerType: new("JWT"), IdentitySource: []string{"$request.header.Authorization"},
		JwtConfiguration: &api.JWTConfiguration{Issuer: new("https://issuer.example/"), Audience: []string{"a"}},
	}
}

func requestAuthorizer(apiID string) *api.CreateAuthorizerRequest {
	return &api.CreateAuthorizerRequest{
		ApiId: &apiID, Name: new("request"), AuthorizerType: new("REQUEST"), IdentitySource: []string{},
		AuthorizerUri: new(authorizerURI), AuthorizerPayloadFormatVersion: new("2.0"),
	}
}

// authorizers makes a JWT and a REQUEST authorizer.
func (g *gateway) authorizers(apiID string) (jwt, request string) {
	g.t.Helper()
	create := must[*api.CreateAuthorizerResponse](g.t)
	return *create(g.CreateAuthorizer(g.call(), jwtAuthorizer(apiID))).AuthorizerId, *create(g.CreateAuthorizer(g.call(), requestAuthorizer(apiID))).AuthorizerId
}

// What is written is what is read, and nothing is added to it.
func TestAuthorizers(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	c := g.call()
	jwt, request := g.authorizers(id)
	get := func(authorizer string) *api.GetAuthorizerResponse {
		t.Helper()
		return must[*api.GetAuthorizerResponse](t)(g.GetAuthorizer(c, &api.GetAuthorizerRequest{ApiId: &id, AuthorizerId: &authorizer}))
	}
	sameJSON(t, "JWT", get(jwt), `{"AuthorizerId": "`+jwt+`", "AuthorizerType": "JWT", "Name": "jwt", "IdentitySource": ["$request.header.Authorization"],
		"JwtConfiguration": {"Issuer": "https://issuer.example/", "Audience": ["a"]}}`)
	sameJSON(t, "REQUEST", get(request), `{"AuthorizerId": "`+request+`", "AuthorizerType": "REQUEST", "Name": "request",
		"AuthorizerUri": "`+authorizerURI+`", "AuthorizerPayloadFormatVersion": "2.0"}`)
	if len(jwt) != 6 {
		t.Errorf("the id is %q, AWS's have six characters", jwt)
	}

	update := func(in *api.UpdateAuthorizerRequest) *api.UpdateAuthorizerResponse {
		t.Helper()
		in.ApiId = &id
		got := must[*api.UpdateAuthorizerResponse](t)(g.UpdateAuthorizer(c, in))
		sameJSON(t, "read after an update", get(*in.AuthorizerId), marshal(t, got))
		return got
	}
	update(&api.UpdateAuthorizerRequest{AuthorizerId: &request, AuthorizerResultTtlInSeconds: new(int32(300)),
		IdentitySource:        []string{"$request.header.X-Key", "$request.querystring.key", "$context.http.sourceIp", "$stageVariables.salt"},
		EnableSimpleResponses: new(true), AuthorizerCredentialsArn: new("arn:aws:iam::000000000000:role/${stageVariables.role}"),
		AuthorizerUri: new("arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.fn}"), IdentityValidationExpression: new("unused")})
	got := update(&api.UpdateAuthorizerRequest{AuthorizerId: &request, Name: new("renamed"), AuthorizerCredentialsArn: new(""), AuthorizerResultTtlInSeconds: new(int32(0))})
	sameJSON(t, "after updates", got, `{"AuthorizerId": "`+request+`", "AuthorizerType": "REQUEST", "Name": "renamed",
		"AuthorizerUri": "arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.fn}", "AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true,
		"IdentitySource": ["$request.header.X-Key", "$request.querystring.key", "$context.http.sourceIp", "$stageVariables.salt"],
		"AuthorizerResultTtlInSeconds": 0, "IdentityValidationExpression": "unused"}`)
	// Of another type, it keeps nothing of the former.
	got = update(&api.UpdateAuthorizerRequest{AuthorizerId: &request, AuthorizerType: new("JWT"), IdentitySource: []string{"$request.querystring.token"},
		JwtConfiguration: &api.JWTConfiguration{Issuer: new("http://127.0.0.1:9000"), Audience: []string{"b"}}})
	sameJSON(t, "of another type", got, `{"AuthorizerId": "`+request+`", "AuthorizerType": "JWT", "Name": "renamed",
		"IdentitySource": ["$request.querystring.token"], "JwtConfiguration": {"Issuer": "http://127.0.0.1:9000", "Audience": ["b"]}}`)

	first := must[*api.GetAuthorizersResponse](t)(g.GetAuthorizers(c, &api.GetAuthorizersRequest{ApiId: &id, MaxResults: new("1")}))
	second := must[*api.GetAuthorizersResponse](t)(g.GetAuthorizers(c, &api.GetAuthorizersRequest{ApiId: &id, MaxResults: new("1"), NextToken: first.NextToken}))
	if len(first.Items) != 1 || len(second.Items) != 1 || *first.Items[0].AuthorizerId == *second.Items[0].AuthorizerId || second.NextToken != nil {
		t.Errorf("pages %+v and %+v", first, second)
	}
	if err := g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{ApiId: &id, AuthorizerId: &jwt}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.GetAuthorizer(c, &api.GetAuthorizerRequest{ApiId: &id, AuthorizerId: &jwt}); describeError(err) != "NotFoundException 404: Invalid Authorizer identifier specified" {
		t.Errorf("after its deletion: %v", err)
	}
	// Its name is free again.
	must[*api.CreateAuthorizerResponse](t)(g.CreateAuthorizer(c, jwtAuthorizer(id)))
	if err := g.ResetAuthorizersCache(c, &api.ResetAuthorizersCacheRequest{ApiId: &id, StageName: new("$default")}); err != nil {
		t.Errorf("resetting the cache: %v", err)
	}
	if len(g.flushed) != 1 || g.flushed[0] != id+"/$default" {
		t.Errorf("flushed %q", g.flushed)
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAuthorizerRefusals(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	other, _, _ := g.hello()
	c := g.call()
	jwt, request := g.authorizers(id)
	must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET /jwt"), AuthorizationType: new("JWT"), AuthorizerId: &jwt}))

	type create = api.CreateAuthorizerRequest
	newJWT := func(change func(in *create)) error {
		in := with(*jwtAuthorizer(id), func(in *create) { in.Name = new("new") })
		return one(g.CreateAuthorizer(c, new(with(in, change))))
	}
	newRequest := func(change func(in *create)) error {
		in := with(*requestAuthorizer(id), func(in *create) { in.Name = new("new") })
		return one(g.CreateAuthorizer(c, new(with(in, change))))
	}
	issuer := func(issuer string) error {
		return newJWT(func(in *create) { in.JwtConfiguration = &api.JWTConfiguration{Issuer: &issuer} })
	}
	source := func(source string) error {
		return newRequest(func(in *create) { in.IdentitySource = []string{source} })
	}
	update := func(id, authorizer string, in api.UpdateAuthorizerRequest) error {
		in.ApiId, in.AuthorizerId = &id, &authorizer
		return one(g.UpdateAuthorizer(c, &in))
	}
	const badIssuer = "BadRequestException 400: Invalid issuer: Issuer is not a valid URL for JWT Authorizer"
	const badSource = "BadRequestException 400: Invalid identity source expression: "
	const onlyRequest = "BadRequestException 400: AuthorizerUri, AuthorizerCredentialsArn, AuthorizerResultTtlInSeconds and EnableSimpleResponses are only supported for REQUEST"

	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"unknown API", one(g.CreateAuthorizer(c, jwtAuthorizer("nope"))), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"unknown API of a list", one(g.GetAuthorizers(c, &api.GetAuthorizersRequest{ApiId: new("nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"unknown", one(g.GetAuthorizer(c, &api.GetAuthorizerRequest{ApiId: &id, AuthorizerId: new("nope")})), "NotFoundException 404: Invalid Authorizer identifier specified"},
		{"of another API", one(g.GetAuthorizer(c, &api.GetAuthorizerRequest{ApiId: &other, AuthorizerId: &jwt})), "NotFoundException 404: Invalid Authorizer identifier specified"},
		{"updating an unknown one", update(id, "nope", api.UpdateAuthorizerRequest{}), "NotFoundException 404: Invalid Authorizer identifier specified"},
		{"deleting an unknown one", g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{ApiId: &id, AuthorizerId: new("nope")}), "NotFoundException 404: Invalid Authorizer identifier specified"},
		{"the cache of an unknown API", g.ResetAuthorizersCache(c, &api.ResetAuthorizersCacheRequest{ApiId: new("nope"), StageName: new("$default")}), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"the cache of an unknown stage", g.ResetAuthorizersCache(c, &api.ResetAuthorizersCacheRequest{ApiId: &id, StageName: new("nope")}), "NotFoundException 404: Invalid stage identifier specified"},

		{"no name", newJWT(func(in *create) { in.Name = new("") }), "BadRequestException 400: Name is required"},
		{"long name", newJWT(func(in *create) { in.Name = new(strings.Repeat("n", 129)) }), "BadRequestException 400: Member must have length"},
		{"name taken", newJWT(func(in *create) { in.Name = new("request") }), "BadRequestException 400: Authorizer name must be unique. Authorizer request already exists in this RestApi."},
		{"name taken by an update", update(id, jwt, api.UpdateAuthorizerRequest{Name: new("request")}), "BadRequestException 400: Authorizer name must be unique."},
		{"type", newJWT(func(in *create) { in.AuthorizerType = new("TOKEN") }), "BadRequestException 400: Invalid authorizer type specified: TOKEN"},
		{"payload version", newRequest(func(in *create) { in.AuthorizerPayloadFormatVersion = new("3.0") }), "BadRequestException 400: Invalid payload format version specified: 3.0"},
		{"long validation", newRequest(func(in *create) { in.IdentityValidationExpression = new(strings.Repeat("x", 1025)) }), "BadRequestException 400: Member must have length"},

		{"no issuer", newJWT(func(in *create) { in.JwtConfiguration = &api.JWTConfiguration{Audience: []string{"a"}} }), badIssuer},
		{"no configuration", newJWT(func(in *create) { in.JwtConfiguration = nil }), "BadRequestException 400: JwtConfiguration must not be null for JWT Authorizer"},
		{"issuer without scheme", issuer("accounts.example"), badIssuer},
		{"issuer of another scheme", issuer("ftp://accounts.example"), badIssuer},
		{"issuer without host", issuer("https:///x"), badIssuer},
		{"issuer with a query", issuer("https://accounts.example?x=1"), badIssuer},
		{"issuer with a user", issuer("https://u@accounts.example"), badIssuer},
		{"issuer without TLS", issuer("http://accounts.example"), badIssuer},
		{"broken issuer", issuer("https://[x"), badIssuer},
		{"long issuer", issuer("https://" + strings.Repeat("x", 2048)), "BadRequestException 400: Member must have length"},
		{"no audience", newJWT(func(in *create) { in.JwtConfiguration.Audience = nil }), "BadRequestException 400: Audience list must have at least 1 item for JWT Authorizer"},
		{"audiences taken away", update(id, jwt, api.UpdateAuthorizerRequest{JwtConfiguration: &api.JWTConfiguration{Issuer: new("https://issuer.example"), Audience: []string{}}}), "BadRequestException 400: Audience list must have at least 1 item for JWT Authorizer"},
		{"too many audiences", newJWT(func(in *create) { in.JwtConfiguration.Audience = strings.Fields(strings.Repeat("a ", 51)) }), "BadRequestException 400: A JWT authorizer can have at most 50 audiences"},
		{"empty audience", newJWT(func(in *create) { in.JwtConfiguration.Audience = []string{""} }), "BadRequestException 400: An audience must not be empty"},
		{"no identity source", newJWT(func(in *create) { in.IdentitySource = []string{} }), "BadRequestException 400: A JWT authorizer must have exactly one identity source"},
		{"two identity sources", newJWT(func(in *create) { in.IdentitySource = []string{"$request.header.a", "$request.header.b"} }), "BadRequestException 400: A JWT authorizer must have exactly one identity source"},
		{"the context for a token", newJWT(func(in *create) { in.IdentitySource = []string{"$context.routeKey"} }), badSource + "$context.routeKey. The source must be a request header, request querystring, stage variable or context parameter"},
		{"a function for a token", newJWT(func(in *create) { in.AuthorizerUri = new(authorizerURI) }), onlyRequest},
		{"a role for a token", newJWT(func(in *create) { in.AuthorizerCredentialsArn = new("arn:aws:iam::000000000000:role/r") }), onlyRequest},
		{"a cache for a token", newJWT(func(in *create) { in.AuthorizerResultTtlInSeconds = new(int32(1)) }), onlyRequest},
		{"simple responses for a token", newJWT(func(in *create) { in.EnableSimpleResponses = new(true) }), onlyRequest},

		{"no payload version", newRequest(func(in *create) { in.AuthorizerPayloadFormatVersion = nil }), "BadRequestException 400: AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"},
		{"clearing the payload version", update(id, request, api.UpdateAuthorizerRequest{AuthorizerPayloadFormatVersion: new("")}), "BadRequestException 400: AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"},
		{"simple responses of 1.0", newRequest(func(in *create) {
			in.AuthorizerPayloadFormatVersion, in.EnableSimpleResponses = new("1.0"), new(true)
		}), `BadRequestException 400: EnableSimpleResponses can only be set for AuthorizerPayloadFormatVersion "2.0".`},
		{"a cache of nothing", newRequest(func(in *create) { in.AuthorizerResultTtlInSeconds = new(int32(300)) }), "BadRequestException 400: Identity source must be set if authorizer caching is enabled (TTL is greater than 0)"},
		{"a long cache", newRequest(func(in *create) { in.AuthorizerResultTtlInSeconds = new(int32(3601)) }), "BadRequestException 400: Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds."},
		{"a negative cache", newRequest(func(in *create) { in.AuthorizerResultTtlInSeconds = new(int32(-1)) }), "BadRequestException 400: Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds."},
		{"no function", newRequest(func(in *create) { in.AuthorizerUri = nil }), "BadRequestException 400: AuthorizerUri is a required field in an Authorizer"},
		{"not a function", newRequest(func(in *create) { in.AuthorizerUri = new("https://h.example") }), `BadRequestException 400: Invalid authorizer URI specified: "https://h.example" is not an ARN`},
		{"a broken variable", newRequest(func(in *create) {
			in.AuthorizerUri = new("arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.a-b}")
		}), "BadRequestException 400: Invalid authorizer URI specified"},
		{"a long URI", newRequest(func(in *create) { in.AuthorizerUri = new(functionARN + strings.Repeat("x", 2048)) }), "BadRequestException 400: Member must have length"},
		{"a user", newRequest(func(in *create) { in.AuthorizerCredentialsArn = new("arn:aws:iam::000000000000:user/u") }), "BadRequestException 400: Invalid ARN specified in the request"},
		{"the caller", newRequest(func(in *create) { in.AuthorizerCredentialsArn = new("arn:aws:iam::*:user/*") }), "BadRequestException 400: Invalid ARN specified in the request"},
		{"a token's configuration", newRequest(func(in *create) { in.JwtConfiguration = &api.JWTConfiguration{Issuer: new("https://i")} }), "BadRequestException 400: JwtConfiguration is only supported for JWT"},
		{"a REST API's source", source("method.request.header.Auth"), badSource + "method.request.header.Auth"},
		{"a WebSocket API's source", source("route.request.header.Auth"), badSource},
		{"an empty source", source(""), badSource},
		{"a header without a name", source("$request.header."), badSource},
		{"a header that isn't one", source("$request.header.a b"), badSource},
		{"a parameter without a name", source("$request.querystring."), badSource},
		{"a parameter with a line end", source("$request.querystring.a\n"), badSource},
		{"the body", source("$request.body"), badSource},
		{"a context without a name", source("$context."), badSource},
		{"a context that isn't one", source("$context.a..b"), badSource},
		{"a variable that isn't one", source("$stageVariables.a-b"), badSource},

		{"in use", g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{ApiId: &id, AuthorizerId: &jwt}), "ConflictException 409: Cannot delete authorizer 'jwt', is referenced in route: GET /jwt"},
		{"another type while in use", update(id, jwt, api.UpdateAuthorizerRequest{AuthorizerType: new("REQUEST")}), "ConflictException 409: Cannot change the type of authorizer 'jwt', is referenced in route: GET /jwt"},
	} {
		if got := describeError(test.err); !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	if n := len(must[*api.GetAuthorizersResponse](t)(g.GetAuthorizers(c, &api.GetAuthorizersRequest{ApiId: &id})).Items); n != 2 {
		t.Errorf("%d authorizers, want 2: what was refused has left something behind", n)
	}
}
