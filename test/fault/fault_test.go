// Package fault breaks the real program's backends and clients, one way after
// the other: a request must get the right answer, the next one must be fine,
// and nothing may be left behind.
package fault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	unavailable = `{"message":"Service Unavailable"}`
	internal    = `{"message":"Internal Server Error"}`
	tooLarge    = `{"message":"Request Entity Too Large"}`
	badRequest  = `{"message":"Bad Request"}`
)

const (
	// patience is how long anything may take that should happen soon, on a machine
	// that does much else.
	patience = time.Minute
	// ample is the most time that an integration may have.
	ample = 30 * time.Second
)

// An api is an HTTP API of a gateway of its own.
type api struct {
	*harness.Gateway
	client *apigatewayv2.Client
	id     *string
	host   string
	before usage
}

// newAPI starts a gateway with one API and a $default stage.
func newAPI(t testing.TB, args ...string) *api {
	t.Helper()
	g := harness.Start(t, "", args...)
	a := &api{Gateway: g, client: apigatewayv2.NewFromConfig(g.Config())}
	out, err := a.client.CreateApi(t.Context(), &apigatewayv2.CreateApiInput{Name: new("fault"), ProtocolType: types.ProtocolTypeHttp})
	if err != nil {
		t.Fatal(err)
	}
	a.id, a.host = out.ApiId, *out.ApiId+".execute-api.localhost"
	if _, err := a.client.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{ApiId: a.id, StageName: new("$default"), AutoDeploy: new(true)}); err != nil {
		t.Fatal(err)
	}
	return a
}

// restart stops the gateway and starts another one with its data.
func (a *api) restart(t testing.TB, args ...string) {
	t.Helper()
	a.Stop(t)
	a.Gateway = harness.Start(t, a.Data, args...)
	a.client = apigatewayv2.NewFromConfig(a.Config())
}

// route proxies a route to a URL.
func (a *api) route(t testing.TB, key, uri string, timeout time.Duration) {
	t.Helper()
	integration, err := a.client.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
		ApiId: a.id, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: new("ANY"), IntegrationUri: &uri,
		PayloadFormatVersion: new("1.0"), TimeoutInMillis: new(int32(timeout.Milliseconds())),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.client.CreateRoute(t.Context(), &apigatewayv2.CreateRouteInput{ApiId: a.id, RouteKey: &key, Target: new("integrations/" + *integration.IntegrationId)}); err != nil {
		t.Fatal(err)
	}
}

// http is an HTTP client that finds every host at the gateway.
func (a *api) http(t testing.TB) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, a.Addr)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// do sends a request and returns the status, the body and why there is less of
// it than there should be.
func (a *api) do(t testing.TB, client *http.Client, method, path string, body io.Reader) (status int, text string, broken error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+a.host+path, body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	b, err := io.ReadAll(res.Body)
	if closeErr := res.Body.Close(); err == nil {
		err = closeErr
	}
	return res.StatusCode, string(b), err
}

// dial connects to the gateway.
func (a *api) dial(t testing.TB) *clientConn {
	t.Helper()
	c, err := net.Dial("tcp", a.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(3 * patience)); err != nil {
		t.Fatal(err)
	}
	return &clientConn{Conn: c, t: t, r: bufio.NewReader(c)}
}

// A clientConn is a client that speaks raw HTTP.
type clientConn struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func (c *clientConn) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatalf("the client can't send: %v", err)
	}
}

func (c *clientConn) receive() (*http.Response, string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("the client can't read the answer: %v", err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("the client can't read the answer: %v", err)
	}
	return res, string(body)
}

// closed waits for the proper end of the connection.
func (c *clientConn) closed() {
	c.t.Helper()
	rest, err := io.ReadAll(c.r)
	if err = errors.Join(err, c.Close()); err != nil || len(rest) > 0 {
		c.t.Errorf("instead of the end of the connection: %q, %v", rest, err)
	}
}

// A usage is what a process holds.
type usage struct{ sockets, goroutines int }

// collecting is how many goroutines the page that counts them may take itself:
// more or fewer each time.
const collecting = 5

// mark notes what the gateway holds while nobody is connected, for nothingLeft.
func (a *api) mark(t testing.TB) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections() // of the management calls
	const listener = 1
	a.before = a.awaitUsage(t, func(u usage) bool { return u.sockets == listener })
}

// nothingLeft waits until the gateway holds no more than at mark. Clients have
// to be closed by then, and backends that keep connections.
func (a *api) nothingLeft(t testing.TB) {
	t.Helper()
	a.awaitUsage(t, func(u usage) bool {
		return u.sockets <= a.before.sockets && u.goroutines <= a.before.goroutines+collecting
	})
}

func (a *api) awaitUsage(t testing.TB, enough func(usage) bool) usage {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		u := a.usage(t)
		if enough(u) {
			return u
		}
		if time.Now().After(deadline) {
			t.Errorf("the gateway still holds %+v; before it was %+v", u, a.before)
			return u
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (a *api) usage(t testing.TB) (u usage) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", a.PID())
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Skipf("this system doesn't show what a process holds: %v", err)
	}
	for _, e := range entries {
		if to, err := os.Readlink(dir + "/" + e.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			u.sockets++
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL+"/_gatehouse/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if rest, ok := strings.CutPrefix(line, "go_goroutines "); ok {
			if u.goroutines, err = strconv.Atoi(strings.TrimSpace(rest)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return u
}
