package function

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	ReexecMain()
	if os.Args[0] == gatewayForTest {
		runGatewayForTest()
	}
	if os.Args[0] == namespaceProbe {
		probeNamespaces(os.Args[1:])
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) { os.RemoveAll(goFunctionDir); os.Exit(code) }))
}

// recorder keeps log events.
type recorder struct {
	mu     sync.Mutex
	events []string
}

func (r *recorder) Append(_ *LogSource, _ time.Time, message []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, string(message))
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.events, "")
}

// newManager returns a manager that is closed with the test.
func newManager(t testing.TB, o Options) *Manager {
	t.Helper()
	if o.Isolation != IsolationNone {
		o.Executable = "/proc/self/exe"
	}
	o.InitTimeout = orElse(o.InitTimeout, time.Minute) // machines under test may be very busy
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return m
}

// code writes files, given by name and text, into a folder that any user may read.
func code(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// spec describes a function over code in dir.
func spec(t testing.TB, runtime, handler, dir string) *Spec {
	t.Helper()
	return &Spec{
		ID: t.Name() + runtime, ARN: "arn:aws:lambda:eu-west-1:123456789012:function:hello", Name: "hello", Version: "$LATEST",
		AccountID: "123456789012", Region: "eu-west-1", Runtime: runtime, Handler: handler, CodeDir: dir,
		MemoryMB: 256, Timeout: time.Minute, EphemeralStorageMB: 512, LogGroup: "/aws/lambda/hello",
	}
}

func nodeSpec(t testing.TB, files ...string) *Spec {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("needs Node.js: install it to run this test")
	}
	return spec(t, "nodejs20.x", "index.handler", code(t, files...))
}

func pythonSpec(t testing.TB, files ...string) *Spec {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("needs Python 3: install it to run this test")
	}
	return spec(t, "python3.11", "app.handler", code(t, files...))
}

// invoke runs one invocation that must reach the function.
func invoke(t testing.TB, m *Manager, s *Spec, payload string) *Result {
	t.Helper()
	r, err := m.Invoke(t.Context(), s, &Invocation{Payload: []byte(payload), RequestID: testRequestID, Tail: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const testRequestID = "8f507cfc-example-4697-b07a-ac58fc914c95"

// answers checks for a success and its payload.
func answers(t testing.TB, r *Result, want string) {
	t.Helper()
	if got := string(r.Payload); got != want || r.FunctionError != "" {
		t.Errorf("got %s %s, want %s\nlog:\n%s", r.FunctionError, got, want, r.LogTail)
	}
}

// needIsolation skips a test where the host refuses what isolation is made of.
// Where it doesn't, a manager that isolates nothing is broken.
func needIsolation(t *testing.T, m *Manager) {
	t.Helper()
	ok, reason := m.Isolated()
	if ok {
		return
	}
	if refused := hostIsolates(); refused != nil {
		t.Skipf("isolation can't be had here: %v", refused)
	}
	t.Fatalf("functions aren't isolated though the host allows it: %s", reason)
}

// inBothModes runs a test with plain processes and, where the host allows it, with isolated ones.
func inBothModes(t *testing.T, test func(t *testing.T, m *Manager)) {
	for _, isolation := range []Isolation{IsolationNone, IsolationAuto} {
		t.Run("isolation "+string(isolation), func(t *testing.T) {
			m := newManager(t, Options{Isolation: isolation})
			if isolation == IsolationAuto {
				needIsolation(t, m)
			}
			test(t, m)
		})
	}
}

// heldCode is a handler that counts its calls; a call whose event is that of hold runs until it is released.
const heldCode = `
const fs = require('fs');
let calls = 0;
exports.handler = async (e) => {
	while (e.until && !fs.existsSync(__dirname + '/' + e.until)) await new Promise(r => setTimeout(r, 2));
	return ++calls;
}`

// hold makes an event with which a function of heldCode runs until release is called.
func hold(t testing.TB, s *Spec) (event string, release func()) {
	return `{"until":"released"}`, func() {
		t.Helper()
		if err := os.WriteFile(filepath.Join(s.CodeDir, "released"), nil, 0o644); err != nil {
			t.Error(err)
		}
	}
}

// awaitBusy waits until n environments run an invocation.
func awaitBusy(t testing.TB, m *Manager, n int) {
	t.Helper()
	waitFor(t, "the function to run", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		busy := 0
		for e := range m.live {
			if e.busy.Load() {
				busy++
			}
		}
		return busy >= n
	})
}

func discardLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }

// gatewayForTest is argv[0] of a gateway that TestDiesWithTheGateway kills.
const gatewayForTest = "gatehouse-test-gateway"

// runGatewayForTest starts environments, says so, and waits to be killed.
func runGatewayForTest() {
	isolation, dir := Isolation(os.Args[1]), os.Args[2]
	m, err := New(Options{Isolation: isolation, Executable: "/proc/self/exe", TempDir: os.Args[3], InitTimeout: time.Minute})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	r, err := m.Invoke(context.Background(), &Spec{
		ID: "x", Name: "x", Version: "1", Runtime: "nodejs20.x", Handler: "index.handler", CodeDir: dir, Timeout: time.Minute,
		MemoryMB: 256, EphemeralStorageMB: 1,
	}, &Invocation{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(string(r.Payload))
	time.Sleep(10 * time.Minute)
	os.Exit(1)
}

func textLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}
