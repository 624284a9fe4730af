package serve_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/internal/localcert"
	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

func certificate(t testing.TB) *localcert.Authority {
	t.Helper()
	a, err := localcert.Open(localcert.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func trust(t testing.TB, a *localcert.Authority) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(a.File())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool}
}

// describe answers with the request as the steps see it.
func describe(x *plan.Exchange) error {
	q := &x.Request
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s ? %s host %s proto %s secure %t domain %s\n", q.Method, q.Path, q.Query, q.Host, q.Proto, q.Secure, x.DomainName)
	for _, h := range q.Headers {
		fmt.Fprintf(&b, "%s: %s\n", h.Name, h.Value)
	}
	if q.BodyReader != nil {
		body, err := io.ReadAll(q.BodyReader)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "body %d %s", q.ContentLength, body)
	}
	x.Response.Status, x.Response.Body = 200, []byte(b.String())
	return nil
}

// Header lines reach the steps as they were sent: order, case, duplicates.
func TestHeadersAsReceived(t *testing.T) {
	g := startGateway(t, serve.Options{}, route(t, "$default", step(describe)))
	lines := "x-B: 2\r\ncontent-TYPE: text/x\r\nUser-agent: a\r\n" + host + "X-a: 1\r\nCookie: a=1\r\nx-b: 3\r\ncookie: b=2\r\nX-Empty:\r\nUser-Agent: c\r\n"
	_, body := send(t, g.addr, "GET //a/../%41?q=%20&&q=+ HTTP/1.1\r\n"+lines+"\r\n")
	want := "GET //a/../%41 ? q=%20&&q=+ host abc.execute-api.localhost proto HTTP/1.1 secure false domain abc.execute-api.localhost\n" +
		strings.ReplaceAll(strings.ReplaceAll(lines, "\r\n", "\n"), "X-Empty:", "X-Empty: ")
	if body != want {
		t.Errorf("got\n%s\nwant\n%s", body, want)
	}
}

func TestResponses(t *testing.T) {
	stream := func(length int64, chunks ...string) step {
		return func(x *plan.Exchange) error {
			readers := make([]io.Reader, len(chunks))
			for i, c := range chunks {
				readers[i] = strings.NewReader(c)
			}
			x.Response.Status = 200
			x.Response.BodyStream, x.Response.StreamLength = io.NopCloser(io.MultiReader(readers...)), length
			return nil
		}
	}
	with := func(status int, body string, headers ...plan.Header) step {
		return func(x *plan.Exchange) error {
			x.Response.Status, x.Response.Body = status, []byte(body)
			x.Response.Headers = append(x.Response.Headers, headers...)
			return nil
		}
	}
	fault := func(kind plan.FaultKind) step {
		return func(x *plan.Exchange) error {
			x.Response.Add("x-half-made", "1")
			return &plan.Fault{Kind: kind, Reason: "because\r\nx: y"}
		}
	}
	const tail = "date: DATE\r\n"
	tests := []struct {
		name, method string
		step         step
		want         string
	}{
		{"headers in order and case", "GET", with(200, "hi", plan.Header{Name: "X-b", Value: "1"}, plan.Header{Name: "x-A", Value: "2"}, plan.Header{Name: "X-b", Value: "3"}),
			"HTTP/1.1 200 OK\r\nX-b: 1\r\nx-A: 2\r\nX-b: 3\r\n" + tail + "content-length: 2\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\nhi"},
		{"framing and hops are ours", "GET", with(201, "", plan.Header{Name: "Content-Length", Value: "9"}, plan.Header{Name: "connection", Value: "upgrade"},
			plan.Header{Name: "Keep-Alive", Value: "1"}, plan.Header{Name: "transfer-encoding", Value: "chunked"}, plan.Header{Name: "Apigw-Requestid", Value: "x"}),
			"HTTP/1.1 201 Created\r\n" + tail + "content-length: 0\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n"},
		{"headers can't be split", "GET", with(200, "", plan.Header{Name: "a", Value: "b\r\nc: d"}, plan.Header{Name: "e\r\nf", Value: "g"}, plan.Header{Name: "", Value: "h"}),
			"HTTP/1.1 200 OK\r\n" + tail + "content-length: 0\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n"},
		{"no content", "GET", with(204, "dropped", plan.Header{Name: "content-length", Value: "7"}),
			"HTTP/1.1 204 No Content\r\n" + tail + "apigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n"},
		{"not modified", "GET", with(304, "", plan.Header{Name: "content-length", Value: "7"}, plan.Header{Name: "etag", Value: "x"}),
			"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\netag: x\r\n" + tail + "apigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n"},
		{"HEAD of a body", "HEAD", with(200, "hello"), "HTTP/1.1 200 OK\r\n" + tail + "content-length: 5\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n"},
		{"HEAD passes a length on", "HEAD", with(200, "", plan.Header{Name: "Content-Length", Value: "77"}),
			"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n" + tail + "apigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n"},
		{"the backend's date stays", "GET", with(200, "", plan.Header{Name: "Date", Value: "x"}),
			"HTTP/1.1 200 OK\r\nDate: x\r\ncontent-length: 0\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n"},
		{"status without a phrase", "GET", with(799, ""), "HTTP/1.1 799 \r\n" + tail + "content-length: 0\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n"},
		{"interim status", "GET", with(101, "x"), "HTTP/1.1 500 Internal Server Error\r\n" + tail + "content-length: 1\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\nx"},
		{"stream of known length", "GET", stream(4, "ab", "cd"), "HTTP/1.1 200 OK\r\n" + tail + "content-length: 4\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\nabcd"},
		{"stream of unknown length", "GET", stream(-1, "ab", "cdefghijklmnopqrst"),
			"HTTP/1.1 200 OK\r\n" + tail + "apigw-requestid: ID\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n12\r\ncdefghijklmnopqrst\r\n0\r\n\r\n"},
		{"fault", "GET", fault(plan.Throttled), "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nx-gatehouse-reason: because??x: y\r\n" + tail +
			"content-length: 31\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n" + `{"message":"Too Many Requests"}`},
		{"failure", "GET", func(*plan.Exchange) error { return errors.New("oops") }, "HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\nx-gatehouse-reason: oops\r\n" + tail +
			"content-length: 35\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n" + `{"message":"Internal Server Error"}`},
		{"panic", "GET", func(*plan.Exchange) error { panic("oops") }, "HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\nx-gatehouse-reason: a step panicked\r\n" + tail +
			"content-length: 35\r\napigw-requestid: ID\r\nconnection: keep-alive\r\n\r\n" + `{"message":"Internal Server Error"}`},
	}
	id := regexp.MustCompile(`apigw-requestid: [A-Za-z0-9_-]{15}=`)
	date := regexp.MustCompile(`date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// The second request tells where the first response ends.
			g := startGateway(t, serve.Options{ShowReasons: true}, route(t, tt.method+" /x", tt.step), route(t, "$default", with(204, "")))
			c := dial(t, g.addr)
			if _, err := io.WriteString(c, tt.method+" /x HTTP/1.1\r\n"+host+"\r\nGET /end HTTP/1.1\r\n"+host+"Connection: close\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(c)
			if err != nil {
				t.Fatal(err)
			}
			got := date.ReplaceAllString(id.ReplaceAllString(string(raw), "apigw-requestid: ID"), "date: DATE")
			want := tt.want + "HTTP/1.1 204 No Content\r\n" + tail + "apigw-requestid: ID\r\nconnection: close\r\n\r\n"
			if got != want {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
		})
	}
}

// A response that breaks off ends the connection, so that nobody takes the
// part for the whole, and the log tells.
func TestBrokenStreams(t *testing.T) {
	a := certificate(t)
	secure := trust(t, a)
	secure.ServerName = "abc.execute-api.localhost"
	for _, tt := range []struct {
		name, proto string
		length      int64
		wantError   error
	}{
		{"short of its length", "HTTP/1.1", 10, io.ErrUnexpectedEOF},
		{"without a length", "HTTP/1.1", -1, io.ErrUnexpectedEOF},
		{"short of its length", "HTTP/1.0", 10, io.ErrUnexpectedEOF},
		{"without a length", "HTTP/1.0", -1, syscall.ECONNRESET},
	} {
		for _, over := range []string{"plain", "TLS"} {
			t.Run(tt.proto+" "+tt.name+" "+over, func(t *testing.T) {
				broken := func(x *plan.Exchange) error {
					x.Response.Status, x.Response.StreamLength = 200, tt.length
					x.Response.BodyStream = io.NopCloser(io.MultiReader(strings.NewReader("part"), brokenReader{}))
					return nil
				}
				g := startGateway(t, serve.Options{Certificate: a.Certificate}, route(t, "$default", step(broken)))
				c := dial(t, g.addr)
				if over == "TLS" {
					c = tls.Client(c, secure)
				}
				if _, err := io.WriteString(c, "GET / "+tt.proto+"\r\n"+host+"\r\n"); err != nil {
					t.Fatal(err)
				}
				res, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err == nil {
					_, err = io.ReadAll(res.Body)
				}
				if !errors.Is(err, tt.wantError) {
					t.Errorf("the client got %v, want %v", err, tt.wantError)
				}
				g.counts.awaitLogged(t, 1)
				if e, n := g.counts.lastError.Load(), g.counts.lastLength.Load(); e != "broken" || n != 4 {
					t.Errorf("logged %q, %d bytes", e, n)
				}
			})
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// TLS and plain, HTTP/1.1 and HTTP/2, share the port.
func TestOnePort(t *testing.T) {
	a := certificate(t)
	management := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "management %s %t", r.Proto, r.TLS != nil)
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate, Management: management, UserPools: fakeSite{}}, route(t, "$default", step(describe)))
	h1 := trust(t, a)
	h1.NextProtos = []string{"http/1.1"}
	over1, over2 := g.client(t, h1), g.client(t, trust(t, a))
	over1.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	tests := []struct {
		name        string
		client      *http.Client
		url         string
		body        string
		wantProto   string
		wantContain string
	}{
		{"plain", g.client(t, nil), "http://abc.execute-api.localhost/x", "", "HTTP/1.1", "GET /x ?  host abc.execute-api.localhost proto HTTP/1.1 secure false"},
		{"TLS", over1, "https://abc.execute-api.localhost/x", "", "HTTP/1.1", "secure true"},
		{"HTTP/2", over2, "https://abc.execute-api.localhost/x%20y?a=1&a=2", "hi", "HTTP/2.0", "POST /x%20y ? a=1&a=2 host abc.execute-api.localhost proto HTTP/2.0 secure true"},
		{"HTTP/2 body", over2, "https://abc.execute-api.localhost/", "hi", "HTTP/2.0", "body 2 hi"},
		{"HTTP/2 headers", over2, "https://abc.execute-api.localhost/", "", "HTTP/2.0", "\nhost: abc.execute-api.localhost\naccept-encoding: gzip\nuser-agent: "},
		{"HTTP/2 management", over2, "https://localhost/", "", "HTTP/2.0", "management HTTP/2.0 true"},
		{"HTTP/2 user pool", over2, "https://people.localhost/login", "", "HTTP/2.0", "user pool /login of people.localhost, body 0"},
		{"TLS user pool", over1, "https://people.localhost/login", "hello", "HTTP/1.1", "user pool /login of people.localhost, body 5"},
		{"TLS management", over1, "https://localhost/", "", "HTTP/1.1", "management HTTP/1.1 true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			method := "GET"
			if tt.body != "" {
				method = "POST"
			}
			req, err := http.NewRequest(method, tt.url, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			res, err := tt.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.Proto != tt.wantProto || !strings.Contains(string(body), tt.wantContain) {
				t.Errorf("got %s %q, want %s %q", res.Proto, body, tt.wantProto, tt.wantContain)
			}
		})
	}
}

func TestHTTP2Limits(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate, MaxBodyBytes: 1000}, route(t, "$default", step(echo)))
	client := g.client(t, trust(t, a))
	for _, tt := range []struct {
		body   io.Reader
		header string
		want   int
	}{
		{strings.NewReader(strings.Repeat("a", 1000)), "", 200},
		{strings.NewReader(strings.Repeat("a", 1001)), "", 413},
		{io.MultiReader(strings.NewReader(strings.Repeat("a", 1001))), "", 413}, // of unknown length
		{nil, strings.Repeat("a", serve.MaxHeadBytes), 431},
	} {
		req, err := http.NewRequest("POST", "https://abc.execute-api.localhost/", tt.body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Fill", tt.header)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != tt.want {
			t.Errorf("got %d, want %d", res.StatusCode, tt.want)
		}
	}
}

// A fakeSite is the domain of a user pool.
type fakeSite struct{}

func (fakeSite) Serves(host, path string) bool {
	return host == "people.localhost" || strings.HasPrefix(path, "/_aws/cognito-idp/")
}

func (fakeSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	_, _ = fmt.Fprintf(w, "user pool %s of %s, body %d", r.URL.Path, r.Host, n)
}

func TestTrafficOnly(t *testing.T) {
	a := certificate(t)
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "reached") })
	g := startGateway(t, serve.Options{Certificate: a.Certificate, Management: reached, Pages: reached, UserPools: fakeSite{}}, route(t, "$default", answer("ok")))
	plainAddr, tlsAddr := g.serveOn(t, g.ServeTraffic), g.serveOn(t, g.trafficTLS)
	for raw, want := range map[string]string{
		"GET / HTTP/1.1\r\n" + host + "\r\n":                                  "ok",
		"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n":                           `{"message":"Forbidden"}`,
		"GET /_gatehouse/health HTTP/1.1\r\nHost: localhost\r\n\r\n":          `{"message":"Forbidden"}`,
		"GET /_gatehouse/health HTTP/1.1\r\n" + host + "\r\n":                 "ok",
		"POST /2015-03-31/functions HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n":      `{"message":"Forbidden"}`,
		"POST /v2/apis HTTP/1.1\r\nHost: x.amazonaws.com\r\n\r\n":             `{"message":"Forbidden"}`,
		"GET /_aws/execute-api/abc/dev/x HTTP/1.1\r\nHost: localhost\r\n\r\n": "ok",
		// People sign in where traffic is.
		"GET /login HTTP/1.1\r\nHost: people.localhost:80\r\n\r\n":    "user pool /login of people.localhost:80, body 0",
		"GET /_aws/cognito-idp/x HTTP/1.1\r\nHost: localhost\r\n\r\n": "user pool /_aws/cognito-idp/x of localhost, body 0",
		"GET /_aws/cognito-idp/x HTTP/1.1\r\n" + host + "\r\n":        "ok",
	} {
		if _, body := send(t, plainAddr, raw); body != want {
			t.Errorf("%q: got %q, want %q", raw, body, want)
		}
	}
	for raw, want := range map[string]string{"GET /_gatehouse/health HTTP/1.1\r\nHost: localhost\r\n\r\n": "reached", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n": "reached"} {
		if _, body := send(t, g.addr, raw); body != want {
			t.Errorf("shared, %q: got %q, want %q", raw, body, want)
		}
	}
	// Neither speaks the other's language.
	c := dial(t, tlsAddr)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := closed(t, c); got != "" {
		t.Errorf("the TLS listener answered plain HTTP: %q", got)
	}
	tc, err := tls.Dial("tcp", tlsAddr, &tls.Config{RootCAs: trust(t, a).RootCAs, ServerName: "abc.execute-api.localhost"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tc.Close(); err != nil {
		t.Fatal(err)
	}
	if tc, err := tls.Dial("tcp", plainAddr, &tls.Config{InsecureSkipVerify: true}); err == nil {
		tc.Close()
		t.Error("the plain listener spoke TLS")
	}
}

// What a path form serves to a browser can't act as management's origin.
func TestSandbox(t *testing.T) {
	g := startGateway(t, serve.Options{}, route(t, "$default", answer("<script>")))
	for raw, want := range map[string]bool{
		"GET /_aws/execute-api/abc/dev/x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\n\r\n":        true,
		"GET /_aws/execute-api/abc/dev/x HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Dest: document\r\n\r\n":       true,
		"GET /restapis/abc/dev/_user_request_/x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\n\r\n": true,
		"GET /_aws/execute-api/abc/dev/x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8\r\n\r\n":             false,
		"GET /dev/x HTTP/1.1\r\n" + host + "User-Agent: Mozilla/5.0\r\n\r\n":                                    false,
	} {
		res, _ := send(t, g.addr, raw)
		if got := strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "sandbox"); got != want {
			t.Errorf("%q: sandboxed %t, want %t", raw, got, want)
		}
	}
}

func TestTrace(t *testing.T) {
	root := func(x *plan.Exchange) error {
		x.Response.Status, x.Response.Body = 200, []byte(x.TraceRoot)
		return nil
	}
	g := startGateway(t, serve.Options{}, route(t, "$default", step(root)))
	made := regexp.MustCompile(`^1-[0-9a-f]{8}-[0-9a-f]{24}$`)
	const given = "1-5759e988-bd862e3fe1be46a994272793"
	for header, want := range map[string]string{
		"Root=" + given: given,
		"Self=1-00000000-000000000000000000000000; Root=" + given + ";Sampled=1": given,
		"Root=1-5759e988":     "",
		"Root=" + given + "a": "",
		"nonsense":            "",
	} {
		_, body := send(t, g.addr, "GET / HTTP/1.1\r\n"+host+"x-amzn-trace-id: "+header+"\r\n\r\n")
		if !made.MatchString(body) || (want != "" && body != want) || (want == "" && body == given) {
			t.Errorf("%q: got %q, want %q", header, body, want)
		}
	}
}

// Requests in flight finish, idle connections end, and nothing new begins.
func TestShutdown(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	slow := step(func(x *plan.Exchange) error {
		close(entered)
		<-release
		return answer("finished")(x)
	})
	g := startGateway(t, serve.Options{}, route(t, "GET /slow", slow), route(t, "$default", answer("ok")))
	idle, busy, silent := dial(t, g.addr), dial(t, g.addr), dial(t, g.addr)
	if _, err := io.WriteString(idle, "GET / HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	idleReader := bufio.NewReader(idle)
	receive(t, idleReader, "GET")
	if _, err := io.WriteString(busy, "GET /slow HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	<-entered
	done := make(chan error, 1)
	go func() { done <- g.Shutdown(context.Background()) }()
	if _, err := idleReader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the idle connection: %v", err)
	}
	if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection that sent nothing: %v", err)
	}
	if c, err := net.Dial("tcp", g.addr); err == nil {
		c.Close()
		t.Error("the listener is still open")
	}
	close(release)
	if res, body := receive(t, bufio.NewReader(busy), "GET"); body != "finished" || !res.Close {
		t.Errorf("got %q, close %t", body, res.Close)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A shutdown whose time is up cuts what is left.
func TestShutdownCuts(t *testing.T) {
	entered := make(chan struct{})
	stuck := step(func(x *plan.Exchange) error {
		close(entered)
		<-x.Request.Done
		return errors.New("cut")
	})
	g := startGateway(t, serve.Options{}, route(t, "$default", stuck))
	c := dial(t, g.addr)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := g.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestPanicOfAConnection has a handshake panic: the connection ends, the gateway
// doesn't.
func TestPanicOfAConnection(t *testing.T) {
	authority := certificate(t)
	g := startGateway(t, serve.Options{Certificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName == "odd.execute-api.localhost" {
			panic("an odd name")
		}
		return authority.Certificate(hello)
	}}, route(t, "$default", step(func(x *plan.Exchange) error {
		x.Response.Status = 200
		return nil
	})))
	for name, want := range map[string]bool{"odd.execute-api.localhost": false, "abc.execute-api.localhost": true} {
		c := trust(t, authority)
		c.ServerName = name
		nc := dial(t, g.addr)
		if err := tls.Client(nc, c).HandshakeContext(t.Context()); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
		if err := nc.Close(); err != nil {
			t.Error(err)
		}
		if got := get(t, g.naming(t, name, "HTTP/3.0"), "abc.execute-api.localhost"); (got == "200 ") != want {
			t.Errorf("%s over HTTP/3: %s", name, got)
		}
	}
}
