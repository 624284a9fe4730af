package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/codestore"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/function"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

const (
	account = "123456789012"
	region  = "us-east-1"
	role    = "arn:aws:iam::123456789012:role/hello"
	prefix  = "arn:aws:lambda:us-east-1:123456789012:function:"
)

func TestMain(m *testing.M) {
	function.ReexecMain()
	goleak.VerifyTestMain(m)
}

// A fixture is a service on a database of its own.
type fixture struct {
	*lambda.Service
	*awswire.Call
	directory *lambda.Directory
	store     *store.Store
	code      *codestore.Store
}

// open opens the state in dir. A nil runtime is a fake that echoes.
func open(t testing.TB, dir string, runtime lambda.Runtime, change func(*lambda.Options)) *fixture {
	t.Helper()
	if runtime == nil {
		runtime = &echo{}
	}
	code, err := codestore.Open(dir+"/code", codestore.Options{})
	ok(t, err)
	o := lambda.Options{
		Code: code, Runtime: runtime,
		RetryDelay:   func(int) time.Duration { return time.Millisecond },
		BackoffDelay: func(int) time.Duration { return time.Millisecond },
	}
	if change != nil {
		change(&o)
	}
	directory, err := lambda.NewDirectory(o)
	ok(t, err)
	db, err := sqlite.Open(t.Context(), dir)
	ok(t, err)
	sealer, err := seal.New(bytes.Repeat([]byte{7}, 32))
	ok(t, err)
	s, err := store.Open(t.Context(), db, store.Options{Sealer: sealer, Prepare: directory.Prepare})
	ok(t, err)
	ok(t, s.View(t.Context(), directory.Load))
	o.Store = s
	service, err := lambda.New(o, directory)
	ok(t, err)
	f := &fixture{
		Service: service, directory: directory, store: s, code: code,
		Call: &awswire.Call{
			Context: context.Background(), Account: account, Region: region, RequestID: "11111111-2222-4333-8444-555555555555",
			Principal: awswire.Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root", Root: true},
			Host:      "127.0.0.1:4566", Time: time.Date(2026, 11, 24, 12, 0, 0, 123456789, time.UTC),
		},
	}
	t.Cleanup(f.close)
	return f
}

// close may be called more than once.
func (f *fixture) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = f.Service.Close(ctx)
	_ = f.store.Close()
}

func newFixture(t *testing.T) *fixture { return open(t, t.TempDir(), nil, nil) }

// newRunning is a fixture with the real function manager and Node.
func newRunning(t *testing.T, change func(*lambda.Options)) *fixture {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node isn't installed: make test installs it")
	}
	m, err := function.New(function.Options{Isolation: function.IsolationNone})
	ok(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		ok(t, m.Close(ctx))
	})
	return open(t, t.TempDir(), m, change)
}

// create makes a Node function whose index.js is the source.
func (f *fixture) create(t *testing.T, name, source string) *api.FunctionConfiguration {
	t.Helper()
	out, err := f.CreateFunction(f.Call, request(name, source))
	ok(t, err)
	return out
}

func request(name, source string) *api.CreateFunctionRequest {
	return &api.CreateFunctionRequest{
		FunctionName: &name, Role: new(role), Runtime: new("nodejs20.x"), Handler: new("index.handler"),
		Code: &api.FunctionCode{ZipFile: zipped("index.js", source)},
	}
}

// zipped is an archive of files given by name and text.
func zipped(files ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		e, _ := w.Create(files[i])
		_, _ = e.Write([]byte(files[i+1]))
	}
	_ = w.Close()
	return b.Bytes()
}

// echo is a runtime that answers what it was asked, and remembers.
type echo struct {
	mu      sync.Mutex
	calls   []string // spec ids
	retired []string
	answer  func(n int, spec *function.Spec) (*function.Result, error)
}

func (e *echo) Invoke(_ context.Context, spec *function.Spec, inv *function.Invocation) (*function.Result, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, spec.ID)
	if e.answer != nil {
		return e.answer(len(e.calls), spec)
	}
	return &function.Result{Payload: inv.Payload}, nil
}

func (e *echo) Retire(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.retired = append(e.retired, id)
}

func (e *echo) seen() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.calls)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails wants an error with the code and message.
func fails(t *testing.T, err error, code, message string) {
	t.Helper()
	var e *awswire.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want %s: %s", err, code, message)
	}
	if e.Code != code || e.Message != message {
		t.Errorf("error %s: %s\n want %s: %s", e.Code, e.Message, code, message)
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

func asError(err error, target **awswire.Error) bool { return errors.As(err, target) }

func readAll(t *testing.T, file string) []byte {
	t.Helper()
	return must(os.ReadFile(file))(t)
}

// loseCode removes the code with the hash, unpacked and not.
func loseCode(t *testing.T, dir, hash string) {
	t.Helper()
	h := must(codestore.ParseHash(hash))(t).String()
	for _, pattern := range []string{"unpacked/*/" + h, "archives/" + h + ".zip"} {
		found := must(filepath.Glob(filepath.Join(dir, "code", pattern)))(t)
		if len(found) != 1 {
			t.Fatalf("%s names %d files", pattern, len(found))
		}
		ok(t, os.Rename(found[0], filepath.Join(t.TempDir(), "lost")))
	}
}

// openBubble is open within a synctest bubble, with AWS's waiting times. The
// store's own goroutines end with close, inside the bubble.
func openBubble(t *testing.T, dir string, runtime lambda.Runtime) *fixture {
	t.Helper()
	return open(t, dir, runtime, func(o *lambda.Options) { o.RetryDelay, o.BackoffDelay = nil, nil })
}

// blocking is a runtime whose function "slow" waits for hold.
type blocking struct {
	hold chan struct{}
	mu   sync.Mutex
	done []string
}

func (b *blocking) Invoke(ctx context.Context, spec *function.Spec, _ *function.Invocation) (*function.Result, error) {
	if spec.Name == "slow" {
		select {
		case <-b.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = append(b.done, spec.Name)
	return &function.Result{}, nil
}

func (b *blocking) Retire(string) {}

func (b *blocking) count(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, d := range b.done {
		if d == name {
			n++
		}
	}
	return n
}

func (b *blocking) ran(name string) bool { return b.count(name) > 0 }

// fakeRoles knows one role that Lambda can assume.
type fakeRoles struct{ good string }

func (r *fakeRoles) FunctionCredentials(roleARN, functionARN string) (function.Credentials, error) {
	return function.Credentials{AccessKeyID: roleARN, SessionToken: functionARN}, nil
}

func (r *fakeRoles) LambdaCanAssume(_ context.Context, roleARN string) (bool, error) {
	return roleARN == r.good, nil
}
