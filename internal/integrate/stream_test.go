package integrate_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/http1"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

// endless is a body that never ends.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	return len(p), nil
}

// A backend may answer a long body before its end, whether it reads on, stops
// reading or hangs up.
func TestEarlyAnswers(t *testing.T) {
	const refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"
	for name, then := range map[string]func(c *peerConn){
		"stops reading": func(c *peerConn) { c.send(refusal) },
		"reads on":      func(c *peerConn) { c.send(refusal); c.ended() },
		"hangs up":      func(c *peerConn) { c.send(refusal); c.close() },
		"after interim": func(c *peerConn) { c.send("HTTP/1.1 100 Continue\r\n\r\n"); c.send(refusal) },
	} {
		for _, scheme := range []string{"http", "https"} {
			t.Run(scheme+" "+name, func(t *testing.T) {
				p, o := newPeer(t), integrate.UpstreamOptions{}
				if scheme == "https" {
					p, o = tlsPeer(t)
				}
				h := newHTTP(t, integrate.HTTPOptions{URI: scheme + "://" + p.addr, Upstreams: newUpstreams(t, o)})
				x := exchange("POST", "/")
				x.Request.BodyReader, x.Request.ContentLength = &endless{}, -1
				result := integrating(h, x)
				c := p.accept()
				c.head()
				then(c)
				if err := await(t, result); err != nil || x.Response.Status != 413 || bodyOf(t, x) != "no" {
					t.Errorf("got %d, %v", x.Response.Status, err)
				}
				c.ended()

				next := integrating(h, exchange("POST", "/"))
				c = p.accept()
				c.request()
				c.send(okAnswer)
				if err := await(t, next); err != nil {
					t.Errorf("the next request: %v", err)
				}
			})
		}
	}
}

// Interim answers don't stop a body, and the connection can be used again.
func TestInterimWhileSending(t *testing.T) {
	p := newPeer(t)
	h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + p.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
	text := strings.Repeat("0123456789", 100_000)
	x := exchange("PUT", "/")
	x.Request.BodyReader, x.Request.ContentLength = strings.NewReader(text), int64(len(text))
	result := integrating(h, x)
	c := p.accept()
	r := c.head()
	c.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
	if body, err := io.ReadAll(r.Body); err != nil || string(body) != text {
		t.Errorf("the backend got %d bytes, %v", len(body), err)
	}
	c.send(okAnswer)
	if err := await(t, result); err != nil {
		t.Fatal(err)
	}
	next := integrating(h, exchange("GET", "/"))
	c.request()
	c.send(okAnswer)
	if err := await(t, next); err != nil {
		t.Error(err)
	}
}

// slow bodies take their time before they begin and before they end.
type slow struct {
	wait time.Duration
	r    *strings.Reader
}

func (s *slow) Read(p []byte) (int, error) {
	if int64(s.r.Len()) == s.r.Size() || s.r.Len() == 0 {
		<-time.After(s.wait)
	}
	return s.r.Read(p)
}

// An integration's timeout is the backend's: a client that sends or reads
// slowly doesn't use it up.
func TestSlowClient(t *testing.T) {
	const timeout = 2 * time.Second // of a backend that may share a busy machine
	text := strings.Repeat("0123456789", 7000)
	for name, length := range map[string]int64{"announced": int64(len(text)), "chunked": -1, "short": 10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t)
			h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + p.addr, Timeout: timeout, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
			x := exchange("POST", "/")
			want := text
			if length == 10 {
				want = text[:10]
			}
			x.Request.BodyReader, x.Request.ContentLength = &slow{timeout + timeout/2, strings.NewReader(want)}, length
			result := integrating(h, x)
			c := p.accept()
			_, body := c.request()
			if body != want {
				t.Errorf("the backend got %d bytes", len(body))
			}
			c.send("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n")
			if err := await(t, result); err != nil {
				t.Fatal(err)
			}
			if x.Integration.Latency > timeout {
				t.Errorf("the client's %s count as the backend's", x.Integration.Latency)
			}
			<-time.After(timeout + timeout/2) // the client doesn't read
			c.send(text)
			if got := bodyOf(t, x); got != text {
				t.Errorf("got %d bytes", len(got))
			}
		})
	}
}

// A backend's time runs out wherever it stops.
func TestStalls(t *testing.T) {
	const timeout = 500 * time.Millisecond
	for name, stall := range map[string]func(c *peerConn){
		"before the request is read": func(*peerConn) {},
		"before the head":            func(c *peerConn) { c.request() },
		"in the head":                func(c *peerConn) { c.request(); c.send("HTTP/1.1 200 OK\r\nA") },
		"after an interim answer":    func(c *peerConn) { c.request(); c.send("HTTP/1.1 100 Continue\r\n\r\n") },
		"in a short body":            func(c *peerConn) { c.request(); c.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t)
			h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + p.addr, Timeout: timeout, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
			x := exchange("POST", "/")
			x.Request.Body = []byte("hi")
			result := integrating(h, x)
			c := p.accept()
			stall(c)
			var fault *plan.Fault
			if err := await(t, result); !errors.As(err, &fault) || fault.Kind != plan.IntegrationTimeout {
				t.Errorf("got %v", err)
			}
			c.ended()
		})
	}
	t.Run("in a long body", func(t *testing.T) {
		t.Parallel()
		p := newPeer(t)
		h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + p.addr, Timeout: 2 * time.Second, // within which the head comes
			Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
		x := exchange("GET", "/")
		result := integrating(h, x)
		c := p.accept()
		c.request()
		c.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhi")
		if err := await(t, result); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, x.Response.BodyStream); !isTimeout(err) {
			t.Errorf("got %v", err)
		}
		if err := x.Response.BodyStream.Close(); err != nil {
			t.Error(err)
		}
		c.ended()
	})
	t.Run("before a long request is read", func(t *testing.T) {
		t.Parallel()
		p := newPeer(t)
		h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + p.addr, Timeout: timeout, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
		x := exchange("POST", "/")
		x.Request.BodyReader, x.Request.ContentLength = &endless{}, -1
		var fault *plan.Fault
		if err := await(t, integrating(h, x)); !errors.As(err, &fault) || fault.Kind != plan.IntegrationTimeout {
			t.Errorf("got %v", err)
		}
	})
}

// A response that breaks off says so, and one that is too long is one.
func TestBrokenStreams(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	megabyte := strings.Repeat("0123456789abcdef", 64<<10)
	for _, tt := range []struct {
		name string
		send func(c *peerConn)
		want error
	}{
		{"closed in a chunk", func(c *peerConn) { c.send(chunked + "5\r\nhi"); c.close() }, io.ErrUnexpectedEOF},
		{"closed between chunks", func(c *peerConn) { c.send(chunked + "2\r\nhi\r\n"); c.close() }, io.ErrUnexpectedEOF},
		{"closed in a long body", func(c *peerConn) { c.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhi"); c.close() }, io.ErrUnexpectedEOF},
		{"chunks beyond the limit", func(c *peerConn) {
			c.send(chunked)
			for range 11 {
				// The gateway hangs up at some time.
				if _, err := io.WriteString(c.Conn, "100000\r\n"+megabyte+"\r\n"); err != nil {
					return
				}
			}
		}, http1.ErrBodyTooLarge},
		{"too long until its end", func(c *peerConn) {
			c.send("HTTP/1.1 200 OK\r\n\r\n")
			for range 11 {
				if _, err := io.WriteString(c.Conn, megabyte); err != nil {
					return
				}
			}
		}, http1.ErrBodyTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t)
			h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + p.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
			x := exchange("GET", "/")
			result := integrating(h, x)
			c := p.accept()
			c.request()
			sent := make(chan struct{})
			go func() { defer close(sent); tt.send(c) }()
			if err := await(t, result); err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, x.Response.BodyStream)
			if !errors.Is(err, tt.want) || n > 10<<20+32<<10 {
				t.Errorf("got %d bytes and %v", n, err)
			}
			if err := x.Response.BodyStream.Close(); err != nil {
				t.Error(err)
			}
			<-sent
			p.idle()
		})
	}
}

// A client that goes away ends the call, whatever the backend is doing, and
// leaves no trace on other connections.
func TestClientGone(t *testing.T) {
	tests := []struct {
		name string
		body io.Reader
		meet func(c *peerConn)
	}{
		{"backend works", nil, func(c *peerConn) { c.request() }},
		{"backend reads no body", &endless{}, func(c *peerConn) { c.head() }},
		{"backend stalls in the head", nil, func(c *peerConn) { c.request(); c.send("HTTP/1.1 200 O") }},
		{"backend stalls in the body", nil, func(c *peerConn) { c.request(); c.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t)
			h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + p.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
			done := make(chan struct{})
			x := exchange("POST", "/")
			x.Request.Done = done
			if tt.body != nil {
				x.Request.BodyReader, x.Request.ContentLength = tt.body, -1
			}
			result := integrating(h, x)
			c := p.accept()
			tt.meet(c)
			close(done)
			var fault *plan.Fault
			if err := await(t, result); !errors.As(err, &fault) || fault.Kind != plan.ClientGone {
				t.Errorf("got %v", err)
			}
			c.ended()

			next := integrating(h, exchange("POST", "/"))
			c = p.accept()
			c.request()
			c.send(okAnswer)
			if err := await(t, next); err != nil {
				t.Errorf("the next request: %v", err)
			}
		})
	}
	t.Run("while the response comes", func(t *testing.T) {
		p := newPeer(t)
		h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + p.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
		done := make(chan struct{})
		x := exchange("GET", "/")
		x.Request.Done = done
		result := integrating(h, x)
		c := p.accept()
		c.request()
		c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
		if err := await(t, result); err != nil {
			t.Fatal(err)
		}
		close(done)
		if _, err := io.Copy(io.Discard, x.Response.BodyStream); err == nil || !strings.Contains(err.Error(), "the client went away") {
			t.Errorf("got %v", err)
		}
		if err := x.Response.BodyStream.Close(); err != nil {
			t.Error(err)
		}
		c.ended()
	})
	t.Run("while it connects", func(t *testing.T) {
		p := newPeer(t)
		h := newHTTP(t, integrate.HTTPOptions{URI: "https://" + p.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
		done := make(chan struct{})
		x := exchange("GET", "/")
		x.Request.Done = done
		result := integrating(h, x)
		c := p.accept() // and shakes no hands
		close(done)
		var fault *plan.Fault
		if err := await(t, result); !errors.As(err, &fault) || fault.Kind != plan.ClientGone {
			t.Errorf("got %v", err)
		}
		c.ended()
	})
}
