package socket

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

// The codes of closes that begin here.
const (
	normalClosure   = int(ws.StatusNormalClosure)
	goingAway       = int(ws.StatusGoingAway)
	protocolError   = int(ws.StatusProtocolError)
	unsupportedData = int(ws.StatusUnsupportedData)
	invalidText     = int(ws.StatusInvalidFramePayloadData)
	tooBig          = int(ws.StatusMessageTooBig)
	tryAgainLater   = 1013 // of IANA's registry
	// noStatus and abnormal stand for a close without a code and for none at all.
	noStatus = int(ws.StatusNoStatusRcvd)
	abnormal = int(ws.StatusAbnormalClosure)

	goingAwayReason = "Going away"
)

// PolicyViolation is the code of a close for a client that may not be here.
const PolicyViolation = int(ws.StatusPolicyViolation)

// A state is how far a connection is.
type state uint8

const (
	open    state = iota
	closing       // a close frame is out or on its way
	ended
)

// A Conn is an open connection.
type Conn struct {
	r       *Registry
	nc      net.Conn
	handler Handler

	id, apiID, stage, userAgent string
	source                      netip.Addr
	connectedAt                 int64 // Unix nanoseconds, as all times here

	// What the sweep reads: the last message, since when a frame is being read,
	// and a piece being written; 0 for none.
	active, reading, writingSince atomic.Int64

	input

	mu      sync.Mutex
	state   state
	broken  bool // nothing can be written any more
	writing bool // a goroutine is writing
	running int  // messages that run
	code    int  // why the connection ends
	reason  string
	out     *[]byte // frames that wait to be written; nil for none
	pending int     // bytes that wait, those being written included
	// changed is closed at the next change of the above; nil if nobody waits.
	changed chan struct{}
}

func newConn(r *Registry, o Opening) *Conn {
	c := &Conn{
		r: r, nc: o.Conn, handler: o.Handler,
		id: o.ID, apiID: o.APIID, stage: o.Stage, userAgent: o.UserAgent, source: o.SourceIP,
		connectedAt: o.ConnectedAt.UnixNano(),
	}
	c.touch()
	c.begin(o.Buffered)
	// The greeting goes first, whatever is posted meanwhile.
	c.out, c.pending, c.writing = r.buffer(), len(o.Greeting), true
	*c.out = append((*c.out)[:0], o.Greeting...)
	return c
}

// ID is the connection's id.
func (c *Conn) ID() string { return c.id }

// greet sends the greeting and tells whether that went well. The client may take
// its time for it like for any frame.
func (c *Conn) greet() bool {
	if tcp, ok := c.tcp(); ok {
		if err := errors.Join(tcp.SetKeepAliveConfig(keepAlive()), boundUnanswered(tcp)); err != nil {
			c.r.log.Debug("cannot set TCP options", "error", err)
		}
	}
	if !c.write() {
		go c.flush()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.broken
}

// vanished is how long a client may be gone without a word.
const vanished = 2 * time.Minute

// keepAlive asks idle clients whether they are still there.
func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: vanished / 2, Interval: vanished / 8, Count: 4}
}

// tcp returns the connection's TCP connection if it has one.
func (c *Conn) tcp() (*net.TCPConn, bool) {
	nc := c.nc
	for {
		over, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		nc = over.NetConn()
	}
	tcp, ok := nc.(*net.TCPConn)
	return tcp, ok
}

// run serves the connection until its end.
func (c *Conn) run(greeted bool) {
	if greeted {
		c.read()
	}
	c.finish()
}

// finish ends the connection and tells its handler.
func (c *Conn) finish() {
	c.mu.Lock()
	if c.state == open {
		c.code, c.reason = abnormal, ""
	}
	c.state = ended
	code, reason := c.code, c.reason
	c.change()
	c.mu.Unlock()
	c.hangUp(code)
	c.releaseInput()

	c.mu.Lock()
	for c.running > 0 || c.writing {
		c.wait()
	}
	c.mu.Unlock()
	c.r.local.remove(c)
	c.r.dir.Closed(c)
	c.handler.Disconnected(c, code, reason)
}

// hangUp closes the network's connection.
func (c *Conn) hangUp(code int) {
	nc := c.nc
	if over, ok := nc.(interface{ NetConn() net.Conn }); ok && code == abnormal {
		nc = over.NetConn() // TLS would wait to say goodbye
	}
	if err := nc.Close(); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.ECONNRESET) {
		c.r.log.Debug("cannot close a connection", "error", err)
	}
}

// Close begins to end the connection with a close frame, or returns ErrGone.
// It doesn't wait.
func (c *Conn) Close(code int, reason string) error {
	payload := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reason)), uint16(code))
	return c.close(code, reason, append(payload, reason...))
}

// close is Close with the payload of the close frame.
func (c *Conn) close(code int, reason string, payload []byte) error {
	c.mu.Lock()
	if c.state != open {
		c.mu.Unlock()
		return ErrGone
	}
	c.state, c.code, c.reason = closing, code, reason
	start := false
	if !c.broken {
		c.queue(ws.OpClose, payload)
		start = !c.writing
		c.writing = true
	}
	c.change()
	c.mu.Unlock()
	if err := c.nc.SetDeadline(time.Now().Add(c.r.CloseTimeout)); err != nil {
		c.r.log.Debug("cannot bound a close", "error", err)
	}
	if start {
		go c.flush()
	}
	return nil
}

// sever makes every pending and later read and write fail.
func (c *Conn) sever() {
	if err := c.nc.SetDeadline(time.Unix(1, 0)); err != nil && !errors.Is(err, net.ErrClosed) {
		c.r.log.Debug("cannot sever a connection", "error", err)
	}
}

// Info tells what is known of the connection.
func (c *Conn) Info() (Info, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return Info{}, ErrGone
	}
	return Info{
		ConnectedAt: time.Unix(0, c.connectedAt), LastActiveAt: time.Unix(0, c.active.Load()),
		SourceIP: c.source, UserAgent: c.userAgent,
	}, nil
}

// touch notes that there was a message.
func (c *Conn) touch() { c.active.Store(c.now()) }

func (c *Conn) now() int64 { return c.r.Clock().UnixNano() }

// change wakes who waits. mu is held.
func (c *Conn) change() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// wait waits for a change. mu is held, but not meanwhile.
func (c *Conn) wait() {
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	changed := c.changed
	c.mu.Unlock()
	<-changed
	c.mu.Lock()
}
