package main

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	apigatewayapi "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/compile"
	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/store"
)

// What AWS tells a method of the request that tests it.
const (
	testDomainPrefix = "testPrefix"
	testDomainName   = "testPrefix.testDomainName"
	testSource       = "test-invoke-source-ip"
	testAPIKey       = "test-invoke-api-key"
	testAPIKeyID     = "test-invoke-api-key-id"
)

// A methodTester runs methods and authorizers that are tested on the server that serves traffic.
type methodTester struct {
	compiler *compile.Compiler
	// server is there before the first call comes, which it brings itself.
	server *serve.Server
}

// PrepareTest implements apigateway.Tester.
func (t *methodTester) PrepareTest(tx *store.Tx, c *awswire.Call, method string, in *apigatewayapi.TestInvokeMethodRequest) (func() *apigatewayapi.TestInvokeMethodResponse, error) {
	stage, route, err := t.compiler.CompileTest(tx, compile.TestedMethod{
		Scope: store.Scope{Account: c.Account, Region: c.Region},
		APIID: *in.RestApiId, ResourceID: *in.ResourceId, Method: method, Variables: in.StageVariables,
		ClientCertificateID: *cmp.Or(in.ClientCertificateId, new("")),
	})
	if err != nil {
		return nil, err
	}
	return func() *apigatewayapi.TestInvokeMethodResponse {
		x := testExchange(c, in, stage, route)
		latency := t.server.TestMethod(x)
		out := &apigatewayapi.TestInvokeMethodResponse{
			Status:            new(int32(x.Response.Status)),
			Body:              new(strings.ToValidUTF8(string(x.Response.Body), "\ufffd")),
			Headers:           map[string]string{},
			MultiValueHeaders: map[string][]string{},
			Log:               new(testLog(x)),
			Latency:           new(latency.Milliseconds()),
		}
		for _, h := range x.Response.Headers {
			out.Headers[h.Name] = h.Value
			out.MultiValueHeaders[h.Name] = append(out.MultiValueHeaders[h.Name], h.Value)
		}
		return out
	}, nil
}

// testExchange makes the request of a test, as if it had been placed and matched.
func testExchange(c *awswire.Call, in *apigatewayapi.TestInvokeMethodRequest, stage *plan.Stage, route *plan.Route) *plan.Exchange {
	x := &plan.Exchange{
		API: stage.API, Stage: stage, Route: route,
		DomainName: testDomainName, DomainPrefix: testDomainPrefix,
		APIKey: testAPIKey, APIKeyID: testAPIKeyID,
		Caller: plan.Caller{AccountID: c.Principal.Account, ID: c.Principal.UserID, AccessKeyID: c.Principal.AccessKeyID, ARN: c.Principal.ARN},
	}
	r := &x.Request
	r.Method, r.Proto, r.Secure, r.SourceName, r.Done = *in.HttpMethod, "HTTP/1.1", true, testSource, c.Done()
	r.Headers = testHeaders(in)
	if in.Body != nil && *in.Body != "" {
		r.BodyReader, r.ContentLength = bytes.NewReader([]byte(*in.Body)), int64(len(*in.Body))
	}

	// Without a path a method is called by its template, braces and all.
	r.Path = route.Path
	if in.PathWithQueryString != nil && *in.PathWithQueryString != "" {
		path, query, _ := strings.Cut(*in.PathWithQueryString, "?")
		r.Path, r.Query = printable("/"+strings.TrimPrefix(path, "/")), printable(query)
	}
	x.StagePath, x.GatewayPath = r.Path, r.Path
	path := strings.TrimRight(r.Path, "/")
	if path == "" {
		path = "/"
	}
	var matched bool
	if _, x.Params, matched = stage.Routes.MatchNested(r.Method, path, nil); !matched {
		// Any path will do, it just says nothing. The route is this test's own.
		route.ParamNames, x.Params = nil, nil
	}
	return x
}

// testHeaders are the headers of a test's request in the order of their names.
// UNVERIFIED: that those of several values win over one of the same name.
func testHeaders(in *apigatewayapi.TestInvokeMethodRequest) plan.Headers {
	var headers plan.Headers
	for _, name := range slices.Sorted(maps.Keys(in.MultiValueHeaders)) {
		for _, value := range in.MultiValueHeaders[name] {
			headers = append(headers, plan.Header{Name: name, Value: value})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in.Headers)) {
		if _, several := in.MultiValueHeaders[name]; !several {
			headers = append(headers, plan.Header{Name: name, Value: in.Headers[name]})
		}
	}
	slices.SortStableFunc(headers, func(a, b plan.Header) int { return strings.Compare(a.Name, b.Name) })
	return headers
}

// printable percent-encodes what can't stand in the first line of a request.
func printable(text string) string {
	var b strings.Builder
	for i := range len(text) {
		const hex = "0123456789ABCDEF"
		if c := text[i]; c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// testLogTime is how the lines of a test's log are dated.
const testLogTime = "Mon Jan 02 15:04:05 UTC 2006"

// testLog is the log of a test as AWS returns it.
func testLog(x *plan.Exchange) string {
	var b strings.Builder
	b.WriteString("Execution log for request " + x.RequestID + "\n")
	for _, line := range x.Trace.Lines {
		b.WriteString(line.At.UTC().Format(testLogTime) + " : " + line.Text + "\n")
	}
	return b.String()
}
