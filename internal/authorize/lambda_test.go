package authorize

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// A fakeFunction answers by itself and counts.
type fakeFunction struct {
	answer    func(ctx context.Context, event string) (FunctionResult, error)
	permitted error
	source    atomic.Pointer[string]
	calls     atomic.Int32
}

func (f *fakeFunction) Permitted(_ *plan.Exchange, source string) error {
	f.source.Store(&source)
	return f.permitted
}

func (f *fakeFunction) Invoke(ctx context.Context, _ string, event []byte) (FunctionResult, error) {
	f.calls.Add(1)
	return f.answer(ctx, string(event))
}

// says is a function that always answers the same.
func says(payload string) *fakeFunction {
	return &fakeFunction{answer: func(context.Context, string) (FunctionResult, error) {
		return FunctionResult{RequestID: "call", Payload: []byte(payload)}, nil
	}}
}

// fails is a function that always fails.
func fails(document string) *fakeFunction {
	return &fakeFunction{answer: func(context.Context, string) (FunctionResult, error) {
		return FunctionResult{Payload: []byte(document), Failed: true}, nil
	}}
}

// A lambdaClock is a clock that only the test moves.
type lambdaClock struct {
	mu  sync.Mutex
	now time.Time
}

func newLambdaClock() *lambdaClock { return &lambdaClock{now: time.Unix(1_700_000_000, 0)} }

func (c *lambdaClock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *lambdaClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func apiOf(kind LambdaKind) *plan.API {
	return &plan.API{ID: "api1", AccountID: "123456789012", Region: "eu-west-1", Protocol: kind.protocol()}
}

func newLambda(t testing.TB, o LambdaOptions) *Lambda {
	t.Helper()
	o.API, o.Stage, o.ID = apiOf(o.Kind), "dev", "auth1"
	if o.Clock == nil {
		o.Clock = newLambdaClock().time
	}
	if o.Cache == nil {
		o.Cache = NewAnswerCache(AnswerCacheOptions{Clock: o.Clock})
	}
	l, err := NewLambda(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// request makes an exchange of a line and header lines.
func request(kind LambdaKind, line string, headers ...string) *plan.Exchange {
	method, target, _ := strings.Cut(line, " ")
	path, query, _ := strings.Cut(target, "?")
	x := &plan.Exchange{RequestID: "id", TraceRoot: "1-x", StagePath: path, GatewayPath: "/dev" + path}
	x.API = apiOf(kind)
	x.Stage = &plan.Stage{API: x.API, Name: "dev"}
	x.Route = &plan.Route{Key: "ANY /{p+}", Method: "ANY", Path: "/{p+}"}
	switch kind.protocol() {
	case plan.REST:
		x.Stage.Rest, x.Route.Rest = &plan.RestStage{}, &plan.Method{}
	case plan.WebSocket:
		x.Stage.Socket, x.Route.Key = &plan.SocketStage{}, plan.ConnectRouteKey
		x.Socket = &plan.Socket{Event: plan.SocketConnect, ConnectedAt: x.Start}
	}
	x.Request.Method, x.Request.Path, x.Request.Query = method, path, query
	x.Request.Source = netip.MustParseAddrPort("192.0.2.1:1")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		x.Request.Headers = append(x.Request.Headers, plan.Header{Name: name, Value: value})
	}
	return x
}

// allows is an answer with a policy of one statement.
func allows(resource string) string {
	return `{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"` + resource + `"}]},"context":{"n":1}}`
}

const everything = "arn:aws:execute-api:*:*:*"

var (
	deny      = strings.Replace(allows(everything), "Allow", "Deny", 1)
	elsewhere = allows("arn:aws:execute-api:eu-west-1:123456789012:api1/dev/GET/elsewhere")
)

// kindOf is the kind of a fault, 0 for none.
func kindOf(t *testing.T, err error) plan.FaultKind {
	t.Helper()
	if err == nil {
		return 0
	}
	var fault *plan.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("%v is no fault", err)
	}
	return fault.Kind
}

func TestLambdaOutcomes(t *testing.T) {
	anyKinds := []LambdaKind{RESTToken, RESTRequest, HTTPRequest10, HTTPRequest20, WebSocketRequest}
	rest := []LambdaKind{RESTToken, RESTRequest}
	web := []LambdaKind{HTTPRequest10, HTTPRequest20, HTTPSimple}
	for _, test := range []struct {
		name     string
		kinds    []LambdaKind
		function *fakeFunction
		want     plan.FaultKind
		message  string
		reported string
	}{
		{"allow", anyKinds, says(allows(everything)), 0, "", ""},
		{"deny", anyKinds, says(deny), plan.AccessDenied, explicitDeny, "The client is not authorized to perform this operation."},
		{"no match", anyKinds, says(elsewhere), plan.AccessDenied, implicitDeny, "The client is not authorized to perform this operation."},
		{"another action", anyKinds, says(strings.Replace(allows("*"), "execute-api:Invoke", "execute-api:ManageConnections", 1)), plan.AccessDenied, implicitDeny, ""},
		{"unauthorized", anyKinds, fails(`{"errorMessage":"Unauthorized","errorType":"Error"}`), plan.Unauthorized, "", "Unauthorized"},
		{"nearly unauthorized", anyKinds, fails(`{"errorMessage":"unauthorized"}`), plan.AuthorizerMisconfigured, "", ""},
		{"throws", rest, fails(`{"errorType":"Error","errorMessage":"told to"}`), plan.AuthorizerMisconfigured, "", `Execution failed due to configuration error: Invalid JSON in response: Unrecognized field "errorType" , not marked as ignorable`},
		{"fails and answers", anyKinds, fails(allows(everything)), plan.AuthorizerMisconfigured, "", authorizerFailed},
		{"unknown field", rest, says(`{"errorType":"x",` + allows(everything)[1:]), plan.AuthorizerMisconfigured, "", ""},
		{"unknown field", web[:2], says(`{"x":"x",` + allows(everything)[1:]), 0, "", ""},
		{"list in the context", []LambdaKind{RESTToken, RESTRequest, WebSocketRequest, HTTPRequest10}, says(strings.Replace(allows(everything), `"n":1`, `"n":[]`, 1)), plan.AuthorizerMisconfigured, "", ""},
		{"list in the context", []LambdaKind{HTTPRequest20}, says(strings.Replace(allows(everything), `"n":1`, `"n":[]`, 1)), 0, "", ""},
		{"null", rest, says(`null`), plan.AuthorizerMisconfigured, "", "Execution failed due to configuration error: Could not parse policy"},
		{"nonsense", anyKinds, says(`<html>`), plan.AuthorizerMisconfigured, "", ""},
		{"no policy", anyKinds, says(`{"principalId":"me"}`), plan.AuthorizerMisconfigured, "", ""},
		{"policy of nothing known", anyKinds, says(`{"principalId":"me","policyDocument":{"Statement":[{"Effect":"Perhaps","Action":"*","Resource":"*"}]}}`), plan.AuthorizerMisconfigured, "", ""},
		{"long resource", anyKinds, says(allows("arn:aws:execute-api:*:*:" + strings.Repeat("*", 500))), plan.AuthorizerMisconfigured, "", ""},
		{"deny what is no ARN", anyKinds, says(strings.Replace(deny, everything, "*/GET/a/b", 1)), plan.AuthorizerMisconfigured, "", ""},
		{"allow what is no ARN", anyKinds, says(allows("*/GET/a/b")), plan.AccessDenied, implicitDeny, ""},
		{"allow all but what is no ARN", anyKinds, says(strings.Replace(allows("*/GET/a/b"), `"Resource"`, `"NotResource"`, 1)), plan.AuthorizerMisconfigured, "", ""},
		{"deny without principal", rest, says(strings.Replace(deny, `"principalId":"me",`, "", 1)), plan.AccessDenied, explicitDeny, ""},
		{"allow without principal", rest, says(strings.Replace(allows("*"), `"principalId":"me",`, "", 1)), plan.AuthorizerMisconfigured, "", ""},
		{"allow without principal", []LambdaKind{WebSocketRequest}, says(strings.Replace(allows("*"), `"principalId":"me",`, "", 1)), plan.AccessDenied, "", ""},
		{"allow without principal", web[:2], says(strings.Replace(allows("*"), `"principalId":"me",`, "", 1)), 0, "", ""},
		{"over 8 KB", []LambdaKind{WebSocketRequest}, says(strings.Replace(allows("*"), `"n":1`, `"n":"`+strings.Repeat("x", 8192)+`"`, 1)), plan.AuthorizerMisconfigured, "", ""},
		{"10 MB", rest, says(strings.Repeat(" ", 10<<20) + `{"x":`), plan.AuthorizerMisconfigured, "", ""},
		{"simple yes", []LambdaKind{HTTPSimple}, says(`{"isAuthorized":true,"context":{"n":1}}`), 0, "", ""},
		{"simple no", []LambdaKind{HTTPSimple}, says(`{"isAuthorized":false}`), plan.AccessDenied, "", ""},
		{"simple nothing", []LambdaKind{HTTPSimple}, says(allows(everything)), plan.AuthorizerMisconfigured, "", ""},
		{"simple unasked", web[:2], says(`{"isAuthorized":true}`), plan.AuthorizerMisconfigured, "", ""},
		{"not permitted", anyKinds, &fakeFunction{permitted: errors.New("no")}, plan.AuthorizerMisconfigured, "", invalidPermissions},
		{"can't be run", anyKinds, &fakeFunction{answer: func(context.Context, string) (FunctionResult, error) { return FunctionResult{}, errors.New("gone") }}, plan.AuthorizerMisconfigured, "", authorizerFailed},
		{"too slow", anyKinds, &fakeFunction{answer: func(ctx context.Context, _ string) (FunctionResult, error) {
			<-ctx.Done()
			return FunctionResult{}, ctx.Err()
		}}, plan.AuthorizerMisconfigured, "", "Execution failed due to a timeout error"},
	} {
		for _, kind := range test.kinds {
			for _, ttl := range []time.Duration{0, time.Minute} {
				t.Run(fmt.Sprintf("%s/%d/%s", test.name, kind, ttl), func(t *testing.T) {
					timeout := time.Minute
					if test.name == "too slow" {
						timeout = 20 * time.Millisecond
					}
					l := newLambda(t, LambdaOptions{Kind: kind, Sources: []string{sourceOf(kind)}, TTL: ttl, Function: test.function, Timeout: timeout})
					x := request(kind, "GET /a/b", "Auth: token")
					err := l.Authorize(x)
					if got := kindOf(t, err); got != test.want {
						t.Fatalf("got %v, want kind %d", err, test.want)
					}
					var fault *plan.Fault
					if errors.As(err, &fault) && test.message != "" && fault.Message != test.message {
						t.Errorf("message %q", fault.Message)
					}
					if test.reported != "" && x.Authorizer.Error != test.reported {
						t.Errorf("reported %q", x.Authorizer.Error)
					}
					if answered := err == nil || test.want == plan.AccessDenied; answered && x.Authorization == nil || !x.Authorizer.Called || (x.Authorizer.Status == 200) != (err == nil) {
						t.Errorf("%+v, %+v", x.Authorization, x.Authorizer)
					}
				})
			}
		}
	}
}

// sourceOf is the header auth as the kind writes it.
func sourceOf(kind LambdaKind) string {
	switch kind.protocol() {
	case plan.HTTP:
		return "$request.header.auth"
	case plan.WebSocket:
		return "route.request.header.auth"
	}
	return "method.request.header.auth"
}

func TestLambdaIdentity(t *testing.T) {
	variables := map[string]string{"set": "v", "empty": ""}
	for _, test := range []struct {
		kind    LambdaKind
		ttl     time.Duration
		sources []string
		line    string
		headers []string
		want    plan.FaultKind
		calls   int32
	}{
		{RESTToken, 0, []string{"method.request.header.Auth"}, "GET /", nil, plan.Unauthorized, 0},
		{RESTToken, 0, []string{"method.request.header.Auth"}, "GET /", []string{"auth: "}, plan.Unauthorized, 0},
		{RESTToken, 0, []string{"method.request.header.Auth"}, "GET /", []string{"AUTH: abc"}, 0, 1},
		{RESTToken, 0, []string{"method.request.header.Auth"}, "GET /", []string{"auth: abc1"}, plan.Unauthorized, 0},
		{RESTToken, time.Hour, []string{"method.request.header.Auth"}, "GET /", []string{"auth: abc\n"}, plan.Unauthorized, 0},
		{RESTToken, 0, []string{"method.request.header.Auth"}, "GET /", []string{"auth: 1abc"}, plan.Unauthorized, 0},
		{RESTToken, 0, []string{"method.request.header.Auth"}, "GET /", []string{"auth: abc", "auth: 1"}, plan.Unauthorized, 0},
		{RESTRequest, 0, []string{"method.request.header.Auth"}, "GET /", nil, 0, 1},
		{RESTRequest, time.Hour, []string{"method.request.header.Auth"}, "GET /", nil, plan.Unauthorized, 0},
		{RESTRequest, time.Hour, []string{"method.request.header.Auth", "method.request.querystring.q"}, "GET /?q=", []string{"auth: a"}, plan.Unauthorized, 0},
		{RESTRequest, time.Hour, []string{"method.request.header.Auth", "method.request.querystring.q"}, "GET /?x=1;%71=2", []string{"auth: a"}, 0, 1},
		{RESTRequest, time.Hour, []string{"stageVariables.set", "context.identity.sourceIp", "context.httpMethod"}, "GET /", nil, 0, 1},
		{RESTRequest, time.Hour, []string{"stageVariables.empty"}, "GET /", nil, plan.Unauthorized, 0},
		{RESTRequest, time.Hour, []string{"stageVariables.gone"}, "GET /", nil, plan.Unauthorized, 0},
		{RESTRequest, time.Hour, []string{"context.status"}, "GET /", nil, plan.Unauthorized, 0},
		{RESTRequest, time.Hour, []string{"method.request.header.x-forwarded-for"}, "GET /", nil, 0, 1},
		{HTTPRequest20, 0, nil, "GET /", nil, 0, 1},
		{HTTPRequest20, 0, []string{"$request.header.auth"}, "GET /", nil, plan.Unauthorized, 0},
		{HTTPRequest20, 0, []string{"$request.querystring.q", "$context.routeKey", "$stageVariables.set"}, "GET /?q=1", nil, 0, 1},
		{HTTPRequest20, 0, []string{"$request.querystring.q"}, "GET /?a;q=1", nil, plan.Unauthorized, 0},
		{WebSocketRequest, 0, []string{"route.request.querystring.q"}, "GET /", nil, plan.Unauthorized, 0},
		{WebSocketRequest, 0, []string{"route.request.querystring.q", "context.connectionId"}, "GET /?q=1", nil, plan.Unauthorized, 0},
	} {
		function := says(allows(everything))
		o := LambdaOptions{Kind: test.kind, TTL: test.ttl, Sources: test.sources, Variables: variables, Function: function}
		if test.kind == RESTToken {
			o.Validation = "[a-z]*|z"
		}
		if got := kindOf(t, newLambda(t, o).Authorize(request(test.kind, test.line, test.headers...))); got != test.want || function.calls.Load() != test.calls {
			t.Errorf("%+v: fault %d after %d calls", test, got, function.calls.Load())
		}
		if test.calls > 0 && *function.source.Load() != "arn:aws:execute-api:eu-west-1:123456789012:api1/authorizers/auth1" {
			t.Errorf("source ARN %s", *function.source.Load())
		}
	}
}

func TestNewLambdaRefuses(t *testing.T) {
	for _, o := range []LambdaOptions{
		{Kind: RESTToken},
		{Kind: RESTToken, Sources: []string{"method.request.querystring.q"}},
		{Kind: RESTToken, Sources: []string{"method.request.header.a", "method.request.header.b"}},
		{Kind: RESTToken, Sources: []string{"method.request.header.a"}, Validation: "(?=x)"},
		{Kind: RESTRequest, Sources: []string{"method.request.path.p"}},
		{Kind: RESTRequest, Sources: []string{"$request.header.a"}},
		{Kind: HTTPRequest20, Sources: []string{"method.request.header.a"}},
		{Kind: WebSocketRequest, Sources: []string{"route.request.header."}},
	} {
		o.API = apiOf(o.Kind)
		if _, err := NewLambda(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// The longest method ARN is AWS's, and the function hears of nothing longer.
func TestLambdaLongARN(t *testing.T) {
	function := says(allows("*"))
	l := newLambda(t, LambdaOptions{Kind: RESTRequest, Function: function})
	prefix := len(Resource(request(RESTRequest, "GET /")))
	if err := l.Authorize(request(RESTRequest, "GET /"+strings.Repeat("a", maxMethodARN-prefix))); err != nil {
		t.Error(err)
	}
	if got := kindOf(t, l.Authorize(request(RESTRequest, "GET /"+strings.Repeat("a", maxMethodARN-prefix+1)))); got != plan.URITooLong || function.calls.Load() != 1 {
		t.Errorf("fault %d after %d calls", got, function.calls.Load())
	}
}

// A fakePolicy is a resource policy with one statement.
func resourcePolicy(t *testing.T, effect string) *ResourcePolicy {
	d, err := policy.Parse(policy.Inline, `{"Statement":[{"Effect":"`+effect+`","Action":"execute-api:Invoke","Resource":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	return &ResourcePolicy{Document: d, Clock: time.Now}
}

func TestLambdaWithResourcePolicy(t *testing.T) {
	for _, test := range []struct {
		effect, answer string
		want           plan.FaultKind
		calls          int32
	}{
		{"Deny", allows("*"), plan.AccessDenied, 0},
		{"Allow", allows("*"), 0, 1},
		{"Allow", elsewhere, 0, 1}, // one that allows is enough in one account
		{"Allow", deny, plan.AccessDenied, 1},
	} {
		function := says(test.answer)
		l := newLambda(t, LambdaOptions{Kind: RESTRequest, Function: function, Policy: resourcePolicy(t, test.effect)})
		err := l.Authorize(request(RESTRequest, "GET /a"))
		if got := kindOf(t, err); got != test.want || function.calls.Load() != test.calls {
			t.Errorf("%+v: %v after %d calls", test, err, function.calls.Load())
		}
		var fault *plan.Fault
		want := "User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********9012:api1/dev/GET/a with an explicit deny in a resource-based policy"
		if test.effect == "Deny" && (!errors.As(err, &fault) || fault.Message != want) {
			t.Errorf("%+v", fault)
		}
	}
}

// What is handed on is the function's, and the invocation is reported.
func TestLambdaReport(t *testing.T) {
	clock := newLambdaClock()
	function := &fakeFunction{answer: func(context.Context, string) (FunctionResult, error) {
		clock.pass(7 * time.Millisecond)
		return FunctionResult{RequestID: "call", Payload: []byte(strings.Replace(allows("*"), `"context"`, `"usageIdentifierKey":"key","context"`, 1))}, nil
	}}
	l := newLambda(t, LambdaOptions{Kind: RESTRequest, Sources: []string{sourceOf(RESTRequest)}, TTL: time.Minute, Function: function, Clock: clock.time})
	x := request(RESTRequest, "GET /", "auth: a")
	if err := l.Authorize(x); err != nil {
		t.Fatal(err)
	}
	if a := x.Authorization; a.PrincipalID != "me" || a.UsageIdentifierKey != "key" || len(a.Values) != 1 || a.Values[0] != (plan.AuthorizerValue{Name: "n", Text: "1", JSON: `"1"`}) {
		t.Errorf("%+v", a)
	}
	want := plan.AuthorizerReport{Called: true, Latency: 7 * time.Millisecond, FunctionLatency: 7 * time.Millisecond, Status: 200, FunctionStatus: 200, RequestID: "call"}
	if x.Authorizer != want {
		t.Errorf("%+v", x.Authorizer)
	}
	kept := request(RESTRequest, "GET /", "auth: a")
	if err := l.Authorize(kept); err != nil || kept.Authorizer != (plan.AuthorizerReport{Called: true, Status: 200}) || kept.Authorization != x.Authorization {
		t.Errorf("%v, %+v", err, kept.Authorizer)
	}
}

func TestLambdaTrace(t *testing.T) {
	l := newLambda(t, LambdaOptions{
		Kind: RESTToken, Sources: []string{"method.request.header.Auth"}, URI: "uri",
		Function: says(`{"usageIdentifierKey":"0123456789abcdef",` + allows("*")[1:]),
	})
	x := request(RESTToken, "GET /a", "auth: Bearer secret-token-123456")
	x.Trace = &plan.Trace{}
	x.Trace.Begin(plan.ExecutionLogging{Level: plan.LogInfo, Data: true}, time.Now)
	if err := l.Authorize(x); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, line := range x.Trace.Lines {
		lines = append(lines, line.Text)
		if strings.Contains(line.Text, "secret-token") || strings.Contains(line.Text, "0123456789") {
			t.Errorf("a secret stands in %s", line.Text)
		}
	}
	for i, want := range []string{
		"Starting authorizer: auth1 for request: id", "Incoming identity: ********************123456", "Endpoint request URI: uri",
		"Endpoint request headers: {", `Endpoint request body after transformations: {"type":"TOKEN","methodArn":"arn:`, "Sending request to uri",
		"Authorizer result body before parsing: {", "Using valid authorizer policy for principal: **", "Successfully completed authorizer execution",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d of %q, want %s", i, lines, want)
		}
	}

	l = newLambda(t, LambdaOptions{Kind: RESTRequest, Sources: []string{"method.request.header.Auth", "method.request.querystring.q"}, Function: says("null")})
	x = request(RESTRequest, "GET /a?q=12", "auth: secret-token-123456")
	x.Trace = &plan.Trace{}
	x.Trace.Begin(plan.ExecutionLogging{Level: plan.LogInfo}, time.Now)
	if err := l.Authorize(x); err == nil {
		t.Fatal("null lets pass")
	}
	if text := fmt.Sprint(x.Trace.Lines); !strings.Contains(text, "Incoming identity: {method.request.header.Auth=*************123456, method.request.querystring.q=**}") ||
		!strings.Contains(text, configurationError+"Could not parse policy") || !strings.Contains(text, misconfiguration) || strings.Contains(text, "secret") {
		t.Error(text)
	}
}

// TestLambdaCauses tells operators why a function couldn't be called.
func TestLambdaCauses(t *testing.T) {
	cause := errors.New("for that reason")
	for _, f := range []*fakeFunction{
		{permitted: cause},
		{answer: func(context.Context, string) (FunctionResult, error) { return FunctionResult{}, cause }},
	} {
		for _, ttl := range []time.Duration{0, time.Minute} {
			l := newLambda(t, LambdaOptions{Kind: HTTPSimple, Sources: []string{sourceOf(HTTPSimple)}, TTL: ttl, Function: f})
			var fault *plan.Fault
			err := l.Authorize(request(HTTPSimple, "GET /a/b", "Auth: token"))
			if !errors.As(err, &fault) || !errors.Is(err, cause) || !strings.HasSuffix(fault.Reason, ": for that reason") {
				t.Errorf("TTL %v: %v", ttl, err)
			}
		}
	}
}
