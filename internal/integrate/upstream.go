package integrate

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"math/rand/v2"
	"net"
	"sync"
	"time"
	"weak"
)

const (
	// sweep is how often idle connections and vanished clients are looked for.
	sweep = 250 * time.Millisecond
	// upstreamBuffer is the size of a connection's read buffer.
	upstreamBuffer = 4096
)

// UpstreamOptions are what Upstreams use. Zero values are as noted.
type UpstreamOptions struct {
	// RootCAs are the authorities that may sign for https backends; nil means
	// the system's.
	RootCAs *x509.CertPool
	// Dial connects; nil is a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// DialTimeout bounds connecting, TLS included; 0 is 10 s.
	DialTimeout time.Duration
	// IdleTimeout is how long a connection is kept unused; 0 is 50 s.
	IdleTimeout time.Duration
	// MaxBodyBytes is the longest body of a response; 0 is AWS's 10 MB.
	MaxBodyBytes int64
	// MaxIdle bounds the unused connections per backend; 0 is 256.
	MaxIdle int
	// Clock tells the time; nil is time.Now. Random yields random bits; nil is
	// rand.Uint64.
	Clock  func() time.Time
	Random func() uint64
}

// Upstreams own the connections to HTTP backends. They outlive plans.
type Upstreams struct {
	UpstreamOptions
	base    context.Context
	abandon context.CancelFunc
	running sync.WaitGroup

	mu sync.Mutex
	// backends are held by the integrations that call them and by their own
	// connections. Who is held by neither is forgotten.
	backends map[address]weak.Pointer[backend]
	all      map[*upstream]struct{}
	closed   bool
}

// An address tells backends apart.
type address struct {
	addr string
	tls  bool
	// name is whom a certificate has to be for, trust by whom it may be signed.
	name  string
	trust trust
	// client is the digest of the certificate that the backend is shown.
	client [sha256.Size]byte
}

// NewUpstreams makes Upstreams without connections.
func NewUpstreams(o UpstreamOptions) *Upstreams {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = 10 * time.Second
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 50 * time.Second
	}
	if o.MaxBodyBytes == 0 {
		o.MaxBodyBytes = maxBackendBody
	}
	if o.MaxIdle == 0 {
		o.MaxIdle = 256
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Uint64
	}
	u := &Upstreams{UpstreamOptions: o, backends: map[address]weak.Pointer[backend]{}, all: map[*upstream]struct{}{}}
	u.base, u.abandon = context.WithCancel(context.Background())
	u.running.Go(u.run)
	return u
}

// Close ends all connections and calls.
func (u *Upstreams) Close() error {
	u.abandon()
	u.mu.Lock()
	u.closed = true
	for c := range u.all {
		c.sever()
	}
	u.dropIdle(func(*upstream) bool { return true })
	u.mu.Unlock()
	u.running.Wait()
	return nil
}

// backend returns the one of an address, whose digest of a certificate is filled in
// here. Calls show it that certificate, nil for none.
func (u *Upstreams) backend(key address, client *tls.Certificate) *backend {
	switch {
	case !key.tls:
		key.name, key.trust = "", knownAuthority
	case client != nil:
		key.client = sha256.Sum256(client.Certificate[0])
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	b := u.backends[key].Value()
	if b == nil {
		b = &backend{owner: u, address: key}
		if key.tls {
			b.tls = key.trust.config(key.name, u.RootCAs)
			if client != nil {
				// Whatever authorities the backend names: it signed itself.
				b.tls.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return client, nil }
			}
		}
		u.backends[key] = weak.Make(b)
	}
	return b
}

func (u *Upstreams) run() {
	t := time.NewTicker(sweep)
	defer t.Stop()
	for {
		select {
		case <-u.base.Done():
			return
		case <-t.C:
			u.look(u.Clock())
		}
	}
}

// look ends calls whose client has gone, and closes unused connections whose
// time is up or whose backend has closed them.
func (u *Upstreams) look(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.all {
		c.severAbandoned()
	}
	u.dropIdle(func(c *upstream) bool { return now.After(c.expires) || !c.socket.isSilent() })
}

// dropIdle closes the unused connections that which chooses, and forgets
// backends that nobody holds. u is locked.
func (u *Upstreams) dropIdle(which func(*upstream) bool) {
	for key, held := range u.backends {
		if b := held.Value(); b != nil {
			b.dropIdle(which)
		} else {
			delete(u.backends, key)
		}
	}
}

// A backend is one address that is called, with its unused connections, the
// last used at the end.
type backend struct {
	address
	owner *Upstreams
	tls   *tls.Config

	mu   sync.Mutex
	idle []*upstream
}

// take returns the unused connection that was used last, nil when there is none
// that is fit for use. A backend that sent more than it had announced, or a
// farewell before it closed, mustn't have that taken for the next answer.
func (b *backend) take() *upstream {
	now := b.owner.Clock()
	for {
		c := b.pop()
		if c == nil || (!now.After(c.expires) && c.socket.isSilent()) {
			return c
		}
		c.close()
	}
}

func (b *backend) pop() *upstream {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.idle)
	if n == 0 {
		return nil
	}
	c := b.idle[n-1]
	b.idle[n-1] = nil
	b.idle = b.idle[:n-1]
	return c
}

// put keeps a connection for a later call, for less than the time after which
// the backend said it closes it.
func (b *backend) put(c *upstream) {
	unused := b.owner.IdleTimeout
	if c.keepAlive >= 0 {
		unused = min(unused, c.keepAlive*3/4)
	}
	c.expires = b.owner.Clock().Add(unused)
	b.mu.Lock()
	keep := unused > 0 && len(b.idle) < b.owner.MaxIdle && b.owner.base.Err() == nil
	if keep {
		b.idle = append(b.idle, c)
	}
	b.mu.Unlock()
	if !keep {
		c.close()
	}
}

// dropIdle closes the unused connections that which chooses. The owner is
// locked.
func (b *backend) dropIdle(which func(*upstream) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := b.idle[:0]
	for _, c := range b.idle {
		if !which(c) {
			kept = append(kept, c)
			continue
		}
		delete(b.owner.all, c)
		c.closeNet()
	}
	clear(b.idle[len(kept):])
	b.idle = kept
}

// dial connects, until the deadline or the client's end.
func (b *backend) dial(deadline time.Time, done <-chan struct{}) (*upstream, error) {
	limit := b.owner.Clock().Add(b.owner.DialTimeout)
	if deadline.Before(limit) {
		limit = deadline
	}
	// Real time: a context can't follow another clock.
	ctx, cancel := context.WithTimeout(b.owner.base, limit.Sub(b.owner.Clock()))
	defer cancel()
	if done != nil {
		connected := make(chan struct{})
		defer close(connected)
		go func() {
			select {
			case <-done:
				cancel()
			case <-connected:
			}
		}()
	}
	nc, err := b.owner.Dial(ctx, "tcp", b.addr)
	if err != nil {
		return nil, &connectError{b.addr, err}
	}
	c := &upstream{backend: b, nc: nc, rw: nc}
	if b.tls != nil {
		c.wire = &wire{Conn: nc}
		over := tls.Client(c.wire, b.tls)
		if err := over.HandshakeContext(ctx); err != nil {
			c.closeNet()
			return nil, &connectError{b.addr, err}
		}
		c.rw = over
	}
	c.reader.Reset(c.rw, make([]byte, upstreamBuffer))
	c.socket.open(nc)
	b.owner.mu.Lock()
	closed := b.owner.closed
	if !closed {
		b.owner.all[c] = struct{}{}
	}
	b.owner.mu.Unlock()
	if closed {
		c.closeNet()
		return nil, net.ErrClosed
	}
	return c, nil
}

// A connectError is the failure to connect: nothing was sent.
type connectError struct {
	addr  string
	cause error
}

func (e *connectError) Error() string { return "connect to " + e.addr + ": " + e.cause.Error() }
func (e *connectError) Unwrap() error { return e.cause }
