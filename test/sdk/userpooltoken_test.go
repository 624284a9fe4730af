package sdk

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	resttypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/harness"
)

// TestUserPoolTokens has a user of a pool of the gateway's own call a REST API
// with a COGNITO_USER_POOLS authorizer and an HTTP API with a JWT authorizer.
func TestUserPoolTokens(t *testing.T) {
	gw := harness.Start(t, "")
	ctx := t.Context()
	pool := callPool(t, gw, "CreateUserPool", `{"PoolName": "readers"}`)["UserPool"].(map[string]any)
	poolID := pool["Id"].(string)
	client := callPool(t, gw, "CreateUserPoolClient", `{"UserPoolId": "`+poolID+`", "ClientName": "web", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}`)["UserPoolClient"].(map[string]any)
	clientID := client["ClientId"].(string)
	callPool(t, gw, "AdminCreateUser", `{"UserPoolId": "`+poolID+`", "Username": "ann", "MessageAction": "SUPPRESS"}`)
	callPool(t, gw, "AdminSetUserPassword", `{"UserPoolId": "`+poolID+`", "Username": "ann", "Password": "Correct-h0rse", "Permanent": true}`)
	callPool(t, gw, "CreateGroup", `{"UserPoolId": "`+poolID+`", "GroupName": "readers"}`)
	callPool(t, gw, "AdminAddUserToGroup", `{"UserPoolId": "`+poolID+`", "Username": "ann", "GroupName": "readers"}`)
	signedIn := callPool(t, gw, "InitiateAuth", `{"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "`+clientID+`", "AuthParameters": {"USERNAME": "ann", "PASSWORD": "Correct-h0rse"}}`)["AuthenticationResult"].(map[string]any)
	id, access := signedIn["IdToken"].(string), signedIn["AccessToken"].(string)

	// A REST API that says who calls.
	rest := apigateway.NewFromConfig(gw.Config())
	api := must(rest.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: new("books")}))(t)
	authorizer := must(rest.CreateAuthorizer(ctx, &apigateway.CreateAuthorizerInput{
		RestApiId: api.Id, Name: new("pool"), Type: resttypes.AuthorizerTypeCognitoUserPools,
		IdentitySource: new("method.request.header.Authorization"), ProviderARNs: []string{pool["Arn"].(string)},
	}))(t)
	method := func(path string, scopes ...string) {
		t.Helper()
		resource := must(rest.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: api.Id, ParentId: api.RootResourceId, PathPart: &path}))(t).Id
		must(rest.PutMethod(ctx, &apigateway.PutMethodInput{
			RestApiId: api.Id, ResourceId: resource, HttpMethod: new("GET"), AuthorizationType: new("COGNITO_USER_POOLS"),
			AuthorizerId: authorizer.Id, AuthorizationScopes: scopes,
		}))(t)
		must(rest.PutIntegration(ctx, &apigateway.PutIntegrationInput{
			RestApiId: api.Id, ResourceId: resource, HttpMethod: new("GET"), Type: resttypes.IntegrationTypeMock,
			RequestTemplates: map[string]string{"application/json": `{"statusCode": 200}`},
		}))(t)
		must(rest.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{RestApiId: api.Id, ResourceId: resource, HttpMethod: new("GET"), StatusCode: new("200")}))(t)
		must(rest.PutIntegrationResponse(ctx, &apigateway.PutIntegrationResponseInput{
			RestApiId: api.Id, ResourceId: resource, HttpMethod: new("GET"), StatusCode: new("200"),
			ResponseTemplates: map[string]string{"application/json": `$context.authorizer.claims['cognito:username'] $context.authorizer.claims.get("cognito:groups") $context.authorizer.claims.token_use`},
		}))(t)
	}
	method("id")
	method("access", "aws.cognito.signin.user.admin")
	method("other", "books/read")
	must(rest.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: new("test")}))(t)

	// An HTTP API that only lets pass: its route has no integration.
	http2 := apigatewayv2.NewFromConfig(gw.Config())
	web := must(http2.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("books"), ProtocolType: types.ProtocolTypeHttp}))(t).ApiId
	issuer := "https://cognito-idp." + region + ".amazonaws.com/" + poolID
	jwt := must(http2.CreateAuthorizer(ctx, &apigatewayv2.CreateAuthorizerInput{
		ApiId: web, Name: new("pool"), AuthorizerType: types.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"},
		JwtConfiguration: &types.JWTConfiguration{Issuer: &issuer, Audience: []string{clientID}},
	}))(t).AuthorizerId
	must(http2.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: web, RouteKey: new("GET /books"), AuthorizationType: types.AuthorizationTypeJwt, AuthorizerId: jwt}))(t)
	must(http2.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: web, StageName: new("$default"), AutoDeploy: new(true)}))(t)

	const unauthorized = `{"message":"Unauthorized"}`
	for _, test := range []struct {
		name, api, path, token string
		status                 int
		body                   string
	}{
		{"an ID token", *api.Id, "/test/id", id, 200, "ann readers id"},
		{"an ID token with its scheme", *api.Id, "/test/id", "Bearer " + id, 200, "ann readers id"},
		{"an access token for its scope", *api.Id, "/test/access", access, 200, " readers access"},
		{"an access token without scopes", *api.Id, "/test/id", access, 401, unauthorized},
		{"an ID token for a scope", *api.Id, "/test/access", id, 401, unauthorized},
		{"another scope", *api.Id, "/test/other", access, 401, unauthorized},
		{"none", *api.Id, "/test/id", "", 401, unauthorized},
		{"an ID token for an HTTP API", *web, "/books", id, 500, `{"message":"Internal Server Error"}`},
		{"an access token for an HTTP API", *web, "/books", "Bearer " + access, 500, `{"message":"Internal Server Error"}`},
		{"none for an HTTP API", *web, "/books", "", 401, unauthorized},
	} {
		status, _, body := callWithToken(t, gw, test.api+".execute-api.localhost", test.path, test.token)
		if status != test.status || body != test.body {
			t.Errorf("%s: %d %s, want %d %s", test.name, status, body, test.status, test.body)
		}
	}
	if strings.Contains(gw.Logs(), id) || strings.Contains(gw.Logs(), access) {
		t.Error("a token is in the log")
	}
}

// callPool calls an operation of user pools, which this module has no SDK for.
func callPool(t *testing.T, gw *harness.Gateway, operation, in string) map[string]any {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, gw.URL, bytes.NewReader([]byte(in))))(t)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	now := time.Now().UTC()
	req.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/"+now.Format("20060102")+"/us-east-1/cognito-idp/aws4_request, SignedHeaders=host;x-amz-date, Signature=00")
	resp := must(http.DefaultClient.Do(req))(t)
	defer resp.Body.Close() //nolint:errcheck // read only
	text := must(io.ReadAll(resp.Body))(t)
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil && len(text) > 0 || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", operation, resp.StatusCode, text)
	}
	return out
}
