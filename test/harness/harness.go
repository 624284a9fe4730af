// Package harness builds the gatehouse binary and runs it for tests: the real
// program, on a port of its own, with a data directory that outlives it. Where
// TEST_GATEHOUSE is the path of a program, that is the one.
package harness

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// startTimeout is how long a gateway may take until it is ready; generous,
// because tests share the machine.
const startTimeout = 60 * time.Second

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gatehouse-bin-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "gatehouse")
	if built := os.Getenv("TEST_GATEHOUSE"); built != "" {
		return bin, os.Symlink(built, bin)
	}
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "gatehouse/cmd/gatehouse").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

// Binary returns the path of the program, built once per test process.
// Main removes it.
func Binary(t testing.TB) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// Main runs the tests of a package and removes the binary afterwards. Call it
// from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if bin, err := build(); err == nil {
		if err := os.RemoveAll(filepath.Dir(bin)); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// A Gateway is a running gatehouse process.
type Gateway struct {
	// Addr is HOST:PORT, URL the management endpoint.
	Addr, URL string
	// Data is the data directory.
	Data string

	cmd    *exec.Cmd
	exited chan struct{}
	logs   *lockedBuffer
}

var ready = regexp.MustCompile(`serves on http://(\S+)`)

// Start runs `gatehouse serve` on a free port with the given data directory
// (a temporary one when empty) and returns when it is ready. The process ends
// with the test.
func Start(t testing.TB, data string, args ...string) *Gateway {
	t.Helper()
	if data == "" {
		data = t.TempDir()
	}
	bin := Binary(t)
	cmd := exec.Command(bin, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data}, args...)...)
	logs := &lockedBuffer{}
	cmd.Stderr = logs
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	g := &Gateway{Data: data, cmd: cmd, exited: make(chan struct{}), logs: logs}
	lines := make(chan string, 1)
	go func() {
		scanner := bufio.NewScanner(stdout)
		for scanner.Scan() {
			if m := ready.FindStringSubmatch(scanner.Text()); m != nil {
				select {
				case lines <- m[1]:
				default:
				}
			}
		}
		_ = cmd.Wait()
		close(g.exited)
	}()
	t.Cleanup(func() { g.Kill() })
	select {
	case g.Addr = <-lines:
	case <-g.exited:
		t.Fatalf("gatehouse ended before it was ready:\n%s", logs)
	case <-time.After(startTimeout):
		g.Kill()
		t.Fatalf("gatehouse was not ready after %s:\n%s", startTimeout, logs)
	}
	g.URL = "http://" + g.Addr
	if err := g.healthy(); err != nil {
		t.Fatalf("%v\n%s", err, logs)
	}
	return g
}

func (g *Gateway) healthy() error {
	resp, err := http.Get(g.URL + "/_gatehouse/health")
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing to do about it
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("health answered %s", resp.Status)
	}
	return nil
}

// Kill ends the process with SIGKILL and waits for it. It may be called again.
func (g *Gateway) Kill() {
	if err := g.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		panic(err)
	}
	<-g.exited
}

// Stop ends the process as an operator would, with SIGTERM, and waits for it.
func (g *Gateway) Stop(t testing.TB) {
	t.Helper()
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-g.exited:
	case <-time.After(startTimeout):
		t.Fatalf("gatehouse did not stop:\n%s", g.logs)
	}
	if code := g.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("gatehouse exited with %d:\n%s", code, g.logs)
	}
}

// PID is the process id.
func (g *Gateway) PID() int { return g.cmd.Process.Pid }

// Logs is what the process wrote to standard error so far.
func (g *Gateway) Logs() string { return g.logs.String() }

// Config is an SDK configuration that points at the gateway: dummy credentials,
// no retries.
func (g *Gateway) Config() aws.Config {
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(g.URL),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
		HTTPClient:   wholeBodies{},
	}
}

// wholeBodies is an HTTP client that reads a response to its end before it
// hands it over. The SDK's XML clients sometimes lose a connection in the middle
// of a long answer, also one of net/http's own server.
type wholeBodies struct{}

func (wholeBodies) Do(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// Get requests a path of an API by its execute-api host name.
func (g *Gateway) Get(ctx context.Context, apiID, path string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+path, nil)
	if err != nil {
		return 0, "", err
	}
	_, port, _ := strings.Cut(g.Addr, ":")
	req.Host = apiID + ".execute-api.localhost:" + port
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing to do about it
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// lockedBuffer collects output that is read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
