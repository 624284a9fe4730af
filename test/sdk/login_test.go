package sdk

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	v1aws "github.com/aws/aws-sdk-go/aws"                       //nolint:SA1019 // the client of Terraform's provider before 5.72
	"github.com/aws/aws-sdk-go/service/cognitoidentityprovider" //nolint:SA1019 // the client of Terraform's provider before 5.72

	"gatehouse/test/harness"
)

// TestLogin has openid-client, which nobody here wrote, sign a person in on a user
// pool's pages and a machine by its secret. The tokens open the routes of an HTTP
// API whose issuer is the pool, by the name that AWS has for it.
func TestLogin(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node isn't installed")
	}
	if _, err := os.Stat(filepath.Join("js", "node_modules", "openid-client")); err != nil {
		t.Skip("openid-client isn't installed: make js")
	}
	const callback, password = "http://localhost:3000/signed-in", "Correct-horse-7"
	gw := harness.Start(t, "")
	ctx := t.Context()

	pools := userPools(t, gw)
	pool := must(pools.CreateUserPool(&cognitoidentityprovider.CreateUserPoolInput{PoolName: new("people")}))(t).UserPool.Id
	must(pools.CreateUserPoolDomain(&cognitoidentityprovider.CreateUserPoolDomainInput{UserPoolId: pool, Domain: new("people")}))(t)
	must(pools.CreateResourceServer(&cognitoidentityprovider.CreateResourceServerInput{
		UserPoolId: pool, Identifier: new("notes"), Name: new("notes"), Scopes: []*cognitoidentityprovider.ResourceServerScopeType{
			{ScopeName: new("read"), ScopeDescription: new("Read notes")}, {ScopeName: new("write"), ScopeDescription: new("Write notes")},
		}}))(t)
	page := must(pools.CreateUserPoolClient(&cognitoidentityprovider.CreateUserPoolClientInput{
		UserPoolId: pool, ClientName: new("page"), AllowedOAuthFlowsUserPoolClient: new(true), AllowedOAuthFlows: v1aws.StringSlice([]string{"code"}),
		AllowedOAuthScopes: v1aws.StringSlice([]string{"openid", "email", "notes/read", "notes/write"}), CallbackURLs: v1aws.StringSlice([]string{callback}),
	}))(t).UserPoolClient
	machine := must(pools.CreateUserPoolClient(&cognitoidentityprovider.CreateUserPoolClientInput{
		UserPoolId: pool, ClientName: new("machine"), GenerateSecret: new(true), AllowedOAuthFlowsUserPoolClient: new(true),
		AllowedOAuthFlows: v1aws.StringSlice([]string{"client_credentials"}), AllowedOAuthScopes: v1aws.StringSlice([]string{"notes/read"}),
	}))(t).UserPoolClient
	must(pools.AdminCreateUser(&cognitoidentityprovider.AdminCreateUserInput{
		UserPoolId: pool, Username: new("ann"), TemporaryPassword: new("Tempor4ry!"), UserAttributes: []*cognitoidentityprovider.AttributeType{
			{Name: new("email"), Value: new("ann@example.com")}, {Name: new("email_verified"), Value: new("true")},
		}}))(t)
	must(pools.AdminSetUserPassword(&cognitoidentityprovider.AdminSetUserPasswordInput{UserPoolId: pool, Username: new("ann"), Password: new(password), Permanent: new(true)}))(t)

	issuer := "https://cognito-idp." + region + ".amazonaws.com/" + *pool
	f := functionsOf(t, gw)
	f.create(t, zipOf(t, "index.js", callerCode), func(*lambda.CreateFunctionInput) {})
	client := apigatewayv2.NewFromConfig(gw.Config())
	api := must(client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("notes"), ProtocolType: types.ProtocolTypeHttp}))(t).ApiId
	integration := must(client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: new(functionARN), PayloadFormatVersion: new("2.0"),
	}))(t).IntegrationId
	authorizer := must(client.CreateAuthorizer(ctx, &apigatewayv2.CreateAuthorizerInput{
		ApiId: api, Name: new("people"), AuthorizerType: types.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"},
		JwtConfiguration: &types.JWTConfiguration{Issuer: &issuer, Audience: []string{*page.ClientId, *machine.ClientId}},
	}))(t).AuthorizerId
	for key, scopes := range map[string][]string{"GET /any": nil, "GET /read": {"notes/read"}, "GET /write": {"notes/write"}} {
		must(client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
			ApiId: api, RouteKey: &key, Target: new("integrations/" + *integration),
			AuthorizationType: types.AuthorizationTypeJwt, AuthorizerId: authorizer, AuthorizationScopes: scopes,
		}))(t)
	}
	must(client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api, StageName: new("$default"), AutoDeploy: new(true)}))(t)
	must(f.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: new("hello"), StatementId: new("api"), Action: new("lambda:InvokeFunction"), Principal: new("apigateway.amazonaws.com"),
	}))(t)

	cmd := exec.CommandContext(ctx, "node", filepath.Join("js", "login.mjs"))
	cmd.Env = append(os.Environ(), "ENDPOINT="+gw.URL, "ISSUER="+issuer, "CLIENT="+*page.ClientId, "MACHINE="+*machine.ClientId, "SECRET="+*machine.ClientSecret,
		"CALLBACK="+callback, "PASSWORD="+password)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, gw.Logs())
	}
	var tokens struct{ Reader, ID, Writer, Machine string }
	if err := json.Unmarshal(out, &tokens); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path, token string
		status            int
	}{
		{"who may read reads", "/read", tokens.Reader, 200},
		{"who may read writes", "/write", tokens.Reader, 403},
		{"who may write writes", "/write", tokens.Writer, 200},
		{"an ID token", "/any", tokens.ID, 200},
		{"an ID token has no scopes", "/read", tokens.ID, 403},
		{"a machine reads", "/read", tokens.Machine, 200},
		{"a machine writes", "/write", tokens.Machine, 403},
		{"a changed token", "/any", tokens.Reader[:len(tokens.Reader)-4] + "AAAA", 401},
	} {
		if status, challenge, body := callWithToken(t, gw, *api+".execute-api.localhost", tt.path, "Bearer "+tt.token); status != tt.status {
			t.Errorf("%s: %d %s %s", tt.name, status, challenge, body)
		}
	}
}
