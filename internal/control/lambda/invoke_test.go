package lambda_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/function"
)

func TestInvokeErrors(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	tests := []struct {
		name          string
		change        func(in *api.InvocationRequest)
		code, message string
	}{
		{"name", func(in *api.InvocationRequest) {
			in.FunctionName = new("arn:aws:lambda:us-east-1:123400000000@function:myfn")
		}, "ValidationException", `1 validation error detected: Value 'arn:aws:lambda:us-east-1:123400000000@function:myfn' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`},
		{"alias", func(in *api.InvocationRequest) { in.Qualifier = new("nope") },
			"ResourceNotFoundException", "Function not found: " + prefix + "f:nope"},
		{"not JSON", func(in *api.InvocationRequest) { in.Payload = []byte("{\n \"a\": oops}") },
			"InvalidRequestContentException", "Could not parse request body into json: Could not parse payload into json: invalid character 'o' looking for beginning of value; line: 2, column: 7"},
		{"large", func(in *api.InvocationRequest) { in.Payload = jsonString(6291457) },
			"RequestEntityTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation"},
		{"large event", func(in *api.InvocationRequest) {
			in.InvocationType, in.Payload = new("Event"), jsonString(1048577)
		}, "RequestEntityTooLargeException", "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"},
		{"type", func(in *api.InvocationRequest) { in.InvocationType = new("Soon") },
			"ValidationException", "1 validation error detected: Value 'Soon' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"},
		{"client context", func(in *api.InvocationRequest) { in.ClientContext = new("???") },
			"InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &api.InvocationRequest{FunctionName: new("f")}
			tt.change(in)
			_, err := f.Invoke(f.Call, in)
			fails(t, err, tt.code, tt.message)
		})
	}
	dry := must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f"), InvocationType: new("DryRun")}))(t)
	if *dry.StatusCode != 204 || dry.Payload != nil {
		t.Errorf("a dry run answers %d %s", *dry.StatusCode, dry.Payload)
	}
	full := must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f"), Payload: jsonString(6291456)}))(t)
	if len(full.Payload) != 6291456 {
		t.Errorf("a payload of 6 MB comes back with %d bytes", len(full.Payload))
	}
}

// jsonString is a JSON string of n bytes.
func jsonString(n int) []byte { return []byte(`"` + strings.Repeat("x", n-2) + `"`) }

// TestRefused checks how failures of the runtime are answered.
func TestRefused(t *testing.T) {
	runtime := &echo{}
	f := open(t, t.TempDir(), runtime, nil)
	f.create(t, "f", nothing)
	invoke := func(err *function.Error) *awswire.Error {
		t.Helper()
		runtime.answer = func(int, *function.Spec) (*function.Result, error) { return nil, err }
		_, got := f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f")})
		var e *awswire.Error
		if !errors.As(got, &e) {
			t.Fatalf("error %v", got)
		}
		return e
	}
	e := invoke(&function.Error{Kind: function.Throttled, Message: "Rate Exceeded.", Reason: function.ReasonReserved})
	if e.Code != "TooManyRequestsException" || e.Status != 429 || e.Members["Reason"] != function.ReasonReserved || e.Members["Type"] != "User" {
		t.Errorf("a throttle answers %+v", e)
	}
	e = invoke(&function.Error{Kind: function.InterpreterMissing, Message: "install Node"})
	if e.Code != "InvalidRuntimeException" || e.Message != "install Node" {
		t.Errorf("a missing interpreter answers %+v", e)
	}
	e = invoke(&function.Error{Kind: function.StartFailed, Message: "no"})
	if e.Code != "ServiceException" || e.Status != 500 {
		t.Errorf("a failed start answers %+v", e)
	}
}

// TestFunctionError is about what the function itself did wrong.
func TestFunctionError(t *testing.T) {
	f := newRunning(t, nil)
	f.create(t, "f", `exports.handler = async () => { throw new TypeError("oh no") }`)
	res := must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f")}))(t)
	if *res.StatusCode != 200 || *res.FunctionError != "Unhandled" || !strings.Contains(string(res.Payload), `"errorType":"TypeError","errorMessage":"oh no"`) {
		t.Errorf("answers %d %v %s", *res.StatusCode, res.FunctionError, res.Payload)
	}
}

func TestStream(t *testing.T) {
	f := newRunning(t, nil)
	f.create(t, "stream", `exports.handler = awslambda.streamifyResponse(async (event, out) => {
		out.setContentType("text/plain"); out.write("one "); await new Promise(r => setTimeout(r, 5)); out.write("two"); out.end() })`)
	f.create(t, "plain", `exports.handler = async (event) => event`)
	f.create(t, "bad", `exports.handler = async () => { throw new Error("no") }`)
	read := func(name string) (body string, end *api.InvokeWithResponseStreamCompleteEvent, contentType string) {
		t.Helper()
		res := must(f.InvokeWithResponseStream(f.Call, &api.InvokeWithResponseStreamRequest{FunctionName: &name, Payload: []byte(`{"a":1}`), LogType: new("Tail")}))(t)
		if *res.StatusCode != 200 || *res.ExecutedVersion != "$LATEST" {
			t.Errorf("%s: status %d, version %s", name, *res.StatusCode, *res.ExecutedVersion)
		}
		for event, err := range res.EventStream {
			ok(t, err)
			if event.PayloadChunk != nil {
				body += string(event.PayloadChunk.Payload)
			}
			end = event.InvokeComplete
		}
		return body, end, *res.ResponseStreamContentType
	}
	body, end, contentType := read("stream")
	if body != "one two" || contentType != "text/plain" || end.ErrorCode != nil {
		t.Errorf("streams %q as %s, then %+v", body, contentType, end)
	}
	if log := must(base64.StdEncoding.DecodeString(*end.LogResult))(t); !strings.Contains(string(log), "END RequestId") {
		t.Errorf("log tail %s", log)
	}
	if body, _, _ = read("plain"); body != `{"a":1}` {
		t.Errorf("a handler that doesn't stream gives %q", body)
	}
	_, end, _ = read("bad")
	if end.ErrorCode == nil || *end.ErrorCode != "Unhandled" || !strings.Contains(*end.ErrorDetails, `"errorMessage":"no"`) {
		t.Errorf("a failing handler ends with %+v", end)
	}
	// Who stops reading stops the stream.
	res := must(f.InvokeWithResponseStream(f.Call, &api.InvokeWithResponseStreamRequest{FunctionName: new("stream")}))(t)
	for range res.EventStream {
		break
	}
}

func TestEvent(t *testing.T) {
	f := newRunning(t, nil)
	dir := t.TempDir()
	f.create(t, "f", `exports.handler = async (event) => require("fs").writeFileSync(event.file, event.text)`)
	file := dir + "/out"
	res := must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f"), InvocationType: new("Event"), Payload: fmt.Appendf(nil, `{"file":%q,"text":"done"}`, file)}))(t)
	if *res.StatusCode != 202 || res.Payload != nil || res.ExecutedVersion != nil {
		t.Errorf("answers %+v", res)
	}
	// Closing waits for what is due.
	ok(t, f.Service.Close(t.Context()))
	if got := string(readAll(t, file)); got != "done" {
		t.Errorf("the function wrote %q", got)
	}
	_, err := f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f"), InvocationType: new("Event")})
	fails(t, err, "ServiceException", "the gateway is stopping")
}

func TestInvokeLater(t *testing.T) {
	f := newRunning(t, nil)
	dir := t.TempDir()
	f.create(t, "f", `exports.handler = async (event) => require("fs").writeFileSync(event.file, process.env._X_AMZN_TRACE_ID)`)
	file := dir + "/out"
	ok(t, f.InvokeLater(prefix+"f", fmt.Appendf(nil, `{"file":%q}`, file), "Root=1-2-3"))
	if err := f.InvokeLater(prefix+"g", []byte("{}"), ""); !errors.Is(err, lambda.ErrNotFound) {
		t.Errorf("a function that isn't there: %v", err)
	}
	var refused *function.Error
	if err := f.InvokeLater(prefix+"f", jsonString(1048577), ""); !errors.As(err, &refused) || refused.Status() != 413 {
		t.Errorf("too large an event: %v", err)
	}
	ok(t, f.Service.Close(t.Context()))
	if got := string(readAll(t, file)); !strings.HasPrefix(got, "Root=1-2-3") {
		t.Errorf("the function wrote %q", got)
	}
	if err := f.InvokeLater(prefix+"f", []byte("{}"), ""); !errors.As(err, &refused) || refused.Status() != 502 {
		t.Errorf("a stopped queue: %v", err)
	}
}

// TestRetries checks how often and when a failing event is tried, by the clock
// of a bubble.
func TestRetries(t *testing.T) {
	failed := func(int, *function.Spec) (*function.Result, error) {
		return &function.Result{FunctionError: "Unhandled"}, nil
	}
	throttled := func(n int, _ *function.Spec) (*function.Result, error) {
		if n <= 3 {
			return nil, &function.Error{Kind: function.Throttled}
		}
		return &function.Result{}, nil
	}
	tests := []struct {
		name   string
		config *api.PutFunctionEventInvokeConfigRequest
		answer func(int, *function.Spec) (*function.Result, error)
		calls  int
		took   time.Duration
	}{
		{"twice by default", nil, failed, 3, 3 * time.Minute},
		{"once", &api.PutFunctionEventInvokeConfigRequest{MaximumRetryAttempts: new(int32(1))}, failed, 2, time.Minute},
		{"never", &api.PutFunctionEventInvokeConfigRequest{MaximumRetryAttempts: new(int32(0))}, failed, 1, 0},
		{"too old", &api.PutFunctionEventInvokeConfigRequest{MaximumEventAgeInSeconds: new(int32(100))}, failed, 2, time.Minute},
		{"throttled", &api.PutFunctionEventInvokeConfigRequest{MaximumRetryAttempts: new(int32(0))}, throttled, 4, 7 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			runtime := &echo{answer: tt.answer}
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				f := openBubble(t, dir, runtime)
				f.create(t, "f", nothing)
				if tt.config != nil {
					tt.config.FunctionName = new("f")
					must(f.PutFunctionEventInvokeConfig(f.Call, tt.config))(t)
				}
				start := time.Now()
				var last time.Time
				answer := runtime.answer
				runtime.answer = func(n int, s *function.Spec) (*function.Result, error) {
					last = time.Now()
					return answer(n, s)
				}
				must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f"), InvocationType: new("Event")}))(t)
				time.Sleep(10 * time.Minute) // of the bubble
				if runtime.seen() != tt.calls || last.Sub(start) != tt.took {
					t.Errorf("%d calls in %v, want %d in %v", runtime.seen(), last.Sub(start), tt.calls, tt.took)
				}
				f.close()
			})
		})
	}
}

// TestQueueIsBounded checks the limits in number and bytes, and that a slow
// function doesn't hold up another.
func TestQueueIsBounded(t *testing.T) {
	hold := make(chan struct{})
	runtime := &blocking{hold: hold}
	f := open(t, t.TempDir(), runtime, func(o *lambda.Options) {
		o.QueueEvents, o.QueueBytes, o.AsyncWorkers = 3, 100, 1
	})
	f.create(t, "slow", nothing)
	f.create(t, "fast", nothing)
	send := func(name, payload string) error {
		_, err := f.Invoke(f.Call, &api.InvocationRequest{FunctionName: &name, InvocationType: new("Event"), Payload: []byte(payload)})
		return err
	}
	ok(t, send("slow", `"1"`))
	ok(t, send("slow", `"2"`))
	if err := send("slow", string(jsonString(101))); err == nil {
		t.Error("more bytes than there is room for are accepted")
	}
	ok(t, send("fast", `"3"`))
	// The fast function runs although the slow one doesn't end, and makes room a moment later.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if runtime.ran("fast") && send("slow", `"4"`) == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the fast function has left no room")
		}
	}
	err := send("slow", `"5"`)
	fails(t, err, "TooManyRequestsException", "Rate Exceeded.")
	close(hold)
	ok(t, f.Service.Close(t.Context()))
	if n := runtime.count("slow"); n != 3 {
		t.Errorf("%d events of the slow function ran, want 3", n)
	}
}

// TestCloseEndsWaiting checks that closing doesn't wait longer than it may.
func TestCloseEndsWaiting(t *testing.T) {
	runtime := &blocking{hold: make(chan struct{})}
	f := open(t, t.TempDir(), runtime, func(o *lambda.Options) { o.AsyncWorkers = 1 })
	f.create(t, "slow", nothing)
	for range 3 {
		must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("slow"), InvocationType: new("Event")}))(t)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := f.Service.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closing returns %v", err)
	}
}

// FuzzPayload checks that exactly what is JSON is taken for an event.
func FuzzPayload(f *testing.F) {
	for _, s := range []string{"", "{}", "{", "[1,\n2,]", "\"\xff\"", "nul", "1 2", strings.Repeat("[", 20000)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		err := lambda.CheckPayload(payload, false)
		if want := len(payload) == 0 || json.Valid(payload); (err == nil) != want {
			t.Errorf("%q: %v, want accepted %v", payload, err, want)
		}
	})
}
