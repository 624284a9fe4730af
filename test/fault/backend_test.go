package fault

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"testing"
)

// A backend does with each request what its path says. It takes as many
// requests on a connection as come.
type backend struct {
	addr string
	acts map[string]act
	l    net.Listener
	done sync.WaitGroup

	mu    sync.Mutex
	seen  map[string]int // requests by method and path
	conns map[net.Conn]struct{}
}

// An act answers a request, whose body it may read, and tells whether the
// connection stays. A connection that doesn't is closed.
type act func(c *net.TCPConn, r *http.Request) (stays bool)

func startBackend(t testing.TB, acts map[string]act) *backend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{addr: l.Addr().String(), acts: acts, l: l, seen: map[string]int{}, conns: map[net.Conn]struct{}{}}
	b.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.conns[c] = struct{}{}
			b.mu.Unlock()
			b.done.Go(func() { b.serve(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(b.close)
	return b
}

// close ends the backend with all its connections. It may be called again.
func (b *backend) close() {
	_ = b.l.Close() // again, maybe
	b.mu.Lock()
	for c := range b.conns {
		_ = c.Close() // again, maybe
	}
	b.mu.Unlock()
	b.done.Wait()
}

func (b *backend) serve(c *net.TCPConn) {
	defer func() {
		_ = c.Close() // again, maybe
		b.mu.Lock()
		delete(b.conns, c)
		b.mu.Unlock()
	}()
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		b.mu.Lock()
		b.seen[req.Method+" "+req.URL.Path]++
		b.mu.Unlock()
		f := b.acts[req.URL.Path]
		if f == nil || !f(c, req) {
			return
		}
	}
}

// count is how many requests the backend saw.
func (b *backend) count(request string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[request]
}
