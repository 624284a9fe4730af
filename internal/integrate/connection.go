package integrate

import (
	"net"
	"sync"
	"time"

	"gatehouse/internal/http1"
)

// An upstream is one connection to a backend. One call at a time owns it.
type upstream struct {
	*backend
	nc     net.Conn // as dialled
	rw     net.Conn // nc, or TLS over it
	wire   *wire    // what TLS writes to; nil without TLS
	mark   int64    // of wire.written, when the call at hand began
	reader http1.Reader
	head   http1.ResponseHead
	body   http1.Body
	// keepAlive is how long the backend said it keeps the connection unused, -1
	// when it said nothing; expires when it is dropped here.
	keepAlive time.Duration
	expires   time.Time

	socket socket

	mu      sync.Mutex
	done    <-chan struct{} // of the client being served
	severed bool            // no deadline but the one that has passed counts
}

// begin takes the connection for a call that done ends and deadline bounds.
func (c *upstream) begin(done <-chan struct{}, deadline time.Time) {
	c.mu.Lock()
	c.done, c.severed = done, false
	c.mu.Unlock()
	if c.wire != nil {
		c.mark = c.wire.written
	}
	c.limit(deadline)
}

// limit moves the deadline of the call at hand; zero is none.
func (c *upstream) limit(deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.severed && c.nc.SetDeadline(deadline) != nil {
		c.closeNet()
	}
}

// stopWriting makes every write of the call at hand fail.
func (c *upstream) stopWriting() {
	if c.nc.SetWriteDeadline(time.Unix(1, 0)) != nil {
		c.closeNet()
	}
}

// sever makes every read and write of the call at hand fail.
func (c *upstream) sever() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.severLocked()
}

func (c *upstream) severLocked() {
	c.severed = true
	if c.nc.SetDeadline(time.Unix(1, 0)) != nil {
		c.closeNet()
	}
}

// severAbandoned severs the connection if its client has gone away. The call
// can't end in between, so that the next one is never hit.
func (c *upstream) severAbandoned() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
		c.severLocked()
	default:
	}
}

// undelivered tells, of a connection that the backend has closed, whether it
// did so before the n bytes of a request reached it.
func (c *upstream) undelivered(n int) bool {
	if c.wire != nil {
		n = int(c.wire.written - c.mark)
	}
	return c.socket.unacknowledged() >= n
}

// closeNet closes the socket. There is nobody to tell when that fails: the
// call has its answer or its own error.
func (c *upstream) closeNet() { _ = c.rw.Close() }

// close ends the connection for good.
func (c *upstream) close() {
	c.owner.mu.Lock()
	delete(c.owner.all, c)
	c.owner.mu.Unlock()
	c.closeNet()
}

// release ends a call: the connection is kept if it stands at the end of the
// response and nothing else came.
func (c *upstream) release() {
	c.mu.Lock()
	c.done = nil
	c.mu.Unlock()
	if c.head.Close || !c.body.Done() || c.reader.Buffered() != 0 || c.wire.holdsMore(c.rw) {
		c.close()
		return
	}
	c.reader.Next()
	c.backend.put(c)
}

// A wire is what TLS runs over.
type wire struct {
	net.Conn
	written int64
	cut     bool // reads find nothing
}

func (w *wire) Read(p []byte) (int, error) {
	if w.cut {
		return 0, nothingYet{}
	}
	return w.Conn.Read(p)
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.written += int64(n)
	return n, err
}

// holdsMore tells whether TLS has bytes that were received and not yet read.
func (w *wire) holdsMore(over net.Conn) bool {
	if w == nil {
		return false
	}
	w.cut = true
	defer func() { w.cut = false }()
	var b [1]byte
	n, err := over.Read(b[:])
	_, nothing := err.(nothingYet) //nolint:errorlint // TLS hands a temporary error on as it is
	return n > 0 || !nothing
}

// nothingYet is the error of a read that must not wait. TLS outlives a
// temporary error.
type nothingYet struct{}

func (nothingYet) Error() string   { return "nothing was received" }
func (nothingYet) Timeout() bool   { return true }
func (nothingYet) Temporary() bool { return true }

var _ net.Error = nothingYet{}
