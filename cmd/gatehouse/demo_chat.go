package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/websocket"

	"gatehouse/examples/chat"
)

// chatPatience is how long a client of the demo waits for a message.
const chatPatience = 15 * time.Second

// chat creates the chat example and has two clients talk.
func (d *demo) chat(ctx context.Context, g *gateway) error {
	made, err := createChat(ctx, newDemoClient(g.Addr(), d.config.Region), d.out)
	if err != nil {
		return err
	}
	if err := d.converse(ctx, g.Addr(), made.socketURL); err != nil {
		return err
	}
	if err := d.fetchPage(ctx, g.Addr(), made); err != nil {
		return err
	}
	d.printf("\nTry it:\n")
	d.printf("  %s     (in two windows)\n", made.pageURL)
	d.printf("  npx wscat -c %s     then {\"action\":\"join\",\"room\":\"tea\",\"name\":\"Eve\"}\n", made.socketURL)
	d.printf("  AWS_ENDPOINT_URL=http://%s aws logs tail /aws/lambda/chat\n", g.Addr())
	return nil
}

// converse is a conversation of two clients, checked message by message.
func (d *demo) converse(ctx context.Context, addr, socketURL string) (err error) {
	join := func(name string) string { return `{"action":"join","room":"demo","name":"` + name + `"}` }
	d.printf("\n> GET %s, Upgrade: websocket\n\n", socketURL)
	ann, err := d.enter(ctx, addr, socketURL, "Ann")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ann.close()) }()
	bob, err := d.enter(ctx, addr, socketURL, "Bob")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bob.close()) }()
	for _, act := range []struct {
		does  func() error
		hears map[*chatter]string // what who is sent then
	}{
		{func() error { return ann.send("hello?") }, map[*chatter]string{ann: `{"type":"error","code":"unknown-action","message":"Send an \"action\": \"join\" or \"say\"."}`}},
		{func() error { return ann.send(join("Ann")) }, map[*chatter]string{ann: `{"type":"joined","room":"demo","name":"Ann","names":["Ann"],"said":0}`}},
		{func() error { return bob.send(join("Bob")) }, map[*chatter]string{
			bob: `{"type":"joined","room":"demo","name":"Bob","names":["Ann","Bob"],"said":0}`,
			ann: `{"type":"entered","name":"Bob","names":["Ann","Bob"]}`,
		}},
		{func() error { return bob.send(`{"action":"say","text":"Hello, Ann!"}`) }, map[*chatter]string{
			bob: `{"type":"said","n":1,"name":"Bob","text":"Hello, Ann!"}`,
			ann: `{"type":"said","n":1,"name":"Bob","text":"Hello, Ann!"}`,
		}},
	} {
		if err := act.does(); err != nil {
			return err
		}
		for who, want := range act.hears {
			if err := who.hear(want); err != nil {
				return err
			}
		}
	}
	warm, err := volley(ann, bob)
	if err != nil {
		return err
	}
	d.printf("\nfrom one client through the functions to the other: %s (median of %d)\n\n", millis(warm), demoWarmCalls)
	if err := bob.close(); err != nil {
		return err
	}
	return ann.hear(`{"type":"left","name":"Bob","names":["Ann"]}`)
}

// volley has two clients in a room say something in turn and returns how long a
// message typically is on its way to the other.
func volley(one, other *chatter) (time.Duration, error) {
	took := make([]time.Duration, demoWarmCalls)
	for i := range took {
		one, other = other, one
		began := time.Now()
		if err := websocket.Message.Send(one.conn, `{"action":"say","text":"ping"}`); err != nil {
			return 0, err
		}
		if _, err := other.receive(); err != nil {
			return 0, err
		}
		took[i] = time.Since(began)
		if _, err := one.receive(); err != nil {
			return 0, err
		}
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// A chatter is a client of the chat.
type chatter struct {
	demo *demo
	name string
	conn *websocket.Conn
}

// enter connects a client.
func (d *demo) enter(ctx context.Context, addr, socketURL, name string) (*chatter, error) {
	config, err := websocket.NewConfig(socketURL, "http://localhost/")
	if err != nil {
		return nil, err
	}
	tcp, err := dialer(addr)(ctx, "tcp", "")
	if err != nil {
		return nil, err
	}
	if err := tcp.SetDeadline(time.Now().Add(chatPatience)); err != nil {
		return nil, errors.Join(err, tcp.Close())
	}
	conn, err := websocket.NewClient(config, tcp)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connecting to %s: %w", socketURL, err), tcp.Close())
	}
	return &chatter{demo: d, name: name, conn: conn}, nil
}

// send sends a message.
func (c *chatter) send(message string) error {
	c.demo.printf("  %s > %s\n", c.name, message)
	return websocket.Message.Send(c.conn, message)
}

// hear waits for a message and fails unless it is the one.
func (c *chatter) hear(want string) error {
	got, err := c.receive()
	if err != nil {
		return err
	}
	c.demo.printf("  %s < %s\n", c.name, got)
	if got != want {
		return fmt.Errorf("%s was sent %s, not %s", c.name, got, want)
	}
	return nil
}

func (c *chatter) receive() (string, error) {
	if err := c.conn.SetDeadline(time.Now().Add(chatPatience)); err != nil {
		return "", err
	}
	var message string
	if err := websocket.Message.Receive(c.conn, &message); err != nil {
		return "", fmt.Errorf("%s waited for a message: %w", c.name, err)
	}
	return message, nil
}

// close ends the connection; it may be called again.
func (c *chatter) close() error {
	if c.conn == nil {
		return nil
	}
	conn := c.conn
	c.conn = nil
	return conn.Close()
}

// fetchPage fails unless the page is there and knows the WebSocket API.
func (d *demo) fetchPage(ctx context.Context, addr string, made chatAPIs) error {
	client := &http.Client{Transport: &http.Transport{DialContext: dialer(addr)}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, made.pageURL, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	page, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(page), made.socketURL) {
		return fmt.Errorf("GET %s answered %s, without the address of the chat: %s", made.pageURL, resp.Status, page)
	}
	return nil
}

// chatAPIs is what createChat made.
type chatAPIs struct{ socketURL, pageURL string }

// createChat creates what examples/chat/main.tf describes, call by call, and
// tells of each on out.
func createChat(ctx context.Context, c *demoClient, out io.Writer) (chatAPIs, error) {
	code, err := zipTree()
	if err != nil {
		return chatAPIs{}, err
	}
	const (
		role    = "chat-function"
		roleARN = "arn:aws:iam::000000000000:role/" + role
		stage   = "live"
	)
	type created struct{ ApiID, ApiEndpoint, FunctionArn, IntegrationID, RouteID, DeploymentID string }
	v2 := func(path string, in map[string]any, out any) error {
		return c.rest(ctx, "apigateway", "POST", "/v2/apis"+path, in, out)
	}
	createFunction := func(name, module string, variables map[string]string, out *created) demoStep {
		return demoStep{"lambda", "CreateFunction " + name + " (nodejs20.x)", func() error {
			return c.rest(ctx, "lambda", "POST", "/2015-03-31/functions", map[string]any{
				"FunctionName": name, "Runtime": "nodejs20.x", "Handler": module + ".handler", "Timeout": 10, "MemorySize": 256,
				"Role": roleARN, "Code": map[string]any{"ZipFile": code}, "Environment": map[string]any{"Variables": variables},
			}, out)
		}}
	}
	permit := func(function string, api *created) demoStep {
		return demoStep{"lambda", "AddPermission apigateway.amazonaws.com, " + function, func() error {
			return c.rest(ctx, "lambda", "POST", "/2015-03-31/functions/"+function+"/policy", map[string]any{
				"StatementId": "AllowInvokeFromApiGateway", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
				"SourceArn": "arn:aws:execute-api:" + c.region + ":000000000000:" + api.ApiID + "/*/*",
			}, nil)
		}}
	}

	var api, page, chatFunction, storeFunction, pageFunction, integration, pageIntegration, route, deployment created
	steps := []demoStep{
		{"iam", "CreateRole " + role, func() error {
			return c.query(ctx, "iam", "2010-05-08", "CreateRole", map[string]string{"RoleName": role, "AssumeRolePolicyDocument": lambdaTrust})
		}},
		{"iam", "AttachRolePolicy AWSLambdaBasicExecutionRole", func() error {
			return c.query(ctx, "iam", "2010-05-08", "AttachRolePolicy", map[string]string{
				"RoleName": role, "PolicyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
			})
		}},
		createFunction("chat-store", "store", nil, &storeFunction),
		{"lambda", "PutFunctionConcurrency chat-store 1", func() error {
			return c.rest(ctx, "lambda", "PUT", "/2017-10-31/functions/chat-store/concurrency", map[string]any{"ReservedConcurrentExecutions": 1}, nil)
		}},
		createFunction("chat", "chat", map[string]string{"STORE": "chat-store"}, &chatFunction),
		{"apigatewayv2", "CreateApi chat (WEBSOCKET, $request.body.action)", func() error {
			return v2("", map[string]any{"name": "chat", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"}, &api)
		}},
		{"iam", "PutRolePolicy send-and-remember", func() error {
			policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []map[string]any{
				{"Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": "arn:aws:execute-api:" + c.region + ":000000000000:" + api.ApiID + "/" + stage + "/POST/@connections/*"},
				{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": storeFunction.FunctionArn},
			}})
			if err != nil {
				return err
			}
			return c.query(ctx, "iam", "2010-05-08", "PutRolePolicy", map[string]string{
				"RoleName": role, "PolicyName": "send-and-remember", "PolicyDocument": string(policy),
			})
		}},
		{"apigatewayv2", "CreateIntegration AWS_PROXY", func() error {
			return v2("/"+api.ApiID+"/integrations", map[string]any{"integrationType": "AWS_PROXY", "integrationUri": invocations(c.region, chatFunction.FunctionArn)}, &integration)
		}},
	}
	for _, key := range []string{"$connect", "$disconnect", "join", "say", "$default"} {
		steps = append(steps, demoStep{"apigatewayv2", "CreateRoute " + key, func() error {
			in := map[string]any{"routeKey": key, "target": "integrations/" + integration.IntegrationID}
			if key == "$default" {
				in["routeResponseSelectionExpression"] = "$default"
			}
			return v2("/"+api.ApiID+"/routes", in, &route) // at the end it is $default's
		}})
	}
	steps = append(steps,
		demoStep{"apigatewayv2", "CreateRouteResponse $default", func() error {
			return v2("/"+api.ApiID+"/routes/"+route.RouteID+"/routeresponses", map[string]any{"routeResponseKey": "$default"}, nil)
		}},
		demoStep{"apigatewayv2", "CreateDeployment", func() error {
			return v2("/"+api.ApiID+"/deployments", map[string]any{}, &deployment)
		}},
		demoStep{"apigatewayv2", "CreateStage " + stage, func() error {
			return v2("/"+api.ApiID+"/stages", map[string]any{"stageName": stage, "deploymentId": deployment.DeploymentID}, nil)
		}},
		permit("chat", &api),
	)
	if err := runSteps(out, steps); err != nil {
		return chatAPIs{}, err
	}
	made := chatAPIs{socketURL: api.ApiEndpoint + "/" + stage}
	if err := runSteps(out, []demoStep{
		createFunction("chat-page", "page", map[string]string{"WEBSOCKET_URL": made.socketURL}, &pageFunction),
		{"apigatewayv2", "CreateApi chat-page (HTTP)", func() error {
			return v2("", map[string]any{"name": "chat-page", "protocolType": "HTTP"}, &page)
		}},
		{"apigatewayv2", "CreateIntegration AWS_PROXY, payload 2.0", func() error {
			return v2("/"+page.ApiID+"/integrations", map[string]any{
				"integrationType": "AWS_PROXY", "integrationUri": pageFunction.FunctionArn, "payloadFormatVersion": "2.0",
			}, &pageIntegration)
		}},
		{"apigatewayv2", "CreateRoute GET /", func() error {
			return v2("/"+page.ApiID+"/routes", map[string]any{"routeKey": "GET /", "target": "integrations/" + pageIntegration.IntegrationID}, nil)
		}},
		{"apigatewayv2", "CreateStage $default, auto-deploy", func() error {
			return v2("/"+page.ApiID+"/stages", map[string]any{"stageName": "$default", "autoDeploy": true}, nil)
		}},
		permit("chat-page", &page),
	}); err != nil {
		return chatAPIs{}, err
	}
	made.pageURL = page.ApiEndpoint + "/"
	return made, nil
}

// invocations is how integrations of WebSocket APIs name a function.
func invocations(region, functionARN string) string {
	return "arn:aws:apigateway:" + region + ":lambda:path/2015-03-31/functions/" + functionARN + "/invocations"
}

// zipTree is a zip archive of the chat's functions.
func zipTree() ([]byte, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	if err := w.AddFS(chat.Code()); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
