package nameserver

import (
	"net"
	"sync"
)

// fairListener closes connections of a network that has its share already, so
// that one can't take all there are.
func fairListener(l net.Listener) net.Listener {
	return &fair{Listener: l, open: map[[16]byte]int{}}
}

type fair struct {
	net.Listener
	mu   sync.Mutex
	open map[[16]byte]int // connections by network
}

// Accept returns the next connection that is no one too many.
func (f *fair) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		client, ok := c.RemoteAddr().(*net.TCPAddr)
		if !ok || client.IP.IsLoopback() {
			return c, nil
		}
		network := networkOf(client.AddrPort().Addr().Unmap())
		if f.enter(network) {
			return &fairConn{Conn: c, leave: sync.OnceFunc(func() { f.leave(network) })}, nil
		}
		_ = c.Close() // nothing can be said to who didn't ask yet
	}
}

func (f *fair) enter(network [16]byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[network] >= maxPerNetwork {
		return false
	}
	f.open[network]++
	return true
}

func (f *fair) leave(network [16]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[network]--; f.open[network] == 0 {
		delete(f.open, network)
	}
}

// A fairConn gives its place back when it is closed.
type fairConn struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *fairConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
