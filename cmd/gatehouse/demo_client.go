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
	"net/url"
	"strings"
	"time"

	"gatehouse/examples/hello"
)

// A demoClient makes management calls as any AWS client does. It is this small
// so that the program doesn't carry an SDK for its demo; the test suite uses
// the SDKs.
type demoClient struct {
	endpoint, region string
	http             *http.Client
}

func newDemoClient(addr, region string) *demoClient {
	return &demoClient{endpoint: "http://" + addr, region: region, http: &http.Client{Timeout: 30 * time.Second}}
}

// rest makes a restJson1 call and decodes the answer into out.
func (c *demoClient) rest(ctx context.Context, service, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, service, method, path, "application/json", body)
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// query makes an awsQuery call.
func (c *demoClient) query(ctx context.Context, service, version, action string, params map[string]string) error {
	form := url.Values{"Action": {action}, "Version": {version}}
	for k, v := range params {
		form.Set(k, v)
	}
	_, err := c.send(ctx, service, http.MethodPost, "/", "application/x-www-form-urlencoded", []byte(form.Encode()))
	return err
}

func (c *demoClient) send(ctx context.Context, service, method, path, contentType string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	// The demo's gateway is open: an access key it doesn't know is root, and its
	// signature can't be checked. The scope still says what service is meant.
	req.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=demo/%s/%s/%s/aws4_request, SignedHeaders=host;x-amz-date, Signature=%s",
		now.Format("20060102"), c.region, service, strings.Repeat("0", 64)))
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s answered %s: %s", method, path, resp.Status, answer)
	}
	return answer, nil
}

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
	steps := []struct {
		service, what string
		do            func() error
	}{
		{"iam", "CreateRole " + role, func() error {
			return c.query(ctx, "iam", "2010-05-08", "CreateRole", map[string]string{
				"RoleName":                 role,
				"AssumeRolePolicyDocument": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`,
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
	for _, step := range steps {
		began := time.Now()
		if err := step.do(); err != nil {
			return made, fmt.Errorf("%s %s: %w", step.service, step.what, err)
		}
		if _, err := fmt.Fprintf(out, "  %-13s %-52s %9s\n", step.service, step.what, millis(time.Since(began))); err != nil {
			return made, err
		}
	}
	endpoint, err := url.Parse(api.ApiEndpoint)
	if err != nil {
		return made, err
	}
	return helloAPI{apiID: api.ApiID, host: endpoint.Host}, nil
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
