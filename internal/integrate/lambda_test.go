package integrate

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"gatehouse/internal/plan"
)

// A fakeInvoker answers what the test says and remembers what it was asked.
type fakeInvoker struct {
	answer func(ctx context.Context) (InvocationResult, error)
	calls  []Invocation
}

func (f *fakeInvoker) Invoke(ctx context.Context, call Invocation) (InvocationResult, error) {
	f.calls = append(f.calls, call)
	return f.answer(ctx)
}

func result(payload string) func(context.Context) (InvocationResult, error) {
	return func(context.Context) (InvocationResult, error) {
		return InvocationResult{RequestID: "id-1", Payload: []byte(payload)}, nil
	}
}

func failure(err error) func(context.Context) (InvocationResult, error) {
	return func(context.Context) (InvocationResult, error) { return InvocationResult{}, err }
}

type statusError int

func (e statusError) Error() string { return "refused by the service" }
func (e statusError) Status() int   { return int(e) }

func lambdaExchange(key string) *plan.Exchange {
	k, err := plan.ParseRouteKey(key)
	if err != nil {
		panic(err)
	}
	stage := &plan.Stage{API: &plan.API{ID: "abc", AccountID: "123456789012", Region: "eu-west-1"}, Name: "dev"}
	x := &plan.Exchange{
		Stage: stage, Route: &plan.Route{Key: key, Method: k.Method, Path: k.Path},
		StagePath: "/x", GatewayPath: "/dev/x", RequestID: "r", TraceRoot: "1-2-3", Start: time.Unix(1, 0),
	}
	x.Request = plan.Request{Method: "POST", Path: "/dev/x", Host: "h", Source: netip.MustParseAddrPort("127.0.0.1:1")}
	return x
}

const testFunction = "arn:aws:lambda:eu-west-1:123456789012:function:f"

func newLambda(t testing.TB, invoker Invoker, change func(*LambdaTarget)) plan.Integration {
	t.Helper()
	target := LambdaTarget{FunctionARN: testFunction, Qualifier: "live", PayloadFormat: PayloadFormat20}
	if change != nil {
		change(&target)
	}
	l, err := NewLambdaService(LambdaOptions{Invoker: invoker}).Lambda(target)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLambda(t *testing.T) {
	for _, format := range []string{PayloadFormat10, PayloadFormat20} {
		t.Run(format, func(t *testing.T) {
			invoker := &fakeInvoker{answer: result(`{"statusCode":201,"headers":{"x-a":"b"},"body":"made"}`)}
			l := newLambda(t, invoker, func(target *LambdaTarget) { target.PayloadFormat = format })
			x := lambdaExchange("POST /x")
			x.Request.BodyReader, x.Request.ContentLength = strings.NewReader("hello"), 5
			x.Request.Headers = plan.Headers{{Name: "Content-Type", Value: "text/plain"}}
			if err := l.Integrate(x); err != nil {
				t.Fatal(err)
			}
			if x.Response.Status != 201 || string(x.Response.Body) != "made" || x.Response.Headers.Get("X-A") != "b" {
				t.Errorf("response %+v", x.Response)
			}
			call := invoker.calls[0]
			if call.FunctionARN != testFunction || call.Qualifier != "live" || call.TraceID != "Root=1-2-3" {
				t.Errorf("call %+v", call)
			}
			var event struct{ Version, Body string }
			if err := json.Unmarshal(call.Payload, &event); err != nil || event.Version != format || event.Body != "hello" {
				t.Errorf("event %s, %v", call.Payload, err)
			}
			report := x.Integration
			report.Latency = 0
			if want := (plan.IntegrationReport{Called: true, Status: 200, FunctionStatus: 201, RequestID: "id-1"}); report != want {
				t.Errorf("report %+v, want %+v", report, want)
			}
		})
	}
}

// An event belongs to the invoker: the next request must not change it.
func TestLambdaKeepsEventsApart(t *testing.T) {
	invoker := &fakeInvoker{answer: result(`{}`)}
	l := newLambda(t, invoker, nil)
	for range 3 {
		if err := l.Integrate(lambdaExchange("POST /x")); err != nil {
			t.Fatal(err)
		}
	}
	invoker.calls[0].Payload[0] = '!'
	if invoker.calls[1].Payload[0] != '{' || invoker.calls[2].Payload[0] != '{' {
		t.Error("events share memory")
	}
}

func TestLambdaFaults(t *testing.T) {
	tests := []struct {
		name   string
		answer func(context.Context) (InvocationResult, error)
		kind   plan.FaultKind
		status int
		reason string
	}{
		{"function error", func(context.Context) (InvocationResult, error) {
			return InvocationResult{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"boom","errorType":"TypeError"}`)}, nil
		}, plan.IntegrationFailure, 200, "TypeError: boom"},
		{"function error without a document", func(context.Context) (InvocationResult, error) {
			return InvocationResult{FunctionError: "Unhandled", Payload: []byte(`boom`)}, nil
		}, plan.IntegrationFailure, 200, "the function failed"},
		{"not a response", result(`{"statusCode":"x"}`), plan.IntegrationFailure, 200, "statusCode"},
		{"not JSON", result(`x`), plan.IntegrationFailure, 200, "JSON"},
		{"not there", failure(errors.New("no such function")), plan.IntegrationFailure, 0, "no such function"},
		{"throttled", failure(statusError(429)), plan.IntegrationFailure, 429, "refused"},
		{"too large", failure(statusError(413)), plan.RequestTooLarge, 413, "too large"},
		{"wrapped status", failure(errors.Join(errors.New("x"), statusError(502))), plan.IntegrationFailure, 502, "refused"},
		{"a deadline of the invoker's own", failure(context.DeadlineExceeded), plan.IntegrationFailure, 0, "deadline"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := lambdaExchange("POST /x")
			err := newLambda(t, &fakeInvoker{answer: test.answer}, nil).Integrate(x)
			var fault *plan.Fault
			if !errors.As(err, &fault) || fault.Kind != test.kind || !strings.Contains(fault.Reason, test.reason) {
				t.Fatalf("%v, want kind %d with %q", err, test.kind, test.reason)
			}
			if x.Integration.Status != test.status || x.Integration.Error != fault.Reason || !x.Integration.Called || x.Integration.FunctionStatus != 0 {
				t.Errorf("report %+v", x.Integration)
			}
		})
	}
}

func TestLambdaPermission(t *testing.T) {
	invoker := &fakeInvoker{answer: result(`{}`)}
	x := lambdaExchange("POST /x")
	denied := errors.New("no statement allows it")
	var asked *plan.Exchange
	l := newLambda(t, invoker, func(target *LambdaTarget) {
		target.Permitted = func(x *plan.Exchange) error { asked = x; return denied }
	})
	var fault *plan.Fault
	if err := l.Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.IntegrationFailure || !errors.Is(err, denied) {
		t.Errorf("%v", err)
	}
	if asked != x || len(invoker.calls) != 0 || x.Integration.Called {
		t.Errorf("asked about %p, %d calls", asked, len(invoker.calls))
	}
	denied = nil
	if err := l.Integrate(x); err != nil || len(invoker.calls) != 1 {
		t.Errorf("%v, %d calls", err, len(invoker.calls))
	}
}

func TestSourceARN(t *testing.T) {
	for key, want := range map[string]string{
		"GET /pets/{id}":   "arn:aws:execute-api:eu-west-1:123456789012:abc/dev/GET/pets/{id}",
		"ANY /{proxy+}":    "arn:aws:execute-api:eu-west-1:123456789012:abc/dev/*/{proxy+}",
		"$default":         "arn:aws:execute-api:eu-west-1:123456789012:abc/dev/$default",
		"OPTIONS /a/b/{c}": "arn:aws:execute-api:eu-west-1:123456789012:abc/dev/OPTIONS/a/b/{c}",
	} {
		if got := SourceARN(lambdaExchange(key)); got != want {
			t.Errorf("SourceARN of %s = %s, want %s", key, got, want)
		}
	}
}

func TestLambdaTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &fakeInvoker{answer: func(ctx context.Context) (InvocationResult, error) {
			<-ctx.Done()
			return InvocationResult{}, ctx.Err()
		}}
		start := time.Now()
		l := newLambda(t, slow, func(target *LambdaTarget) { target.Timeout = 3 * time.Second })
		x := lambdaExchange("POST /x")
		x.Request.Done = make(chan struct{})
		var fault *plan.Fault
		if err := l.Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.IntegrationTimeout {
			t.Errorf("%v", err)
		}
		if waited := time.Since(start); waited != 3*time.Second || x.Integration.Latency != waited {
			t.Errorf("waited %s, reported %s", waited, x.Integration.Latency)
		}
	})
}

func TestLambdaClientGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		waiting := &fakeInvoker{answer: func(ctx context.Context) (InvocationResult, error) {
			close(done)
			<-ctx.Done()
			return InvocationResult{}, ctx.Err()
		}}
		start := time.Now()
		x := lambdaExchange("POST /x")
		x.Request.Done = done
		var fault *plan.Fault
		if err := newLambda(t, waiting, nil).Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.ClientGone {
			t.Errorf("%v", err)
		}
		if time.Since(start) != 0 {
			t.Error("the call went on without its client")
		}
	})
}

func TestLambdaBrokenBody(t *testing.T) {
	invoker := &fakeInvoker{answer: result(`{}`)}
	x := lambdaExchange("POST /x")
	x.Request.BodyReader = iotest.ErrReader(errors.New("reset"))
	var fault *plan.Fault
	if err := newLambda(t, invoker, nil).Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.BadRequest || len(invoker.calls) != 0 {
		t.Errorf("%v, %d calls", err, len(invoker.calls))
	}
}

func TestLambdaTargetRefusals(t *testing.T) {
	s := NewLambdaService(LambdaOptions{})
	for name, target := range map[string]LambdaTarget{
		"format": {FunctionARN: testFunction, PayloadFormat: "3.0"},
		"ARN":    {PayloadFormat: PayloadFormat20},
	} {
		if _, err := s.Lambda(target); err == nil {
			t.Errorf("a target with a bad %s was taken", name)
		}
	}
}

func BenchmarkLambda(b *testing.B) {
	payload := []byte(`{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"a\":1}"}`)
	buf := make([]byte, len(payload))
	l := newLambda(b, invokerFunc(func() InvocationResult {
		copy(buf, payload)
		return InvocationResult{Payload: buf}
	}), nil)
	x := lambdaExchange("POST /x")
	x.Request.Done = make(chan struct{})
	b.ReportAllocs()
	for b.Loop() {
		x.Scratch, x.Response.Headers = x.Scratch[:0], x.Response.Headers[:0]
		if err := l.Integrate(x); err != nil {
			b.Fatal(err)
		}
	}
}

type invokerFunc func() InvocationResult

func (f invokerFunc) Invoke(context.Context, Invocation) (InvocationResult, error) { return f(), nil }
