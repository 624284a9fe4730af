package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestNodeContext(t *testing.T) { inBothModes(t, testNodeContext) }

func testNodeContext(t *testing.T, m *Manager) {
	s := nodeSpec(t, "index.js", `exports.handler = async (e, c) => ({
		name: c.functionName, version: c.functionVersion, arn: c.invokedFunctionArn, memory: c.memoryLimitInMB,
		id: c.awsRequestId, group: c.logGroupName, stream: c.logStreamName === process.env.AWS_LAMBDA_LOG_STREAM_NAME,
		left: c.getRemainingTimeInMillis() > 9000, identity: c.identity, client: c.clientContext, waits: c.callbackWaitsForEmptyEventLoop,
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
            c.log_group_name, c.get_remaining_time_in_millis() > 9000, c.identity.cognito_identity_id, c.client_context.custom,
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
	m.options.EndpointURL = func() string { return "http://127.0.0.1:4566" }
	s := nodeSpec(t, "index.js", `exports.handler = async () => process.env`)
	s.Environment = map[string]string{"MINE": "ü=1", "AWS_REGION": "not mine to set"}
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
		"AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "_HANDLER": "index.handler", "TZ": ":UTC",
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

func TestNodeLog(t *testing.T) {
	logs := &recorder{}
	var screen strings.Builder
	m := newManager(t, Options{Logs: logs, Terminal: &screen})
	s := nodeSpec(t, "index.js", `
console.log('loading');
exports.handler = async () => {
	console.log('one\ntwo', { a: 1 });
	console.error('bad %d', 7);
	console.warn('careful'); console.debug('detail');
	require('child_process').execSync('echo from a child; echo half >&2; printf unfinished', { stdio: 'inherit' });
	return 1;
}`)
	r := invoke(t, m, s, `{}`)
	answers(t, r, `1`)
	got := mask(logs.text())
	want := mask(`INIT_START Runtime Version: nodejs:20.1.1
2026-11-24T00:00:00.000Z	undefined	INFO	loading
START RequestId: ID Version: $LATEST
2026-11-24T00:00:00.000Z	ID	INFO	one
two { a: 1 }
2026-11-24T00:00:00.000Z	ID	ERROR	bad 7
2026-11-24T00:00:00.000Z	ID	WARN	careful
2026-11-24T00:00:00.000Z	ID	DEBUG	detail
from a child
half
unfinished
END RequestId: ID
REPORT RequestId: ID	Duration: 1.00 ms	Billed Duration: 1 ms	Memory Size: 256 MB	Max Memory Used: 1 MB	Init Duration: 1.00 ms	
`)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if tail := mask(string(r.LogTail)); tail != want[strings.Index(want, "START Request"):] {
		t.Errorf("tail: got\n%s", tail)
	}
	if shown := screen.String(); !strings.Contains(shown, "hello | from a child\n") || strings.Contains(shown, "REPORT") {
		t.Errorf("terminal: got\n%s", shown)
	}
	if len(logs.events) != 12 {
		t.Errorf("got %d events, want 12: a message with two lines is one", len(logs.events))
	}
}

func TestPythonLog(t *testing.T) {
	logs := &recorder{}
	m := newManager(t, Options{Logs: logs})
	s := pythonSpec(t, "app.py", `
import logging, sys
logging.getLogger().setLevel(logging.INFO)
def handler(e, c):
    print("printed")
    logging.info("logged %d", 1)
    print("two\nlines")
    print("to stderr", file=sys.stderr)
    sys.stdout.write("no newline")
    raise ValueError("bad")
`)
	invoke(t, m, s, `{}`)
	got := mask(strings.ReplaceAll(logs.text(), s.CodeDir, "/var/task"))
	want := mask("INIT_START Runtime Version: python:3.11.7\nSTART RequestId: ID Version: $LATEST\nprinted\n" +
		"[INFO]\t2026-11-24T00:00:00.000Z\tID\tlogged 1\ntwo\nlines\nto stderr\nno newline\n" +
		"[ERROR] ValueError: bad\nTraceback (most recent call last):\n" +
		"\u00a0\u00a0File \"/var/task/app.py\", line 10, in handler\n\u00a0\u00a0\u00a0\u00a0raise ValueError(\"bad\")\n" +
		"END RequestId: ID\n" +
		"REPORT RequestId: ID\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 256 MB\tMax Memory Used: 1 MB\tInit Duration: 1.00 ms\t\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// mask hides what differs from run to run.
func mask(log string) string {
	for pattern, by := range map[string]string{
		testRequestID: "ID", `\d{4}-\d\d-\d\dT[\d:.]+Z`: "TIME", `[\d.]+ ms`: "N ms", `Used: \d+ MB`: "Used: N MB",
		`Version: (nodejs|python):[\d.]+`: "Version: $1:V",
	} {
		log = regexp.MustCompile(pattern).ReplaceAllString(log, by)
	}
	return log
}

func TestLogTailIsBounded(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `exports.handler = async () => { for (let i = 0; i < 1000; i++) console.log('line', i) }`)
	if r := invoke(t, m, s, `{}`); len(r.LogTail) != 4096 || !strings.Contains(string(r.LogTail), "line 999\nEND") {
		t.Errorf("got %d bytes ending %q", len(r.LogTail), r.LogTail[max(0, len(r.LogTail)-200):])
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
	setTimeout(() => { fired++ }, 30);
	done(null, before);
	if (!e.waits) return;
	setTimeout(() => { fired += 10 }, 60);
}`)
	answers(t, invoke(t, m, s, `{"waits":true}`), `0`)
	answers(t, invoke(t, m, s, `{"waits":false}`), `11`)
	time.Sleep(40 * time.Millisecond) // passes while the environment is frozen
	answers(t, invoke(t, m, s, `{"waits":false}`), `11`)
	answers(t, invoke(t, m, s, `{"waits":false}`), `12`)
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

func TestConcurrency(t *testing.T) {
	m := newManager(t, Options{AccountConcurrency: 6, Isolation: IsolationNone})
	s := nodeSpec(t, "index.js", `exports.handler = async (e) => { await new Promise(r => setTimeout(r, e.ms)); return process.pid }`)
	slow := func(s *Spec) (string, error) {
		r, err := m.Invoke(t.Context(), s, &Invocation{Payload: []byte(`{"ms":150}`)})
		if err != nil {
			return "", err
		}
		return string(r.Payload), nil
	}
	t.Run("grows", func(t *testing.T) {
		// Each waits for the others: they only return when all run at once.
		s := nodeSpec(t, "index.js", `
const fs = require('fs');
exports.handler = async (e) => {
	fs.writeFileSync(__dirname + '/here-' + process.pid, '');
	while (fs.readdirSync(__dirname).length < 5) await new Promise(r => setTimeout(r, 2));
	return process.pid;
}`)
		pids := map[string]bool{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				pid, err := slow(s)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				pids[pid] = true
				mu.Unlock()
			})
		}
		wg.Wait()
		if len(pids) != 4 {
			t.Errorf("got %d environments, want 4", len(pids))
		}
	})
	for _, tt := range []struct {
		name     string
		reserved *int
		calls    int
		refused  int
		reason   string
	}{
		{"reserved", new(2), 5, 3, ReasonReserved},
		{"reserved none", new(0), 2, 2, ReasonReserved},
		{"account", nil, 8, 2, ReasonAccount},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := *s
			s.ReservedConcurrency = tt.reserved
			var wg sync.WaitGroup
			failures := make(chan error, tt.calls)
			for range tt.calls {
				wg.Go(func() {
					if _, err := slow(&s); err != nil {
						failures <- err
					}
				})
			}
			wg.Wait()
			close(failures)
			refused := 0
			for err := range failures {
				var e *Error
				if !errors.As(err, &e) || e.Kind != Throttled || e.Reason != tt.reason || e.Status() != 429 {
					t.Errorf("got %v", err)
				}
				refused++
			}
			if refused != tt.refused {
				t.Errorf("refused: got %d, want %d", refused, tt.refused)
			}
		})
	}
}

// With room for two environments, a function takes the place of another's idle one, and waits when all are busy.
func TestMaxEnvironments(t *testing.T) {
	m := newManager(t, Options{MaxEnvironments: 2})
	a := nodeSpec(t, "index.js", `exports.handler = async (e) => { await new Promise(r => setTimeout(r, 50)); return 'a' }`)
	b := *a
	b.ID += "b"
	var wg sync.WaitGroup
	for i := range 6 {
		s := a
		if i%2 == 1 {
			s = &b
		}
		wg.Go(func() { answers(t, invoke(t, m, s, `{}`), `"a"`) })
	}
	wg.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.live) > 2 {
		t.Errorf("got %d environments", len(m.live))
	}
}

// A start that waits for room gets that of the first environment that has nothing to do.
func TestStarved(t *testing.T) {
	m := newManager(t, Options{MaxEnvironments: 1})
	a := nodeSpec(t, "index.js", `exports.handler = async (e) => { await new Promise(r => setTimeout(r, e.ms ?? 0)); return 1 }`)
	b := *a
	b.ID += "b"
	invoke(t, m, a, `{}`)
	var wg sync.WaitGroup
	wg.Go(func() { answers(t, invoke(t, m, a, `{"ms":100}`), `1`) })
	waitFor(t, "the first to be busy", func() bool { return poolSize(m, a) == 0 })
	answers(t, invoke(t, m, &b, `{}`), `1`)
	wg.Wait()
	answers(t, invoke(t, m, a, `{}`), `1`)
}

func TestCancelled(t *testing.T) { inBothModes(t, testCancelled) }

func testCancelled(t *testing.T, m *Manager) {
	s := nodeSpec(t, "index.js", `
let calls = 0;
exports.handler = async (e) => { await new Promise(r => setTimeout(r, e.ms ?? 0)); return ++calls }`)
	answers(t, invoke(t, m, s, `{}`), `1`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := m.Invoke(ctx, s, &Invocation{Payload: []byte(`{"ms":200}`)})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	// The function goes on by itself, and its environment comes back.
	p := m.poolOf(s)
	for p.function.running.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	answers(t, invoke(t, m, s, `{}`), `3`)

	custom := customSpec(t)
	ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	custom.Timeout = 400 * time.Millisecond
	if _, err := m.Invoke(ctx, custom, &Invocation{Payload: []byte(`{"Do":"sleep"}`)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	answers(t, invoke(t, m, custom, `{"N":1}`), `{"n":2}`)
}

func TestHotReload(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `exports.handler = async () => 1`)
	s.HotReload = true
	answers(t, invoke(t, m, s, `{}`), `1`)
	if r := invoke(t, m, s, `{}`); r.InitDuration != 0 {
		t.Error("unchanged code was loaded again")
	}
	if err := os.WriteFile(filepath.Join(s.CodeDir, "index.js"), []byte(`exports.handler = async () => 'changed'`), 0o644); err != nil {
		t.Fatal(err)
	}
	answers(t, invoke(t, m, s, `{}`), `"changed"`)
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
	s.Timeout = 2 * time.Second
	answers(t, invoke(t, m, s, `{}`), `"late"`)
	s.ID += "short"
	s.Timeout = 200 * time.Millisecond
	fails(t, invoke(t, m, s, `{}`),
		`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: `+testRequestID+` Error: Task timed out after 0.20 seconds"}`)
	if n := poolSize(m, s); n != 0 {
		t.Errorf("%d environments left", n)
	}
}

func TestIdleIsReaped(t *testing.T) {
	m := newManager(t, Options{IdleTimeout: 30 * time.Millisecond})
	s := nodeSpec(t, "index.js", `exports.handler = async () => 1`)
	answers(t, invoke(t, m, s, `{}`), `1`)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, there := m.pools.Load(s.ID)
		m.mu.Lock()
		left := len(m.live)
		m.mu.Unlock()
		if left == 0 && !there {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d environments left, pool: %v", left, there)
		}
	}
}

func TestExpiredCredentials(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `exports.handler = async () => process.env.AWS_ACCESS_KEY_ID`)
	n := 0
	s.Credentials = func() Credentials {
		n++
		return Credentials{AccessKeyID: fmt.Sprint("key", n), Expires: time.Now().Add(-time.Second)}
	}
	answers(t, invoke(t, m, s, `{}`), `"key1"`)
	answers(t, invoke(t, m, s, `{}`), `"key2"`)
}

func TestRetire(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `exports.handler = async (e) => { await new Promise(r => setTimeout(r, e.ms ?? 0)); return 1 }`)
	invoke(t, m, s, `{}`)
	var wg sync.WaitGroup
	wg.Go(func() { answers(t, invoke(t, m, s, `{"ms":100}`), `1`) })
	for m.inflight.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	m.Retire(s.ID)
	wg.Wait()
	answers(t, invoke(t, m, s, `{}`), `1`) // a request that still holds the old plan
	if n := poolSize(m, s); n != 0 {
		t.Errorf("%d environments left", n)
	}
}

func TestClose(t *testing.T) {
	m, err := New(Options{Executable: "/proc/self/exe"})
	if err != nil {
		t.Fatal(err)
	}
	s := nodeSpec(t, "index.js", `exports.handler = async (e) => { await new Promise(r => setTimeout(r, e.ms ?? 0)); return 1 }`)
	var wg sync.WaitGroup
	wg.Go(func() { answers(t, invoke(t, m, s, `{"ms":200}`), `1`) })
	wg.Go(func() {
		quick := *s
		quick.ID += "idle"
		invoke(t, m, &quick, `{}`)
	})
	for m.inflight.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	wg.Wait()
	var refused *Error
	if _, err := m.Invoke(t.Context(), s, &Invocation{}); !errors.As(err, &refused) || refused.Kind != Unavailable {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(m.tempDir); !os.IsNotExist(err) {
		t.Errorf("temporary folder: %v", err)
	}

	m, err = New(Options{Executable: "/proc/self/exe"})
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() {
		fails(t, invoke(t, m, s, `{"ms":8000}`),
			`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: `+testRequestID+` Error: Runtime exited with error: signal: killed"}`)
	})
	for m.inflight.Load() == 0 || poolLive(m, s) == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := m.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	wg.Wait()
}

func poolLive(m *Manager, s *Spec) int {
	p := m.poolOf(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.live
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

func TestJSONLog(t *testing.T) {
	node := `exports.handler = async (e) => { console.debug('no'); console.log('hello', 1); if (e.exit) process.exit(1); return 1 }`
	python := "import logging, os\ndef handler(e, c):\n    logging.debug('no')\n    logging.info('hello %d', 1)\n    if e.get('exit'): os._exit(1)\n    return 1\n"
	for _, tt := range []struct {
		name, event, level string
		spec               *Spec
		want               []string // types or messages of the events
	}{
		{"node", `{}`, "", nodeSpec(t, "index.js", node), []string{"platform.initStart", "platform.start", "hello 1", "platform.report success"}},
		{"node fails", `{"exit":1}`, "WARN", nodeSpec(t, "index.js", node), []string{"hello 1", "platform.runtimeDone error", "platform.report error"}},
		{"python", `{}`, "DEBUG", pythonSpec(t, "app.py", python), []string{"platform.initStart", "platform.start", "hello 1", "platform.runtimeDone success", "platform.report success"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logs := &recorder{}
			m := newManager(t, Options{Logs: logs})
			tt.spec.LogFormat, tt.spec.SystemLogLevel = "JSON", tt.level
			invoke(t, m, tt.spec, tt.event)
			var got []string
			for _, event := range logs.events {
				var e struct {
					Type, Message, Level, RequestID string
					Record                          struct{ RequestID, Status string }
				}
				if err := json.Unmarshal([]byte(event), &e); err != nil {
					t.Fatalf("%v: %s", err, event)
				}
				if e.Type == "" && (e.Level != "INFO" || e.RequestID != testRequestID) {
					t.Errorf("got %s", event)
				}
				got = append(got, strings.TrimSpace(e.Type+e.Message+" "+e.Record.Status))
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
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

// A storm of good and bad invocations: each gets its own answer, and nothing is left over.
func TestStorm(t *testing.T) { inBothModes(t, testStorm) }

func testStorm(t *testing.T, m *Manager) {
	s := nodeSpec(t, "index.js", `
exports.handler = async (e) => {
	switch (e.n % 8) {
	case 1: throw new Error('n' + e.n);
	case 2: await new Promise(r => setTimeout(r, 3)); break;
	case 3: if (e.n % 5 === 0) process.exit(e.n % 200);
	}
	return e;
}`)
	var wg sync.WaitGroup
	for worker := range 6 {
		wg.Go(func() {
			for i := range 30 {
				n := worker*1000 + i
				r, err := m.Invoke(t.Context(), s, &Invocation{Payload: fmt.Appendf(nil, `{"n":%d}`, n)})
				if err != nil {
					t.Error(err)
					return
				}
				want := fmt.Sprintf(`{"n":%d}`, n)
				switch {
				case n%8 == 1:
					want = fmt.Sprintf(`"errorMessage":"n%d"`, n)
				case n%8 == 3 && n%5 == 0 && n%200 == 0:
					want = "without providing a reason"
				case n%8 == 3 && n%5 == 0:
					want = fmt.Sprintf("exit status %d\"", n%200)
				}
				if !strings.Contains(string(r.Payload), want) {
					t.Errorf("%d: got %s", n, r.Payload)
				}
			}
		})
	}
	wg.Wait()
	p := m.poolOf(s)
	if p.function.running.Load() != 0 || p.account.running.Load() != 0 || m.inflight.Load() != 0 {
		t.Errorf("still counted: %d, %d, %d", p.function.running.Load(), p.account.running.Load(), m.inflight.Load())
	}
	waitFor(t, "broken environments to end", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.starting == 0 && p.live == len(p.idle)
	})
}
