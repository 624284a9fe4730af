package integrate_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

// tlsPeer is a peer that speaks TLS, with the options of one who trusts it.
func tlsPeer(t testing.TB) (*peer, integrate.UpstreamOptions) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	certificate, authority := s.TLS.Certificates[0], s.Certificate()
	s.Close()
	p := newPeer(t)
	p.tls = &tls.Config{Certificates: []tls.Certificate{certificate}}
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	return p, integrate.UpstreamOptions{RootCAs: roots}
}

// A kept connection that ends before the backend had a request is replaced
// without the client noticing, whatever the method. Once the backend may have
// had it, it isn't sent again, but for a GET that met a reset.
func TestSentOnce(t *testing.T) {
	both, onlyGET, none := map[string]bool{"GET": true, "POST": true}, map[string]bool{"GET": true}, map[string]bool{}
	tests := []struct {
		name string
		// between happens while the connection is unused, meanwhile as the
		// second request is written to it, then once it is written.
		between, meanwhile, then func(c *peerConn)
		want                     map[string]bool // is answered, by method
		linux                    bool            // needs what only its kernel tells
	}{
		{name: "closed while unused", between: (*peerConn).close, want: both},
		{name: "reset while unused", between: (*peerConn).reset, want: both},
		{name: "farewell while unused", between: func(c *peerConn) {
			c.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			c.close()
		}, want: both},
		{name: "more than announced", between: func(c *peerConn) { c.send("HTTP/1.1 666 Injected\r\nContent-Length: 0\r\n\r\n") }, want: both},
		{name: "closed in that moment", meanwhile: (*peerConn).close, want: both, linux: true},
		{name: "reset in that moment", meanwhile: (*peerConn).reset, want: both},
		{name: "read and not answered", then: func(c *peerConn) { c.request(); c.close() }, want: none},
		{name: "read and reset", then: func(c *peerConn) { c.request(); c.reset() }, want: onlyGET},
		{name: "reset unread", then: (*peerConn).reset, want: onlyGET},
		{name: "answered in part", then: func(c *peerConn) { c.request(); c.send("HTTP/1.1 2"); c.close() }, want: none},
	}
	for _, scheme := range []string{"http", "https"} {
		for _, method := range []string{"GET", "POST"} {
			for _, tt := range tests {
				t.Run(scheme+" "+method+" "+tt.name, func(t *testing.T) {
					if tt.linux && runtime.GOOS != "linux" {
						t.Skip("this system doesn't tell what the backend got")
					}
					p, o := newPeer(t), integrate.UpstreamOptions{}
					if scheme == "https" {
						p, o = tlsPeer(t)
					}
					hook := &hooked{}
					o.Dial = hook.dial
					h := newHTTP(t, integrate.HTTPOptions{URI: scheme + "://" + p.addr, Upstreams: newUpstreams(t, o)})

					first := integrating(h, exchange("GET", "/"))
					c := p.accept()
					c.request()
					c.send(okAnswer)
					if err := await(t, first); err != nil {
						t.Fatal(err)
					}

					if tt.between != nil {
						tt.between(c)
					}
					written := make(chan struct{})
					around := func(write func()) {
						if tt.meanwhile != nil {
							tt.meanwhile(c)
						}
						write()
						close(written)
					}
					hook.around.Store(&around)
					x := exchange(method, "/")
					if method == "POST" {
						x.Request.Body = []byte("hi")
					}
					second := integrating(h, x)
					if tt.then != nil {
						<-written
						tt.then(c)
					}
					if !tt.want[method] {
						var fault *plan.Fault
						if err := await(t, second); !errors.As(err, &fault) || fault.Kind != plan.IntegrationUnreachable {
							t.Errorf("got %v", err)
						}
					} else {
						again := p.accept()
						if m, body := again.request(); m != method || body != string(x.Request.Body) {
							t.Errorf("the backend got %s %q", m, body)
						}
						again.send(okAnswer)
						if err := await(t, second); err != nil || x.Response.Status != 200 {
							t.Errorf("got %d, %v", x.Response.Status, err)
						}
						again.close()
					}

					third := integrating(h, exchange(method, "/"))
					next := p.accept()
					next.request()
					next.send(okAnswer)
					if err := await(t, third); err != nil {
						t.Errorf("the next request: %v", err)
					}
					p.idle()
				})
			}
		}
	}
}

// What TLS has received beyond a response isn't taken for the next one.
func TestLeftoverInTLS(t *testing.T) {
	p, o := tlsPeer(t)
	h := newHTTP(t, integrate.HTTPOptions{URI: "https://" + p.addr, Upstreams: newUpstreams(t, o)})
	body := strings.Repeat("b", 6000)
	for range 2 {
		x := exchange("GET", "/")
		result := integrating(h, x)
		c := p.accept()
		c.request()
		c.send("HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n\r\n" + body + "HTTP/1.1 666 Injected\r\nContent-Length: 0\r\n\r\n")
		if err := await(t, result); err != nil || x.Response.Status != 200 || bodyOf(t, x) != body {
			t.Errorf("got %d, %v", x.Response.Status, err)
		}
		c.ended()
	}
}

// A connection isn't used when the backend is about to close it.
func TestKeepAliveTimeout(t *testing.T) {
	for _, tt := range []struct {
		header    string
		unused    time.Duration
		wantReuse bool
	}{
		{"", 40 * time.Second, true},
		{"", 51 * time.Second, false},
		{"Keep-Alive: timeout=4\r\n", 2 * time.Second, true},
		{"Keep-Alive: max=7, timeout=4\r\n", 3100 * time.Millisecond, false},
		{"Keep-Alive: timeout=0\r\n", 0, false},
		{"Keep-Alive: timeout=3600\r\n", 51 * time.Second, false},
		{"Keep-Alive: timeout=soon\r\n", 40 * time.Second, true},
	} {
		t.Run(tt.header+tt.unused.String(), func(t *testing.T) {
			p := newPeer(t)
			var later atomicDuration
			h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + p.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{Clock: later.now})})
			first := integrating(h, exchange("GET", "/"))
			c := p.accept()
			c.request()
			c.send("HTTP/1.1 200 OK\r\n" + tt.header + "Content-Length: 0\r\n\r\n")
			if err := await(t, first); err != nil {
				t.Fatal(err)
			}
			later.Store(int64(tt.unused))
			second := integrating(h, exchange("GET", "/"))
			if !tt.wantReuse {
				c.ended()
				c = p.accept()
			}
			c.request()
			c.send(okAnswer)
			if err := await(t, second); err != nil {
				t.Error(err)
			}
			p.idle()
		})
	}
}
