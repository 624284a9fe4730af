package serve

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"gatehouse/internal/plan"
)

// An entry says what a listener serves.
type entry struct {
	management bool // management calls and the gateway's own pages too
	plain, tls bool
	// altSvc is what the header of that name says of HTTP/3 (RFC 7838), one value
	// or none.
	altSvc []string
	// entrance is what requests have of that name.
	entrance *plan.Entrance
}

// Serve serves management and traffic, plain and TLS, on one listener until
// Shutdown, and returns nil then. What is private is among it where that is on.
func (s *Server) Serve(l net.Listener) error {
	e := entry{management: true, plain: true, tls: s.tls != nil}
	if s.SharedPrivate {
		e.entrance = &plan.Entrance{Development: true}
	}
	return s.serve(l, e)
}

// ServePrivate serves traffic that comes over a VPC endpoint, plain and TLS.
func (s *Server) ServePrivate(l net.Listener, over plan.Entrance) error {
	return s.serve(l, entry{plain: true, tls: s.tls != nil, entrance: &over})
}

// ServeTraffic serves traffic only, without TLS.
func (s *Server) ServeTraffic(l net.Listener) error {
	return s.serve(l, entry{plain: true})
}

// ServeTrafficTLS serves traffic only, over TLS only. http3 is the port at which
// clients are told that HTTP/3 is served, too; 0 is nowhere.
func (s *Server) ServeTrafficTLS(l net.Listener, http3 int) error {
	if s.tls == nil {
		return errors.New("no certificate to serve TLS with")
	}
	return s.serve(l, entry{tls: true, altSvc: altSvc(http3)})
}

func (s *Server) serve(l net.Listener, e entry) error {
	s.mu.Lock()
	if s.draining.Load() {
		s.mu.Unlock()
		return errors.Join(net.ErrClosed, l.Close())
	}
	s.listeners[l] = struct{}{}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()
	defer func() {
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
	}()
	s.start.Do(s.startBackground)

	var pause time.Duration
	for {
		nc, err := l.Accept()
		if err != nil {
			if s.draining.Load() {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			// Out of descriptors, usually: others may free some.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.log.Warn("cannot accept a connection", "error", err, "retry", pause)
			select {
			case <-time.After(pause):
			case <-s.base.Done():
				return nil
			}
			continue
		}
		pause = 0
		s.accept(nc, e)
	}
}

// accept starts serving a connection, unless there are too many.
func (s *Server) accept(nc net.Conn, e entry) {
	c := &conn{s: s, entry: e, nc: nc, gone: make(chan struct{})}
	c.source, c.localPort = addrPort(nc.RemoteAddr()), addrPort(nc.LocalAddr()).Port()
	c.peer = c.source.Addr()
	c.trusted = len(s.TrustedProxies) > 0 && s.trusts(c.peer)
	if !s.watch.add(c) {
		s.counters.refused.Add(1)
		// Nothing useful can be said cheaply to someone who is one too many.
		if err := nc.Close(); err != nil {
			s.log.Debug("cannot close a refused connection", "error", err)
		}
		return
	}
	go c.serve()
}

func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// A phase is what a connection is doing; the watch bounds its time.
type phase int32

const (
	phaseNew       phase = iota // has sent nothing yet
	phaseIdle                   // waits for the next request
	phaseHandshake              // shakes hands
	phaseHead                   // receives a head
	phaseRunning                // a step works
	phaseBody                   // waits for bytes of a body
	phaseWrite                  // sends
	phaseHTTP2                  // is net/http's
	phaseHTTP3                  // is quic-go's
)

// A progress is a phase and when it began. Its owner writes, the watch reads.
type progress struct {
	phase atomic.Int32
	since atomic.Int64 // Unix nanoseconds
}

func (p *progress) enter(ph phase, now time.Time) {
	p.since.Store(now.UnixNano())
	p.phase.Store(int32(ph))
}

// altSvc says that HTTP/3 is served at a port, which clients remember for a day;
// of port 0 it says nothing.
func altSvc(port int) []string {
	if port == 0 {
		return nil
	}
	return []string{`h3=":` + strconv.Itoa(port) + `"; ma=86400`}
}
