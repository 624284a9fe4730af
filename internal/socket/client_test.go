package socket

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// A recorder is a handler that echoes, and notes what it is told.
type recorder struct {
	message func(c *Conn, text string) // nil echoes
	ended   chan string
	room    int64 // for long messages; 0 is no bound
	held    atomic.Int64
}

func newRecorder() *recorder { return &recorder{ended: make(chan string, 1)} }

func (h *recorder) Message(c *Conn, text []byte) {
	if h.message != nil {
		h.message(c, string(text))
		return
	}
	_ = c.Send(text)
}

func (h *recorder) Check(*Conn, time.Time) {}

func (h *recorder) Hold(own, n int) bool {
	if h.room == 0 {
		return true
	}
	if h.held.Add(int64(n)) > h.room {
		h.held.Add(int64(-n))
		return false
	}
	return true
}

func (h *recorder) Free(n int) { h.held.Add(int64(-n)) }

func (h *recorder) Disconnected(_ *Conn, code int, reason string) {
	h.ended <- strings.TrimSpace(fmt.Sprintf("%d %s", code, reason))
}

func (h *recorder) expectEnd(t testing.TB, want string) {
	t.Helper()
	select {
	case got := <-h.ended:
		if got != want {
			t.Errorf("the connection ended with %q, want %q", got, want)
		}
	case <-time.After(time.Minute):
		buf := make([]byte, 1<<16)
		t.Fatalf("the connection never ended\n%s", buf[:runtime.Stack(buf, true)])
	}
}

// A client is the other side of a connection.
type client struct {
	net.Conn
	r *bufio.Reader
	t testing.TB
}

// startRegistry makes a registry that has to be empty at the test's end.
func startRegistry(t testing.TB, o Options) *Registry {
	r := New(o)
	t.Cleanup(func() {
		r.Cut()
		deadline := time.Now().Add(time.Minute)
		for r.Len() > 0 {
			if time.Now().After(deadline) {
				t.Fatalf("%d connections are left", r.Len())
			}
			time.Sleep(time.Millisecond)
		}
		r.Stop()
	})
	return r
}

// connect opens a connection and reads its greeting.
func connect(t testing.TB, r *Registry, id string, h Handler) *client {
	t.Helper()
	nc, server := tcpPair(t)
	return adopt(t, r, id, h, server, nc)
}

// tcpPair makes the two ends of a TCP connection.
func tcpPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return nc, server
}

func adopt(t testing.TB, r *Registry, id string, h Handler, server, nc net.Conn) *client {
	t.Helper()
	go r.Adopt(Opening{Conn: server, Greeting: []byte("hello\n"), ID: id, APIID: "api", Stage: "prod", ConnectedAt: r.Clock(), UserAgent: "test", Handler: h})
	c := &client{nc, bufio.NewReader(nc), t}
	if line, err := c.r.ReadString('\n'); err != nil || line != "hello\n" {
		t.Fatalf("the greeting is %q, %v", line, err)
	}
	return c
}

func (c *client) write(frames ...ws.Frame) {
	c.t.Helper()
	for _, f := range frames {
		if _, err := c.Write(ws.MustCompileFrame(ws.MaskFrameInPlace(f))); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *client) read() ws.Frame {
	c.t.Helper()
	f, err := readFrame(c.r)
	if err != nil {
		c.t.Fatal(err)
	}
	if f.Header.Masked || f.Header.Rsv != 0 {
		c.t.Errorf("a server's frame with the header %+v", f.Header)
	}
	return f
}

// hear reads a message, of however many frames.
func (c *client) hear() (text string, frames int) {
	c.t.Helper()
	for {
		f := c.read()
		if op := f.Header.OpCode; frames == 0 && op != ws.OpText || frames > 0 && op != ws.OpContinuation {
			c.t.Fatalf("frame %d of a message has the header %+v", frames, f.Header)
		}
		text += string(f.Payload)
		frames++
		if f.Header.Fin {
			return text, frames
		}
	}
}

func (c *client) expectHear(want string) {
	c.t.Helper()
	if got, _ := c.hear(); got != want {
		c.t.Errorf("heard %.100q, want %.100q", got, want)
	}
}

func (c *client) expectClose(code int, reason string) {
	c.t.Helper()
	f := c.read()
	got, gotReason := ws.ParseCloseFrameData(f.Payload)
	if f.Header.OpCode != ws.OpClose || int(got) != code || gotReason != reason {
		c.t.Errorf("got %+v %d %q, want a close with %d %q", f.Header, got, gotReason, code, reason)
	}
}

func (c *client) expectEnd() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err != io.EOF {
		c.t.Errorf("read %x, %v, want the end", b, err)
	}
}

func text(s string) ws.Frame                          { return ws.NewTextFrame([]byte(s)) }
func frame(op ws.OpCode, fin bool, s string) ws.Frame { return ws.NewFrame(op, fin, []byte(s)) }
func reserved(f ws.Frame, bits byte) ws.Frame         { f.Header.Rsv = bits; return f }
func closeWith(code ws.StatusCode, r string) ws.Frame {
	return ws.NewCloseFrame(ws.NewCloseFrameBody(code, r))
}
func repeated(s string, n int, total int) (f []ws.Frame) {
	for i := range n {
		op := ws.OpContinuation
		if i == 0 {
			op = ws.OpText
		}
		f = append(f, frame(op, i == n-1, strings.Repeat(s, total/n/len(s))))
	}
	return f
}
