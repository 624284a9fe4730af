package serve

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/socket"
)

// AWS's fixed limits for HTTP APIs.
const (
	// MaxBodyBytes is the longest request body.
	MaxBodyBytes = 10 << 20
	// MaxHeadBytes is the longest request line with its headers.
	MaxHeadBytes = 10_240
)

// MaxHeldBytes is what bodies that are held whole may take, over all requests:
// fifty of the longest at a time.
const MaxHeldBytes = 512 << 20

// What bounds the connections open at a time, over all and of one address. They
// are so many that memory and descriptors run out first on most machines.
const (
	MaxConnections = 1_000_000
	MaxPerClient   = 10_000
)

// Options are what a Server uses. Zero values are as noted.
type Options struct {
	// Plan is what is served; each request loads it once.
	Plan *atomic.Pointer[plan.Plan]
	// Management takes what is addressed to no API on the shared listener; nil
	// refuses it.
	Management http.Handler
	// SharedPrivate has the shared listener serve private APIs and domains, too: it is
	// for one that only this machine reaches.
	SharedPrivate bool
	// Pages takes /_gatehouse/... on the shared listener (health, metrics); nil
	// refuses it.
	Pages http.Handler
	// UserPools serves the domains of user pools, on every listener; nil means that
	// there are none.
	UserPools Site
	// Challenges answers an authority of certificates, on every listener; nil means
	// that none will ask.
	Challenges Challenges
	// Certificate chooses the certificate of a TLS connection; nil means that
	// TLS isn't served.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Tickets make sessions with the gateway's own certificate outlive the process;
	// nil has them end with it.
	Tickets Tickets
	// TrustedProxies are the addresses of load balancers whose X-Forwarded headers
	// say whom a request on a listener for traffic is from. With ProxyProtocol they
	// begin each connection to one with a header of the PROXY protocol, too.
	TrustedProxies []netip.Prefix
	ProxyProtocol  bool
	// Connections takes calls of @connections; nil refuses them.
	Connections Connections
	// Sockets holds the connections of WebSocket APIs, and ends with the server;
	// nil means that none are served.
	Sockets *socket.Registry
	// Logger takes what an operator should know; nil discards it.
	Logger *slog.Logger
	// Clock tells the time; nil is time.Now. Random yields random bits; nil is
	// rand.Uint64.
	Clock  func() time.Time
	Random func() uint64
	// ShowReasons adds the header x-gatehouse-reason to answers the gateway
	// itself makes to clients on this machine. It tells them about its inside:
	// development only.
	ShowReasons bool

	// HeadTimeout is how long a client has to send a request's head, and to
	// finish a TLS handshake where that is less than handshakeTime; 0 is 20 s.
	HeadTimeout time.Duration
	// IdleTimeout is how long a connection may wait for its next request; 0 is 75 s.
	IdleTimeout time.Duration
	// StallTimeout is how long a body, in either direction, may make no
	// progress; 0 is 30 s. A request's body that goes on longer has to bring
	// minBodyRate.
	StallTimeout time.Duration
	// MaxConnections bounds the connections open at a time, MaxPerClient those of
	// one address, or one /64 of IPv6, other than loopback and trusted proxies; 0 is
	// the constants of these names.
	MaxConnections, MaxPerClient int
	// MaxBodyBytes and MaxHeadBytes are the limits of traffic; 0 is AWS's.
	MaxBodyBytes int64
	MaxHeadBytes int
	// MaxHeldBytes bounds the memory of bodies that are held whole, as events of
	// functions, templates and signatures need them; 0 is MaxHeldBytes.
	MaxHeldBytes int64
	// MaxManagementBodyBytes bounds the body of a management call; 0 is 128 MiB.
	MaxManagementBodyBytes int64
}

// A Server serves traffic and hands management calls on. It is made by New.
type Server struct {
	Options
	log   *slog.Logger
	tls   *tls.Config
	http2 *http2Front
	http3 *http3Front // nil while there is none; mu guards it
	dates dates

	exchanges sync.Pool // *plan.Exchange
	traces    sync.Pool // *plan.Trace
	events    sync.Pool // *event
	buffers   sync.Pool // *[]byte of readBuffer bytes

	turns       *plan.Turns
	memory      *plan.Memory
	compressors compressors
	ends        ends
	watch       watch
	counters    counters

	largeHandshakes largeHandshakes

	base     context.Context // of management calls; ends when Shutdown gives up on them
	abandon  context.CancelFunc
	start    sync.Once
	end      sync.Once
	draining atomic.Bool
	running  sync.WaitGroup // accept loops, connections and the watch

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
}

// New makes a server. It serves nothing before Serve.
func New(o Options) *Server {
	setDefault(&o.HeadTimeout, 20*time.Second)
	setDefault(&o.IdleTimeout, 75*time.Second)
	setDefault(&o.StallTimeout, 30*time.Second)
	setDefault(&o.MaxConnections, MaxConnections)
	setDefault(&o.MaxPerClient, MaxPerClient)
	setDefault(&o.MaxBodyBytes, MaxBodyBytes)
	setDefault(&o.MaxHeadBytes, MaxHeadBytes)
	setDefault(&o.MaxHeldBytes, MaxHeldBytes)
	setDefault(&o.MaxManagementBodyBytes, 128<<20)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Uint64
	}
	s := &Server{Options: o, log: o.Logger, turns: plan.NewTurns(runtime.GOMAXPROCS(0)), memory: plan.NewMemory(o.MaxHeldBytes), listeners: map[net.Listener]struct{}{}}
	s.base, s.abandon = context.WithCancel(context.Background())
	s.exchanges.New = func() any { return newExchange() }
	s.traces.New = func() any { return &plan.Trace{} }
	s.events.New = func() any { return &event{Exchange: plan.Exchange{Scratch: make([]byte, 0, 1024)}} }
	s.buffers.New = func() any { return new(make([]byte, readBuffer)) }
	s.watch.init(s)
	s.ends.init()
	if o.Certificate != nil {
		s.tls = &tls.Config{
			MinVersion:         tls.VersionTLS12,
			NextProtos:         []string{"h2", "http/1.1"},
			GetCertificate:     o.Certificate,
			GetConfigForClient: s.configFor,
		}
		if o.Tickets != nil {
			o.Tickets.Bind(s.tls, "")
		}
		s.http2 = newHTTP2Front(s)
	}
	return s
}

func setDefault[T int | int64 | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}

// newExchange makes an exchange with room for an ordinary request's headers.
func newExchange() *plan.Exchange {
	x := &plan.Exchange{
		Params:  make([]string, 0, 8),
		Scratch: make([]byte, 0, 4096),
	}
	x.Request.Headers = make(plan.Headers, 0, 32)
	x.Response.Headers = make(plan.Headers, 0, 32)
	return x
}

// maxKeptScratch is the most scratch memory an exchange keeps for later ones.
const maxKeptScratch = 64 << 10

func (s *Server) releaseExchange(x *plan.Exchange) {
	x.Reset()
	if cap(x.Scratch) > maxKeptScratch {
		x.Scratch = nil
	}
	s.exchanges.Put(x)
}

// Shutdown stops accepting, says goodbye to WebSockets, lets requests in flight
// and $disconnect routes finish until ctx ends, then cuts what is left. It returns ctx's error if it had to. Every goroutine of
// the server has ended when it returns. It may be called again.
func (s *Server) Shutdown(ctx context.Context) error {
	if s.Sockets != nil {
		s.farewell(ctx)
	}
	s.draining.Store(true)
	s.mu.Lock()
	for l := range s.listeners {
		if err := l.Close(); err != nil {
			s.log.Warn("cannot close a listener", "error", err)
		}
	}
	s.mu.Unlock()
	s.watch.drain()
	cut := s.farewellStreams(ctx)
	done := make(chan struct{})
	go func() {
		s.watch.connections.Wait()
		close(done)
	}()
	err := cut
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
		s.abandon()
		s.watch.cut()
		if s.Sockets != nil {
			s.Sockets.Cut()
		}
		<-done
	}
	if s.Sockets != nil {
		s.Sockets.Stop()
	}
	s.abandon()
	s.end.Do(func() { close(s.watch.quit) })
	s.running.Wait()
	return err
}

// farewellStreams says goodbye to the connections of HTTP/2 and HTTP/3. It returns
// ctx's error if it had to cut some.
func (s *Server) farewellStreams(ctx context.Context) error {
	s.mu.Lock()
	http3 := s.http3
	s.mu.Unlock()
	var fronts sync.WaitGroup
	var errs [2]error
	if s.http2 != nil {
		fronts.Go(func() { errs[0] = s.http2.shutdown(ctx) })
	}
	if http3 != nil {
		fronts.Go(func() { errs[1] = http3.shutdown(ctx) })
	}
	fronts.Wait()
	return cmp.Or(errs[0], errs[1])
}

// farewell says goodbye to WebSockets while requests are still taken: what
// $disconnect runs may call the gateway. It takes half of the time at most.
func (s *Server) farewell(ctx context.Context) {
	s.Sockets.Drain()
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for s.watch.sockets() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// startBackground starts what runs beside the listeners.
func (s *Server) startBackground() {
	s.running.Go(s.watch.run)
	if s.http2 != nil {
		s.running.Go(s.http2.run)
	}
}
