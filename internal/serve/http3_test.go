package serve_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/tlspolicy"
)

// fetch sends a request and returns what came back.
func fetch(t *testing.T, c *http.Client, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// timeout is a context for what takes no time.
func timeout(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), patience)
}

// unsized is a body of unknown length.
func unsized(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }

// Requests over HTTP/3 are what they are over HTTP/2, and management isn't there.
func TestHTTP3(t *testing.T) {
	a := certificate(t)
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "reached") })
	stream := step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.StreamLength = 200, -1
		x.Response.BodyStream = io.NopCloser(strings.NewReader("abc"))
		return nil
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate, Management: reached, Pages: reached, UserPools: fakeSite{}},
		route(t, "$default", step(describe)), route(t, "ANY /stream", stream))
	client := g.clientHTTP3(t, trust(t, a))
	const forbidden, seen = `{"message":"Forbidden"}`, " host abc.execute-api.localhost proto HTTP/3.0 secure true domain abc.execute-api.localhost\nhost: abc.execute-api.localhost\naccept-encoding: gzip\n"
	for _, test := range []struct {
		name, method, url string
		body              io.Reader
		status            int
		length            int64
		want              string
	}{
		{"no body", "GET", "https://abc.execute-api.localhost/x%20y?a=1&a=2", nil, 200, 0, "GET /x%20y ? a=1&a=2" + seen + "user-agent: quic-go HTTP/3\n"},
		{"a body", "POST", "https://abc.execute-api.localhost/", strings.NewReader("hi"), 200, 0, "POST / ? " + seen + "content-length: 2\nuser-agent: quic-go HTTP/3\nbody 2 hi"},
		{"a body of unknown length", "PUT", "https://abc.execute-api.localhost/", unsized("hi"), 200, 0, "PUT / ? " + seen + "user-agent: quic-go HTTP/3\nbody -1 hi"},
		{"one that is longer than the first look", "PUT", "https://abc.execute-api.localhost/", unsized(strings.Repeat("a", 1200)), 200, 0,
			"PUT / ? " + seen + "user-agent: quic-go HTTP/3\nbody -1 " + strings.Repeat("a", 1200)},
		{"none of unknown length", "PUT", "https://abc.execute-api.localhost/", unsized(""), 200, 0, "PUT / ? " + seen + "user-agent: quic-go HTTP/3\n"},
		{"HEAD", "HEAD", "https://abc.execute-api.localhost/", nil, 200, 160, ""},
		{"a stream", "GET", "https://abc.execute-api.localhost/stream", nil, 200, -1, "abc"},
		{"HEAD of a stream", "HEAD", "https://abc.execute-api.localhost/stream", nil, 200, -1, ""},
		{"user pool", "GET", "https://people.localhost/login", nil, 200, 0, "user pool /login of people.localhost, body 0"},
		{"user pool with a body", "POST", "https://people.localhost/login", strings.NewReader("hello"), 200, 0, "user pool /login of people.localhost, body 5"},
		{"management", "GET", "https://localhost/v2/apis", nil, 403, 0, forbidden},
		{"pages", "GET", "https://localhost/_gatehouse/health", nil, 403, 0, forbidden},
		{"a path form", "GET", "https://localhost/_aws/execute-api/abc/dev/stream", nil, 200, 0, "abc"},
		{"a tunnel", "CONNECT", "https://abc.execute-api.localhost/", nil, 501, 0, `{"message":"Not Implemented"}`},
	} {
		req, err := http.NewRequest(test.method, test.url, test.body)
		if err != nil {
			t.Fatal(err)
		}
		res, body := fetch(t, client, req)
		if res.Proto != "HTTP/3.0" || res.StatusCode != test.status || body != test.want || test.length != 0 && res.ContentLength != test.length {
			t.Errorf("%s: %s %d, length %d\n%s\nwant %d, length %d\n%s", test.name, res.Proto, res.StatusCode, res.ContentLength, body, test.status, test.length, test.want)
		}
	}
}

// Long bodies pass in both directions, and streams piece by piece.
func TestHTTP3Bodies(t *testing.T) {
	a := certificate(t)
	more := make(chan struct{})
	pieces := step(func(x *plan.Exchange) error {
		first, second := io.Pipe()
		go func() {
			<-more
			_, _ = io.WriteString(second, "b")
			second.Close()
		}()
		x.Response.Status, x.Response.StreamLength = 200, -1
		x.Response.BodyStream = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(strings.NewReader("a"), first), first}
		return nil
	})
	short := step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.StreamLength = 200, 10
		x.Response.BodyStream = io.NopCloser(strings.NewReader("part"))
		return nil
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate, StallTimeout: 10 * time.Second}, route(t, "POST /echo", step(echo)), route(t, "GET /pieces", pieces), route(t, "GET /short", short))
	client := g.clientHTTP3(t, trust(t, a))
	long := bytes.Repeat([]byte("0123456789abcdef"), 9<<20/16)
	res, err := client.Post("https://abc.execute-api.localhost/echo", "text/plain", bytes.NewReader(long))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Equal(got, long) || res.ContentLength != int64(len(long)) {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(long), err)
	}
	if res, err = client.Get("https://abc.execute-api.localhost/pieces"); err != nil {
		t.Fatal(err)
	}
	piece := make([]byte, 10)
	if n, err := res.Body.Read(piece); string(piece[:n]) != "a" || err != nil {
		t.Errorf("the first piece is %q, %v", piece[:n], err)
	}
	close(more)
	if rest, err := io.ReadAll(res.Body); string(rest) != "b" || err != nil {
		t.Errorf("the second piece is %q, %v", rest, err)
	}
	for i, front := range fronts[1:] {
		// The reset of a stream may overtake the head.
		if res, err = g.over(t, front, trust(t, a)).Get("https://abc.execute-api.localhost/short"); err == nil {
			if rest, err := io.ReadAll(res.Body); err == nil {
				t.Errorf("%s: a part passed for the whole: %q", front, rest)
			}
		}
		g.counts.awaitLogged(t, int64(3+i))
		if got := g.counts.lastError.Load(); got != "the response ended before its announced length" {
			t.Errorf("%s: logged %q", front, got)
		}
	}
}

func TestHTTP3Limits(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate, MaxBodyBytes: 1000}, route(t, "$default", step(echo)))
	client := g.clientHTTP3(t, trust(t, a))
	for _, test := range []struct {
		name   string
		body   io.Reader
		header http.Header
		want   int
	}{
		{"at the limit", strings.NewReader(strings.Repeat("a", 1000)), nil, 200},
		{"over it", strings.NewReader(strings.Repeat("a", 1001)), nil, 413},
		{"over it, of unknown length", unsized(strings.Repeat("a", 1001)), nil, 413},
		{"far over it", bytes.NewReader(make([]byte, 8<<20)), nil, 413},
		{"far over it, of unknown length", io.MultiReader(bytes.NewReader(make([]byte, 8<<20))), nil, 413},
		{"a long head", nil, http.Header{"X-Fill": {strings.Repeat("a", serve.MaxHeadBytes)}}, 431},
		{"a head that is longer than any may be", nil, http.Header{"X-Fill": {strings.Repeat("a", 70_000)}}, 431},
		{"a small head of many lines", nil, http.Header{"X": strings.Split(strings.Repeat("1,", 1000), ",")}, 200},
		{"waiting for a word", strings.NewReader("hi"), http.Header{"Expect": {"100-continue"}}, 200},
	} {
		req, err := http.NewRequest("POST", "https://abc.execute-api.localhost/", test.body)
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range test.header {
			req.Header[name] = values
		}
		res, err := client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		if res.StatusCode != test.want {
			t.Errorf("%s: %d, want %d", test.name, res.StatusCode, test.want)
		}
	}
}

// A client that gives up while it sends, or while something works for it, ends
// that, and its connection goes on.
func TestHTTP3ClientGone(t *testing.T) {
	a := certificate(t)
	entered, left := make(chan struct{}, 2), make(chan error, 2)
	read := step(func(x *plan.Exchange) error {
		entered <- struct{}{}
		_, err := io.ReadAll(x.Request.BodyReader)
		left <- err
		return err
	})
	wait := step(func(x *plan.Exchange) error {
		entered <- struct{}{}
		<-x.Request.Done
		left <- errors.New("gone")
		return &plan.Fault{Kind: plan.ClientGone, Reason: "the client went away"}
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate}, route(t, "POST /read", read), route(t, "GET /wait", wait), route(t, "$default", answer("ok")))
	client := g.clientHTTP3(t, trust(t, a))
	for _, path := range []string{"/read", "/wait"} {
		ctx, cancel := timeout(t)
		body, sending := io.Pipe()
		method := "GET"
		if path == "/read" {
			method = "POST"
			go func() { _, _ = io.WriteString(sending, "some") }()
		}
		req, err := http.NewRequestWithContext(ctx, method, "https://abc.execute-api.localhost"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if method == "POST" {
			req.Body = body
		}
		go func() { <-entered; cancel() }()
		if _, err := client.Do(req); err == nil {
			t.Errorf("%s was answered", path)
		}
		select {
		case err := <-left:
			if err == nil {
				t.Errorf("%s: a body that was cut passed for whole", path)
			}
		case <-time.After(patience):
			t.Fatalf("%s wasn't told", path)
		}
		sending.Close()
	}
	req, _ := http.NewRequest("GET", "https://abc.execute-api.localhost/", nil)
	if res, body := fetch(t, client, req); res.StatusCode != 200 || body != "ok" {
		t.Errorf("afterwards: %d %s", res.StatusCode, body)
	}
}

// fakeChallenges has an authority ask for one name.
type fakeChallenges struct{ http.Handler }

func (fakeChallenges) Serves(string, string) bool { return false }

func (fakeChallenges) Certificate(name string) (*tls.Certificate, bool) {
	return &tls.Certificate{}, name == "challenged.test"
}

// An oldHandshaker has no TLS 1.3.
type oldHandshaker struct{ plan.Handshaker }

func (f oldHandshaker) Config(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	c, err := f.Handshaker.Config(hello)
	if err == nil {
		c.MaxVersion = tls.VersionTLS12
	}
	return c, err
}

// What a client names in its handshake decides whom it shakes hands with.
func TestHTTP3Handshakes(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate, Challenges: fakeChallenges{}}, route(t, "$default", answer("x")))
	key := newECDSA(t)
	for _, name := range []string{"one.test", "two.test"} {
		g.addDomain(t, name, tlspolicy.Options{Certificate: serverOf(t, key, name)}, nil)
	}
	g.addDomain(t, "old.test", tlspolicy.Options{Certificate: serverOf(t, key, "old.test")}, func(d *plan.Domain) {
		d.TLS = oldHandshaker{d.TLS}
	})
	for _, policy := range tlspolicy.Names() {
		g.addDomain(t, strings.ToLower(policy)+".test", tlspolicy.Options{Policy: policy, Certificate: serverOf(t, key, strings.ToLower(policy)+".test")}, nil)
	}
	g.serveHTTP3(t)
	for _, test := range []struct{ sni, protocol, want string }{
		{"one.test", "h3", "one.test"},
		{"two.test", "h3", "two.test"},
		{"TWO.test", "h3", "two.test"},
		{"unknown.test", "h3", "localhost"},
		{"", "h3", "localhost"},
		{"one.test", "h2", "refused"},
		{"one.test", "http/1.1", "refused"},
		{"one.test", "acme-tls/1", "refused"},
		{"challenged.test", "acme-tls/1", "refused"},
		{"old.test", "h3", "refused"},
	} {
		ctx, cancel := timeout(t)
		qc, err := quic.DialAddr(ctx, g.udp, &tls.Config{ServerName: test.sni, NextProtos: []string{test.protocol}, InsecureSkipVerify: true}, nil)
		cancel()
		var alert *quic.TransportError
		if err != nil {
			if test.want != "refused" || !errors.As(err, &alert) || !alert.ErrorCode.IsCryptoError() {
				t.Errorf("%s, %s: %v", test.sni, test.protocol, err)
			}
			continue
		}
		cert := qc.ConnectionState().TLS.PeerCertificates[0]
		if err := cert.VerifyHostname(test.want); err != nil {
			t.Errorf("%s, %s: %v", test.sni, test.protocol, err)
		}
		if err := qc.CloseWithError(0, ""); err != nil {
			t.Error(err)
		}
	}
	// A client that leaves at once may be counted among those that failed, and a
	// moment later.
	n := g.Numbers()
	for end := time.Now().Add(patience); n.Handshakes+n.FailedHandshakes < 10 && time.Now().Before(end); n = g.Numbers() {
		time.Sleep(time.Millisecond)
	}
	if n.FailedHandshakes < 5 || n.Handshakes+n.FailedHandshakes != 10 {
		t.Errorf("%+v", n)
	}
	for _, policy := range tlspolicy.Names() {
		if got := get(t, g.naming(t, strings.ToLower(policy)+".test", "HTTP/3.0"), strings.ToLower(policy)+".test"); got != "200 x" {
			t.Errorf("%s: %s", policy, got)
		}
	}
}

// Clients are told of HTTP/3 where it is served, and not by backends.
func TestAltSvc(t *testing.T) {
	a := certificate(t)
	backend := step(func(x *plan.Exchange) error {
		x.Response.Status = 200
		x.Response.Add("Alt-Svc", `h3=":1"`)
		return nil
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate, UserPools: fakeSite{}}, route(t, "$default", backend))
	g.serveHTTP3(t)
	shared := g.addr
	beside, alone := g.serveOn(t, func(l net.Listener) error { return g.ServeTrafficTLS(l, 4433) }), g.serveOn(t, g.trafficTLS)
	const own, theirs = `[h3=":4433"; ma=86400]`, `[h3=":1"]`
	for _, test := range []struct{ name, addr, host, want string }{
		{"beside HTTP/3", beside, api, own},
		{"a user pool beside HTTP/3", beside, "people.localhost", own},
		{"a fault beside HTTP/3", beside, "localhost", own},
		{"alone", alone, api, theirs},
		{"a user pool alone", alone, "people.localhost", "[]"},
		{"shared", shared, api, theirs},
	} {
		for _, front := range fronts[:2] {
			g.addr = test.addr
			req, err := http.NewRequest("GET", "https://"+test.host+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			if res, _ := fetch(t, g.over(t, front, trust(t, a)), req); fmt.Sprint(res.Header.Values("Alt-Svc")) != test.want || res.Proto != front {
				t.Errorf("%s, %s: %q, want %s", test.name, front, res.Header.Values("Alt-Svc"), test.want)
			}
		}
	}
}

// A WebSocket API refuses handshakes over HTTP/3.
func TestHTTP3WebSocketAPI(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate}, route(t, "$default", answer("x")))
	socket := &plan.API{ID: "wsa", Protocol: plan.WebSocket, Stages: map[string]*plan.Stage{}}
	socket.Stages["prod"] = &plan.Stage{API: socket, Name: "prod", Socket: &plan.SocketStage{}}
	g.plan.Store(g.plan.Load().With(socket))
	req, err := http.NewRequest("GET", "https://wsa.execute-api.localhost/prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, body := fetch(t, g.clientHTTP3(t, trust(t, a)), req)
	if res.StatusCode != 426 || res.Header.Get("Sec-Websocket-Version") != "13" || !strings.Contains(body, "Upgrade Required") {
		t.Errorf("%d %s %v", res.StatusCode, body, res.Header)
	}
}
