package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/examples/hello"
)

// demoWarmCalls is how many further calls a demo times.
const demoWarmCalls = 50

// hello creates the hello example and calls it, by the API's own host and by a
// custom domain name.
func (d *demo) hello(ctx context.Context, g *gateway) error {
	client := newDemoClient(g.Addr(), d.config.Region)
	hello, err := createHello(ctx, client, d.out)
	if err != nil {
		return err
	}
	if err := d.call(ctx, g.Addr(), hello.host); err != nil {
		return err
	}
	named, err := d.domain(ctx, g, client, hello.apiID)
	if err != nil {
		return err
	}
	d.printf("\nTry it:\n")
	d.printf("  curl http://%s/hello?name=you\n", hello.host)
	d.printf("  curl 'http://%s/_aws/execute-api/%s/$default/hello'     (where *.localhost doesn't resolve)\n", g.Addr(), hello.apiID)
	d.printf("  %s\n", named)
	d.printf("  AWS_ENDPOINT_URL=http://%s aws apigatewayv2 get-apis\n", g.Addr())
	return nil
}

// lambdaTrust is the trust policy of roles that functions run under.
const lambdaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`

// helloAPI is what createHello made.
type helloAPI struct{ apiID, host string }

// createHello creates what examples/hello/main.tf describes, call by call, and
// tells of each on out.
func createHello(ctx context.Context, c *demoClient, out io.Writer) (helloAPI, error) {
	var made helloAPI
	code, err := zipFile("index.mjs", hello.Function)
	if err != nil {
		return made, err
	}
	const role = "hello-function"
	var function struct{ FunctionArn string }
	var api struct{ ApiID, ApiEndpoint string }
	var integration struct{ IntegrationID string }
	steps := []demoStep{
		{"iam", "CreateRole " + role, func() error {
			return c.query(ctx, "iam", "2010-05-08", "CreateRole", map[string]string{
				"RoleName":                 role,
				"AssumeRolePolicyDocument": lambdaTrust,
			})
		}},
		{"iam", "AttachRolePolicy AWSLambdaBasicExecutionRole", func() error {
			return c.query(ctx, "iam", "2010-05-08", "AttachRolePolicy", map[string]string{
				"RoleName": role, "PolicyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
			})
		}},
		{"lambda", fmt.Sprintf("CreateFunction hello (nodejs20.x, a zip of %d bytes)", len(code)), func() error {
			return c.rest(ctx, "lambda", "POST", "/2015-03-31/functions", map[string]any{
				"FunctionName": "hello", "Runtime": "nodejs20.x", "Handler": "index.handler",
				"Role": "arn:aws:iam::000000000000:role/" + role, "Code": map[string]any{"ZipFile": code},
			}, &function)
		}},
		{"apigatewayv2", "CreateApi hello (HTTP)", func() error {
			return c.rest(ctx, "apigateway", "POST", "/v2/apis", map[string]any{"name": "hello", "protocolType": "HTTP"}, &api)
		}},
		{"apigatewayv2", "CreateIntegration AWS_PROXY, payload 2.0", func() error {
			return c.rest(ctx, "apigateway", "POST", "/v2/apis/"+api.ApiID+"/integrations", map[string]any{
				"integrationType": "AWS_PROXY", "integrationUri": function.FunctionArn, "payloadFormatVersion": "2.0",
			}, &integration)
		}},
		{"apigatewayv2", "CreateRoute GET /hello", func() error {
			return c.rest(ctx, "apigateway", "POST", "/v2/apis/"+api.ApiID+"/routes", map[string]any{
				"routeKey": "GET /hello", "target": "integrations/" + integration.IntegrationID,
			}, nil)
		}},
		{"apigatewayv2", "CreateStage $default, auto-deploy", func() error {
			return c.rest(ctx, "apigateway", "POST", "/v2/apis/"+api.ApiID+"/stages", map[string]any{
				"stageName": "$default", "autoDeploy": true,
			}, nil)
		}},
		{"lambda", "AddPermission apigateway.amazonaws.com", func() error {
			return c.rest(ctx, "lambda", "POST", "/2015-03-31/functions/hello/policy", map[string]any{
				"StatementId": "AllowInvokeFromApiGateway", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
				"SourceArn": "arn:aws:execute-api:" + c.region + ":000000000000:" + api.ApiID + "/*/*",
			}, nil)
		}},
	}
	if err := runSteps(out, steps); err != nil {
		return made, err
	}
	endpoint, err := url.Parse(api.ApiEndpoint)
	if err != nil {
		return made, err
	}
	return helloAPI{apiID: api.ApiID, host: endpoint.Host}, nil
}

// call requests GET /hello, prints request, response and timings, and fails
// unless the answer is a 200.
func (d *demo) call(ctx context.Context, addr, host string) error {
	client := &http.Client{Transport: &http.Transport{DialContext: dialer(addr)}}
	defer client.CloseIdleConnections()
	get := func() (*http.Response, []byte, time.Duration, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/hello", nil)
		if err != nil {
			return nil, nil, 0, err
		}
		began := time.Now()
		resp, err := client.Do(req)
		if err != nil {
			return nil, nil, 0, err
		}
		body, err := io.ReadAll(resp.Body)
		return resp, body, time.Since(began), errors.Join(err, resp.Body.Close())
	}
	resp, body, cold, err := get()
	if err != nil {
		return err
	}
	d.printf("\n> GET /hello HTTP/1.1\n> Host: %s\n\n< %s %s\n", host, resp.Proto, resp.Status)
	names := make([]string, 0, len(resp.Header))
	for name := range resp.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		d.printf("< %s: %s\n", strings.ToLower(name), strings.Join(resp.Header[name], ", "))
	}
	d.printf("\n%s\n", body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /hello answered %s, not 200", resp.Status)
	}
	warm := make([]time.Duration, demoWarmCalls)
	for i := range warm {
		var again *http.Response
		if again, _, warm[i], err = get(); err != nil {
			return err
		}
		if again.StatusCode != http.StatusOK {
			return fmt.Errorf("GET /hello answered %s, not 200", again.Status)
		}
	}
	slices.Sort(warm)
	d.printf("\nfirst call %s (the function's process started), then %s (median of %d)\n", millis(cold), millis(warm[len(warm)/2]), len(warm))
	return nil
}

// zipFile is a zip archive of one file.
func zipFile(name string, content []byte) ([]byte, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	f, err := w.Create(name)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
