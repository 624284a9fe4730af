package apigateway_test

import (
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
)

const authorizerURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:auth/invocations"

func TestAuthorizers(t *testing.T) {
	g := newGateway(t)
	id, _ := g.api()
	c := g.call()
	create := func(in api.CreateAuthorizerRequest) (*api.Authorizer, error) {
		if in.RestApiId == nil {
			in.RestApiId = &id
		}
		return g.CreateAuthorizer(c, &in)
	}
	token := must[*api.Authorizer](t)(create(api.CreateAuthorizerRequest{Name: new("token"), Type: new("TOKEN"), AuthorizerUri: new(authorizerURI), IdentitySource: new("method.request.header.Authorization")}))
	sameJSON(t, "token", token, `{"authType":"custom","authorizerResultTtlInSeconds":300,"authorizerUri":"`+authorizerURI+`","id":"`+*token.Id+`","identitySource":"method.request.header.Authorization","name":"token","type":"TOKEN"}`)
	const pool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc"
	cognito := must[*api.Authorizer](t)(create(api.CreateAuthorizerRequest{Name: new("pool"), Type: new("COGNITO_USER_POOLS"), ProviderARNs: []string{pool}, IdentitySource: new("method.request.header.Authorization"), AuthorizerResultTtlInSeconds: new(int32(0))}))
	sameJSON(t, "cognito", cognito, `{"authType":"cognito_user_pools","authorizerResultTtlInSeconds":0,"id":"`+*cognito.Id+`","identitySource":"method.request.header.Authorization","name":"pool","providerARNs":["`+pool+`"],"type":"COGNITO_USER_POOLS"}`)
	request := must[*api.Authorizer](t)(create(api.CreateAuthorizerRequest{Name: new("request"), Type: new("REQUEST"), AuthorizerUri: new(authorizerURI), AuthorizerResultTtlInSeconds: new(int32(0))}))
	must[*api.Authorizer](t)(create(api.CreateAuthorizerRequest{Name: new("sources"), Type: new("REQUEST"), AuthorizerUri: new(authorizerURI),
		IdentitySource: new("method.request.header.X, method.request.querystring.q,stageVariables.v,context.identity.sourceIp")}))

	update := func(authorizer *api.Authorizer, triples ...string) (*api.Authorizer, error) {
		return g.UpdateAuthorizer(c, &api.UpdateAuthorizerRequest{RestApiId: &id, AuthorizerId: authorizer.Id, PatchOperations: patch(triples...)})
	}
	sameJSON(t, "updated", must[*api.Authorizer](t)(update(token, "replace", "/name", "other", "replace", "/authorizerResultTtlInSeconds", "60", "replace", "/identityValidationExpression", "^Bearer",
		"replace", "/authorizerCredentials", "arn:aws:iam::000000000000:role/r", "replace", "/type", "REQUEST", "replace", "/identitySource", "context.identity.sourceIp")),
		`{"authType":"custom","authorizerCredentials":"arn:aws:iam::000000000000:role/r","authorizerResultTtlInSeconds":60,"authorizerUri":"`+authorizerURI+`","id":"`+*token.Id+`","identitySource":"context.identity.sourceIp","identityValidationExpression":"^Bearer","name":"other","type":"REQUEST"}`)
	if got := must[*api.Authorizer](t)(update(cognito, "add", "/providerARNs", pool+"2", "remove", "/providerARNs", pool)); len(got.ProviderARNs) != 1 || got.ProviderARNs[0] != pool+"2" {
		t.Errorf("pools %v", got.ProviderARNs)
	}
	if n := len(must[*api.Authorizers](t)(g.GetAuthorizers(c, &api.GetAuthorizersRequest{RestApiId: &id})).Items); n != 4 {
		t.Errorf("%d authorizers", n)
	}
	g.method(id, "/test", "GET", api.Method{AuthorizerId: request.Id})

	tokenOf := func(source string) error {
		return one(create(api.CreateAuthorizerRequest{Name: new("x"), Type: new("TOKEN"), AuthorizerUri: new(authorizerURI), IdentitySource: &source}))
	}
	const unknown = "NotFoundException 404: Invalid Authorizer identifier specified"
	const sources = ". The source must be a request header, request querystring, stage variable or context parameter"
	checkRefusals(t, []refusal{
		{"unknown API", one(create(api.CreateAuthorizerRequest{RestApiId: new("nope")})), "ConflictException 409: Unable to complete operation due to concurrent modification. Please try again later."},
		{"list of an unknown API", one(g.GetAuthorizers(c, &api.GetAuthorizersRequest{RestApiId: new("nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"get nothing", one(g.GetAuthorizer(c, &api.GetAuthorizerRequest{RestApiId: &id, AuthorizerId: new("nope")})), unknown},
		{"delete nothing", g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{RestApiId: &id, AuthorizerId: new("nope")}), unknown},
		{"name twice", one(update(cognito, "replace", "/name", "other")), "BadRequestException 400: Authorizer name must be unique. Authorizer other already exists in this RestApi."},
		{"no name", one(update(cognito, "replace", "/name", "")), "BadRequestException 400: Authorizer name cannot be blank"},
		{"no URI", one(create(api.CreateAuthorizerRequest{Name: new("x"), Type: new("REQUEST")})), "BadRequestException 400: Invalid Authorizer URI: . Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."},
		{"URI of a function", one(update(request, "replace", "/authorizerUri", "arn:aws:lambda:us-east-1:000000000000:function:auth")), "BadRequestException 400: Invalid Authorizer URI: arn:aws:lambda:us-east-1:000000000000:function:auth. Authorizer URI…"},
		{"TTL", one(update(request, "replace", "/authorizerResultTtlInSeconds", "3601")), "BadRequestException 400: Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds."},
		{"TTL without sources", one(update(request, "replace", "/authorizerResultTtlInSeconds", "1")), "BadRequestException 400: Identity source must be set if authorizer caching is enabled (TTL is greater than 0)"},
		{"source of a request", one(update(request, "replace", "/identitySource", "method.request.path.x")), "BadRequestException 400: Invalid identity source specified: 'method.request.path.x'" + sources},
		{"empty source", one(update(request, "replace", "/identitySource", "context.x,")), "BadRequestException 400: Invalid identity source specified: ''" + sources},
		{"query of a token", tokenOf("method.request.querystring.q"), "BadRequestException 400: Invalid identity source specified: 'method.request.querystring.q'. An authorizer of type TOKEN must have one header: method.request.header.{name}"},
		{"two headers of a token", tokenOf("method.request.header.a,method.request.header.b"), "BadRequestException 400: Invalid identity source specified…"},
		{"no pools", one(update(cognito, "remove", "/providerARNs", pool+"2")), "BadRequestException 400: Authorizers of type COGNITO_USER_POOLS must have at least one provider ARN"},
		{"pool", one(update(cognito, "add", "/providerARNs", "x")), "BadRequestException 400: Invalid Cognito User Pool ARN specified: x"},
		{"role", one(update(request, "replace", "/authorizerCredentials", "x")), "BadRequestException 400: Invalid ARN specified in the request. ARN: x"},
		{"type", one(update(request, "replace", "/type", "JWT")), "BadRequestException 400: Invalid authorizer type specified: JWT. Must be one of [TOKEN, REQUEST, COGNITO_USER_POOLS]"},
		{"in use", g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{RestApiId: &id, AuthorizerId: request.Id}), "ConflictException 409: Cannot delete authorizer 'request', is referenced in method: GET//test"},
		{"test", one(g.TestInvokeAuthorizer(c, &api.TestInvokeAuthorizerRequest{RestApiId: &id, AuthorizerId: new("nope")})), "NotFoundException 404: Invalid Authorizer identifier specified"},
		{"test of an unknown API", one(g.TestInvokeAuthorizer(c, &api.TestInvokeAuthorizerRequest{RestApiId: new("nope"), AuthorizerId: request.Id})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
	})
	sameJSON(t, "unchanged", must[*api.Authorizer](t)(g.GetAuthorizer(c, &api.GetAuthorizerRequest{RestApiId: &id, AuthorizerId: request.Id})), marshal(t, request))
	if err := g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{RestApiId: &id, AuthorizerId: token.Id}); err != nil {
		t.Error(err)
	}
}
