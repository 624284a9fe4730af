package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

const (
	// readBuffer is the size of a connection's buffers; an ordinary head fits.
	readBuffer = 4096
	// maxManagementHead bounds a head before it is known whom it is for:
	// management calls may have longer ones than traffic.
	maxManagementHead = 64 << 10
	// maxDrain is how much of a body nobody asked for is read to keep a
	// connection; beyond it a new connection is cheaper.
	maxDrain = 256 << 10
	// tlsRecord is the first byte of a TLS handshake.
	tlsRecord = 0x16
)

// A conn is one client connection. Its goroutine serves one request after the
// other; the watch looks at progress and closes gone.
type conn struct {
	s *Server
	entry
	progress

	nc        net.Conn // as accepted
	rw        net.Conn // nc, or TLS over it
	state     *tls.ConnectionState
	handshake *plan.Handshake
	source    netip.AddrPort // the client, for whom a proxy may have connected
	peer      netip.Addr     // who did
	trusted   bool           // source is a proxy whose word counts
	localPort uint16

	reader   http1.Reader
	body     http1.Body
	pace     pace
	framing  http1.Framing
	expect   bool       // the client still waits for "100 Continue"
	closing  bool       // the connection ends after this response
	handed   bool       // the connection is a WebSocket now, and no longer ours
	http3    *http3Conn // nil for TCP
	gone     chan struct{}
	goneOnce sync.Once
	// cancel ends the context of the management call at hand.
	cancel atomic.Pointer[context.CancelFunc]
}

func (c *conn) serve() {
	defer c.end()
	defer c.survive()
	c.rw = c.nc
	c.acquireBuffer()
	defer c.releaseBuffer()

	if !c.introduce() {
		return
	}
	first, err := c.reader.Peek()
	if err != nil {
		return
	}
	c.enter(phaseHead, c.s.Clock())
	if first[0] == tlsRecord {
		if !c.entry.tls || !c.startTLS() {
			return
		}
	} else if !c.plain {
		return
	}
	for c.next() {
	}
}

// survive is deferred: what panics outside of the steps, reading a head or a client's
// certificate perhaps, ends one connection and not the gateway.
func (c *conn) survive() {
	if p := recover(); p != nil {
		c.s.log.Error("a connection panicked", "client", c.source, "panic", p, "stack", string(debug.Stack()))
	}
}

// end closes the connection, unless somebody else has it now.
func (c *conn) end() {
	if c.handed {
		return
	}
	c.close()
	c.s.watch.remove(c)
}

func (c *conn) close() {
	// A client that waits for "gone" mustn't wait for the end of a connection
	// that has ended.
	c.leave()
	if err := c.rw.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		c.s.log.Debug("cannot close a connection", "error", err)
	}
}

func (c *conn) acquireBuffer() {
	c.reader.Reset(c.rw, *c.s.buffers.Get().(*[]byte))
}

func (c *conn) releaseBuffer() {
	if b := c.reader.Buffer(); len(b) == readBuffer {
		c.s.buffers.Put(&b)
	}
}

// next serves one request and tells whether another may follow.
func (c *conn) next() bool {
	c.reader.Next()
	if c.reader.Buffered() == 0 {
		c.enter(phaseIdle, c.s.Clock())
		if c.s.draining.Load() {
			return false
		}
		if _, err := c.reader.Peek(); err != nil {
			return false
		}
	}
	now := c.s.Clock()
	c.enter(phaseHead, now)
	x := c.s.exchanges.Get().(*plan.Exchange)
	defer func() {
		if x != nil {
			c.s.releaseExchange(x)
		}
	}()
	x.Start = now

	head, err := c.reader.Head(maxManagementHead)
	if err == nil {
		c.framing, err = http1.ParseRequest(head, &x.Request)
	}
	if err != nil {
		return c.refuse(x, err)
	}
	c.enter(phaseRunning, now)
	c.closing = c.framing.Close || c.s.draining.Load()
	c.expect = c.framing.ExpectContinue && c.framing.Length != 0
	q := &x.Request
	q.Secure, q.Source, q.LocalPort, q.Done = c.state != nil, c.source, c.localPort, c.gone
	q.ContentLength, q.TLS, q.Entrance = c.framing.Length, c.handshake, c.entrance
	c.forwarded(q)

	limit := c.s.MaxBodyBytes
	where, fault := c.s.place(x, c.management, len(head))
	switch where {
	case toManagement, toPages:
		limit = c.s.MaxManagementBodyBytes
	case toUserPools, toChallenges, toConnections:
		limit = min(limit, MaxBodyBytes) // what is no API has no limits of its own
	}
	c.body.Reset(&c.reader, c.framing, limit)
	c.pace = pace{}
	if c.framing.Length != 0 {
		q.BodyReader = (*inbound)(c)
	}
	switch where {
	case toManagement:
		return c.manage(x, c.s.Management)
	case toPages:
		return c.manage(x, c.s.Pages)
	case toUserPools:
		return c.manage(x, c.s.UserPools)
	case toChallenges:
		return c.manage(x, c.s.Challenges)
	case toConnections:
		return c.manage(x, c.s.connections(x, c.management))
	}
	c.s.run(x, fault)
	if accepted(x) {
		c.s.finish(x)
		c.handOver(x)
		return false
	}
	err = c.respond(x)
	c.s.finish(x)
	// Settling may take long, and others may need what the exchange holds.
	c.s.releaseExchange(x)
	x = nil
	return err == nil && c.settle()
}

// refuse answers what is no request, and ends the connection.
func (c *conn) refuse(x *plan.Exchange, err error) bool {
	fault := &plan.Fault{Kind: plan.BadRequest, Reason: err.Error(), Cause: err}
	var syntax *http1.SyntaxError
	switch {
	case errors.Is(err, http1.ErrHeadTooLarge):
		fault.Kind = plan.HeadersTooLarge
	case !errors.As(err, &syntax):
		return false // the connection broke: nobody to answer
	}
	c.closing = true
	x.Request.Method, x.Request.Proto = "GET", "HTTP/1.1"
	c.s.identify(x)
	c.s.answerFault(x, fault)
	if c.respond(x) == nil {
		c.linger()
	}
	return false
}

// settle readies the connection for the next request: what the client sent and
// nobody read is in the way.
func (c *conn) settle() bool {
	if !c.closing && !c.body.Done() {
		c.drain()
	}
	if !c.closing && c.body.Done() {
		return true
	}
	if !c.body.Done() {
		c.linger()
	}
	return false
}

// drain reads the rest of a body if that is little and on its way.
func (c *conn) drain() {
	if c.expect || c.framing.Length > maxDrain || c.body.Err() != nil {
		return
	}
	c.enter(phaseBody, c.s.Clock())
	buf := *c.s.buffers.Get().(*[]byte)
	defer c.s.buffers.Put(&buf)
	for read := 0; read < maxDrain && c.body.Err() == nil; {
		n, _ := c.body.Read(buf) // the body keeps its error
		read += n
	}
}

// linger ends a connection whose client may still be sending: closed at once,
// the kernel would reset it and take the response along. Many clients read no
// answer before they have sent all.
func (c *conn) linger() {
	half, ok := c.rw.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.enter(phaseIdle, c.s.Clock())
	buf := make([]byte, 64<<10)
	end := time.Now().Add(lingerTime)
	for {
		now := time.Now()
		pause := min(lingerIdle, end.Sub(now))
		if pause <= 0 || c.nc.SetReadDeadline(now.Add(pause)) != nil {
			return
		}
		if _, err := c.rw.Read(buf); err != nil {
			return
		}
	}
}

// inbound is a connection seen as the body of its request.
type inbound conn

// Read reads the body, after telling a client that waits for it to go ahead.
func (in *inbound) Read(p []byte) (int, error) {
	c := (*conn)(in)
	if err := c.body.Err(); err != nil {
		return 0, err
	}
	start := c.s.Clock()
	c.enter(phaseBody, start)
	n, err := c.readBody(p)
	end := c.s.Clock()
	c.enter(phaseRunning, end)
	if c.pace.note(n, end.Sub(start)); err == nil && c.pace.left(c.s.StallTimeout) < 0 {
		c.expire()
	}
	return n, err
}

func (c *conn) readBody(p []byte) (int, error) {
	if c.expect {
		c.expect = false
		if _, err := c.rw.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n")); err != nil {
			return 0, err
		}
	}
	return c.body.Read(p)
}

// Err is the error that ended the body; io.EOF when it was read whole.
func (in *inbound) Err() error { return (*conn)(in).body.Err() }

var _ io.Reader = (*inbound)(nil)

// recovered turns a panic of a step into an error, so that one request can't
// take the gateway along.
func (s *Server) recovered(x *plan.Exchange, panicked any) error {
	s.log.Error("a step panicked", "request", x.RequestID, "panic", panicked, "stack", string(debug.Stack()))
	return &plan.Fault{Kind: plan.InternalFailure, Reason: "a step panicked"}
}
