package function

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// failureCase is a function that fails, and what AWS answers. {id} stands for the request's id, * for any text.
type failureCase struct {
	name    string
	text    string // of the handler's file
	handler string // empty: the default
	timeout time.Duration
	memory  int
	want    string
	stays   bool // the environment survives
}

func TestNodeFailures(t *testing.T) {
	cases := []failureCase{
		{name: "throws", text: `exports.handler = async () => { const e = new TypeError('bad'); e.stack = 'TypeError: bad\n    at here'; throw e }`,
			want: `{"errorType":"TypeError","errorMessage":"bad","trace":["TypeError: bad","    at here"]}`, stays: true},
		{name: "throws at once", text: `exports.handler = () => { throw new Error('now') }`,
			want: `{"errorType":"Error","errorMessage":"now","trace":["Error: now"*`, stays: true},
		{name: "rejects with a string", text: `exports.handler = () => Promise.reject('no')`,
			want: `{"errorType":"string","errorMessage":"no","trace":[]}`, stays: true},
		{name: "callback error", text: `exports.handler = (e, c, done) => done(new RangeError('far'))`,
			want: `{"errorType":"RangeError","errorMessage":"far","trace":["RangeError: far"*`, stays: true},
		{name: "context.fail", text: `exports.handler = (e, c) => c.fail()`,
			want: `{"errorType":"string","errorMessage":"handled","trace":[]}`, stays: true},
		{name: "circular result", text: `exports.handler = async () => { const a = {}; a.a = a; return a }`,
			want: `{"errorType":"Error","errorMessage":"Unable to stringify response body","trace":*`, stays: true},
		{name: "unhandled rejection", text: `exports.handler = async () => { Promise.reject(new Error('lost')); await new Promise(r => setTimeout(r, 1000)) }`,
			want: `{"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"Error: lost","trace":["Runtime.UnhandledPromiseRejection: Error: lost"*`},
		{name: "uncaught exception", text: `exports.handler = async () => { setImmediate(() => { throw new Error('stray') }); await new Promise(r => setTimeout(r, 1000)) }`,
			want: `{"errorType":"Error","errorMessage":"stray","trace":["Error: stray"*`},
		{name: "never settles", text: `exports.handler = async () => { await new Promise(() => {}) }`,
			want: `{"errorType":"Runtime.NodeJsExit","errorMessage":*`, stays: true},
		{name: "exit 1", text: `exports.handler = async () => { process.exit(1) }`,
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: Runtime exited with error: exit status 1"}`},
		{name: "exit 0", text: `exports.handler = async () => { process.exit(0) }`,
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: Runtime exited without providing a reason"}`},
		{name: "killed", text: `exports.handler = async () => { process.kill(process.pid, 'SIGKILL'); await new Promise(r => setTimeout(r, 1000)) }`,
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: Runtime exited with error: signal: killed"}`},
		{name: "aborted", text: `exports.handler = async () => { process.abort() }`,
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: Runtime exited with error: signal: aborted"}`},
		{name: "times out", timeout: 150 * time.Millisecond, text: `exports.handler = async () => { await new Promise(r => setTimeout(r, 9000)) }`,
			want: `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: {id} Error: Task timed out after 0.15 seconds"}`},
		{name: "spins", timeout: 150 * time.Millisecond, text: `exports.handler = async () => { for (;;); }`,
			want: `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: {id} Error: Task timed out after 0.15 seconds"}`},
		{name: "out of memory", memory: 128, text: `exports.handler = async () => { const a = []; for (;;) { a.push(Buffer.alloc(4 << 20, 1)); await new Promise(r => setTimeout(r, 1)) } }`,
			want: `{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: {id} Error: Runtime exited with error: signal: killed"}`},
		{name: "response too large", text: `exports.handler = async () => 'x'.repeat(6291555)`,
			want: `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`, stays: true},
		{name: "no such file", handler: "other.handler", text: ``,
			want: `{"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'other'\nRequire stack:\n*`},
		{name: "no such function", handler: "index.other", text: `exports.handler = async () => 1`,
			want: `{"errorType":"Runtime.HandlerNotFound","errorMessage":"index.other is undefined or not exported","trace":["Runtime.HandlerNotFound: index.other is undefined or not exported"*`},
		{name: "not a function", text: `exports.handler = 5`,
			want: `{"errorType":"Runtime.HandlerNotFound","errorMessage":"index.handler is not a function"*`},
		{name: "malformed handler", handler: "index", text: ``,
			want: `{"errorType":"Runtime.MalformedHandlerName","errorMessage":"Bad handler"*`},
		{name: "handler outside", handler: "../index.handler", text: ``,
			want: `{"errorType":"Runtime.MalformedHandlerName","errorMessage":"'../index.handler' is not a valid handler name. Use absolute paths when specifying root directories in handler names."*`},
		{name: "syntax error", text: `exports.handler = async ( => 1`,
			want: `{"errorType":"Runtime.UserCodeSyntaxError","errorMessage":"SyntaxError: Unexpected token '=>'"*`},
		{name: "throws while loading", text: `throw new Error('no init')`,
			want: `{"errorType":"Error","errorMessage":"no init","trace":["Error: no init"*`},
		{name: "exits while loading", text: `process.exit(4)`,
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: Runtime exited with error: exit status 4"}`},
		{name: "missing SDK", text: `require('@aws-sdk/client-s3')`,
			want: `{"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module '@aws-sdk/client-s3' (AWS ships it with the runtime: install it into a folder and start gatehouse with --function-modules DIR)\n*`},
	}
	nodeSpec(t)
	inBothModes(t, func(t *testing.T, m *Manager) {
		testFailures(t, m, cases, func(t *testing.T, c failureCase) *Spec { return nodeSpec(t, "index.js", c.text) })
	})
}

func TestPythonFailures(t *testing.T) {
	cases := []failureCase{
		{name: "raises", text: "def handler(e, c):\n    raise ValueError('bad')\n",
			want: `{"errorMessage": "bad", "errorType": "ValueError", "requestId": "{id}", "stackTrace": ["  File \"{task}/app.py\", line 2, in handler\n    raise ValueError('bad')\n"]}`, stays: true},
		{name: "result without JSON", text: "def handler(e, c):\n    return {1, 2}\n",
			want: `{"errorMessage": "Unable to marshal response: Object of type set is not JSON serializable", "errorType": "Runtime.MarshalError", "requestId": "{id}", "stackTrace": []}`, stays: true},
		{name: "sys.exit", text: "import sys\ndef handler(e, c):\n    sys.exit(3)\n",
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: Runtime exited with error: exit status 3"}`},
		{name: "killed", text: "import os, signal, time\ndef handler(e, c):\n    os.kill(os.getpid(), signal.SIGKILL)\n    time.sleep(1)\n",
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: Runtime exited with error: signal: killed"}`},
		{name: "crash", text: "import ctypes\ndef handler(e, c):\n    ctypes.string_at(0)\n",
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: Runtime exited with error: signal: segmentation fault*`},
		{name: "times out", timeout: 150 * time.Millisecond, text: "import time\ndef handler(e, c):\n    time.sleep(9)\n",
			want: `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: {id} Error: Task timed out after 0.15 seconds"}`},
		{name: "out of memory", memory: 128, text: "import time\ndef handler(e, c):\n    a = []\n    while True:\n        a.append(b'x' * (4 << 20))\n        time.sleep(0.001)\n",
			want: `{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: {id} Error: Runtime exited with error: signal: killed"}`},
		{name: "response too large", text: "def handler(e, c):\n    return 'x' * 6291555\n",
			want: `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`, stays: true},
		{name: "no such module", handler: "other.handler", text: "",
			want: `{"errorMessage": "Unable to import module 'other': No module named 'other'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`},
		{name: "missing dependency", text: "import nosuchthing\n",
			want: `{"errorMessage": "Unable to import module 'app': No module named 'nosuchthing'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`},
		{name: "missing SDK", text: "raise ModuleNotFoundError(\"No module named 'boto3'\", name='boto3')\n",
			want: `{"errorMessage": "Unable to import module 'app': No module named 'boto3' (AWS ships it with the runtime: install it into a folder and start gatehouse with --function-modules DIR)", "errorType": "Runtime.ImportModuleError"*`},
		{name: "no such function", handler: "app.other", text: "",
			want: `{"errorMessage": "Handler 'other' missing on module 'app'", "errorType": "Runtime.HandlerNotFound", "requestId": "", "stackTrace": []}`},
		{name: "malformed handler", handler: "app", text: "",
			want: `{"errorMessage": "Bad handler 'app': not enough values to unpack (expected 2, got 1)", "errorType": "Runtime.MalformedHandlerName"*`},
		{name: "built-in module", handler: "sys.exit", text: "",
			want: `{"errorMessage": "Cannot use built-in module sys as a handler module", "errorType": "Runtime.BuiltInModuleConflict"*`},
		{name: "syntax error", text: "def handler(e, c)\n    pass\n",
			want: `{"errorMessage": "Syntax error in module 'app': expected ':' (app.py, line 1)", "errorType": "Runtime.UserCodeSyntaxError", "requestId": "", "stackTrace": ["  File \"{task}/app.py\" Line 1\n    def handler(e, c)\n"]}`},
		{name: "raises while loading", text: "1 / 0\n",
			want: `{"errorMessage": "division by zero", "errorType": "ZeroDivisionError", "requestId": ""*`},
		{name: "exits while loading", text: "import os\nos._exit(4)\n",
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: Runtime exited with error: exit status 4"}`},
	}
	pythonSpec(t)
	inBothModes(t, func(t *testing.T, m *Manager) {
		testFailures(t, m, cases, func(t *testing.T, c failureCase) *Spec { return pythonSpec(t, "app.py", c.text) })
	})
}

func testFailures(t *testing.T, m *Manager, cases []failureCase, specOf func(*testing.T, failureCase) *Spec) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			s := specOf(t, tt)
			if tt.handler != "" {
				s.Handler = tt.handler
			}
			if tt.timeout != 0 {
				s.Timeout = tt.timeout
			}
			if tt.memory != 0 {
				s.MemoryMB = tt.memory
			}
			task := s.CodeDir
			if isolated, _ := m.Isolated(); isolated {
				task = "/var/task"
			}
			// The second time shows that the pool is healthy.
			for range 2 {
				r := invoke(t, m, s, `{}`)
				want := strings.NewReplacer("{id}", testRequestID, "{task}", task).Replace(tt.want)
				got := string(r.Payload)
				// Newlines inside JSON strings are escaped in both.
				want = strings.ReplaceAll(want, "\n", `\n`)
				start, any := strings.CutSuffix(want, "*")
				if got != want && !(any && strings.HasPrefix(got, start)) || r.FunctionError != "Unhandled" {
					t.Fatalf("got %s %s\nwant %s\nlog:\n%s", r.FunctionError, got, want, r.LogTail)
				}
				var doc struct{ ErrorType string }
				if err := json.Unmarshal(r.Payload, &doc); err != nil || doc.ErrorType != r.ErrorType {
					t.Errorf("error type: got %q, want %q (%v)", r.ErrorType, doc.ErrorType, err)
				}
				if tt.stays != (poolSize(m, s) == 1) {
					t.Errorf("environments left: %d, stays: %v", poolSize(m, s), tt.stays)
				}
			}
		})
	}
}

// poolSize counts the idle environments of a spec.
func poolSize(m *Manager, s *Spec) int {
	p := m.poolOf(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}
