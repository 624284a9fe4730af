package sdk

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"gatehouse/test/harness"
)

// callerCode answers what the event says of the caller.
const callerCode = `exports.handler = async (event) => event.requestContext.authorizer ?? null`

// TestOIDCProvider has an issuer that nobody here wrote, node-oidc-provider,
// whose tokens open the routes of an HTTP API.
func TestOIDCProvider(t *testing.T) {
	issuer := startProvider(t)
	gw := harness.Start(t, "")
	ctx := t.Context()
	f := functionsOf(t, gw)
	f.create(t, zipOf(t, "index.js", callerCode), func(*lambda.CreateFunctionInput) {})
	client := apigatewayv2.NewFromConfig(gw.Config())
	api := must(client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("books"), ProtocolType: types.ProtocolTypeHttp}))(t).ApiId
	integration := must(client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: new(functionARN), PayloadFormatVersion: new("2.0"),
	}))(t).IntegrationId
	authorizer := must(client.CreateAuthorizer(ctx, &apigatewayv2.CreateAuthorizerInput{
		ApiId: api, Name: new("provider"), AuthorizerType: types.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"},
		JwtConfiguration: &types.JWTConfiguration{Issuer: &issuer, Audience: []string{"https://books.example"}},
	}))(t).AuthorizerId
	for key, scopes := range map[string][]string{"GET /any": nil, "GET /read": {"books:admin", "books:read"}, "GET /write": {"books:write"}} {
		must(client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
			ApiId: api, RouteKey: &key, Target: new("integrations/" + *integration),
			AuthorizationType: types.AuthorizationTypeJwt, AuthorizerId: authorizer, AuthorizationScopes: scopes,
		}))(t)
	}
	must(client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api, StageName: new("$default"), AutoDeploy: new(true)}))(t)
	must(f.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: new("hello"), StatementId: new("api"), Action: new("lambda:InvokeFunction"), Principal: new("apigateway.amazonaws.com"),
	}))(t)
	call := func(path, token string) (status int, challenge, body string) {
		t.Helper()
		return callWithToken(t, gw, *api+".execute-api.localhost", path, token)
	}

	token := clientToken(t, issuer, "https://books.example", "books:read")
	for _, path := range []string{"/any", "/read", "/any"} {
		status, _, body := call(path, "Bearer "+token)
		var event struct {
			JWT struct {
				Claims map[string]string
				Scopes []string
			}
		}
		if err := json.Unmarshal([]byte(body), &event); err != nil || status != 200 {
			t.Fatalf("%s: %d %s", path, status, body)
		}
		claims := event.JWT.Claims
		if claims["iss"] != issuer || claims["client_id"] != "shop" || claims["aud"] != "https://books.example" || claims["scope"] != "books:read" || len(claims["exp"]) != 10 {
			t.Errorf("%s: claims %v", path, claims)
		}
		if got, want := fmt.Sprint(event.JWT.Scopes), map[string]string{"/any": "[]", "/read": "[books:read]"}[path]; got != want {
			t.Errorf("%s: scopes %s, want %s", path, got, want)
		}
	}
	for _, test := range []struct {
		name, path, token string
		status            int
		challenge         string
	}{
		{"no token", "/any", "", 401, "Bearer"},
		{"a scope missing", "/write", token, 403, `Bearer scope="books:write" error="insufficient_scope" error_description="expected scopes: [books:write]"`},
		{"for another audience", "/any", clientToken(t, issuer, "https://music.example", "books:read"), 401, `Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"`},
		{"tampered with", "/any", token[:len(token)-8] + "AAAAAAAA", 401, `Bearer scope="" error="invalid_token" error_description="crypto/rsa: verification error"`},
	} {
		status, challenge, body := call(test.path, test.token)
		want := map[int]string{401: `{"message":"Unauthorized"}`, 403: `{"message":"Forbidden"}`}[test.status]
		if status != test.status || challenge != test.challenge || body != want {
			t.Errorf("%s: %d %s %s", test.name, status, challenge, body)
		}
	}
}

// startProvider runs the provider of js/oidc.mjs, which `make js` installs, until
// the test ends, and returns its issuer.
func startProvider(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node isn't installed")
	}
	if _, err := os.Stat(filepath.Join("js", "node_modules", "oidc-provider")); err != nil {
		t.Skip("the OpenID Connect provider isn't installed: make js")
	}
	cmd := exec.Command("node", filepath.Join("js", "oidc.mjs"))
	in := must(cmd.StdinPipe())(t)
	out := must(cmd.StdoutPipe())(t)
	var trouble strings.Builder
	cmd.Stderr = &trouble
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the provider: %v\n%s", err, &trouble)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider printed no issuer: %v", err)
	}
	return strings.TrimSpace(line)
}

// clientToken gets an access token by client credentials.
func clientToken(t *testing.T, issuer, resource, scope string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "resource": {resource}, "scope": {scope}}
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token", strings.NewReader(form.Encode())))(t)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("shop", "secret")
	resp := must(http.DefaultClient.Do(req))(t)
	defer resp.Body.Close() //nolint:errcheck // read only
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("no token: %d, %v", resp.StatusCode, err)
	}
	return answer.Token
}

// callWithToken calls an API by its host name with an Authorization header, none
// for "".
func callWithToken(t *testing.T, gw *harness.Gateway, host, path, token string) (status int, challenge, body string) {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, gw.URL+path, nil))(t)
	req.Host = host
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	resp := must(http.DefaultClient.Do(req))(t)
	defer resp.Body.Close() //nolint:errcheck // read only
	text := new(strings.Builder)
	if _, err := bufio.NewReader(resp.Body).WriteTo(text); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Www-Authenticate"), text.String()
}
