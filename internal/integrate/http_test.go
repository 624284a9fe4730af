package integrate_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

func newUpstreams(t testing.TB, o integrate.UpstreamOptions) *integrate.Upstreams {
	u := integrate.NewUpstreams(o)
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	})
	return u
}

func newHTTP(t testing.TB, o integrate.HTTPOptions) *integrate.HTTP {
	t.Helper()
	h, err := integrate.NewHTTP(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// exchange makes a placed and matched exchange.
func exchange(method, path string, headers ...plan.Header) *plan.Exchange {
	x := &plan.Exchange{
		Start: time.Unix(1_700_000_000, 0), TraceRoot: "1-5759e988-bd862e3fe1be46a994272793",
		Route: &plan.Route{}, StagePath: path,
	}
	x.Request = plan.Request{
		Method: method, Path: path, Host: "abc.execute-api.localhost:4566", Proto: "HTTP/1.1",
		Source: netip.MustParseAddrPort("192.0.2.7:1234"), Headers: headers,
	}
	return x
}

// A script is a backend that speaks raw HTTP: it answers each connection's
// requests with its answers, and closes after the last one.
type script struct {
	addr        string
	connections atomic.Int64
	requests    chan string
}

// play starts a backend; answers are those of each connection. An answer of ""
// is none.
func play(t testing.TB, answers ...[]string) *script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &script{addr: l.Addr().String(), requests: make(chan string, 100)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n := int(s.connections.Add(1)) - 1
			if n < len(answers) {
				s.speak(c, answers[n])
			}
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return s
}

func (s *script) speak(c net.Conn, answers []string) {
	r := bufio.NewReader(c)
	for _, answer := range answers {
		var head strings.Builder
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			head.WriteString(line)
			if line == "\r\n" {
				break
			}
		}
		s.requests <- head.String()
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

func bodyOf(t testing.TB, x *plan.Exchange) string {
	t.Helper()
	if x.Response.BodyStream == nil {
		return string(x.Response.Body)
	}
	b, err := io.ReadAll(x.Response.BodyStream)
	if err = errors.Join(err, x.Response.BodyStream.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The backend gets the client's lines as they came, and AWS's own.
func TestRequestToBackend(t *testing.T) {
	s := play(t, []string{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"})
	h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + s.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
	x := exchange("POST", "/", plan.Header{Name: "x-B", Value: "1"}, plan.Header{Name: "HOST", Value: "client"}, plan.Header{Name: "X-a", Value: "2"},
		plan.Header{Name: "Connection", Value: "close, x-secret"}, plan.Header{Name: "X-Secret", Value: "s"}, plan.Header{Name: "TE", Value: "trailers"},
		plan.Header{Name: "content-length", Value: "2"}, plan.Header{Name: "Expect", Value: "100-continue"}, plan.Header{Name: "Upgrade", Value: "x"},
		plan.Header{Name: "x-amzn-trace-id", Value: "Root=x"}, plan.Header{Name: "x-B", Value: "3"}, plan.Header{Name: "Proxy-Authorization", Value: "p"})
	x.Request.Body = []byte("hi")
	if err := h.Integrate(x); err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`Self=1-6553f100-[0-9a-f]{24}`).ReplaceAllString(<-s.requests, "Self=SELF")
	want := "POST / HTTP/1.1\r\nHost: " + s.addr + "\r\nx-B: 1\r\nX-a: 2\r\nx-B: 3\r\nVia: HTTP/1.1 AmazonAPIGateway\r\n" +
		"Forwarded: for=192.0.2.7;host=\"abc.execute-api.localhost:4566\";proto=http\r\n" +
		"X-Amzn-Trace-Id: Self=SELF;Root=1-5759e988-bd862e3fe1be46a994272793\r\nContent-Length: 2\r\n\r\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A client can't write an address of its own behind the host it asks for.
func TestForwardedHost(t *testing.T) {
	for host, want := range map[string]string{
		"abc.execute-api.localhost":            "host=abc.execute-api.localhost;",
		"abc.execute-api.localhost:80":         `host="abc.execute-api.localhost:80";`,
		"[::1]:80":                             `host="[::1]:80";`,
		"abc.execute-api.x,for=203.0.113.9":    `host="abc.execute-api.x,for=203.0.113.9";`,
		"abc.execute-api.x;for=203.0.113.9;a=": `host="abc.execute-api.x;for=203.0.113.9;a=";`,
		"":                                     `host="";`, // as in HTTP/1.0
	} {
		s := play(t, []string{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"})
		h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + s.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
		x := exchange("GET", "/")
		x.Request.Host = host
		if err := h.Integrate(x); err != nil {
			t.Fatal(err)
		}
		if got := <-s.requests; !strings.Contains(got, "\r\nForwarded: for=192.0.2.7;"+want+"proto=http\r\n") {
			t.Errorf("%q: got\n%s\nwant %s", host, got, want)
		}
	}
}

// A mapped request takes the place of the client's. What the mapping set goes
// on even if the client's Connection header names it.
func TestMappedRequestToBackend(t *testing.T) {
	for _, test := range []struct{ host, want string }{
		{"mapped.example:81", "mapped.example:81"},
		{"", "BACKEND"},
		{"a b\r\nX: y", "BACKEND"},
	} {
		s := play(t, []string{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"})
		h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + s.addr + "/base?k=v", Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
		x := exchange("GET", "/x", plan.Header{Name: "X-Client", Value: "c"})
		x.Request.Query = "client=1"
		x.Mapped = plan.MappedRequest{On: true, FromClient: 2, Query: "m=1", Path: "/mapped", Host: test.host, Headers: plan.Headers{
			{Name: "Connection", Value: "X-User, X-Secret"}, {Name: "X-Secret", Value: "s"}, {Name: "X-User", Value: "u"}, {Name: "Trailer", Value: "t"}, {Name: "Host", Value: "h"}}}
		if err := h.Integrate(x); err != nil {
			t.Fatal(err)
		}
		got, _, _ := strings.Cut(<-s.requests, "Via:")
		want := "GET /mapped?k=v&m=1 HTTP/1.1\r\nHost: " + strings.ReplaceAll(test.want, "BACKEND", s.addr) + "\r\nX-User: u\r\n"
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// A message has no headers of its own: a backend gets what was mapped, what AWS
// adds, and the message as it is.
func TestMessageToBackend(t *testing.T) {
	s := play(t, []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"})
	h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + s.addr + "/{id}", Method: "POST", Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
	x := exchange("GET", "/x", plan.Header{Name: "X-Client", Value: "c"})
	x.Stage, x.Socket = &plan.Stage{API: &plan.API{ID: "abc"}, Socket: &plan.SocketStage{}}, &plan.Socket{Event: plan.SocketMessage}
	x.TraceRoot = "1-2-3"
	x.Request.Body = []byte("hello")
	x.Mapped = plan.MappedRequest{On: true, URIParams: []string{"7"}, Headers: plan.Headers{{Name: "ConnectionID", Value: "c1"}}}
	if err := h.Integrate(x); err != nil {
		t.Fatal(err)
	}
	want := "POST /7 HTTP/1.1\r\nHost: " + s.addr + "\r\nConnectionID: c1\r\nX-Amzn-Apigateway-Api-Id: abc\r\nX-Amzn-Trace-Id: Root=1-2-3\r\nContent-Length: 5\r\n\r\n"
	if got := <-s.requests; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if x.Response.Status != 200 || string(x.Response.Body) != "ok" {
		t.Errorf("%+v", x.Response)
	}
}

func TestTarget(t *testing.T) {
	var seen string
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Method + " " + r.RequestURI }))
	defer backend.Close()
	u := newUpstreams(t, integrate.UpstreamOptions{})
	tests := []struct {
		uri, method string
		appendPath  bool
		path, query string
		params      []string // name, value
		want        string
	}{
		{uri: "", path: "/ignored", want: "GET /"},
		{uri: "/base/{proxy}", params: []string{"proxy", "a/b%20c/"}, want: "GET /base/a/b%20c/"},
		{uri: "/base/{proxy+}", params: []string{"proxy", "x"}, want: "GET /base/x"},
		{uri: "/{b}/{a}", params: []string{"a", "1", "b", "2"}, want: "GET /2/1"},
		{uri: "/x/{missing}", want: "GET /x/"},
		{uri: "/?id={id}&k=v", params: []string{"id", "a&b=c"}, query: "q=%20&q=2", want: "GET /?id=a%26b%3Dc&k=v&q=%20&q=2"},
		{uri: "", appendPath: true, path: "/store/checkout", want: "GET /store/checkout"},
		{uri: "/base/", appendPath: true, path: "/store/", query: "a", want: "GET /base/store/?a"},
		{uri: "/base", appendPath: true, path: "/", want: "GET /base/"},
		{uri: "/base", appendPath: true, path: "/pets%3Fadmin=1", query: "a", want: "GET /base/pets?a"},
		{uri: "/", method: "PUT", want: "PUT /"},
		{uri: "/", method: "ANY", want: "GET /"},
	}
	for _, tt := range tests {
		t.Run(tt.uri+" "+tt.path, func(t *testing.T) {
			h := newHTTP(t, integrate.HTTPOptions{URI: backend.URL + tt.uri, Method: tt.method, AppendPath: tt.appendPath, Upstreams: u})
			x := exchange("GET", tt.path)
			x.Request.Query = tt.query
			for i := 0; i < len(tt.params); i += 2 {
				x.Route.ParamNames = append(x.Route.ParamNames, tt.params[i])
				x.Params = append(x.Params, tt.params[i+1])
			}
			if err := h.Integrate(x); err != nil {
				t.Fatal(err)
			}
			if seen != tt.want {
				t.Errorf("got %q, want %q", seen, tt.want)
			}
		})
	}
}

func TestBadURIs(t *testing.T) {
	u := newUpstreams(t, integrate.UpstreamOptions{})
	for _, uri := range []string{"", "example.com", "ftp://example.com", "http://", "http:///x", "http://{host}/", "http://a@b/", "http://a b/", "http://a/{", "http://a/}", "http://a/{}", "http://a/{a{b}}", "http://a:x/"} {
		if _, err := integrate.NewHTTP(integrate.HTTPOptions{URI: uri, Upstreams: u}); err == nil {
			t.Errorf("%q was taken", uri)
		}
	}
}

func TestResponsesOfBackends(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 16<<10) // 256 KB
	tests := []struct {
		name, method, raw string
		wantStatus        int
		wantHeaders       string
		wantBody          string
		wantReuse         bool
	}{
		{"plain", "GET", "HTTP/1.1 201 Created\r\nx-B: 1\r\nContent-Length: 2\r\nX-b: 2\r\n\r\nhi", 201, "x-B=1 Content-Length=2 X-b=2 ", "hi", true},
		{"hops are dropped", "GET", "HTTP/1.1 200 OK\r\nX-Hop: 1\r\nConnection: x-hop\r\nKeep-Alive: 1\r\nContent-Length: 0\r\n\r\n", 200, "Content-Length=0 ", "", true},
		{"chunks at once", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "", "hi", true},
		{"long", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n" + big, 200, "Content-Length=262144 ", big, true},
		{"long chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000\r\n" + big + "\r\n0\r\n\r\n", 200, "", big, true},
		{"until the end", "GET", "HTTP/1.1 200 OK\r\n\r\nhi", 200, "", "hi", false},
		{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "Content-Length=2 ", "hi", false},
		{"close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", 200, "Content-Length=2 ", "hi", false},
		{"interim", "GET", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "Content-Length=0 ", "", true},
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "Content-Length=5 ", "", true},
		{"no content", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", "", true},
		{"no phrase", "GET", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", 404, "Content-Length=0 ", "", true},
		{"bytes too many", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", 200, "Content-Length=2 ", "hi", false},
		{"several interim", "GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "Content-Length=2 ", "hi", true},
		{"body of a HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "Content-Length=5 ", "", false},
		{"chunks of a HEAD", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "", "", false},
		{"body of a 204", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", 204, "Content-Length=5 ", "", false},
		{"chunks of a 204", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 204, "", "", false},
		{"length of a 304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "Content-Length=5 ", "", true},
		{"body of a 304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", 304, "Content-Length=5 ", "", false},
		{"length and chunks", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "Content-Length=9 ", "hi", false},
		{"equal lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 200, "Content-Length=2 Content-Length=2 ", "hi", true},
		{"chunk extensions", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=\"b\";c\r\nhi\r\n0;d\r\n\r\n", 200, "", "hi", true},
		{"trailer", "GET", "HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-T: v\r\nContent-Length: 7\r\n\r\n", 200, "", "hi", true},
		{"bytes behind the trailer", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nHTTP/1.1 666 Injected\r\n\r\n", 200, "", "hi", false},
		{"empty line before it", "GET", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "Content-Length=2 ", "hi", true},
		{"hops of a proxy", "GET", "HTTP/1.1 200 OK\r\nProxy-Authenticate: x\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nTE: x\r\nX-A: 1\r\nConnection: x-b, X-C\r\nX-B: 2\r\nx-c: 3\r\nContent-Length: 0\r\n\r\n", 200, "X-A=1 Content-Length=0 ", "", true},
		{"long head", "GET", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 60_000) + "\r\nContent-Length: 2\r\n\r\nhi", 200, "X=" + strings.Repeat("x", 60_000) + " Content-Length=2 ", "hi", true},
		{"binary", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\x00\r\n\r\n\xff", 200, "Content-Length=6 ", "\x00\r\n\r\n\xff", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			end := "HTTP/1.1 299 End\r\nContent-Length: 0\r\n\r\n"
			answers := []string{tt.raw, end}
			if !tt.wantReuse {
				answers = answers[:1]
			}
			s := play(t, answers, []string{end})
			h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + s.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
			x := exchange(tt.method, "/")
			if err := h.Integrate(x); err != nil {
				t.Fatal(err)
			}
			var headers strings.Builder
			for _, h := range x.Response.Headers {
				headers.WriteString(h.Name + "=" + h.Value + " ")
			}
			if body := bodyOf(t, x); x.Response.Status != tt.wantStatus || headers.String() != tt.wantHeaders || body != tt.wantBody {
				t.Errorf("got %d %.80q %.40q", x.Response.Status, headers.String(), body)
			}
			x = exchange("GET", "/")
			if err := h.Integrate(x); err != nil || x.Response.Status != 299 {
				t.Errorf("then got %d, %v", x.Response.Status, err)
			}
			if reused := s.connections.Load() == 1; reused != tt.wantReuse {
				t.Errorf("reused %t, want %t", reused, tt.wantReuse)
			}
		})
	}
}

func TestFailingBackends(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	tests := []struct {
		name, raw string
		want      plan.FaultKind
	}{
		{"closes", "", plan.IntegrationUnreachable},
		{"closes in the head", "HTTP/1.1 200 OK\r\nConte", plan.IntegrationUnreachable},
		{"closes in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", plan.IntegrationUnreachable},
		{"closes after an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", plan.IntegrationUnreachable},
		{"isn't HTTP", "SSH-2.0-OpenSSH\r\n\r\n", plan.IntegrationFailure},
		{"isn't HTTP and has no end", "\x15\x03\x01\x00\x02\x02\x50", plan.IntegrationFailure},
		{"speaks HTTP/2", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", plan.IntegrationFailure},
		{"status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", plan.IntegrationFailure},
		{"status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", plan.IntegrationFailure},
		{"status below 100", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", plan.IntegrationFailure},
		{"no status", "HTTP/1.1\r\nContent-Length: 0\r\n\r\n", plan.IntegrationFailure},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", plan.IntegrationFailure},
		{"signed length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", plan.IntegrationFailure},
		{"list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", plan.IntegrationFailure},
		{"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", plan.IntegrationFailure},
		{"two codings", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", plan.IntegrationFailure},
		{"switches", "HTTP/1.1 101 Switching\r\n\r\n", plan.IntegrationFailure},
		{"endless interim answers", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 9), plan.IntegrationFailure},
		{"too long", "HTTP/1.1 200 OK\r\nContent-Length: 10485761\r\n\r\n", plan.IntegrationFailure},
		{"one chunk too long", chunked + "fffffff\r\nhi", plan.IntegrationFailure},
		{"folds", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", plan.IntegrationFailure},
		{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", plan.IntegrationFailure},
		{"bare LF in the head", "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 0\r\n\r\n", plan.IntegrationFailure},
		{"bare CR in a value", "HTTP/1.1 200 OK\r\nA: b\rC: d\r\nContent-Length: 0\r\n\r\n", plan.IntegrationFailure},
		{"NUL in a value", "HTTP/1.1 200 OK\r\nA: b\x00c\r\nContent-Length: 0\r\n\r\n", plan.IntegrationFailure},
		{"space before a colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", plan.IntegrationFailure},
		{"line without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", plan.IntegrationFailure},
		{"huge head", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("b", 70<<10), plan.IntegrationFailure},
		{"head of many lines", "HTTP/1.1 200 OK\r\n" + strings.Repeat("a:b\r\n", 1001) + "\r\n", plan.IntegrationFailure},
		{"chunk without a size", chunked + "\r\nhi\r\n0\r\n\r\n", plan.IntegrationFailure},
		{"chunk size that isn't hex", chunked + "xy\r\nhi\r\n0\r\n\r\n", plan.IntegrationFailure},
		{"chunk size with a sign", chunked + "-2\r\nhi\r\n0\r\n\r\n", plan.IntegrationFailure},
		{"chunk size that wraps", chunked + "10000000000000002\r\nhi\r\n0\r\n\r\n", plan.IntegrationFailure},
		{"chunk longer than its size", chunked + "2\r\nhi!\r\n0\r\n\r\n", plan.IntegrationFailure},
		{"chunk lines that end in LF", chunked + "2\nhi\n0\n\n", plan.IntegrationFailure},
		{"long chunk extension", chunked + "2;" + strings.Repeat("a", 5000) + "\r\nhi\r\n0\r\n\r\n", plan.IntegrationFailure},
		{"trailer line without a name", chunked + "2\r\nhi\r\n0\r\n: x\r\n\r\n", plan.IntegrationFailure},
		{"folded trailer", chunked + "2\r\nhi\r\n0\r\nA: b\r\n c\r\n\r\n", plan.IntegrationFailure},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answers := []string{tt.raw, okAnswer}
			if tt.want == plan.IntegrationUnreachable {
				answers = answers[:1] // and the connection ends
			}
			s := play(t, answers, []string{okAnswer})
			h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + s.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
			x := exchange("GET", "/")
			err := h.Integrate(x)
			var fault *plan.Fault
			if !errors.As(err, &fault) || fault.Kind != tt.want {
				t.Errorf("got %v, want kind %d", err, tt.want)
			}
			if !x.Integration.Called || x.Integration.Error == "" {
				t.Errorf("reported %+v", x.Integration)
			}
			x = exchange("POST", "/")
			if err := h.Integrate(x); err != nil || x.Response.Status != 200 {
				t.Errorf("the next request: %d, %v", x.Response.Status, err)
			}
			if n := s.connections.Load(); n != 2 {
				t.Errorf("%d connections, want a new one after the failure", n)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer backend.Close()
	defer close(release)
	h := newHTTP(t, integrate.HTTPOptions{URI: backend.URL, Timeout: 50 * time.Millisecond, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
	start := time.Now()
	var fault *plan.Fault
	if err := h.Integrate(exchange("GET", "/")); !errors.As(err, &fault) || fault.Kind != plan.IntegrationTimeout {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("took %s", took)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
	var fault *plan.Fault
	if err := h.Integrate(exchange("GET", "/")); !errors.As(err, &fault) || fault.Kind != plan.IntegrationUnreachable {
		t.Errorf("got %v", err)
	}
}

// Long bodies are passed on as they come, in both directions.
func TestLongBodies(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(body)
	}))
	defer backend.Close()
	h := newHTTP(t, integrate.HTTPOptions{URI: backend.URL, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
	text := strings.Repeat("\x00\xff0123456789abcde", 60<<10) // about 1 MB
	for _, length := range []int64{int64(len(text)), -1} {
		x := exchange("POST", "/")
		x.Request.BodyReader, x.Request.ContentLength = strings.NewReader(text), length
		if err := h.Integrate(x); err != nil {
			t.Fatal(err)
		}
		if got := bodyOf(t, x); got != text {
			t.Errorf("length %d: %d bytes came back", length, len(got))
		}
	}
}
