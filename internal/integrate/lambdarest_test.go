package integrate

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/internal/plan"
)

// restExchange is a request for a method of a REST API, with the whole
// execution log on.
func restExchange(method string) *plan.Exchange {
	x := lambdaExchange(method + " /x")
	x.Stage.Rest = &plan.RestStage{BinaryTypes: plan.NewMediaTypes([]string{"image/png"})}
	x.Route.Method, x.Route.Rest = method, &plan.Method{ResourceID: "res"}
	x.TraceHeader = "Root=1-2-3;Parent=4"
	x.Trace = &plan.Trace{ExecutionLogging: plan.ExecutionLogging{Level: plan.LogInfo, Data: true}, Clock: time.Now}
	return x
}

func lines(x *plan.Exchange) []string {
	var texts []string
	for _, l := range x.Trace.Lines {
		texts = append(texts, l.Text)
	}
	return texts
}

func inFormat(format string) func(*LambdaTarget) {
	return func(target *LambdaTarget) { target.PayloadFormat = format }
}

const testURI = "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/" + testFunction + ":live/invocations"

func TestLambdaProxy(t *testing.T) {
	invoker := &fakeInvoker{answer: result(`{"statusCode":201,"headers":{"x-a":"b"},"body":"made"}`)}
	l := newLambda(t, invoker, inFormat(PayloadFormatREST))
	x := restExchange("ANY")
	x.Request.BodyReader, x.Request.ContentLength = strings.NewReader("hello"), 5
	if err := l.Integrate(x); err != nil {
		t.Fatal(err)
	}
	if x.Response.Status != 201 || string(x.Response.Body) != "made" || x.Response.Headers.Get("X-A") != "b" {
		t.Errorf("response %+v", x.Response)
	}
	call := invoker.calls[0]
	if call.FunctionARN != testFunction || call.Qualifier != "live" || call.TraceID != x.TraceHeader {
		t.Errorf("call %+v", call)
	}
	var event struct{ Resource, Body string }
	if err := json.Unmarshal(call.Payload, &event); err != nil || event.Resource != "/x" || event.Body != "hello" {
		t.Errorf("event %s, %v", call.Payload, err)
	}
	report := x.Integration
	report.Latency = 0
	if want := (plan.IntegrationReport{Called: true, Status: 200, FunctionStatus: 201, RequestID: "id-1"}); report != want {
		t.Errorf("report %+v, want %+v", report, want)
	}
	want := []string{
		"Endpoint request URI: " + testURI,
		"Endpoint request headers: {x-amzn-lambda-integration-tag=r, x-amzn-apigateway-api-id=abc, " +
			"X-Amz-Source-Arn=arn:aws:execute-api:eu-west-1:123456789012:abc/dev/ANY/x, Accept=application/json, " +
			"User-Agent=AmazonAPIGateway_abc, X-Amzn-Trace-Id=Root=1-2-3;Parent=4, Content-Type=application/json}",
		"Endpoint request body after transformations: " + string(call.Payload[:979]) + " [TRUNCATED]",
		"Sending request to " + testURI,
		"Received response. Status: 200, Integration latency: 0 ms",
		"Endpoint response headers: {Content-Type=application/json, Content-Length=54, x-amzn-RequestId=id-1, X-Amzn-Trace-Id=Root=1-2-3;Parent=4}",
		`Endpoint response body before transformations: {"statusCode":201,"headers":{"x-a":"b"},"body":"made"}`,
	}
	if got := lines(x); !slices.Equal(got, want) {
		t.Errorf("log\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLambdaBody(t *testing.T) {
	tests := []struct {
		name, request, mapped, want string
		isMapped                    bool
	}{
		{"passed on", `{"a":1}`, "", `{"a":1}`, false},
		{"mapped", `x`, `[2]`, `[2]`, true},
		{"empty", "", "", "{}", false},
		{"mapped to nothing", `x`, "", "{}", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			invoker := &fakeInvoker{answer: result(`"Pass"`)}
			x := restExchange("POST")
			x.Request.Body = []byte(test.request)
			x.Mapped.Body, x.Mapped.HasBody = []byte(test.mapped), test.isMapped
			if err := newLambda(t, invoker, inFormat(PayloadFormatBody)).Integrate(x); err != nil {
				t.Fatal(err)
			}
			if got := string(invoker.calls[0].Payload); got != test.want {
				t.Errorf("event %s, want %s", got, test.want)
			}
			if x.Response.Status != 200 || string(x.Response.Body) != `"Pass"` || x.Response.Headers.Get("content-type") != "application/json" {
				t.Errorf("response %+v", x.Response)
			}
			if x.Integration.Failed || x.Integration.Selection != "" || x.Integration.Status != 200 {
				t.Errorf("report %+v", x.Integration)
			}
			body := test.request
			if test.isMapped {
				body = test.mapped
			}
			if !slices.Contains(lines(x), "Endpoint request body after transformations: "+body) {
				t.Errorf("log %q", lines(x))
			}
		})
	}
}

// The payload is the invoker's: the exchange's memory is used again.
func TestLambdaBodyKeepsEventsApart(t *testing.T) {
	invoker := &fakeInvoker{answer: result(`{}`)}
	x := restExchange("POST")
	x.Request.Body = []byte(`{"a":1}`)
	if err := newLambda(t, invoker, inFormat(PayloadFormatBody)).Integrate(x); err != nil {
		t.Fatal(err)
	}
	x.Request.Body[1] = '!'
	if got := string(invoker.calls[0].Payload); got != `{"a":1}` {
		t.Errorf("event %s", got)
	}
}

// A function's error is what integration responses are selected by.
func TestLambdaBodyFunctionError(t *testing.T) {
	for document, selection := range map[string]string{
		`{"errorMessage":"boom\nbang","errorType":"Error"}`: "boom\nbang",
		`{"errorMessage":{"code":7}}`:                       `{"code":7}`,
		`{"errorMessage":null}`:                             "",
		`{"errorType":"Error"}`:                             "",
		`boom`:                                              "",
	} {
		x := restExchange("POST")
		err := newLambda(t, &fakeInvoker{answer: func(context.Context) (InvocationResult, error) {
			return InvocationResult{FunctionError: "Unhandled", Payload: []byte(document)}, nil
		}}, inFormat(PayloadFormatBody)).Integrate(x)
		if err != nil {
			t.Fatal(err)
		}
		if !x.Integration.Failed || x.Integration.Selection != selection || x.Response.Status != 200 || string(x.Response.Body) != document {
			t.Errorf("%s: report %+v, response %s", document, x.Integration, x.Response.Body)
		}
		if !strings.Contains(strings.Join(lines(x), "\n"), "X-Amz-Function-Error=Unhandled") {
			t.Errorf("log %q", lines(x))
		}
	}
}

type fakeEvents struct {
	events []Invocation
	err    error
}

func (f *fakeEvents) Queue(event Invocation) error {
	f.events = append(f.events, event)
	return f.err
}

func TestLambdaEvent(t *testing.T) {
	events := &fakeEvents{}
	invoker := &fakeInvoker{}
	target := LambdaTarget{FunctionARN: testFunction, Qualifier: "live", PayloadFormat: PayloadFormatBody}
	l, err := NewLambdaService(LambdaOptions{Invoker: invoker, Events: events}).Lambda(target)
	if err != nil {
		t.Fatal(err)
	}
	asEvent := func(kind string) *plan.Exchange {
		x := restExchange("POST")
		x.Request.Body = []byte(`{"a":1}`)
		x.Mapped.On, x.Mapped.Headers = true, plan.Headers{{Name: "x-amz-INVOCATION-type", Value: kind}}
		return x
	}
	x := asEvent("Event")
	if err := l.Integrate(x); err != nil {
		t.Fatal(err)
	}
	if x.Response.Status != 200 || len(x.Response.Body) != 0 || x.Integration.Status != 202 || x.Integration.Selection != "" {
		t.Errorf("response %+v, report %+v", x.Response, x.Integration)
	}
	event := events.events[0]
	if event.FunctionARN != testFunction || event.Qualifier != "live" || string(event.Payload) != `{"a":1}` || event.TraceID != x.TraceHeader {
		t.Errorf("event %+v", event)
	}
	if got := lines(x); !slices.Contains(got, "Received response. Status: 202, Integration latency: 0 ms") {
		t.Errorf("log %q", got)
	}

	var fault *plan.Fault
	events.err = statusError(429)
	x = asEvent("Event")
	if err := l.Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.IntegrationFailure || x.Integration.Status != 429 {
		t.Errorf("a full queue: %v, %+v", err, x.Integration)
	}
	if err := l.Integrate(asEvent("Soon")); !errors.As(err, &fault) || fault.Kind != plan.IntegrationFailure || !strings.Contains(fault.Reason, "Soon") {
		t.Errorf("a type that isn't known: %v", err)
	}
	if len(events.events) != 2 || len(invoker.calls) != 0 {
		t.Errorf("%d events, %d calls", len(events.events), len(invoker.calls))
	}
	// Without its mapping the header is the client's, who has no say.
	x = asEvent("Event")
	x.Request.Headers, x.Mapped.On = x.Mapped.Headers, false
	invoker.answer = result("{}")
	if err := l.Integrate(x); err != nil || len(invoker.calls) != 1 {
		t.Errorf("%v, %d calls", err, len(invoker.calls))
	}
}

func TestRestLambdaFaults(t *testing.T) {
	thrown := func(payload string) func(context.Context) (InvocationResult, error) {
		return func(context.Context) (InvocationResult, error) {
			return InvocationResult{RequestID: "id-1", FunctionError: "Unhandled", Payload: []byte(payload)}, nil
		}
	}
	const customer = "Lambda execution failed with status 200 due to customer function error: "
	tests := []struct {
		name, format string
		answer       func(context.Context) (InvocationResult, error)
		kind         plan.FaultKind
		status       int
		log          []string
	}{
		{"function error", PayloadFormatREST, thrown(`{"errorMessage":"boom","errorType":"TypeError"}`), plan.FunctionFailure, 200,
			[]string{customer + "boom. Lambda request id: id-1"}},
		{"malformed", PayloadFormatREST, result(`{"statusCode":200,"wrong":1}`), plan.FunctionFailure, 200, []string{malformedReply}},
		{"not JSON", PayloadFormatREST, result(`x`), plan.FunctionFailure, 200, []string{malformedReply}},
		{"not base64", PayloadFormatREST, result(`{"body":"!","isBase64Encoded":true}`), plan.ConfigurationError, 200, []string{notBase64}},
		{"throttled", PayloadFormatREST, failure(statusError(429)), plan.IntegrationFailure, 429,
			[]string{"Lambda invocation failed with status: 429. Lambda request id: new-id", rateExceeded}},
		{"throttled without a proxy", PayloadFormatBody, failure(statusError(429)), plan.IntegrationFailure, 429,
			[]string{"Lambda invocation failed with status: 429. Lambda request id: new-id", rateExceeded}},
		{"too large", PayloadFormatREST, failure(statusError(413)), plan.RequestTooLarge, 413,
			[]string{"Lambda invocation failed with status: 413. Lambda request id: new-id", internalError}},
		{"not run", PayloadFormatBody, failure(statusError(502)), plan.IntegrationFailure, 502,
			[]string{"Lambda invocation failed with status: 502. Lambda request id: new-id", internalError}},
		{"not there", PayloadFormatREST, failure(errors.New("no such function")), plan.IntegrationFailure, 0, []string{internalError}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			service := NewLambdaService(LambdaOptions{Invoker: &fakeInvoker{answer: test.answer}, NewID: func() string { return "new-id" }})
			l, err := service.Lambda(LambdaTarget{FunctionARN: testFunction, PayloadFormat: test.format})
			if err != nil {
				t.Fatal(err)
			}
			x := restExchange("POST")
			x.Request.Headers = plan.Headers{{Name: "Accept", Value: "image/png"}}
			var fault *plan.Fault
			if err := l.Integrate(x); !errors.As(err, &fault) || fault.Kind != test.kind {
				t.Fatalf("%v, want kind %d", err, test.kind)
			}
			got := lines(x)
			if got = got[max(0, len(got)-len(test.log)):]; !slices.Equal(got, test.log) {
				t.Errorf("log ends with %q, want %q", got, test.log)
			}
			last := test.log[len(test.log)-1]
			if x.Integration.Status != test.status || x.Integration.Error != last || !x.Integration.Called || x.Integration.FunctionStatus != 0 {
				t.Errorf("report %+v", x.Integration)
			}
			if !strings.HasPrefix(fault.Reason, last) || x.Response.Status != 0 {
				t.Errorf("reason %q, response %+v", fault.Reason, x.Response)
			}
			// Nobody has to listen.
			quiet := restExchange("POST")
			quiet.Trace, quiet.Request.Headers = nil, x.Request.Headers
			if err := l.Integrate(quiet); !errors.As(err, &fault) || fault.Kind != test.kind {
				t.Errorf("without a log: %v", err)
			}
		})
	}
}

// A long message is cut, between characters.
func TestRestLambdaLongError(t *testing.T) {
	x := restExchange("POST")
	l := newLambda(t, &fakeInvoker{answer: func(context.Context) (InvocationResult, error) {
		return InvocationResult{RequestID: "id-1", FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"x` + strings.Repeat("ä", 1000) + `"}`)}, nil
	}}, inFormat(PayloadFormatREST))
	if err := l.Integrate(x); err == nil {
		t.Fatal("no fault")
	}
	want := "Lambda execution failed with status 200 due to customer function error: x" + strings.Repeat("ä", 511) + ". Lambda request id: id-1"
	if x.Integration.Error != want {
		t.Errorf("%q", x.Integration.Error)
	}
}

// Lambda takes nothing but JSON.
func TestLambdaBodyNotJSON(t *testing.T) {
	invoker := &fakeInvoker{}
	x := restExchange("POST")
	x.Mapped.Body, x.Mapped.HasBody = []byte(`{"a": }`), true
	var fault *plan.Fault
	err := newLambda(t, invoker, inFormat(PayloadFormatBody)).Integrate(x)
	if !errors.As(err, &fault) || fault.Kind != plan.BadRequestBody || !strings.HasPrefix(fault.Message, notJSONBody) || len(invoker.calls) != 0 {
		t.Errorf("%+v, %d calls", fault, len(invoker.calls))
	}
}

func TestRestLambdaPermission(t *testing.T) {
	for denied, line := range map[error]string{
		errors.New("no statement allows it"):         noPermission,
		&RoleError{RoleARN: "arn:aws:iam::1:role/r"}: "Execution failed due to configuration error: API Gateway does not have permission to assume the provided role arn:aws:iam::1:role/r",
	} {
		for _, format := range []string{PayloadFormatREST, PayloadFormatBody} {
			invoker := &fakeInvoker{}
			x := restExchange("POST")
			l := newLambda(t, invoker, func(target *LambdaTarget) {
				target.PayloadFormat, target.Permitted = format, func(*plan.Exchange) error { return denied }
			})
			var fault *plan.Fault
			if err := l.Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.IntegrationFailure {
				t.Errorf("%v", err)
			}
			got := lines(x)
			if got[len(got)-1] != line || got[len(got)-2] != "Sending request to "+testURI || len(invoker.calls) != 0 {
				t.Errorf("log %q, %d calls", got, len(invoker.calls))
			}
		}
	}
}

func TestRestLambdaTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 29 * time.Second, 50 * time.Millisecond: 50 * time.Millisecond, time.Minute: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			slow := &fakeInvoker{answer: func(ctx context.Context) (InvocationResult, error) {
				<-ctx.Done()
				return InvocationResult{}, ctx.Err()
			}}
			start := time.Now()
			l := newLambda(t, slow, func(target *LambdaTarget) { target.PayloadFormat, target.Timeout = PayloadFormatREST, timeout })
			x := restExchange("POST")
			var fault *plan.Fault
			if err := l.Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.IntegrationTimeout || x.Integration.Error != timedOut {
				t.Errorf("%v", err)
			}
			if waited := time.Since(start); waited != want || x.Integration.Latency != waited {
				t.Errorf("waited %s, want %s, reported %s", waited, want, x.Integration.Latency)
			}
		})
	}
}

func TestRestLambdaClientGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		waiting := &fakeInvoker{answer: func(ctx context.Context) (InvocationResult, error) {
			close(done)
			<-ctx.Done()
			return InvocationResult{}, ctx.Err()
		}}
		x := restExchange("POST")
		x.Request.Done = done
		var fault *plan.Fault
		if err := newLambda(t, waiting, inFormat(PayloadFormatREST)).Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.ClientGone {
			t.Errorf("%v", err)
		}
	})
}

func TestRestSourceARN(t *testing.T) {
	if got, want := SourceARN(restExchange("ANY")), "arn:aws:execute-api:eu-west-1:123456789012:abc/dev/ANY/x"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func BenchmarkLambdaProxy(b *testing.B) {
	payload := []byte(`{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"a\":1}"}`)
	buf := make([]byte, len(payload))
	l := newLambda(b, invokerFunc(func() InvocationResult {
		copy(buf, payload)
		return InvocationResult{Payload: buf}
	}), inFormat(PayloadFormatREST))
	x := restExchange("POST")
	x.Trace, x.Request.Done = nil, make(chan struct{})
	b.ReportAllocs()
	for b.Loop() {
		x.Scratch, x.Response.Headers = x.Scratch[:0], x.Response.Headers[:0]
		if err := l.Integrate(x); err != nil {
			b.Fatal(err)
		}
	}
}
