package integrate_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

// A peer is a backend whose every move the test makes.
type peer struct {
	t        testing.TB
	addr     string
	accepted chan net.Conn
	tls      *tls.Config
}

func newPeer(t testing.TB) *peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, addr: l.Addr().String(), accepted: make(chan net.Conn, 100)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.accepted <- c
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return p
}

// accept takes the next connection.
func (p *peer) accept() *peerConn {
	p.t.Helper()
	select {
	case c := <-p.accepted:
		p.t.Cleanup(func() { c.Close() })
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			p.t.Fatal(err)
		}
		tcp := c.(*net.TCPConn)
		if p.tls != nil {
			c = tls.Server(c, p.tls)
		}
		return &peerConn{t: p.t, tcp: tcp, Conn: c, r: bufio.NewReader(c)}
	case <-time.After(time.Minute):
		p.t.Fatal("no connection came")
		return nil
	}
}

// idle fails the test when a connection came that nobody took.
func (p *peer) idle() {
	p.t.Helper()
	if n := len(p.accepted); n > 0 {
		p.t.Errorf("%d more connections came", n)
	}
}

// A peerConn is the backend's side of a connection.
type peerConn struct {
	net.Conn
	t   testing.TB
	tcp *net.TCPConn
	r   *bufio.Reader
}

// head takes the head of a request.
func (c *peerConn) head() *http.Request {
	c.t.Helper()
	r, err := http.ReadRequest(c.r)
	if err != nil {
		c.t.Fatalf("the backend read no request: %v", err)
	}
	return r
}

// request takes a whole request and returns its method and body.
func (c *peerConn) request() (method, body string) {
	c.t.Helper()
	r := c.head()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return r.Method, string(b)
}

func (c *peerConn) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatal(err)
	}
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

func (c *peerConn) close() {
	c.t.Helper()
	if err := c.Conn.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// reset closes with an error for the other side.
func (c *peerConn) reset() {
	c.t.Helper()
	if err := c.tcp.SetLinger(0); err != nil {
		c.t.Fatal(err)
	}
	if err := c.tcp.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// ended waits until the other side has closed the connection.
func (c *peerConn) ended() {
	c.t.Helper()
	if _, err := io.Copy(io.Discard, c.r); err != nil && isTimeout(err) {
		c.t.Error("the connection to the backend stays open")
	}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// integrating runs an integration aside.
func integrating(h plan.Integration, x *plan.Exchange) <-chan error {
	result := make(chan error, 1)
	go func() { result <- h.Integrate(x) }()
	return result
}

func await(t testing.TB, result <-chan error) error {
	t.Helper()
	select {
	case err := <-result:
		return err
	case <-time.After(time.Minute):
		t.Fatal("the call goes on")
		return nil
	}
}

// A hooked dialler's connections call what is set around their next write.
type hooked struct {
	around atomic.Pointer[func(write func())]
}

func (h *hooked) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &hookedConn{c.(*net.TCPConn), h}, nil
}

type hookedConn struct {
	*net.TCPConn
	h *hooked
}

func (c *hookedConn) Write(p []byte) (n int, err error) {
	write := func() { n, err = c.TCPConn.Write(p) }
	if f := c.h.around.Swap(nil); f != nil {
		(*f)(write)
	} else {
		write()
	}
	return n, err
}

// An atomicDuration makes a clock that is ahead by it.
type atomicDuration struct{ atomic.Int64 }

func (d *atomicDuration) now() time.Time { return time.Now().Add(time.Duration(d.Load())) }
