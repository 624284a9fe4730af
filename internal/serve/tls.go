package serve

import (
	"crypto/tls"
	"net"
	"sync"

	"gatehouse/internal/plan"
)

// startTLS shakes hands. It serves the connection itself, and returns false,
// when the client chose HTTP/2.
func (c *conn) startTLS() bool {
	first, err := c.reader.Peek()
	if err != nil {
		return false
	}
	under := &handedConn{Conn: c.nc, c: c, first: append([]byte(nil), first...), closed: make(chan struct{})}
	over := tls.Server(under, c.s.tls)
	c.rw = over
	// The watch bounds the time of the handshake.
	c.enter(phaseHandshake, c.s.Clock())
	if err := c.shake(over, under); err != nil {
		c.s.counters.failedHandshakes.Add(1)
		c.s.log.Debug("TLS handshake failed", "client", c.source, "error", err)
		return false
	}
	c.s.counters.handshakes.Add(1)
	c.state = new(over.ConnectionState())
	c.handshake = handshakeOf(c.state)
	if c.state.NegotiatedProtocol == "h2" {
		c.s.http2.serve(c, over, under)
		return false
	}
	if c.state.NegotiatedProtocol == acmeTLS {
		return false
	}
	c.reader.Reset(over, c.reader.Buffer())
	return true
}

// shake shakes hands, and looks at what comes meanwhile.
func (c *conn) shake(over *tls.Conn, under *handedConn) error {
	s := &shaking{c: c}
	under.shaking = s
	defer func() {
		under.shaking = nil
		s.end()
	}()
	return over.HandshakeContext(c.s.base)
}

// configFor is how the domain or the API that a client asks for shakes hands; nil
// for the gateway's own way.
func (s *Server) configFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if config := s.challengeConfig(hello); config != nil {
		return config, nil
	}
	var entrance *plan.Entrance
	if under, ok := hello.Conn.(*handedConn); ok {
		entrance = under.c.entrance
	}
	return s.namedConfig(hello, entrance)
}

// namedConfig is configFor without the authorities that ask whose a name is.
func (s *Server) namedConfig(hello *tls.ClientHelloInfo, entrance *plan.Entrance) (*tls.Config, error) {
	if front := s.Plan.Load().TLSOf(hello.ServerName, entrance); front != nil {
		return front.Config(hello)
	}
	return nil, nil
}

// Tickets are the keys of session tickets.
type Tickets interface {
	// Bind makes a configuration give and take tickets that are good for a name.
	Bind(c *tls.Config, name string)
}

// A handedConn is a connection whose first bytes were read to look at them. It
// tells its owner when the one it was handed to closes it.
type handedConn struct {
	net.Conn
	c       *conn
	first   []byte
	shaking *shaking // nil after the handshake
	once    sync.Once
	closed  chan struct{}
}

// Read yields the bytes that were looked at, then the connection's.
func (h *handedConn) Read(p []byte) (int, error) {
	n, err := h.read(p)
	if h.shaking != nil && n > 0 {
		if err := h.shaking.note(p[:n]); err != nil {
			return 0, err
		}
	}
	return n, err
}

func (h *handedConn) read(p []byte) (int, error) {
	if len(h.first) > 0 {
		n := copy(p, h.first)
		if h.first = h.first[n:]; len(h.first) == 0 {
			h.first = nil
		}
		return n, nil
	}
	return h.Conn.Read(p)
}

// NetConn is the connection as it was accepted.
func (h *handedConn) NetConn() net.Conn { return h.Conn }

// Close closes the connection.
func (h *handedConn) Close() error {
	err := h.Conn.Close()
	h.once.Do(func() { close(h.closed) })
	return err
}
