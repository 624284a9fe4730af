package serve_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

// A gateway is a running server with one HTTP API of id "abc".
type gateway struct {
	*serve.Server
	addr    string
	udp     string // where HTTP/3 is served, "" nowhere
	plan    atomic.Pointer[plan.Plan]
	counts  *counts
	serving []chan error
}

// patience is how long a test waits for what takes a moment on a machine that isn't busy.
const patience = time.Minute

// counts is an access log and metrics in one.
type counts struct {
	requests, logged atomic.Int64
	lastStatus       atomic.Int64
	lastLength       atomic.Int64 // of the response's stream
	lastError        atomic.Value // of the integration, a string
}

func (c *counts) Count(x *plan.Exchange, _ time.Duration) {
	c.requests.Add(1)
	c.lastStatus.Store(int64(x.Response.Status))
}

func (c *counts) Log(x *plan.Exchange, _ time.Duration) {
	c.lastLength.Store(x.Response.StreamLength)
	c.lastError.Store(strings.Clone(x.Integration.Error))
	c.logged.Add(1)
}

// awaitLogged waits until n exchanges have been logged.
func (c *counts) awaitLogged(t testing.TB, n int64) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for c.logged.Load() < n {
		if time.Now().After(deadline) {
			t.Fatal("the request never ended")
		}
		time.Sleep(time.Millisecond)
	}
}

// startGateway serves the routes on a $default stage and a stage "dev".
func startGateway(t testing.TB, o serve.Options, routes ...*plan.Route) *gateway {
	t.Helper()
	g := &gateway{counts: &counts{}}
	api := &plan.API{ID: "abc", Protocol: plan.HTTP, Stages: map[string]*plan.Stage{}}
	var tree *plan.Tree // nil is empty
	var fallback *plan.Route
	for _, r := range routes {
		if r.Key == "$default" {
			fallback = r
			continue
		}
		tree = tree.With(r)
	}
	for _, name := range []string{"$default", "dev"} {
		api.Stages[name] = &plan.Stage{API: api, Name: name, Routes: tree, Default: fallback, AccessLog: g.counts, Metrics: g.counts}
	}
	var p *plan.Plan
	g.plan.Store(p.With(api))
	o.Plan = &g.plan
	g.Server = serve.New(o)
	g.addr = g.serveOn(t, g.Serve)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := g.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		for _, failed := range g.serving {
			if err := <-failed; err != nil {
				t.Errorf("serve: %v", err)
			}
		}
	})
	return g
}

// serveOn runs a Serve method on a free port.
func (g *gateway) serveOn(t testing.TB, run func(net.Listener) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- run(l) }()
	g.serving = append(g.serving, failed)
	return l.Addr().String()
}

// serveHTTP3 serves HTTP/3, too.
func (g *gateway) serveHTTP3(t testing.TB) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.udp = pc.LocalAddr().String()
	failed := make(chan error, 1)
	go func() { failed <- g.ServeTrafficHTTP3(pc) }()
	g.serving = append(g.serving, failed)
}

// clientHTTP3 is a client that finds every host at the gateway's HTTP/3.
func (g *gateway) clientHTTP3(t testing.TB, c *tls.Config) *http.Client {
	t.Helper()
	if g.udp == "" {
		g.serveHTTP3(t)
	}
	tr := &http3.Transport{
		TLSClientConfig: c,
		Dial: func(ctx context.Context, _ string, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
			return quic.DialAddr(ctx, g.udp, c, q)
		},
	}
	t.Cleanup(func() { _ = tr.Close() })
	return &http.Client{Transport: tr}
}

// fronts are the protocols of requests.
var fronts = []string{"HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}

// over is a client of one front that finds every host at the gateway.
func (g *gateway) over(t testing.TB, front string, c *tls.Config) *http.Client {
	t.Helper()
	if front == "HTTP/3.0" {
		return g.clientHTTP3(t, c)
	}
	client := g.client(t, c)
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = front == "HTTP/2.0"
	return client
}

// trafficTLS is ServeTrafficTLS without HTTP/3 beside it.
func (g *gateway) trafficTLS(l net.Listener) error { return g.ServeTrafficTLS(l, 0) }

// route makes a route of a key with an integration.
func route(t testing.TB, key string, i plan.Integration) *plan.Route {
	t.Helper()
	r := &plan.Route{Key: key, ID: key, Integration: i}
	if key == "$default" {
		return r
	}
	k, err := plan.ParseRouteKey(key)
	if err != nil {
		t.Fatal(err)
	}
	r.Method, r.Path, r.ParamNames, r.Greedy = k.Method, k.Path, k.ParamNames, k.Greedy
	return r
}

// step is an integration made of a function.
type step func(x *plan.Exchange) error

func (s step) Integrate(x *plan.Exchange) error { return s(x) }

// answer is an integration that answers 200 with a body.
func answer(body string) step {
	return func(x *plan.Exchange) error {
		x.Response.Status, x.Response.Body = 200, []byte(body)
		return nil
	}
}

// echo answers with the request's body.
func echo(x *plan.Exchange) error {
	var body []byte
	if x.Request.BodyReader != nil {
		var err error
		if body, err = io.ReadAll(x.Request.BodyReader); err != nil {
			return err
		}
	}
	x.Response.Status, x.Response.Body = 200, body
	return nil
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// send sends raw bytes and returns the first response with its body.
func send(t testing.TB, addr, raw string) (*http.Response, string) {
	t.Helper()
	c := dial(t, addr)
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	return receive(t, bufio.NewReader(c), "GET")
}

func receive(t testing.TB, r *bufio.Reader, method string) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// client is an HTTP client that finds every host at the gateway.
func (g *gateway) client(t testing.TB, c *tls.Config) *http.Client {
	tr := &http.Transport{
		TLSClientConfig:   c,
		ForceAttemptHTTP2: c != nil,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, g.addr)
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}
