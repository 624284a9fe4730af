package integrate_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/balance"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

// newBalancer knows a listener "l" on port 80 of the load balancer "lb", whose
// targets aren't checked.
func newBalancer(t testing.TB, l balance.ListenerConfig, g balance.GroupConfig, addrs ...string) *balance.Balancer {
	t.Helper()
	b := balance.New(balance.Options{})
	t.Cleanup(b.Close)
	g.Key = "g"
	for _, a := range addrs {
		g.Targets = append(g.Targets, balance.TargetConfig{Key: a, Addr: a, CheckAddr: a})
	}
	l.Key, l.LoadBalancer, l.Port = "l", "lb", 80
	if l.Default.Forward == nil {
		l.Default.Forward = []balance.Weighted{{Group: "g", Weight: 1}}
	}
	b.Apply("test", balance.Config{Groups: []balance.GroupConfig{g}, Listeners: []balance.ListenerConfig{l}})
	return b
}

func open() (string, bool) { return "lb", true }

// nobody is an address where connections are refused.
func nobody(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func privateExchange(method, path string, headers ...plan.Header) *plan.Exchange {
	x := exchange(method, path, headers...)
	x.GatewayPath = "/stage" + path
	return x
}

// A request whose target can't be connected to goes to another one, whatever its
// method; one that was sent doesn't.
func TestPrivateTargets(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	tests := []struct {
		name        string
		method      string
		application bool
		addrs       func() []string
		want        string // status or kind of fault, and body
	}{
		{"the next one", "POST", false, func() []string { return []string{nobody(t), play(t, []string{ok}).addr, nobody(t)} }, "200 ok"},
		{"the next one, of an application load balancer", "POST", true, func() []string { return []string{nobody(t), play(t, []string{ok}).addr} }, "200 ok"},
		{"all are dead", "GET", false, func() []string { return []string{nobody(t), nobody(t), nobody(t), nobody(t)} }, "fault"},
		{"all are dead, of an application load balancer", "GET", true, func() []string { return []string{nobody(t), nobody(t)} }, "502 <html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"},
		{"there are none", "GET", false, func() []string { return nil }, "fault"},
		{"there are none, of an application load balancer", "GET", true, func() []string { return nil }, "503 <html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n"},
		{"it closes without an answer", "POST", false, func() []string { return []string{play(t, []string{""}).addr} }, "fault"},
		{"it closes without an answer, of an application load balancer", "POST", true, func() []string { return []string{play(t, []string{""}).addr} }, "502"},
		{"it answers something else, of an application load balancer", "POST", true, func() []string { return []string{play(t, []string{"SSH-2.0\r\n"}).addr} }, "502"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBalancer(t, balance.ListenerConfig{Application: tt.application}, balance.GroupConfig{}, tt.addrs()...)
			h := newHTTP(t, integrate.HTTPOptions{Upstreams: newUpstreams(t, integrate.UpstreamOptions{}), Private: &integrate.Private{Balancer: b, Link: open, Listener: "l"}})
			x := privateExchange(tt.method, "/x")
			x.Request.Body = []byte("body")
			err := h.Integrate(x)
			got := ""
			var fault *plan.Fault
			switch {
			case errors.As(err, &fault) && fault.Kind == plan.IntegrationUnreachable:
				got = "fault"
			case err != nil:
				got = err.Error()
			default:
				got = fmt.Sprint(x.Response.Status, " ", bodyOf(t, x))
			}
			if got != tt.want && (tt.want != "502" || !strings.HasPrefix(got, "502 <html>")) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// What a target gets: the whole path with its stage, the client's Host, and what an
// application load balancer adds.
func TestPrivateRequest(t *testing.T) {
	for _, application := range []bool{true, false} {
		s := play(t, []string{"HTTP/1.1 204 No Content\r\n\r\n"})
		b := newBalancer(t, balance.ListenerConfig{Application: application}, balance.GroupConfig{}, s.addr)
		h := newHTTP(t, integrate.HTTPOptions{Upstreams: newUpstreams(t, integrate.UpstreamOptions{Random: func() uint64 { return 0 }}), Private: &integrate.Private{Balancer: b, Link: open, Listener: "l"}})
		x := privateExchange("GET", "/pets/1", plan.Header{Name: "x-forwarded-for", Value: "203.0.113.9"}, plan.Header{Name: "X-Forwarded-Proto", Value: "ftp"})
		x.Request.Query = "a=b"
		if err := h.Integrate(x); err != nil {
			t.Fatal(err)
		}
		got := <-s.requests
		line, rest, _ := strings.Cut(got, "\r\n")
		if line != "GET /stage/pets/1?a=b HTTP/1.1" || !strings.HasPrefix(rest, "Host: abc.execute-api.localhost:4566\r\n") {
			t.Errorf("the target got %q", got)
		}
		added := "X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\n"
		passed := "x-forwarded-for: 203.0.113.9\r\nX-Forwarded-Proto: ftp\r\n"
		if strings.Contains(got, added) != application || strings.Contains(got, passed) == application {
			t.Errorf("application %v: the target got %q", application, got)
		}
	}
}

// The link, the listener, the port and the service may not be there, and may come.
func TestPrivateMissing(t *testing.T) {
	b := newBalancer(t, balance.ListenerConfig{}, balance.GroupConfig{}, nobody(t))
	for name, p := range map[string]integrate.Private{
		"the VPC link isn't there": {Link: func() (string, bool) { return "lb", false }, Listener: "l"},
		"isn't there: other":       {Link: open, Listener: "other"},
		"isn't there: s?a=b":       {Link: open, Service: "s", Filter: balance.Filter{Text: "?a=b"}},
		"at port 8080":             {Link: open},
	} {
		p.Balancer = b
		o := integrate.HTTPOptions{Upstreams: newUpstreams(t, integrate.UpstreamOptions{}), Private: &p}
		if p.Listener == "" && p.Service == "" {
			o.URI = "http://h.test:8080/"
		}
		var fault *plan.Fault
		if err := newHTTP(t, o).Integrate(privateExchange("GET", "/")); !errors.As(err, &fault) || fault.Kind != plan.IntegrationUnreachable || !strings.Contains(fault.Reason, name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	if _, err := integrate.NewHTTP(integrate.HTTPOptions{Upstreams: newUpstreams(t, integrate.UpstreamOptions{}), Private: &integrate.Private{Balancer: b, Link: open}}); err == nil {
		t.Error("a link that leads nowhere was made")
	}
}

// Through a listener that passes on what it gets, the gateway verifies the target;
// a load balancer that ends TLS doesn't, and speaks with targets as their group says.
func TestPrivateTLS(t *testing.T) {
	backend := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.TLS.ServerName) }))
	backend.Config.ErrorLog = log.New(io.Discard, "", 0)
	backend.StartTLS()
	defer backend.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "plain") }))
	defer plain.Close()
	roots := x509.NewCertPool()
	roots.AddCert(backend.Certificate())
	secure, open80 := backend.Listener.Addr().String(), plain.Listener.Addr().String()
	for _, tt := range []struct {
		name                  string
		application, ends     bool // of the listener
		group, integration    bool // TLS
		serverName, uri, addr string
		unknown, selfSigned   bool
		want                  string
	}{
		{name: "passed on, verified", integration: true, serverName: "example.com", addr: secure, want: "200 example.com"},
		{name: "passed on, another name", integration: true, serverName: "other.test", addr: secure, want: "fault"},
		{name: "passed on, unknown authority", integration: true, serverName: "example.com", addr: secure, unknown: true, want: "fault"},
		{name: "passed on, by the URI's name", uri: "https://example.com:80/", addr: secure, want: "200 example.com"},
		{name: "passed on, the URI's name is another", uri: "https://other.test:80/", addr: secure, want: "fault"},
		{name: "self-signed", uri: "https://example.com:80/", addr: secure, unknown: true, selfSigned: true, want: "200 example.com"},
		{name: "self-signed, another name", uri: "https://other.test:80/", addr: secure, unknown: true, selfSigned: true, want: "fault"},
		{name: "passed on, plain", addr: open80, want: "200 plain"},
		{name: "passed on, TLS to a plain target", integration: true, serverName: "example.com", addr: open80, want: "fault"},
		{name: "ended, plain behind it", ends: true, integration: true, serverName: "any.test", addr: open80, want: "200 plain"},
		{name: "ended, TLS behind it, unverified", ends: true, group: true, integration: true, addr: secure, unknown: true, want: "200 "},
		{name: "ended, but the integration is plain", ends: true, addr: open80, want: "fault"},
		{name: "HTTPS, plain behind it", application: true, ends: true, integration: true, serverName: "any.test", addr: open80, want: "200 plain"},
		{name: "HTTP, TLS behind it", application: true, group: true, addr: secure, unknown: true, want: "200 "},
		{name: "HTTPS, but the integration is plain", application: true, ends: true, addr: open80, want: "400 "},
		{name: "HTTP, but the integration speaks TLS", application: true, integration: true, addr: open80, want: "fault"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBalancer(t, balance.ListenerConfig{Application: tt.application, TLS: tt.ends}, balance.GroupConfig{TLS: tt.group}, tt.addr)
			o := integrate.UpstreamOptions{RootCAs: roots}
			if tt.unknown {
				o.RootCAs = x509.NewCertPool()
			}
			p := &integrate.Private{Balancer: b, Link: open, TLS: tt.integration}
			if tt.uri == "" {
				p.Listener = "l"
			}
			h := newHTTP(t, integrate.HTTPOptions{URI: tt.uri, Upstreams: newUpstreams(t, o), ServerName: tt.serverName, SelfSigned: tt.selfSigned, Private: p})
			x := privateExchange("GET", "/")
			err := h.Integrate(x)
			got := "fault"
			if err == nil {
				got = fmt.Sprint(x.Response.Status, " ", bodyOf(t, x))
			}
			if got != tt.want && (tt.want != "400 " || !strings.Contains(got, "The plain HTTP request was sent to HTTPS port")) {
				t.Errorf("got %s, want %s (%v)", got, tt.want, err)
			}
		})
	}
}

// A request counts until its last byte was read.
func TestPrivateOutstanding(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-release
	}))
	defer slow.Close()
	defer close(release)
	quick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Quick", "1") }))
	defer quick.Close()
	b := newBalancer(t, balance.ListenerConfig{}, balance.GroupConfig{Algorithm: balance.LeastOutstanding}, slow.Listener.Addr().String(), quick.Listener.Addr().String())
	h := newHTTP(t, integrate.HTTPOptions{Upstreams: newUpstreams(t, integrate.UpstreamOptions{}), Private: &integrate.Private{Balancer: b, Link: open, Listener: "l"}})
	call := func() *plan.Exchange {
		t.Helper()
		x := privateExchange("GET", "/")
		if err := h.Integrate(x); err != nil {
			t.Fatal(err)
		}
		return x
	}
	// One of the first two reaches the slow target, whose answer is open then.
	var pending *plan.Exchange
	for range 2 {
		if x := call(); x.Response.BodyStream != nil {
			pending = x
			break
		}
	}
	if pending == nil {
		t.Fatal("no request reached the slow target")
	}
	for range 4 {
		if x := call(); x.Response.BodyStream != nil {
			t.Error("a request went to the busy target")
			_ = x.Response.BodyStream.Close()
		}
	}
	if err := pending.Response.BodyStream.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if x := call(); x.Response.BodyStream != nil {
			_ = x.Response.BodyStream.Close()
			return
		}
	}
	t.Error("a target stays busy after its answer was closed")
}

// A target that nobody reaches in time is a timeout of the load balancer's.
func TestPrivateConnectTimeout(t *testing.T) {
	b := newBalancer(t, balance.ListenerConfig{Application: true}, balance.GroupConfig{}, "192.0.2.1:80")
	u := newUpstreams(t, integrate.UpstreamOptions{DialTimeout: time.Millisecond, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	h := newHTTP(t, integrate.HTTPOptions{Upstreams: u, Private: &integrate.Private{Balancer: b, Link: open, Listener: "l"}})
	x := privateExchange("GET", "/")
	if err := h.Integrate(x); err != nil || x.Response.Status != http.StatusGatewayTimeout || !strings.Contains(bodyOf(t, x), "504 Gateway Time-out") {
		t.Errorf("got %v, status %d", err, x.Response.Status)
	}
}

// Ordinary integrations can have another name verified, or none known.
func TestServerNameAndSelfSigned(t *testing.T) {
	backend := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.TLS.ServerName) }))
	backend.Config.ErrorLog = log.New(io.Discard, "", 0)
	backend.StartTLS()
	defer backend.Close()
	expired := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	expired.Config.ErrorLog = log.New(io.Discard, "", 0)
	pair := clientPair(t, "x") // without a name
	expired.TLS = &tls.Config{Certificates: []tls.Certificate{*pair}}
	expired.StartTLS()
	defer expired.Close()
	u := newUpstreams(t, integrate.UpstreamOptions{RootCAs: x509.NewCertPool()})
	for _, tt := range []struct {
		name string
		o    integrate.HTTPOptions
		want bool
	}{
		{"unknown authority", integrate.HTTPOptions{URI: backend.URL}, false},
		{"taken all the same", integrate.HTTPOptions{URI: backend.URL, SelfSigned: true}, true},
		{"of another name", integrate.HTTPOptions{URI: backend.URL, SelfSigned: true, ServerName: "example.com"}, true},
		{"of none of its names", integrate.HTTPOptions{URI: backend.URL, SelfSigned: true, ServerName: "other.test"}, false},
		{"without a name", integrate.HTTPOptions{URI: expired.URL, SelfSigned: true}, false},
	} {
		tt.o.Upstreams = u
		if err := newHTTP(t, tt.o).Integrate(exchange("GET", "/")); (err == nil) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// Going through a link allocates nothing more than calling a URI does.
func TestPrivateAllocations(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close() //nolint:errcheck // nothing to do about it
		answer, buf := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), make([]byte, 4096)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	addr := l.Addr().String()
	b := newBalancer(t, balance.ListenerConfig{}, balance.GroupConfig{}, addr)
	u := newUpstreams(t, integrate.UpstreamOptions{})
	direct := newHTTP(t, integrate.HTTPOptions{URI: "http://" + addr, Upstreams: u})
	linked := newHTTP(t, integrate.HTTPOptions{Upstreams: u, Private: &integrate.Private{Balancer: b, Link: open, Listener: "l"}})
	x := privateExchange("GET", "/")
	measure := func(h *integrate.HTTP) float64 {
		return testing.AllocsPerRun(100, func() {
			x.Scratch = x.Scratch[:0]
			if err := h.Integrate(x); err != nil {
				t.Fatal(err)
			}
		})
	}
	if d, l := measure(direct), measure(linked); l > d {
		t.Errorf("%v allocations through a link, %v without", l, d)
	}
}

// BenchmarkPrivate compares a call of a URI with one through a link.
func BenchmarkPrivate(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close() //nolint:errcheck // nothing to do about it
		answer, buf := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), make([]byte, 4096)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}()
	b.Cleanup(func() { _ = l.Close(); <-ended })
	addr := l.Addr().String()
	u := newUpstreams(b, integrate.UpstreamOptions{})
	through := func(application bool) *integrate.HTTP {
		known := newBalancer(b, balance.ListenerConfig{Application: application}, balance.GroupConfig{}, addr)
		return newHTTP(b, integrate.HTTPOptions{Upstreams: u, Private: &integrate.Private{Balancer: known, Link: open, Listener: "l"}})
	}
	for _, bench := range []struct {
		name string
		h    *integrate.HTTP
	}{
		{"uri", newHTTP(b, integrate.HTTPOptions{URI: "http://" + addr + "/x", Upstreams: u})},
		{"network", through(false)},
		{"application", through(true)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			x := privateExchange("GET", "/x")
			b.ReportAllocs()
			for b.Loop() {
				x.Scratch = x.Scratch[:0]
				if err := bench.h.Integrate(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
