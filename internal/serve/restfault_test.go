package serve_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/transform/rest"
)

// startREST serves the methods of a REST API of id "abc" on a stage "dev".
func startREST(t testing.TB, o serve.Options, stage plan.RestStage, methods ...*plan.Route) *gateway {
	t.Helper()
	g := startGateway(t, o)
	api := &plan.API{ID: "abc", Protocol: plan.REST, Stages: map[string]*plan.Stage{}}
	var tree *plan.Tree
	for _, r := range methods {
		if r.Rest == nil {
			r.Rest = &plan.Method{}
		}
		tree = tree.With(r)
	}
	api.Stages["dev"] = &plan.Stage{API: api, Name: "dev", Routes: tree, Rest: &stage, AccessLog: g.counts, Metrics: g.counts}
	var p *plan.Plan
	g.plan.Store(p.With(api))
	return g
}

// fails is an integration, or an authorizer, that ends a request.
type fails plan.Fault

func (f *fails) Integrate(*plan.Exchange) error { return (*plan.Fault)(f) }
func (f *fails) Authorize(*plan.Exchange) error { return (*plan.Fault)(f) }

// rawBytes sends a request on a connection of its own and returns all that comes
// back, ids and the date masked.
func rawBytes(t testing.TB, addr, raw string) string {
	t.Helper()
	c := dial(t, addr)
	raw = strings.Replace(raw, "\r\n", "\r\n"+host+"Connection: close\r\n", 1)
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return masked.ReplaceAllString(string(all), "$1: *")
}

var masked = regexp.MustCompile(`(?m)^(date|x-amzn-RequestId|x-amz-apigw-id|X-Amzn-Trace-Id): [^\r]*`)

// The gateway's own errors, byte for byte.
func TestRESTFaults(t *testing.T) {
	answers := func(kind plan.FaultKind, message string) *fails {
		return &fails{Kind: kind, Message: message, Reason: "a reason"}
	}
	kinds := []struct {
		name   string
		fault  *fails
		status string
		error  string
		body   string
		traced bool
	}{
		{"unauthorized", answers(plan.Unauthorized, ""), "401 Unauthorized", "UnauthorizedException", `{"message":"Unauthorized"}`, false},
		{"denied", answers(plan.AccessDenied, "User is not authorized to access this resource with an explicit deny in an identity-based policy"),
			"403 Forbidden", "AccessDeniedException",
			`{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`, false},
		{"key", answers(plan.InvalidAPIKey, ""), "403 Forbidden", "ForbiddenException", `{"message":"Forbidden"}`, false},
		{"throttled", answers(plan.Throttled, ""), "429 Too Many Requests", "TooManyRequestsException", `{"message":"Too Many Requests"}`, false},
		{"quota", answers(plan.QuotaExceeded, ""), "429 Too Many Requests", "LimitExceededException", `{"message":"Limit Exceeded"}`, false},
		{"misconfigured", answers(plan.AuthorizerMisconfigured, ""), "500 Internal Server Error", "AuthorizerConfigurationException", `{"message":null}`, false},
		{"authorizer", answers(plan.AuthorizerFailure, ""), "500 Internal Server Error", "AuthorizerFailureException", `{"message":"Internal server error"}`, false},
		{"expired", answers(plan.ExpiredToken, ""), "403 Forbidden", "ExpiredTokenException", `{"message":"The security token included in the request is expired"}`, false},
		{"signature", answers(plan.InvalidSignature, ""), "403 Forbidden", "InvalidSignatureException",
			`{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}`, false},
		{"parameters", answers(plan.BadRequestParameters, "Missing required request parameters: [a, b]"), "400 Bad Request", "BadRequestException",
			`{"message": "Missing required request parameters: [a, b]"}`, true},
		{"body", answers(plan.BadRequestBody, ""), "400 Bad Request", "BadRequestException", `{"message": "Invalid request body"}`, true},
		{"media", answers(plan.UnsupportedMediaType, ""), "415 Unsupported Media Type", "BadRequestException", `{"message": "Unsupported Media Type"}`, false},
		{"configuration", answers(plan.ConfigurationError, ""), "500 Internal Server Error", "InternalServerErrorException", `{"message": "Internal server error"}`, false},
		{"function", answers(plan.FunctionFailure, ""), "502 Bad Gateway", "InternalServerErrorException", `{"message": "Internal server error"}`, false},
		{"unreachable", answers(plan.IntegrationUnreachable, ""), "504 Gateway Timeout", "InternalServerErrorException",
			`{"message": "Network error communicating with endpoint"}`, false},
		{"timeout", answers(plan.IntegrationTimeout, ""), "504 Gateway Timeout", "InternalServerErrorException", `{"message": "Endpoint request timed out"}`, false},
		{"internal", answers(plan.InternalFailure, ""), "500 Internal Server Error", "InternalServerErrorException", `{"message": "Internal server error"}`, false},
	}
	var methods []*plan.Route
	for _, k := range kinds {
		methods = append(methods, route(t, "GET /"+k.name, step(k.fault.Integrate)))
	}
	called := step(func(x *plan.Exchange) error {
		x.Integration.Called = true
		return &plan.Fault{Kind: plan.FunctionFailure, Reason: "it threw"}
	})
	reporting := route(t, "GET /called", called)
	reporting.Rest = &plan.Method{ReportsTrace: true}
	methods = append(methods, reporting)
	g := startREST(t, serve.Options{MaxBodyBytes: 10}, plan.RestStage{MinCompression: -1}, methods...)

	fault := func(status, errorType, body string, traced bool) string {
		trace := ""
		if traced {
			trace = "X-Amzn-Trace-Id: *\r\n"
		}
		return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/json\r\nx-amzn-ErrorType: %s\r\n%sdate: *\r\ncontent-length: %d\r\n"+
			"x-amzn-RequestId: *\r\nx-amz-apigw-id: *\r\nconnection: close\r\n\r\n%s", status, errorType, trace, len(body), body)
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			got, want := rawBytes(t, g.addr, "GET /dev/"+k.name+" HTTP/1.1\r\n\r\n"), fault(k.status, k.error, k.body, k.traced)
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	missing := func(text string) string {
		return fault("403 Forbidden", "IncompleteSignatureException", `{"message":"`+text+`"}`, false)
	}
	for raw, want := range map[string]string{
		"GET /dev/called HTTP/1.1\r\n\r\n":  fault("502 Bad Gateway", "InternalServerErrorException", `{"message": "Internal server error"}`, true),
		"GET /prod/called HTTP/1.1\r\n\r\n": fault("403 Forbidden", "ForbiddenException", `{"message":"Forbidden"}`, false),
		"GET /dev/none HTTP/1.1\r\n\r\n":    fault("403 Forbidden", "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`, false),
		"POST /dev/called HTTP/1.1\r\n\r\n": fault("403 Forbidden", "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`, false),
		"GET /dev/none HTTP/1.1\r\nAuthorization: Bearer tok\r\n\r\n": missing("Invalid key=value pair (missing equal-sign) in Authorization header " +
			"(hashed with SHA-256 and encoded with Base64): 'cjGfeFVmvDXUeqhG1sIOX3oE9qkj1vdEU05eTCN1miU='."),
		"GET /dev/none HTTP/1.1\r\nAuthorization: token\r\n\r\n": missing("Authorization header requires 'Credential' parameter. " +
			"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. " +
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=token"),
		"GET /dev/none HTTP/1.1\r\nX-Amz-Date: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a, Signature=b\r\n\r\n": missing(
			"Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 Credential=a, Signature=b"),
		"GET /dev/none HTTP/1.1\r\nDate: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a, SignedHeaders=c, Signature=b\r\n\r\n": fault(
			"403 Forbidden", "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`, false),
		"GET /dev/called HTTP/1.1\r\nContent-Length: 11\r\n\r\n01234567890": "HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: text/plain\r\n" +
			"date: *\r\ncontent-length: 44\r\nx-amzn-RequestId: *\r\nx-amz-apigw-id: *\r\nconnection: close\r\n\r\n" +
			"HTTP content length exceeded 10485760 bytes.",
	} {
		if got := rawBytes(t, g.addr, raw); got != want {
			t.Errorf("%q\ngot\n%s\nwant\n%s", raw, got, want)
		}
	}
}

// A stage with tracing on tells the trace also of whom it refuses.
func TestRESTRefusalTraced(t *testing.T) {
	g := startREST(t, serve.Options{}, plan.RestStage{MinCompression: -1, Tracing: true})
	if res, _ := send(t, g.addr, "GET /dev/none HTTP/1.1\r\n"+host+"\r\n"); res.Header.Get("X-Amzn-Trace-Id") == "" {
		t.Error("no trace on a 403 of a stage with tracing")
	}
}

// Customised gateway responses, through the whole of serve.
func TestRESTGatewayResponses(t *testing.T) {
	responses, err := rest.NewGatewayResponses(map[string]rest.GatewayResponseOptions{
		"DEFAULT_4XX": {Parameters: map[string]string{
			"gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
			"gatewayresponse.header.X-From":                      "method.request.querystring.from",
		}},
		"ACCESS_DENIED": {Status: "404"},
		"THROTTLED": {Status: "503", Templates: map[string]string{
			"application/json": `{"m":$context.error.messageString,"t":"$context.error.responseType"}`,
			"text/plain":       "$context.error.message of $context.stage",
		}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	method := func(name string, kind plan.FaultKind) *plan.Route {
		return route(t, "GET /"+name, step((&fails{Kind: kind, Reason: "a reason"}).Integrate))
	}
	large := route(t, "POST /large", answer("ok"))
	g := startREST(t, serve.Options{MaxBodyBytes: 10}, plan.RestStage{MinCompression: -1, Responses: responses},
		method("denied", plan.AccessDenied), method("throttled", plan.Throttled), method("failed", plan.InternalFailure), large)
	tail := func(body string) string {
		return fmt.Sprintf("date: *\r\ncontent-length: %d\r\nx-amzn-RequestId: *\r\nx-amz-apigw-id: *\r\nconnection: close\r\n\r\n%s", len(body), body)
	}
	for raw, want := range map[string]string{
		"GET /dev/none?from=a%0d%0aX-Evil:%201 HTTP/1.1\r\n\r\n": "HTTP/1.1 403 Forbidden\r\nx-amzn-ErrorType: MissingAuthenticationTokenException\r\n" +
			"Content-Type: application/json\r\nAccess-Control-Allow-Origin: *\r\nX-From: aX-Evil: 1\r\n" +
			tail(`{"message":"Missing Authentication Token"}`),
		"GET /dev/denied HTTP/1.1\r\n\r\n": "HTTP/1.1 404 Not Found\r\nx-amzn-ErrorType: AccessDeniedException\r\nContent-Type: application/json\r\n" +
			tail(`{"message":"User is not authorized to access this resource"}`),
		"GET /dev/throttled HTTP/1.1\r\n\r\n": "HTTP/1.1 503 Service Unavailable\r\n" +
			"x-amzn-ErrorType: TooManyRequestsException\r\nContent-Type: application/json\r\n" + tail(`{"m":"Too Many Requests","t":"THROTTLED"}`),
		"GET /dev/throttled HTTP/1.1\r\nAccept: text/html, text/plain;q=0.5\r\n\r\n": "HTTP/1.1 503 Service Unavailable\r\n" +
			"x-amzn-ErrorType: TooManyRequestsException\r\nContent-Type: text/plain\r\n" + tail(`Too Many Requests of dev`),
		"GET /dev/failed HTTP/1.1\r\n\r\n": "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n" +
			"x-amzn-ErrorType: InternalServerErrorException\r\n" + tail(`{"message": "Internal server error"}`),
		"POST /dev/large HTTP/1.1\r\nContent-Length: 11\r\n\r\n01234567890": "HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: text/plain\r\n" +
			tail("HTTP content length exceeded 10485760 bytes."),
	} {
		if got := rawBytes(t, g.addr, raw); got != want {
			t.Errorf("%q\ngot\n%s\nwant\n%s", raw, got, want)
		}
	}
	// What HEAD is told has the length of the body and no body.
	c := dial(t, g.addr)
	if _, err := io.WriteString(c, "HEAD /dev/none HTTP/1.1\r\n"+host+"\r\nGET /dev/none HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if res, body := receive(t, r, http.MethodHead); res.ContentLength != 42 || body != "" {
		t.Errorf("HEAD: length %d, body %q", res.ContentLength, body)
	}
	if _, body := receive(t, r, http.MethodGet); body != `{"message":"Missing Authentication Token"}` {
		t.Errorf("after HEAD: %q", body)
	}
}

// Reasons quote what clients send: megabytes of a text that doesn't match a
// pattern, say. Clients refuse heads as long as that.
func TestLongReason(t *testing.T) {
	wordy := route(t, "GET /wordy", step(func(*plan.Exchange) error {
		return &plan.Fault{Kind: plan.BadRequestBody, Reason: "it begins " + strings.Repeat("x", 1<<20)}
	}))
	g := startREST(t, serve.Options{ShowReasons: true}, plan.RestStage{}, wordy)
	res, _ := send(t, g.addr, "GET /dev/wordy HTTP/1.1\r\n"+host+"\r\n")
	reason := res.Header.Get("x-gatehouse-reason")
	if len(reason) != 1024 || !strings.HasPrefix(reason, "it begins x") || !strings.HasSuffix(reason, "x ...") {
		t.Errorf("%d bytes of a reason: %.80s", len(reason), reason)
	}
}
