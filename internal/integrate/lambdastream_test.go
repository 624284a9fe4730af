package integrate

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"gatehouse/internal/plan"
)

// A fakeStreamer answers as the test says.
type fakeStreamer struct {
	answer func(ctx context.Context, to ResultStream) (InvocationResult, error)
	calls  []Invocation
}

func (f *fakeStreamer) InvokeStream(ctx context.Context, call Invocation, to ResultStream) (InvocationResult, error) {
	f.calls = append(f.calls, call)
	return f.answer(ctx, to)
}

// pieces streams pieces and then ends as told.
func pieces(end InvocationResult, list ...string) func(context.Context, ResultStream) (InvocationResult, error) {
	return func(ctx context.Context, to ResultStream) (InvocationResult, error) {
		end.Streamed = end.FunctionError == ""
		if err := to.Start("text/plain"); err != nil {
			return end, err
		}
		for _, piece := range list {
			if _, err := to.Write([]byte(piece)); err != nil {
				return end, context.Cause(ctx)
			}
		}
		return end, nil
	}
}

const nuls = "\x00\x00\x00\x00\x00\x00\x00\x00"

func newStream(t testing.TB, streamer Streamer, change func(*LambdaTarget)) plan.Integration {
	t.Helper()
	target := LambdaTarget{FunctionARN: testFunction, Qualifier: "live", PayloadFormat: PayloadFormatStream}
	if change != nil {
		change(&target)
	}
	l, err := NewLambdaService(LambdaOptions{Streamer: streamer, NewID: func() string { return "new-id" }}).Lambda(target)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLambdaStream(t *testing.T) {
	for name, list := range map[string][]string{
		"at once":         {`{"statusCode":201,"headers":{"X-A":"b"}}` + nuls + "onetwo"},
		"in pieces":       {`{"statusCode":201,`, `"headers":{"X-A":"b"}}` + nuls[:3], nuls[3:], "one", "", "two"},
		"head and body":   {`{"statusCode":201,"headers":{"X-A":"b"}}`, nuls + "o", "netwo"},
		"byte after byte": strings.Split(`{"statusCode":201,"headers":{"X-A":"b"}}`+nuls+"onetwo", ""),
	} {
		t.Run(name, func(t *testing.T) {
			streamer := &fakeStreamer{answer: pieces(InvocationResult{RequestID: "id-1"}, list...)}
			x := restExchange("GET")
			if err := newStream(t, streamer, nil).Integrate(x); err != nil {
				t.Fatal(err)
			}
			if x.Response.Status != 201 || x.Response.Headers.Get("x-a") != "b" || x.Response.StreamLength != -1 {
				t.Errorf("response %+v", x.Response)
			}
			body, err := io.ReadAll(iotest.OneByteReader(x.Response.BodyStream))
			if string(body) != "onetwo" || err != nil {
				t.Errorf("body %q, %v", body, err)
			}
			if err := x.Response.BodyStream.Close(); err != nil {
				t.Error(err)
			}
			call := streamer.calls[0]
			if call.FunctionARN != testFunction || call.RequestID != "new-id" || call.TraceID != x.TraceHeader || !strings.HasPrefix(string(call.Payload), `{"resource":`) {
				t.Errorf("call %+v", call)
			}
			report := x.Integration
			report.Latency = 0
			if want := (plan.IntegrationReport{Called: true, Status: 200, FunctionStatus: 201, RequestID: "new-id"}); report != want {
				t.Errorf("report %+v, want %+v", report, want)
			}
			if uri := "https://lambda.eu-west-1.amazonaws.com/2021-11-15/functions/" + testFunction + ":live/response-streaming-invocations"; !slices.Contains(lines(x), "Sending request to "+uri) {
				t.Errorf("log %q", lines(x))
			}
		})
	}
}

// The client has the first piece before the function makes the second, and the
// function doesn't get ahead of the client.
func TestLambdaStreamPaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		written := 0
		streamer := &fakeStreamer{answer: func(_ context.Context, to ResultStream) (InvocationResult, error) {
			for _, piece := range []string{`{}` + nuls, "one", "two"} {
				if _, err := to.Write([]byte(piece)); err != nil {
					return InvocationResult{}, err
				}
				written++
			}
			return InvocationResult{Streamed: true}, nil
		}}
		x := restExchange("GET")
		if err := newStream(t, streamer, nil).Integrate(x); err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"one", "two"} {
			synctest.Wait()
			if written != i+1 {
				t.Errorf("%d pieces written before the client took %q", written, want)
			}
			buf := make([]byte, 10)
			n, err := x.Response.BodyStream.Read(buf)
			if string(buf[:n]) != want || err != nil {
				t.Errorf("%q, %v", buf[:n], err)
			}
		}
		if err := x.Response.BodyStream.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLambdaStreamFaults(t *testing.T) {
	failed := InvocationResult{RequestID: "id-1", FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"boom"}`)}
	whole := func(payload string) func(context.Context, ResultStream) (InvocationResult, error) {
		return func(context.Context, ResultStream) (InvocationResult, error) {
			return InvocationResult{Payload: []byte(payload)}, nil
		}
	}
	tests := []struct {
		name   string
		answer func(context.Context, ResultStream) (InvocationResult, error)
		kind   plan.FaultKind
		status int
		line   string
	}{
		{"function error", pieces(failed), plan.FunctionFailure, 200, "Lambda execution failed with status 200 due to customer function error: boom. Lambda request id: id-1"},
		{"function error in the metadata", pieces(failed, `{"statusCode":`), plan.FunctionFailure, 200, "Lambda execution failed with status 200 due to customer function error: boom. Lambda request id: id-1"},
		{"no metadata", pieces(InvocationResult{}, "hello"), plan.IntegrationFailure, 200, malformedReply},
		{"nothing", pieces(InvocationResult{}), plan.IntegrationFailure, 200, malformedReply},
		{"too few NULs", pieces(InvocationResult{}, "{}"+nuls[1:]+"hello"), plan.IntegrationFailure, 200, malformedReply},
		{"bad metadata", pieces(InvocationResult{}, "hello"+nuls), plan.IntegrationFailure, 200, malformedReply},
		{"long metadata", pieces(InvocationResult{}, `{"headers":{"a":"`+strings.Repeat("x", maxStreamHead)+`"}}`, nuls), plan.IntegrationFailure, 200, malformedReply},
		{"a function that doesn't stream", whole(`{"statusCode":200,"body":"x"}`), plan.IntegrationFailure, 200, malformedReply},
		{"throttled", func(context.Context, ResultStream) (InvocationResult, error) {
			return InvocationResult{}, statusError(429)
		}, plan.IntegrationFailure, 429, rateExceeded},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := restExchange("GET")
			var fault *plan.Fault
			err := newStream(t, &fakeStreamer{answer: test.answer}, nil).Integrate(x)
			if !errors.As(err, &fault) || fault.Kind != test.kind || x.Response.BodyStream != nil {
				t.Fatalf("%v", err)
			}
			got := lines(x)
			if got[len(got)-1] != test.line || x.Integration.Error != test.line || x.Integration.Status != test.status {
				t.Errorf("log %q, report %+v", got, x.Integration)
			}
		})
	}
}

// A function that doesn't stream may still answer what a stream would.
func TestLambdaStreamWhole(t *testing.T) {
	x := restExchange("GET")
	err := newStream(t, &fakeStreamer{answer: func(context.Context, ResultStream) (InvocationResult, error) {
		return InvocationResult{Payload: []byte(`{"statusCode":202}` + nuls + "hello")}, nil
	}}, nil).Integrate(x)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Response.BodyStream.Close()
	if body, err := io.ReadAll(x.Response.BodyStream); x.Response.Status != 202 || string(body) != "hello" || err != nil {
		t.Errorf("%d %q, %v", x.Response.Status, body, err)
	}
}

// A function that fails within its answer breaks it off.
func TestLambdaStreamBreaksOff(t *testing.T) {
	x := restExchange("GET")
	failed := InvocationResult{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"boom"}`)}
	if err := newStream(t, &fakeStreamer{answer: pieces(failed, "{}"+nuls, "half")}, nil).Integrate(x); err != nil {
		t.Fatal(err)
	}
	defer x.Response.BodyStream.Close()
	body, err := io.ReadAll(x.Response.BodyStream)
	if string(body) != "half" || !errors.Is(err, errFunctionFailed) || !strings.Contains(err.Error(), "boom") {
		t.Errorf("%q, %v", body, err)
	}
}

// stalled streams pieces and then nothing until ctx ends.
func stalled(list ...string) *fakeStreamer {
	return &fakeStreamer{answer: func(ctx context.Context, to ResultStream) (InvocationResult, error) {
		for _, piece := range list {
			if _, err := to.Write([]byte(piece)); err != nil {
				return InvocationResult{}, err
			}
		}
		<-ctx.Done()
		return InvocationResult{}, ctx.Err()
	}}
}

func TestLambdaStreamTimeouts(t *testing.T) {
	long := func(target *LambdaTarget) { target.Timeout = 15 * time.Minute }
	for _, test := range []struct {
		name   string
		change func(*LambdaTarget)
		list   []string
		cause  error
		took   time.Duration
	}{
		{"no head in time", nil, nil, errLambdaTimeout, 29 * time.Second},
		{"no end in time", nil, []string{"{}" + nuls, "a"}, errLambdaTimeout, 29 * time.Second},
		{"idle before the head", long, nil, errStreamIdle, streamIdle},
		{"idle within the payload", long, []string{"{}" + nuls, "a"}, errStreamIdle, streamIdle},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				x := restExchange("GET")
				err := newStream(t, stalled(test.list...), test.change).Integrate(x)
				if test.list == nil {
					var fault *plan.Fault
					if !errors.As(err, &fault) || fault.Kind != plan.IntegrationTimeout || !errors.Is(err, test.cause) {
						t.Errorf("%v", err)
					}
				} else {
					if err != nil {
						t.Fatal(err)
					}
					body, err := io.ReadAll(x.Response.BodyStream)
					if string(body) != "a" || !errors.Is(err, test.cause) {
						t.Errorf("%q, %v", body, err)
					}
					if err := x.Response.BodyStream.Close(); err != nil {
						t.Error(err)
					}
				}
				if took := time.Since(start); took != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
			})
		})
	}
}

// A client that reads slowly isn't a function that pauses.
func TestLambdaStreamSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := restExchange("GET")
		l := newStream(t, &fakeStreamer{answer: pieces(InvocationResult{}, "{}"+nuls, "one", "two")}, func(target *LambdaTarget) { target.Timeout = time.Hour })
		if err := l.Integrate(x); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * streamIdle)
		if body, err := io.ReadAll(x.Response.BodyStream); string(body) != "onetwo" || err != nil {
			t.Errorf("%q, %v", body, err)
		}
		if err := x.Response.BodyStream.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLambdaStreamClientGone(t *testing.T) {
	for name, list := range map[string][]string{"before the head": nil, "within the payload": {"{}" + nuls}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				done := make(chan struct{})
				time.AfterFunc(time.Second, func() { close(done) })
				x := restExchange("GET")
				x.Request.Done = done
				err := newStream(t, stalled(list...), nil).Integrate(x)
				if list == nil {
					var fault *plan.Fault
					if !errors.As(err, &fault) || fault.Kind != plan.ClientGone {
						t.Errorf("%v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadAll(x.Response.BodyStream); !errors.Is(err, errLambdaClientGone) {
					t.Errorf("%v", err)
				}
				if err := x.Response.BodyStream.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Whoever stops reading ends the call.
func TestLambdaStreamClosedEarly(t *testing.T) {
	ended := make(chan struct{})
	x := restExchange("GET")
	l := newStream(t, &fakeStreamer{answer: func(ctx context.Context, to ResultStream) (InvocationResult, error) {
		defer close(ended)
		for {
			if _, err := to.Write([]byte("{}" + nuls)); err != nil {
				return InvocationResult{}, ctx.Err()
			}
		}
	}}, nil)
	if err := l.Integrate(x); err != nil {
		t.Fatal(err)
	}
	if err := x.Response.BodyStream.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	default:
		t.Error("the call goes on")
	}
}

func TestLambdaStreamNeedsStreamer(t *testing.T) {
	_, err := NewLambdaService(LambdaOptions{}).Lambda(LambdaTarget{FunctionARN: testFunction, PayloadFormat: PayloadFormatStream})
	if err == nil {
		t.Error("a target was taken that nothing streams")
	}
}

func BenchmarkLambdaStream(b *testing.B) {
	piece := strings.Repeat("x", 32<<10)
	list := []string{"{}" + nuls}
	for range 32 {
		list = append(list, piece)
	}
	l := newStream(b, &fakeStreamer{answer: pieces(InvocationResult{}, list...)}, nil)
	x := restExchange("GET")
	x.Trace = nil
	b.SetBytes(32 * 32 << 10)
	b.ReportAllocs()
	buf := make([]byte, 32<<10)
	for b.Loop() {
		x.Scratch, x.Response.Headers = x.Scratch[:0], x.Response.Headers[:0]
		if err := l.Integrate(x); err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := x.Response.BodyStream.Read(buf); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		if err := x.Response.BodyStream.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
