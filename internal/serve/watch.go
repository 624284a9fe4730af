package serve

import (
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go/http3"

	"gatehouse/internal/plan"
)

const (
	// tick is how often the watch looks at every connection.
	tick = 250 * time.Millisecond
	// patience is how long a step runs before the watch looks whether the
	// client is still there: most requests are answered sooner.
	patience = 400 * time.Millisecond
)

// A watch knows every connection. It bounds their number and the time of each
// phase, and notices clients that went away. One goroutine looks at all of them
// a few times a second, so that a request costs no timer.
type watch struct {
	s           *Server
	quit        chan struct{}
	wake        chan struct{} // there are connections again
	connections sync.WaitGroup

	mu      sync.Mutex
	all     map[*conn]struct{}
	clients map[netip.Addr]int
	open    int       // all that count
	handed  int       // those that are WebSockets: they count, but have times of their own
	leaving time.Time // when the server began to drain
	warned  time.Time
}

func (w *watch) init(s *Server) {
	w.s, w.quit, w.wake = s, make(chan struct{}), make(chan struct{}, 1)
	w.all, w.clients = map[*conn]struct{}{}, map[netip.Addr]int{}
}

// add counts and watches a connection; false means that it is one too many.
func (w *watch) add(c *conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.take(c.peer, c.trusted) {
		return false
	}
	c.enter(phaseNew, w.s.Clock())
	w.follow(c)
	return true
}

func (w *watch) remove(c *conn) {
	w.mu.Lock()
	delete(w.all, c)
	w.give(c.peer)
	w.mu.Unlock()
	w.connections.Done()
}

// take counts a connection of a client; false means that it is one too many.
// w.mu is held.
func (w *watch) take(client netip.Addr, trusted bool) bool {
	client = plan.Network(client)
	if w.s.draining.Load() {
		return false
	}
	if w.open >= w.s.MaxConnections || (!client.IsLoopback() && !trusted && w.clients[client] >= w.s.MaxPerClient) {
		if now := w.s.Clock(); now.Sub(w.warned) > time.Minute {
			w.warned = now
			w.s.log.Warn("refusing connections: too many are open", "open", w.open, "client", client, "of_client", w.clients[client])
		}
		return false
	}
	w.open++
	w.clients[client]++
	w.connections.Add(1)
	return true
}

// crowds tells whether a client has many connections already.
func (w *watch) crowds(client netip.Addr) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clients[plan.Network(client)] >= http3Crowd
}

// give ends the count of a connection. w.mu is held.
func (w *watch) give(client netip.Addr) {
	client = plan.Network(client)
	w.open--
	if w.clients[client]--; w.clients[client] == 0 {
		delete(w.clients, client)
	}
}

// follow watches a connection. w.mu is held.
func (w *watch) follow(c *conn) {
	if len(w.all) == 0 {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	w.all[c] = struct{}{}
}

// hand stops watching a connection that goes on as a WebSocket. It still counts
// until release.
func (w *watch) hand(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, c)
	w.handed++
}

// release ends the count of a connection that was handed on.
func (w *watch) release(client netip.Addr) {
	w.mu.Lock()
	w.handed--
	w.give(client)
	w.mu.Unlock()
	w.connections.Done()
}

// sockets is how many connections are WebSockets.
func (w *watch) sockets() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.handed
}

// count is how many connections are open, and how many of them are WebSockets.
func (w *watch) count() (open, sockets int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open, w.handed
}

func (w *watch) run() {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-w.quit:
			return
		case <-t.C:
		}
		if w.look(w.s.Clock()) {
			continue
		}
		// Nobody is connected: an idle gateway sleeps.
		select {
		case <-w.quit:
			return
		case <-w.wake:
		}
	}
}

// look checks every connection once and tells whether there are any.
func (w *watch) look(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.all {
		c.check(now)
	}
	return len(w.all) > 0
}

// drain ends connections that wait for a request.
func (w *watch) drain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaving = w.s.Clock()
	for c := range w.all {
		if ph := phase(c.phase.Load()); ph == phaseIdle || ph == phaseNew {
			c.expire()
		}
	}
}

// cut ends all connections, whatever they do.
func (w *watch) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.all {
		c.leave()
		c.expire()
	}
}

// check ends what takes too long. It runs in the watch's goroutine.
func (c *conn) check(now time.Time) {
	spent := now.Sub(time.Unix(0, c.since.Load()))
	switch phase(c.phase.Load()) {
	case phaseIdle:
		if spent > c.s.IdleTimeout || c.s.draining.Load() {
			c.expire()
		}
	case phaseNew:
		if spent > c.s.HeadTimeout || c.s.draining.Load() {
			c.expire()
		}
	case phaseHandshake:
		if spent > min(c.s.HeadTimeout, handshakeTime) {
			c.expire()
		}
	case phaseHead:
		if spent > c.s.HeadTimeout {
			c.expire()
		}
	case phaseBody, phaseWrite:
		if spent > c.s.StallTimeout {
			c.expire()
		}
	case phaseRunning:
		if spent > patience && c.hungUp() {
			c.leave()
		}
	case phaseHTTP2: // net/http has its own timeouts
	case phaseHTTP3:
		c.http3.check(now, spent)
	}
}

// expire makes every pending and later read and write of the connection fail.
func (c *conn) expire() {
	if c.http3 != nil {
		c.http3.sever(http3.ErrCodeNoError)
		return
	}
	if err := c.nc.SetDeadline(time.Unix(1, 0)); err != nil {
		c.s.log.Debug("cannot expire a connection", "error", err)
	}
}

// leave tells the request at hand that its client is gone.
func (c *conn) leave() {
	c.goneOnce.Do(func() { close(c.gone) })
	if cancel := c.cancel.Load(); cancel != nil {
		(*cancel)()
	}
}
