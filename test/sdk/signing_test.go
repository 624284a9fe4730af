package sdk

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	resttypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"gatehouse/test/harness"
)

// A signedGateway has an API of each kind that takes what alice signs.
type signedGateway struct {
	*harness.Gateway
	rest, http, socket string // ids of the APIs
	env                []string
	key, secret        string
}

func newSignedGateway(t *testing.T) *signedGateway {
	t.Helper()
	// It answers with what it gets.
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = w.Write(body)
		}
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(backend.Close)
	g := &signedGateway{Gateway: harness.Start(t, "")}
	g.rest, g.http, g.socket = g.restAPI(t), g.httpAPI(t, backend.URL), g.socketAPI(t)

	ctx, users := t.Context(), iam.NewFromConfig(g.Config())
	must(users.CreateUser(ctx, &iam.CreateUserInput{UserName: new("alice")}))(t)
	must(users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: new("alice"), PolicyName: new("call"), PolicyDocument: new(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"},` +
			`{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:*/test/*/forbidden"}]}`)}))(t)
	key := must(users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: new("alice")}))(t).AccessKey
	g.key, g.secret = *key.AccessKeyId, *key.SecretAccessKey
	config := g.Config()
	config.Credentials = credentials.NewStaticCredentialsProvider(g.key, g.secret, "")
	session := must(sts.NewFromConfig(config).GetSessionToken(ctx, &sts.GetSessionTokenInput{}))(t).Credentials
	g.env = append(os.Environ(), "ADDRESS="+g.Addr, "REST="+g.rest, "HTTP="+g.http, "SOCKET="+g.socket, "REGION="+region,
		"KEY="+g.key, "SECRET="+g.secret,
		"SESSION_KEY="+*session.AccessKeyId, "SESSION_SECRET="+*session.SecretAccessKey, "SESSION_TOKEN="+*session.SessionToken)
	return g
}

// restAPI makes a REST API that answers with the ARN of who calls.
func (g *signedGateway) restAPI(t *testing.T) string {
	t.Helper()
	ctx, client := t.Context(), apigateway.NewFromConfig(g.Config())
	api := must(client.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: new("signed")}))(t)
	resource := must(client.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: api.Id, ParentId: api.RootResourceId, PathPart: new("{proxy+}")}))(t).Id
	must(client.PutMethod(ctx, &apigateway.PutMethodInput{RestApiId: api.Id, ResourceId: resource, HttpMethod: new("ANY"), AuthorizationType: new("AWS_IAM")}))(t)
	must(client.PutIntegration(ctx, &apigateway.PutIntegrationInput{
		RestApiId: api.Id, ResourceId: resource, HttpMethod: new("ANY"), Type: resttypes.IntegrationTypeMock,
		RequestTemplates: map[string]string{"application/json": `{"statusCode": 200}`},
	}))(t)
	must(client.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{RestApiId: api.Id, ResourceId: resource, HttpMethod: new("ANY"), StatusCode: new("200")}))(t)
	must(client.PutIntegrationResponse(ctx, &apigateway.PutIntegrationResponseInput{
		RestApiId: api.Id, ResourceId: resource, HttpMethod: new("ANY"), StatusCode: new("200"),
		ResponseTemplates: map[string]string{"application/json": "$context.identity.userArn"},
	}))(t)
	must(client.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: new("test")}))(t)
	return *api.Id
}

// httpAPI makes an HTTP API before a backend.
func (g *signedGateway) httpAPI(t *testing.T, backend string) string {
	t.Helper()
	ctx, client := t.Context(), apigatewayv2.NewFromConfig(g.Config())
	api := must(client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("signed"), ProtocolType: types.ProtocolTypeHttp}))(t).ApiId
	integration := must(client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: new("ANY"), IntegrationUri: &backend, PayloadFormatVersion: new("1.0"),
	}))(t).IntegrationId
	must(client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
		ApiId: api, RouteKey: new("$default"), Target: new("integrations/" + *integration), AuthorizationType: types.AuthorizationTypeAwsIam,
	}))(t)
	must(client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api, StageName: new("test"), AutoDeploy: new(true)}))(t)
	return *api
}

// socketAPI makes a WebSocket API that knows nothing but connections.
func (g *signedGateway) socketAPI(t *testing.T) string {
	t.Helper()
	ctx, client := t.Context(), apigatewayv2.NewFromConfig(g.Config())
	api := must(client.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: new("signed"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action"),
	}))(t).ApiId
	integration := must(client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api, IntegrationType: types.IntegrationTypeMock, TemplateSelectionExpression: new(`\$default`), RequestTemplates: map[string]string{"$default": `{"statusCode": 200}`},
	}))(t).IntegrationId
	must(client.CreateIntegrationResponse(ctx, &apigatewayv2.CreateIntegrationResponseInput{ApiId: api, IntegrationId: integration, IntegrationResponseKey: new("$default")}))(t)
	must(client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
		ApiId: api, RouteKey: new("$connect"), Target: new("integrations/" + *integration), AuthorizationType: types.AuthorizationTypeAwsIam,
	}))(t)
	deployment := must(client.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: api}))(t).DeploymentId
	must(client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api, StageName: new("test"), DeploymentId: deployment}))(t)
	return *api
}

// run runs a client in another language.
func (g *signedGateway) run(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = g.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, g.Logs())
	}
}

// TestSignaturesOfBotocore calls APIs that take signed requests only with what
// boto3 signs with.
func TestSignaturesOfBotocore(t *testing.T) {
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("boto3 isn't installed")
	}
	newSignedGateway(t).run(t, "python3", filepath.Join("testdata", "signing.py"))
}

// TestSignaturesOfJavaScript does with the signers of the AWS SDK for JavaScript
// and with aws4, which `make js` installs.
func TestSignaturesOfJavaScript(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node isn't installed")
	}
	if _, err := os.Stat(filepath.Join("js", "node_modules", "@smithy", "signature-v4a")); err != nil {
		t.Skip("the signers for JavaScript aren't installed: make js")
	}
	newSignedGateway(t).run(t, "node", filepath.Join("js", "signing.mjs"))
}

// TestSignaturesOfCurl does with curl, whose first releases that sign are still
// about.
func TestSignaturesOfCurl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl isn't installed")
	}
	g := newSignedGateway(t)
	curl := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "curl", append([]string{
			"--silent", "--show-error", "--aws-sigv4", "aws:amz:" + region + ":execute-api", "--user", g.key + ":" + g.secret, "--write-out", " %{http_code}",
		}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return string(out)
	}
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"REST API by host", []string{"--connect-to", "::" + g.Addr, "http://" + g.rest + ".execute-api.localhost/test/pets/1?a=1&b=2"}, ":user/alice 200"},
		{"REST API by a path form", []string{g.URL + "/_aws/execute-api/" + g.rest + "/test/pets/1"}, ":user/alice 200"},
		{"HTTP API", []string{"--data", `{"a":"é"}`, "--header", "Content-Type: application/json", g.URL + "/_aws/execute-api/" + g.http + "/test/pets"}, `{"a":"é"} 200`},
		{"what alice may not", []string{g.URL + "/_aws/execute-api/" + g.rest + "/test/forbidden"}, `/test/GET/forbidden with an explicit deny in an identity-based policy"} 403`},
		{"another secret", []string{"--user", g.key + ":x", g.URL + "/_aws/execute-api/" + g.http + "/test/pets"}, `{"message":"Forbidden"} 403`},
	} {
		if got := curl(test.args...); !strings.HasSuffix(got, test.want) {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	users := iam.NewFromConfig(g.Config())
	key := must(users.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: new("alice")}))(t).AccessKey
	curl("--user", *key.AccessKeyId+":"+*key.SecretAccessKey, g.URL+"/_aws/execute-api/"+g.http+"/test/pets")
	used := must(users.GetAccessKeyLastUsed(t.Context(), &iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId}))(t).AccessKeyLastUsed
	if *used.ServiceName != "execute-api" || *used.Region != region {
		t.Errorf("the key was last used for %s in %s", *used.ServiceName, *used.Region)
	}
}
