package socket

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// AWS's fixed limits of connections.
const (
	// MaxFrameBytes is the longest payload of a frame, in either direction.
	MaxFrameBytes = 32 << 10
	// MaxMessageBytes is the longest message.
	MaxMessageBytes = 128 << 10
	// IdleTimeout is how long a connection may last without a message.
	IdleTimeout = 10 * time.Minute
	// Lifetime is how long a connection may last.
	Lifetime = 2 * time.Hour
)

// Why a connection can't be had or written to.
var (
	// ErrGone tells that there is no such connection, or none any more.
	ErrGone = errors.New("there is no such connection")
	// ErrFull tells that a client doesn't read what it was sent.
	ErrFull = errors.New("the client reads too slowly")
	// ErrTooLarge tells that a message is longer than MaxMessageBytes.
	ErrTooLarge = errors.New("the message is too long")
)

// Options are what a Registry uses. Zero values are as noted.
type Options struct {
	// MaxFrameBytes, MaxMessageBytes, IdleTimeout and Lifetime are AWS's limits
	// if they are 0.
	MaxFrameBytes, MaxMessageBytes int
	IdleTimeout, Lifetime          time.Duration
	// StallTimeout is how long a client may take to send a frame it began, or to
	// read some 16 KB of what it is sent; 0 is 30 s.
	StallTimeout time.Duration
	// CloseTimeout is how long a client may take to answer a close; 0 is 2 s.
	CloseTimeout time.Duration
	// MaxPendingBytes bounds what waits for a client to read it; 0 is 256 KB.
	MaxPendingBytes int
	// MaxRunning is how many messages of a connection run at a time; 0 is 16.
	MaxRunning int
	// Directory finds connections by id; nil knows those of this process.
	Directory Directory
	// Logger takes what an operator should know; nil discards it.
	Logger *slog.Logger
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
}

// A Handler is told what happens on one connection.
type Handler interface {
	// Message runs a message, whose text is valid until it returns. Several may
	// run at a time.
	Message(c *Conn, text []byte)
	// Hold takes room for n more bytes of a message that has room for own already,
	// beyond what every message may have, or tells that there is none. Free gives
	// back n bytes.
	Hold(own, n int) bool
	Free(n int)
	// Check is called about once a second by one goroutine for all connections: it
	// may close this one, and doesn't wait for anything.
	Check(c *Conn, now time.Time)
	// Disconnected is told once that the connection has ended, after every
	// Message has returned. code is that of the close frame, 1005 for one
	// without a code, 1006 when there was none.
	Disconnected(c *Conn, code int, reason string)
}

// Info is what is known of a connection.
type Info struct {
	ConnectedAt, LastActiveAt time.Time
	SourceIP                  netip.Addr
	UserAgent                 string
}

// An Opening is a connection after its handshake.
type Opening struct {
	// Conn is the connection, which is the registry's from now on.
	Conn net.Conn
	// Greeting is sent before anything else: the 101 of the handshake. Buffered
	// is what the client has sent behind its own part of it.
	Greeting, Buffered []byte
	// ID is the connection's id, APIID and Stage are what it belongs to. None may
	// change later.
	ID, APIID, Stage string
	ConnectedAt      time.Time
	SourceIP         netip.Addr
	UserAgent        string
	Handler          Handler
}

// A Registry holds the connections of this process. It is made by New.
type Registry struct {
	Options
	log       *slog.Logger
	dir       Directory
	local     *table
	abandoned chan struct{}
	buffers   sync.Pool // *[]byte

	mu       sync.Mutex
	draining bool
	cut      bool
	sweeping bool
	wake     chan struct{}
	quit     chan struct{}
	swept    sync.WaitGroup
}

// New makes a registry without connections.
func New(o Options) *Registry {
	setDefault(&o.MaxFrameBytes, MaxFrameBytes)
	setDefault(&o.MaxMessageBytes, MaxMessageBytes)
	setDefault(&o.IdleTimeout, IdleTimeout)
	setDefault(&o.Lifetime, Lifetime)
	setDefault(&o.StallTimeout, 30*time.Second)
	setDefault(&o.CloseTimeout, 2*time.Second)
	setDefault(&o.MaxPendingBytes, max(256<<10, 2*o.MaxMessageBytes))
	setDefault(&o.MaxRunning, 16)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Registry{
		Options: o, log: o.Logger, dir: o.Directory, local: newTable(),
		abandoned: make(chan struct{}), quit: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	r.buffers.New = func() any { return newBuffer() }
	if r.dir == nil {
		r.dir = alone{}
	}
	return r
}

func setDefault[T int | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}

// Adopt takes a connection over: it can be found from now on, gets its
// greeting and is served until it ends. Adopt returns when the greeting is
// out, or could not be sent, which ends the connection.
func (r *Registry) Adopt(o Opening) {
	c := newConn(r, o)
	r.local.add(c)
	r.beginSweep()
	r.dir.Opened(c)
	greeted := c.greet()
	go c.run(greeted)
	r.mu.Lock()
	draining, cut := r.draining, r.cut
	r.mu.Unlock()
	if draining {
		c.goAway()
	}
	if cut {
		c.sever()
	}
}

// Post sends a message to a connection, in frames as long as allowed. The
// errors are ErrGone, ErrFull and ErrTooLarge. It doesn't wait for the client.
func (r *Registry) Post(apiID, stage, connectionID string, data []byte) error {
	if len(data) > r.MaxMessageBytes {
		return ErrTooLarge
	}
	p := r.find(apiID, stage, connectionID)
	if p == nil {
		return ErrGone
	}
	return p.Post(data)
}

// Get tells what is known of a connection, or ErrGone.
func (r *Registry) Get(apiID, stage, connectionID string) (Info, error) {
	p := r.find(apiID, stage, connectionID)
	if p == nil {
		return Info{}, ErrGone
	}
	return p.Info()
}

// Close ends a connection as DeleteConnection does, or returns ErrGone. It
// can't be found any more when Close returns.
func (r *Registry) Close(apiID, stage, connectionID string) error {
	p := r.find(apiID, stage, connectionID)
	if p == nil {
		return ErrGone
	}
	return p.Close(normalClosure, "Connection Closed Normally")
}

// find returns the connection of an id if it belongs to the stage.
func (r *Registry) find(apiID, stage, connectionID string) Peer {
	if c := r.local.find(connectionID); c != nil {
		if c.apiID != apiID || c.stage != stage {
			return nil
		}
		return c
	}
	return r.dir.Find(apiID, stage, connectionID)
}

// Len is how many connections are open in this process.
func (r *Registry) Len() int { return r.local.len() }

// Abandoned is closed by Cut: whoever works for a connection should give up.
func (r *Registry) Abandoned() <-chan struct{} { return r.abandoned }

// Drain ends every connection, now and later, with AWS's code of a server
// that goes away. It doesn't wait.
func (r *Registry) Drain() {
	r.mu.Lock()
	r.draining = true
	r.mu.Unlock()
	r.local.each((*Conn).goAway)
}

// Cut ends every connection at once, and what is done for them.
func (r *Registry) Cut() {
	r.mu.Lock()
	first := !r.cut
	r.draining, r.cut = true, true
	r.mu.Unlock()
	if first {
		close(r.abandoned)
	}
	r.local.each((*Conn).sever)
}

// Stop ends the registry's own work. It must be called after the last
// connection has ended, and may be called again.
func (r *Registry) Stop() {
	r.mu.Lock()
	select {
	case <-r.quit:
	default:
		close(r.quit)
	}
	r.mu.Unlock()
	r.swept.Wait()
}
