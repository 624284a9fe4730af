package function

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestNodeContext(t *testing.T) { inBothModes(t, testNodeContext) }

func testNodeContext(t *testing.T, m *Manager) {
	s := nodeSpec(t, "index.js", `exports.handler = async (e, c) => ({
		name: c.functionName, version: c.functionVersion, arn: c.invokedFunctionArn, memory: c.memoryLimitInMB,
		id: c.awsRequestId, group: c.logGroupName, stream: c.logStreamName === process.env.AWS_LAMBDA_LOG_STREAM_NAME,
		left: c.getRemainingTimeInMillis() > 20000 && c.getRemainingTimeInMillis() <= 60000, identity: c.identity, client: c.clientContext, waits: c.callbackWaitsForEmptyEventLoop,
		functions: [typeof c.done, typeof c.succeed, typeof c.fail], trace: process.env._X_AMZN_TRACE_ID })`)
	r, err := m.Invoke(t.Context(), s, &Invocation{
		RequestID: testRequestID, TraceID: "Root=1-2-3", InvokedARN: s.ARN + ":live",
		ClientContext: []byte(`{"custom":{"a":"b"}}`), CognitoIdentity: []byte(`{"cognitoIdentityId":"me"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	answers(t, r, `{"name":"hello","version":"$LATEST","arn":"`+s.ARN+`:live","memory":"256","id":"`+testRequestID+`",`+
		`"group":"/aws/lambda/hello","stream":true,"left":true,"identity":{"cognitoIdentityId":"me"},"client":{"custom":{"a":"b"}},"waits":true,`+
		`"functions":["function","function","function"],"trace":"Root=1-2-3"}`)
	if !regexp.MustCompile(`^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).MatchString(r.LogStream) {
		t.Errorf("log stream: got %s", r.LogStream)
	}
	// A trace is that of its own invocation.
	r = invoke(t, m, s, `{}`)
	if strings.Contains(string(r.Payload), "trace") || strings.Contains(string(r.Payload), "clientContext") {
		t.Errorf("got %s", r.Payload)
	}
}

func TestPythonContext(t *testing.T) {
	m := newManager(t, Options{})
	s := pythonSpec(t, "app.py", `
def handler(e, c):
    return [c.function_name, c.function_version, c.invoked_function_arn, c.memory_limit_in_mb, c.aws_request_id,
            c.log_group_name, 20000 < c.get_remaining_time_in_millis() <= 60000, c.identity.cognito_identity_id, c.client_context.custom,
            c.client_context.client.app_title]
`)
	r, err := m.Invoke(t.Context(), s, &Invocation{
		RequestID: testRequestID, ClientContext: []byte(`{"custom":{"a":"b"},"client":{"app_title":"app"}}`),
		CognitoIdentity: []byte(`{"cognitoIdentityId":"me"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	answers(t, r, `["hello", "$LATEST", "`+s.ARN+`", "256", "`+testRequestID+`", "/aws/lambda/hello", true, "me", {"a": "b"}, "app"]`)
}

func TestVariables(t *testing.T) { inBothModes(t, testVariables) }

func testVariables(t *testing.T, m *Manager) {
	t.Setenv("GATEHOUSE_SECRET", "of the gateway")
	m.options.Endpoints = func() map[string]string {
		return map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9324", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9000"}
	}
	s := nodeSpec(t, "index.js", `exports.handler = async () => process.env`)
	s.Environment = map[string]string{"MINE": "ü=1", "AWS_REGION": "not mine to set", "AWS_ENDPOINT_URL_S3": "http://mine"}
	s.Credentials = func() Credentials {
		return Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"}
	}
	r := invoke(t, m, s, `{}`)
	var got map[string]string
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"MINE": "ü=1", "AWS_LAMBDA_FUNCTION_NAME": "hello", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/hello",
		"AWS_LAMBDA_LOG_STREAM_NAME": r.LogStream, "AWS_DEFAULT_REGION": "eu-west-1",
		"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x", "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9324", "AWS_ENDPOINT_URL_S3": "http://mine", "_HANDLER": "index.handler", "TZ": ":UTC",
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "GATEHOUSE_SECRET": "", "HOME": "",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	if isolated, _ := m.Isolated(); isolated && (got["LAMBDA_TASK_ROOT"] != "/var/task" || got["LAMBDA_RUNTIME_DIR"] != "/var/runtime") {
		t.Errorf("got %s and %s", got["LAMBDA_TASK_ROOT"], got["LAMBDA_RUNTIME_DIR"])
	}
}

func TestNodeStreaming(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
	if (event.http) stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { a: 'b' } });
	if (event.type) stream.setContentType(event.type);
	for (let i = 0; i < 3; i++) { stream.write('part ' + i + '\n'); await new Promise(r => setTimeout(r, 2)); }
	if (event.fail) throw new Error('broken off');
	if (event.big) await require('stream/promises').pipeline(require('stream').Readable.from(['x'.repeat(event.big)]), stream);
	else stream.end();
})`)
	for _, tt := range []struct{ name, event, contentType, want, fails string }{
		{"plain", `{}`, "application/octet-stream", "part 0\npart 1\npart 2\n", ""},
		{"typed", `{"type":"text/html"}`, "text/html", "part 0\npart 1\npart 2\n", ""},
		{"http", `{"http":true}`, HTTPIntegrationResponse, "{\"statusCode\":201,\"headers\":{\"a\":\"b\"}}\x00\x00\x00\x00\x00\x00\x00\x00part 0\npart 1\npart 2\n", ""},
		{"fails", `{"fail":true}`, "application/octet-stream", "part 0\npart 1\npart 2\n", "broken off"},
		{"past 6 MB", `{"big":9000000}`, "application/octet-stream", "part 0\npart 1\npart 2\n" + strings.Repeat("x", 9000000), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got streamed
			r, err := m.Invoke(t.Context(), s, &Invocation{Payload: []byte(tt.event), Stream: &got})
			if err != nil {
				t.Fatal(err)
			}
			if !r.Streamed || got.contentType != tt.contentType || got.String() != tt.want {
				t.Errorf("got %v %q %.100q (%d bytes)", r.Streamed, got.contentType, got.String(), got.Len())
			}
			if (r.FunctionError != "") != (tt.fails != "") || !strings.Contains(string(r.Payload), tt.fails) {
				t.Errorf("got %q %s", r.FunctionError, r.Payload)
			}
		})
	}
	t.Run("collected", func(t *testing.T) {
		answers(t, invoke(t, m, s, `{}`), "part 0\npart 1\npart 2\n")
	})
	t.Run("a buffered handler isn't streamed", func(t *testing.T) {
		var got streamed
		s := nodeSpec(t, "index.js", `exports.handler = async () => 1`)
		r, err := m.Invoke(t.Context(), s, &Invocation{Stream: &got})
		if err != nil || r.Streamed || string(r.Payload) != "1" || got.Len() != 0 {
			t.Errorf("got %v %+v %q", err, r, got.String())
		}
	})
}

// A callback's answer waits for the event loop unless told otherwise, and what is left in the loop runs with the next
// invocation.
func TestNodeEventLoop(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `
let fired = 0;
exports.handler = (e, c, done) => {
	c.callbackWaitsForEmptyEventLoop = e.waits;
	const before = fired;
	setTimeout(() => { fired++ }, e.ms);
	done(null, before);
	if (!e.waits) return;
	setTimeout(() => { fired += 10 }, e.ms + 10);
}`)
	answers(t, invoke(t, m, s, `{"waits":true,"ms":100}`), `0`)
	answers(t, invoke(t, m, s, `{"waits":false,"ms":1000}`), `11`)
	time.Sleep(1100 * time.Millisecond) // passes while the environment is frozen
	answers(t, invoke(t, m, s, `{"waits":false,"ms":600000}`), `11`)
	answers(t, invoke(t, m, s, `{"waits":false,"ms":600000}`), `12`)
}

func TestLimits(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `exports.handler = async (e) => e.length`)
	big := `"` + strings.Repeat("x", 6291454) + `"`
	answers(t, invoke(t, m, s, big), `6291454`)
	_, err := m.Invoke(t.Context(), s, &Invocation{Payload: []byte(big + " ")})
	var refused *Error
	if !errors.As(err, &refused) || refused.Kind != RequestTooLarge || refused.AWSType() != "RequestTooLargeException" {
		t.Errorf("got %v", err)
	}
	echo := nodeSpec(t, "index.js", `exports.handler = async (e) => e`)
	echo.ID += "echo"
	if r := invoke(t, m, echo, big); string(r.Payload) != big {
		t.Errorf("got %d bytes", len(r.Payload))
	}
}

func TestRefusals(t *testing.T) {
	m := newManager(t, Options{})
	m.interpreters.path = t.TempDir()
	for _, f := range m.interpreters.families {
		f.folders = nil
	}
	for _, tt := range []struct {
		runtime string
		kind    Kind
		want    string
	}{
		{"nodejs20.x", InterpreterMissing, "install Node.js"},
		{"python3.12", InterpreterMissing, "install Python 3"},
		{"go1.x", UnsupportedRuntime, "go1.x is no longer supported"},
		{"ruby3.3", UnsupportedRuntime, "ruby3.3"},
	} {
		t.Run(tt.runtime, func(t *testing.T) {
			_, err := m.Invoke(t.Context(), spec(t, tt.runtime, "a.b", code(t)), &Invocation{})
			var refused *Error
			if !errors.As(err, &refused) || refused.Kind != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCancelled(t *testing.T) { inBothModes(t, testCancelled) }

func testCancelled(t *testing.T, m *Manager) {
	// leave invokes a function and goes away while it runs.
	leave := func(s *Spec, event string) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			_, err := m.Invoke(ctx, s, &Invocation{Payload: []byte(event)})
			left <- err
		}()
		awaitBusy(t, m, 1)
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	s := nodeSpec(t, "index.js", heldCode)
	answers(t, invoke(t, m, s, `{}`), `1`)
	event, release := hold(t, s)
	leave(s, event)
	// The function goes on by itself, and its environment comes back.
	release()
	waitFor(t, "the function to end by itself", func() bool { return m.inflight.Load() == 0 })
	answers(t, invoke(t, m, s, `{}`), `3`)

	custom := customSpec(t)
	short := *custom
	short.Timeout = 2 * time.Second
	leave(&short, `{"Do":"sleep"}`)
	waitFor(t, "the function to be ended", func() bool { return m.inflight.Load() == 0 })
	answers(t, invoke(t, m, custom, `{"N":1}`), `{"n":2}`)
}

func TestLayersAndModules(t *testing.T) {
	modules := code(t, "node_modules/@aws-sdk/client-s3/index.js", `exports.S3 = 'sdk'`, "python/boto3.py", "v = 'boto'\n")
	first := code(t, "nodejs/node_modules/a/index.js", `module.exports = 'a1'`, "nodejs/node_modules/b/index.js", `module.exports = 'b1'`)
	second := code(t, "nodejs/node_modules/b/index.js", `module.exports = 'b2'`, "python/lib_l.py", "v = 'layer'\n", "bin/tool", "#!/bin/sh\necho tool")
	for _, isolation := range []Isolation{IsolationNone, IsolationAuto} {
		t.Run(string(isolation), func(t *testing.T) {
			m := newManager(t, Options{ModulesDir: modules, Isolation: isolation})
			s := nodeSpec(t, "index.js", `exports.handler = async () => [require('a'), require('b'), require('@aws-sdk/client-s3').S3]`)
			s.Layers = []string{first, second}
			answers(t, invoke(t, m, s, `{}`), `["a1","b2","sdk"]`)

			esm := nodeSpec(t, "index.mjs", `import { S3 } from '@aws-sdk/client-s3'; export const handler = async () => S3`)
			esm.ID += "esm"
			answers(t, invoke(t, m, esm, `{}`), `"sdk"`)

			py := pythonSpec(t, "app.py", "import boto3, lib_l\ndef handler(e, c):\n    return [boto3.v, lib_l.v]\n")
			py.Layers = []string{second}
			answers(t, invoke(t, m, py, `{}`), `["boto", "layer"]`)
		})
	}
}

// A slow start gets AWS's ten seconds, here less, and then the invocation's own time.
func TestInitTimeout(t *testing.T) {
	m := newManager(t, Options{InitTimeout: 100 * time.Millisecond})
	s := nodeSpec(t, "index.mjs", `await new Promise(r => setTimeout(r, 300)); export const handler = async () => 'late'`)
	answers(t, invoke(t, m, s, `{}`), `"late"`)
	s.ID += "short"
	s.Timeout = 200 * time.Millisecond
	fails(t, invoke(t, m, s, `{}`),
		`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: `+testRequestID+` Error: Task timed out after 0.20 seconds"}`)
	if n := poolSize(m, s); n != 0 {
		t.Errorf("%d environments left", n)
	}
}

func TestWrapper(t *testing.T) { inBothModes(t, testWrapper) }

func testWrapper(t *testing.T, m *Manager) {
	layer := code(t, "wrapper", "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\"\n")
	if err := os.Chmod(filepath.Join(layer, "wrapper"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := nodeSpec(t, "index.js", `exports.handler = async () => process.env.WRAPPED`)
	s.Layers = []string{layer}
	s.Environment = map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}
	answers(t, invoke(t, m, s, `{}`), `"yes"`)
}

// A process that prints much before it reads a big event doesn't stop it.
func TestBigEventAfterMuchOutput(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `
exports.handler = async (e) => {
	setImmediate(() => { for (let i = 0; i < 2000; i++) console.log('x'.repeat(1000)) });
	return e.length;
}`)
	big := `"` + strings.Repeat("x", 3<<20) + `"`
	for range 3 {
		answers(t, invoke(t, m, s, big), "3145728")
	}
}
