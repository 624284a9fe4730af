package sdk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"gatehouse/test/frame"
	"gatehouse/test/harness"
)

// What AWS's guides have functions do: the address of @connections is made of
// the event's domain name and stage, and nothing else is configured.
const (
	nodeCallback = `const { ApiGatewayManagementApiClient, PostToConnectionCommand } = require('@aws-sdk/client-apigatewaymanagementapi');
exports.handler = async (event) => {
  const { domainName, stage, connectionId } = event.requestContext;
  const client = new ApiGatewayManagementApiClient({ endpoint: 'https://' + domainName + '/' + stage });
  await client.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: 'heard ' + event.body }));
  return { statusCode: 200 };
};
`
	pythonCallback = `import boto3
def handler(event, context):
    at = event["requestContext"]
    client = boto3.client("apigatewaymanagementapi", endpoint_url="https://%s/%s" % (at["domainName"], at["stage"]))
    client.post_to_connection(ConnectionId=at["connectionId"], Data=("heard " + event["body"]).encode())
    return {"statusCode": 200}
`
)

// newCallback starts a WebSocket API whose messages go to a function.
func newCallback(t *testing.T, gw *harness.Gateway, name, code, runtime string) (api string) {
	t.Helper()
	ctx := t.Context()
	f := functionsOf(t, gw)
	f.create(t, zipOf(t, name, code), func(in *lambda.CreateFunctionInput) {
		in.Runtime, in.Handler, in.Timeout = lambdatypes.Runtime(runtime), new("index.handler"), new(int32(30))
	})
	must(iam.NewFromConfig(gw.Config()).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: new("hello"), PolicyName: new("answer"), PolicyDocument: new(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"arn:aws:execute-api:*:*:*/test/POST/@connections/*"}]}`)}))(t)
	client := apigatewayv2.NewFromConfig(gw.Config())
	id := must(client.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: new("callback"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action"),
	}))(t).ApiId
	uri := "arn:aws:apigateway:" + region + ":lambda:path/2015-03-31/functions/" + functionARN + "/invocations"
	integration := must(client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{ApiId: id, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &uri}))(t).IntegrationId
	must(client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: id, RouteKey: new("$default"), Target: new("integrations/" + *integration)}))(t)
	deployment := must(client.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: id}))(t).DeploymentId
	must(client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: id, StageName: new("test"), DeploymentId: deployment}))(t)
	return *id
}

// heard says something and waits for what the function posts.
func heard(t *testing.T, gw *harness.Gateway, path, host string) {
	t.Helper()
	c := must(frame.Dial(gw.Addr, path, host))(t)
	defer func() { _ = c.Close() }()
	if err := c.SendText("ä"); err != nil {
		t.Fatal(err)
	}
	f := must(c.Receive(time.Minute))(t)
	if f.Opcode != frame.Text || string(f.Payload) != "heard ä" {
		t.Errorf("by %s%s: %s\n%s", host, path, f, gw.Logs())
	}
}

// Functions that know nothing of Gatehouse call back, whether clients came by
// the API's own host or by a path form.
func TestCallbackOfFunctions(t *testing.T) {
	modules := must(filepath.Abs(filepath.Join("js", "node_modules")))(t)
	for _, test := range []struct{ name, code, runtime string }{
		{"index.js", nodeCallback, "nodejs22.x"},
		{"index.py", pythonCallback, "python3.13"},
	} {
		t.Run(test.runtime, func(t *testing.T) {
			dir := modules
			if strings.HasPrefix(test.runtime, "python") {
				where := exec.CommandContext(t.Context(), pythonWith(t, "boto3"), "-c", "import boto3, os; print(os.path.dirname(os.path.dirname(boto3.__file__)))")
				dir = strings.TrimSpace(string(must(where.Output())(t)))
			} else if _, err := os.Stat(filepath.Join(modules, "@aws-sdk", "client-apigatewaymanagementapi")); err != nil {
				t.Skip("the AWS SDK for JavaScript isn't installed: make js")
			}
			gw := harness.Start(t, "", "--function-modules", dir)
			api := newCallback(t, gw, test.name, test.code, test.runtime)
			_, port, _ := strings.Cut(gw.Addr, ":")
			heard(t, gw, "/test", api+".execute-api.localhost:"+port)
			heard(t, gw, "/_aws/execute-api/"+api+"/test", gw.Addr)
		})
	}
}
