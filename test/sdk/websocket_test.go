package sdk

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"gatehouse/test/frame"
	"gatehouse/test/harness"
)

// socketCode lets clients in unless their query says otherwise, chooses the
// first subprotocol on offer, and sends messages back; to "who" it answers with
// the connection's id.
const socketCode = `exports.handler = async (event) => {
  const { routeKey, connectionId } = event.requestContext;
  if (routeKey === '$connect') {
    if (event.queryStringParameters?.token === 'wrong') return { statusCode: 401 };
    const offered = event.headers['Sec-WebSocket-Protocol'];
    return { statusCode: 200, headers: offered ? { 'Sec-WebSocket-Protocol': offered.split(',')[0].trim() } : {} };
  }
  if (event.body === 'who') return { statusCode: 200, body: connectionId };
  return { statusCode: 200, body: event.body };
};
`

// A socket is a WebSocket API with socketCode behind it, by its path form.
type socket struct {
	*harness.Gateway
	// url is where clients connect, callback where @connections is.
	url, callback string
	path          string
}

func newSocket(t *testing.T, args ...string) *socket {
	t.Helper()
	gw := harness.Start(t, "", args...)
	ctx := t.Context()
	f := functionsOf(t, gw)
	f.create(t, zipOf(t, "index.js", socketCode), nil)
	must(f.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: new("hello"), StatementId: new("api"), Action: new("lambda:InvokeFunction"), Principal: new("apigateway.amazonaws.com"),
	}))(t)
	client := apigatewayv2.NewFromConfig(gw.Config())
	api := must(client.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: new("socket"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action"),
	}))(t).ApiId
	uri := "arn:aws:apigateway:" + region + ":lambda:path/2015-03-31/functions/" + functionARN + "/invocations"
	integration := must(client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{ApiId: api, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &uri}))(t).IntegrationId
	for _, key := range []string{"$connect", "$disconnect", "$default"} {
		in := &apigatewayv2.CreateRouteInput{ApiId: api, RouteKey: &key, Target: new("integrations/" + *integration)}
		if key == "$default" {
			in.RouteResponseSelectionExpression = new("$default")
		}
		route := must(client.CreateRoute(ctx, in))(t).RouteId
		if key == "$default" {
			must(client.CreateRouteResponse(ctx, &apigatewayv2.CreateRouteResponseInput{ApiId: api, RouteId: route, RouteResponseKey: new("$default")}))(t)
		}
	}
	deployment := must(client.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: api}))(t).DeploymentId
	must(client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api, StageName: new("test"), DeploymentId: deployment}))(t)
	path := "/_aws/execute-api/" + *api + "/test"
	return &socket{Gateway: gw, url: "ws://" + gw.Addr + path, callback: gw.URL + path, path: path}
}

// run runs a client in another language.
func (s *socket) run(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "URL="+s.url, "CALLBACK="+s.callback, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION="+region, "AWS_DEFAULT_REGION="+region)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, s.Logs())
	}
}

// TestNodeWebSocket drives a WebSocket API with ws of npm and the connections
// with the AWS SDK for JavaScript, which `make js` installs.
func TestNodeWebSocket(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node isn't installed")
	}
	if _, err := os.Stat(filepath.Join("js", "node_modules", "ws")); err != nil {
		t.Skip("ws isn't installed: make js")
	}
	newSocket(t).run(t, "node", filepath.Join("js", "websocket.mjs"))
}

// pythonWith returns a Python that has a module: packages of the system are
// those of the system's Python, whichever comes first.
func pythonWith(t *testing.T, module string) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import "+module).Run() == nil {
			return python
		}
	}
	t.Skipf("Python has no module %s: scripts/need python3-%s", module, module)
	return ""
}

// TestPythonWebSocket drives a WebSocket API with websockets of Python.
func TestPythonWebSocket(t *testing.T) {
	newSocket(t).run(t, pythonWith(t, "websockets"), filepath.Join("testdata", "websocket.py"))
}

// connected returns a connection and its id.
func (s *socket) connected(t *testing.T) (*frame.Conn, string) {
	t.Helper()
	c := must(frame.Dial(s.Addr, s.path, s.Addr, "User-Agent: frames"))(t)
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SendText("who"); err != nil {
		t.Fatal(err)
	}
	return c, s.next(t, c)
}

func (s *socket) next(t *testing.T, c *frame.Conn) string {
	t.Helper()
	f := must(c.Receive(time.Minute))(t)
	if f.Opcode != frame.Text {
		t.Fatalf("got %s", f)
	}
	return string(f.Payload)
}

// closed checks that an API call closes a connection.
func (s *socket) closed(t *testing.T, c *frame.Conn) {
	t.Helper()
	f := must(c.Receive(time.Minute))(t)
	if code, _, _ := f.CloseCode(); f.Opcode != frame.Close || code != 1000 {
		t.Errorf("a deleted connection got %s", f)
	}
}

// TestBotoConnections manages a connection with boto3.
func TestBotoConnections(t *testing.T) {
	python := pythonWith(t, "boto3")
	s := newSocket(t)
	c, id := s.connected(t)
	s.run(t, python, filepath.Join("testdata", "connections.py"), id)
	if got := s.next(t, c); got != "from boto3 \u00e4" {
		t.Errorf("got %q", got)
	}
	s.closed(t, c)
}

// TestCommandLineConnections manages a connection with the AWS CLI.
func TestCommandLineConnections(t *testing.T) {
	s := newSocket(t)
	cli := newCLI(t, s.Gateway)
	cli.url = s.callback
	c, id := s.connected(t)
	// A file is its bytes to version 1 and to version 2; a text isn't.
	cli.write("message", []byte("from the CLI"))
	cli.run("apigatewaymanagementapi post-to-connection --connection-id", id, "--data", "fileb://message")
	if got := s.next(t, c); got != "from the CLI" {
		t.Errorf("got %q", got)
	}
	var connection struct {
		Identity struct{ SourceIp, UserAgent string }
	}
	if err := json.Unmarshal([]byte(cli.run("apigatewaymanagementapi get-connection --connection-id", id)), &connection); err != nil {
		t.Fatal(err)
	}
	if connection.Identity.SourceIp != "127.0.0.1" || connection.Identity.UserAgent != "frames" {
		t.Errorf("got %+v", connection)
	}
	cli.run("apigatewaymanagementapi delete-connection --connection-id", id)
	s.closed(t, c)
	if _, failure := cli.try("apigatewaymanagementapi get-connection --connection-id", id); !strings.Contains(failure, "(GoneException)") {
		t.Errorf("got %s", failure)
	}
}
