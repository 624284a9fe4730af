package serve

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"gatehouse/internal/plan"
)

// A client that shakes hands is a stranger, and crypto/tls keeps up to 64 KB of a
// message of a stranger's, with room for more. Ordinary handshakes are of 2 KB, or
// some KB where the client shows a certificate or a ticket that has one. What is
// longer gets one of a bounded number of places.
const (
	// handshakeTime is how long a handshake may take.
	handshakeTime = 10 * time.Second
	// ordinaryRecord is the longest record of an ordinary handshake: room for it is
	// made once its length is known. ordinaryHandshake is how long the handshake is
	// altogether.
	ordinaryRecord    = 6 << 10
	ordinaryHandshake = 8 << 10
	// maxLargeHandshakes is how many longer ones there may be at a time, and
	// maxLargePerClient those of one address, or one /64 of IPv6.
	maxLargeHandshakes = 256
	maxLargePerClient  = 16
	// recordHead is the length of a record's head.
	recordHead = 5
)

var errLargeHandshake = errors.New("too many long TLS handshakes at a time")

// A shaking looks at what a client sends before its handshake ends.
type shaking struct {
	c     *conn
	large bool
	total int
	// head is what came of the head of a record, of which left bytes are to come.
	head  [recordHead]byte
	heads int
	left  int
}

// note looks at bytes that came, and returns an error if they are too many.
func (s *shaking) note(p []byte) error {
	s.total += len(p)
	long := s.total > ordinaryHandshake
	for len(p) > 0 {
		if s.left > 0 {
			n := min(s.left, len(p))
			s.left, p = s.left-n, p[n:]
			continue
		}
		n := copy(s.head[s.heads:], p)
		if s.heads, p = s.heads+n, p[n:]; s.heads < recordHead {
			break
		}
		s.heads, s.left = 0, int(s.head[3])<<8|int(s.head[4])
		long = long || s.left > ordinaryRecord
	}
	if !long || s.large {
		return nil
	}
	if s.large = s.c.s.largeHandshakes.take(s.c.source.Addr(), s.c.trusted); !s.large {
		return errLargeHandshake
	}
	return nil
}

// end gives back what the handshake took.
func (s *shaking) end() {
	if s.large {
		s.c.s.largeHandshakes.give(s.c.source.Addr())
	}
}

// largeHandshakes counts the long handshakes at a time, over all and by address.
type largeHandshakes struct {
	mu      sync.Mutex
	open    int
	clients map[netip.Addr]int
}

// take counts one; false means that it is one too many.
func (l *largeHandshakes) take(client netip.Addr, trusted bool) bool {
	client = plan.Network(client)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= maxLargeHandshakes || !client.IsLoopback() && !trusted && l.clients[client] >= maxLargePerClient {
		return false
	}
	if l.clients == nil {
		l.clients = map[netip.Addr]int{}
	}
	l.open++
	l.clients[client]++
	return true
}

// give ends the count of one.
func (l *largeHandshakes) give(client netip.Addr) {
	client = plan.Network(client)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.clients[client]--; l.clients[client] == 0 {
		delete(l.clients, client)
	}
}
