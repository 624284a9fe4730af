package integrate

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/internal/plan"
)

// socketExchange is an event of a WebSocket API.
func socketExchange(event plan.SocketEvent, key string) *plan.Exchange {
	x := lambdaExchange("POST /x")
	x.Stage.Socket = &plan.SocketStage{}
	x.Route = &plan.Route{Key: key, Socket: &plan.SocketRoute{}}
	x.Socket = &plan.Socket{Event: event, ConnectionID: "R1kmxc2VNjMCFIA="}
	return x
}

func TestLambdaSocketConnect(t *testing.T) {
	invoker := &fakeInvoker{answer: result(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"chat"}}`)}
	l := newLambda(t, invoker, inFormat(PayloadFormatWebSocket))
	x := socketExchange(plan.SocketConnect, plan.ConnectRouteKey)
	if err := l.Integrate(x); err != nil {
		t.Fatal(err)
	}
	if x.Response.Status != 200 || x.Socket.Subprotocol != "chat" || x.Integration.Status != 200 || x.Integration.RequestID != "id-1" {
		t.Errorf("response %+v, socket %+v, report %+v", x.Response, x.Socket, x.Integration)
	}
	call := invoker.calls[0]
	var sent struct {
		RequestContext struct{ EventType, ConnectionID string }
	}
	if err := json.Unmarshal(call.Payload, &sent); err != nil || sent.RequestContext.EventType != "CONNECT" {
		t.Errorf("event %s, %v", call.Payload, err)
	}
	if call.TraceID != "Root=1-2-3" || call.Qualifier != "live" {
		t.Errorf("call %+v", call)
	}

	invoker.answer = result(`{"statusCode":403}`)
	x = socketExchange(plan.SocketConnect, plan.ConnectRouteKey)
	if err := l.Integrate(x); err != nil || x.Response.Status != 403 || x.Integration.FunctionStatus != 403 {
		t.Errorf("%v, %+v", err, x.Response)
	}
}

func TestLambdaSocketMessage(t *testing.T) {
	for _, test := range []struct {
		answer string
		twoWay bool
		kind   plan.FaultKind
		body   string
	}{
		{`{"statusCode":200,"body":"hello"}`, true, 0, "hello"},
		{`{"statusCode":500,"body":"hello"}`, false, 0, "hello"},
		{`null`, false, plan.FunctionFailure, ""},
	} {
		x := socketExchange(plan.SocketMessage, plan.DefaultRouteKey)
		x.Request.Body = []byte("hi")
		x.Route.Socket.TwoWay = test.twoWay
		err := newLambda(t, &fakeInvoker{answer: result(test.answer)}, inFormat(PayloadFormatWebSocket)).Integrate(x)
		var fault *plan.Fault
		if test.kind == 0 && err != nil || test.kind != 0 && (!errors.As(err, &fault) || fault.Kind != test.kind || x.Integration.Error != malformedReply) {
			t.Errorf("%.30s: %v", test.answer, err)
		}
		if string(x.Response.Body) != test.body {
			t.Errorf("%.30s: body %.30q", test.answer, x.Response.Body)
		}
	}
}

func TestLambdaSocketFaults(t *testing.T) {
	for _, test := range []struct {
		answer func(context.Context) (InvocationResult, error)
		kind   plan.FaultKind
	}{
		{func(context.Context) (InvocationResult, error) {
			return InvocationResult{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"boom"}`)}, nil
		}, plan.FunctionFailure},
		{failure(errors.New("no such function")), plan.IntegrationFailure},
		{failure(statusError(429)), plan.IntegrationFailure},
		{func(ctx context.Context) (InvocationResult, error) {
			<-ctx.Done()
			return InvocationResult{}, ctx.Err()
		}, plan.IntegrationTimeout},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			x := socketExchange(plan.SocketMessage, plan.DefaultRouteKey)
			var fault *plan.Fault
			if err := newLambda(t, &fakeInvoker{answer: test.answer}, inFormat(PayloadFormatWebSocket)).Integrate(x); !errors.As(err, &fault) || fault.Kind != test.kind {
				t.Errorf("%v, want kind %d", err, test.kind)
			}
			if fault != nil && fault.Kind == plan.IntegrationTimeout && time.Since(start) != restTimeout {
				t.Errorf("waited %s", time.Since(start))
			}
		})
	}
}

func TestLambdaBodyOfMessage(t *testing.T) {
	invoker := &fakeInvoker{answer: result(`{"a":1}`)}
	l := newLambda(t, invoker, inFormat(PayloadFormatBody))
	x := socketExchange(plan.SocketMessage, plan.DefaultRouteKey)
	x.Request.Body = []byte(`{"b":2}`)
	if err := l.Integrate(x); err != nil || string(invoker.calls[0].Payload) != `{"b":2}` || string(x.Response.Body) != `{"a":1}` {
		t.Errorf("%v, %+v, %+v", err, invoker.calls, x.Response)
	}
	x = socketExchange(plan.SocketMessage, plan.DefaultRouteKey)
	x.Request.Body = []byte(`text`)
	var fault *plan.Fault
	if err := l.Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.IntegrationFailure || len(invoker.calls) != 1 {
		t.Errorf("%v, %d calls", err, len(invoker.calls))
	}
}

func TestSocketSourceARN(t *testing.T) {
	for _, key := range []string{plan.ConnectRouteKey, plan.DefaultRouteKey, "send message"} {
		want := "arn:aws:execute-api:eu-west-1:123456789012:abc/dev/" + key
		if got := SourceARN(socketExchange(plan.SocketMessage, key)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
