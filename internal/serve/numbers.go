package serve

import "sync/atomic"

// Numbers are a server's numbers of connections.
type Numbers struct {
	// Open is how many connections are open, WebSockets how many of them are that.
	Open, WebSockets int
	// HeldBytes is what bodies take that are held whole.
	HeldBytes int64
	// Refused counts connections closed at once because too many were open.
	Refused uint64
	// Handshakes and FailedHandshakes count TLS handshakes that were finished and
	// that weren't.
	Handshakes, FailedHandshakes uint64
}

// counters are those of Numbers that are counted as things happen.
type counters struct {
	refused, handshakes, failedHandshakes atomic.Uint64
}

// Numbers returns the numbers as of now.
func (s *Server) Numbers() Numbers {
	open, sockets := s.watch.count()
	return Numbers{
		Open: open, WebSockets: sockets, HeldBytes: s.memory.Held(),
		Refused:    s.counters.refused.Load(),
		Handshakes: s.counters.handshakes.Load(), FailedHandshakes: s.counters.failedHandshakes.Load(),
	}
}
