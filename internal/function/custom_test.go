package function

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// goFunctionDir is where buildGoFunction built, if it did; TestMain removes it.
var goFunctionDir string

// goFunction builds the test function on AWS's Go client, once.
func goFunction(t testing.TB) string {
	t.Helper()
	dir, err := buildGoFunction()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var buildGoFunction = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gatehouse-golambda-")
	if err != nil {
		return "", err
	}
	goFunctionDir = dir
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "bootstrap"), "./testdata/golambda")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
})

func customSpec(t testing.TB) *Spec {
	t.Helper()
	return spec(t, "provided.al2023", "bootstrap", goFunction(t))
}

func TestCustomRuntime(t *testing.T) { inBothModes(t, testCustomRuntime) }

func testCustomRuntime(t *testing.T, m *Manager) {
	s := customSpec(t)
	t.Run("answers", func(t *testing.T) {
		answers(t, invoke(t, m, s, `{"N":1}`), `{"n":2}`)
		r := invoke(t, m, s, `{"N":2}`)
		answers(t, r, `{"n":3}`)
		if r.InitDuration != 0 {
			t.Error("the second invocation was not warm")
		}
	})
	t.Run("context", func(t *testing.T) {
		r, err := m.Invoke(t.Context(), s, &Invocation{
			Payload: []byte(`{"Do":"context"}`), RequestID: testRequestID, TraceID: "Root=1-2-3",
			InvokedARN: s.ARN + ":live", ClientContext: []byte(`{"client":{"app_title":"app"}}`),
			CognitoIdentity: []byte(`{"cognitoIdentityId":"me","cognitoIdentityPoolId":"pool"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(r.Payload, &got); err != nil {
			t.Fatal(err, string(r.Payload))
		}
		task := s.CodeDir
		if isolated, _ := m.Isolated(); isolated {
			task = "/var/task"
		}
		for name, want := range map[string]any{
			"requestID": testRequestID, "arn": s.ARN + ":live", "identity": "me", "app": "app", "left": true, "name": "hello",
			"trace": "Root=1-2-3", "task": task,
		} {
			if got[name] != want {
				t.Errorf("%s: got %v, want %v", name, got[name], want)
			}
		}
	})
	t.Run("error", func(t *testing.T) {
		fails(t, invoke(t, m, s, `{"Do":"fail"}`), `{"errorMessage":"it went wrong","errorType":"errorString"}`)
		answers(t, invoke(t, m, s, `{"N":2}`), `{"n":3}`)
	})
	t.Run("exit", func(t *testing.T) {
		fails(t, invoke(t, m, s, `{"Do":"exit","N":7}`),
			`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: `+testRequestID+` Error: Runtime exited with error: exit status 7"}`)
		answers(t, invoke(t, m, s, `{"N":2}`), `{"n":3}`)
	})
	t.Run("panic", func(t *testing.T) {
		r := invoke(t, m, s, `{"Do":"panic"}`)
		if r.ErrorType != "string" || !strings.Contains(string(r.Payload), "oh no") {
			t.Errorf("got %s", r.Payload)
		}
		answers(t, invoke(t, m, s, `{"N":2}`), `{"n":3}`)
	})
	t.Run("too large", func(t *testing.T) {
		fails(t, invoke(t, m, s, `{"Do":"big","N":6291556}`),
			`{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`)
		if r := invoke(t, m, s, `{"Do":"big","N":6291000}`); len(r.Payload) != 6291002 {
			t.Errorf("got %d bytes", len(r.Payload))
		}
	})
	t.Run("timeout", func(t *testing.T) {
		slow := *s
		slow.ID += "slow"
		slow.Timeout = 200 * time.Millisecond
		fails(t, invoke(t, m, &slow, `{"Do":"sleep"}`),
			`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: `+testRequestID+` Error: Task timed out after 0.20 seconds"}`)
		again := slow // an environment of its own, and time to start on a busy machine
		again.Timeout = s.Timeout
		answers(t, invoke(t, m, &again, `{"N":2}`), `{"n":3}`)
	})
	t.Run("init exit", func(t *testing.T) {
		broken := *s
		broken.ID += "broken"
		broken.Environment = map[string]string{"INIT": "exit"}
		fails(t, invoke(t, m, &broken, `{}`),
			`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: `+testRequestID+` Error: Runtime exited with error: exit status 3"}`)
	})
	t.Run("no bootstrap", func(t *testing.T) {
		empty := spec(t, "provided.al2", "x", code(t))
		fails(t, invoke(t, m, empty, `{}`),
			`{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: `+testRequestID+` Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}`)
	})
	t.Run("not executable", func(t *testing.T) {
		text := spec(t, "provided.al2", "x", code(t, "bootstrap", "hello"))
		fails(t, invoke(t, m, text, `{}`),
			`{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: `+testRequestID+` Error: fork/exec /var/task/bootstrap: permission denied"}`)
	})
	t.Run("streamed", func(t *testing.T) {
		var got streamed
		r, err := m.Invoke(t.Context(), s, &Invocation{Payload: []byte(`{"Do":"stream","N":3}`), Stream: &got})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"statusCode":201,"headers":{"Content-Type":"text/plain"}}` + strings.Repeat("\x00", 8) + "part 0\npart 1\npart 2\n"
		if !r.Streamed || got.String() != want || got.contentType != HTTPIntegrationResponse {
			t.Errorf("got %v %q %q, want %q", r.Streamed, got.contentType, got.String(), want)
		}
	})
	t.Run("stream breaks", func(t *testing.T) {
		var got streamed
		r, err := m.Invoke(t.Context(), s, &Invocation{Payload: []byte(`{"Do":"stream-error"}`), Stream: &got})
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != "some " || r.FunctionError != "Unhandled" || !strings.Contains(string(r.Payload), "broken off") {
			t.Errorf("got %q and %s", got.String(), r.Payload)
		}
		answers(t, invoke(t, m, s, `{"N":2}`), `{"n":3}`)
	})
	t.Run("output", func(t *testing.T) {
		if r := invoke(t, m, s, `{"Do":"print","N":5}`); !strings.Contains(string(r.LogTail), "\nprinted 5\nEND ") {
			t.Errorf("got log\n%s", r.LogTail)
		}
	})
}

// streamed keeps a streamed answer.
type streamed struct {
	bytes.Buffer
	contentType string
}

func (s *streamed) Start(contentType string) error {
	s.contentType = contentType
	return nil
}

// fails checks for a failure and its payload.
func fails(t testing.TB, r *Result, want string) {
	t.Helper()
	if got := string(r.Payload); got != want || r.FunctionError != "Unhandled" {
		t.Errorf("got %q %s\nwant %s\nlog:\n%s", r.FunctionError, got, want, r.LogTail)
	}
}

// Only the environment's own processes may talk to its Runtime API.
func TestRuntimeAPIRefusesStrangers(t *testing.T) {
	m := newManager(t, Options{Isolation: IsolationNone})
	s := customSpec(t)
	answers(t, invoke(t, m, s, `{"N":1}`), `{"n":2}`)
	var address string
	m.mu.Lock()
	for e := range m.live {
		address = e.channel.(*runtimeAPI).address()
	}
	m.mu.Unlock()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + address + "/2018-06-01/runtime/invocation/next")
	if err == nil {
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		t.Fatalf("a stranger got %d %s", resp.StatusCode, body)
	}
	answers(t, invoke(t, m, s, `{"N":1}`), `{"n":2}`)
}
