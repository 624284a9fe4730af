package serve

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"gatehouse/internal/plan"
)

// http3Proto is what a request came by. AWS says HTTP/1.1 of all, and so do $context
// and events.
const http3Proto = "HTTP/3.0"

// What a client of HTTP/3 may use of a connection.
const (
	// maxHTTP3Streams is how many requests it may have open at a time. One that it
	// resets counts until what works for it has ended.
	maxHTTP3Streams = 100
	// maxHTTP3UniStreams has room for the three that HTTP/3 has, and for some that
	// clients open to see whether they are ignored.
	maxHTTP3UniStreams = 10
	// http3StreamWindow and http3Window are how many bytes it may send ahead of
	// what is read, on one stream and on all.
	http3StreamWindow = 1 << 20
	http3Window       = 3 << 19
	// http3Crowd is how many connections a client has before the next ones get
	// narrowWindow for all that it may send ahead: with a gap in it nobody reads it,
	// and it stays for as long as the connection.
	http3Crowd   = 64
	narrowWindow = 64 << 10
)

const (
	// freeHandshakes is how many handshakes a second begin with clients that didn't
	// prove their address; the others prove it first, which costs them a round trip.
	freeHandshakes = 100
	// connectionIDBytes keeps the identifiers of a million connections apart.
	connectionIDBytes = 8
	// http3Age is how old a connection gets. Afterwards its client is told to make
	// another one: what it leaves there unfinished, heads of requests that don't come
	// while others do, ends with the connection. It is nginx's keepalive_time.
	http3Age = time.Hour
	// farewellTime is how long a connection is kept, after the goodbye and its last
	// response, for a client that doesn't close it itself: what is on its way may
	// have to be sent again.
	farewellTime = 2 * time.Second
)

// An http3Front serves HTTP/3, with quic-go.
type http3Front struct {
	s    *Server
	tls  *tls.Config
	quic *quic.Config
	over chan struct{} // closed when nothing is served any more
	end  sync.Once

	// entering are connections that their servers don't know yet.
	entering sync.WaitGroup

	mu        sync.Mutex
	closing   bool
	listeners []*quic.Listener
	servers   map[*http3.Server]struct{} // those of open connections
}

// An http3Conn is a connection of HTTP/3.
type http3Conn struct {
	conn
	quic *quic.Conn
	// server serves this connection alone, and can say goodbye to it alone.
	server *http3.Server
	// running is how many requests are worked on.
	running atomic.Int32

	// The watch's mutex guards these: whether the connection counts, whether hands
	// were shaken, and whether it has ended; when it began, and when its client was told
	// to make another one, zero before.
	counted, shaken, ended bool
	began, retired         time.Time
}

func newHTTP3Front(s *Server) *http3Front {
	f := &http3Front{s: s, over: make(chan struct{}), servers: map[*http3.Server]struct{}{}}
	f.tls = s.tls.Clone()
	f.tls.NextProtos = []string{http3.NextProtoH3}
	f.tls.GetConfigForClient = surviving(s, s.http3ConfigFor)
	f.tls.GetCertificate = surviving(s, f.tls.GetCertificate)
	f.quic = &quic.Config{
		// The whole handshake may take twice as long.
		HandshakeIdleTimeout: s.HeadTimeout / 2,
		// A client that has gone is noticed while a step works for it.
		MaxIdleTimeout: 2 * s.StallTimeout, KeepAlivePeriod: s.StallTimeout,
		MaxIncomingStreams: maxHTTP3Streams, MaxIncomingUniStreams: maxHTTP3UniStreams,
		MaxStreamReceiveWindow: http3StreamWindow, MaxConnectionReceiveWindow: http3Window,
	}
	narrow := f.quic.Clone()
	narrow.InitialStreamReceiveWindow, narrow.MaxStreamReceiveWindow = narrowWindow, narrowWindow
	narrow.InitialConnectionReceiveWindow, narrow.MaxConnectionReceiveWindow = narrowWindow, narrowWindow
	f.quic.GetConfigForClient = func(info *quic.ClientInfo) (*quic.Config, error) {
		if s.watch.crowds(addrPort(info.RemoteAddr).Addr()) {
			return narrow, nil
		}
		return f.quic, nil
	}
	return f
}

// newServer makes the server of one connection.
func (f *http3Front) newServer() *http3.Server {
	return &http3.Server{
		Handler:        f,
		MaxHeaderBytes: maxManagementHead,
		ConnContext: func(ctx context.Context, _ *quic.Conn) context.Context {
			f.entering.Done()
			return ctx
		},
	}
}

// http3ConfigFor is configFor for HTTP/3, over which no authority asks.
func (s *Server) http3ConfigFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	config, err := s.namedConfig(hello, nil)
	if config == nil || err != nil {
		return nil, err
	}
	config = config.Clone()
	config.NextProtos = []string{http3.NextProtoH3}
	if config.GetCertificate != nil {
		config.GetCertificate = surviving(s, config.GetCertificate)
	}
	return config, nil
}

var errPanicked = errors.New("a handshake panicked")

// surviving has what is asked in a handshake fail instead of panic: the goroutine is
// none of ours, and would take the gateway along.
func surviving[T any](s *Server, ask func(*tls.ClientHelloInfo) (*T, error)) func(*tls.ClientHelloInfo) (*T, error) {
	return func(hello *tls.ClientHelloInfo) (answer *T, err error) {
		defer func() {
			if p := recover(); p != nil {
				s.log.Error("a handshake panicked", "name", hello.ServerName, "panic", p, "stack", string(debug.Stack()))
				answer, err = nil, errPanicked
			}
		}()
		return ask(hello)
	}
}

// ServeTrafficHTTP3 serves traffic only, over HTTP/3, until Shutdown, and returns
// nil then. It closes pc.
func (s *Server) ServeTrafficHTTP3(pc net.PacketConn) error {
	if s.tls == nil {
		return errors.Join(errors.New("no certificate to serve HTTP/3 with"), pc.Close())
	}
	s.mu.Lock()
	if s.draining.Load() {
		s.mu.Unlock()
		return errors.Join(net.ErrClosed, pc.Close())
	}
	if s.http3 == nil {
		s.http3 = newHTTP3Front(s)
	}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()
	s.start.Do(s.startBackground)
	return s.http3.serve(pc)
}

// serve serves one socket.
func (f *http3Front) serve(pc net.PacketConn) (err error) {
	defer func() { err = errors.Join(err, pc.Close()) }()
	strangers := &strangers{clock: f.s.Clock}
	transport := &quic.Transport{
		Conn: pc, ConnectionIDLength: connectionIDBytes,
		VerifySourceAddress: strangers.mustProve, ConnContext: f.meet,
	}
	// Not ListenEarly: what comes before the handshake's end can be a replay.
	l, err := transport.Listen(f.tls, f.quic)
	if err != nil {
		return err
	}
	if !f.keep(l) {
		return transport.Close()
	}
	for {
		var qc *quic.Conn
		if qc, err = l.Accept(context.Background()); err != nil {
			break
		}
		go f.serveConn(qc)
	}
	if f.s.draining.Load() {
		<-f.over
		err = nil
	}
	return errors.Join(err, transport.Close())
}

// keep notes a listener for shutdown; false means that it has been.
func (f *http3Front) keep(l *quic.Listener) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closing {
		return false
	}
	f.listeners = append(f.listeners, l)
	return true
}

// strangers bounds the handshakes of a socket with clients that didn't prove
// their address. Many at a time may be a flood under made-up ones.
type strangers struct {
	clock  func() time.Time
	second int64
	met    int
}

// mustProve tells whether the next one has to. It is called by one goroutine.
func (s *strangers) mustProve(net.Addr) bool {
	if now := s.clock().Unix(); now != s.second {
		s.second, s.met = now, 0
	}
	s.met++
	return s.met > freeHandshakes
}

var errTooManyConnections = errors.New("too many connections are open")

// meet begins a connection, of which nothing is known but an address. It counts
// as the client's once the client proved to have that: by a token now, or by
// shaking hands.
func (f *http3Front) meet(ctx context.Context, client *quic.ClientInfo) (context.Context, error) {
	c := &http3Conn{}
	c.conn = conn{s: f.s, gone: make(chan struct{}), http3: c}
	c.source = addrPort(client.RemoteAddr)
	c.peer = c.source.Addr()
	c.trusted = len(f.s.TrustedProxies) > 0 && f.s.trusts(c.peer)
	w := &f.s.watch
	if client.AddrVerified {
		w.mu.Lock()
		c.counted = w.take(c.peer, c.trusted)
		w.mu.Unlock()
		if !c.counted {
			f.s.counters.refused.Add(1)
			return nil, errTooManyConnections
		}
	}
	context.AfterFunc(ctx, func() {
		if !w.part(c) {
			f.s.log.Debug("HTTP/3 handshake failed", "client", c.source, "error", context.Cause(ctx))
		}
	})
	return context.WithValue(ctx, connKey{}, c), nil
}

// admit counts and watches a connection whose client has shaken hands; false
// means that it is one too many, or has ended.
func (w *watch) admit(c *http3Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.ended {
		return false
	}
	w.s.counters.handshakes.Add(1)
	c.shaken = true
	if !c.counted && !w.take(c.peer, c.trusted) {
		w.s.counters.refused.Add(1)
		return false
	}
	c.counted = true
	c.began = w.s.Clock()
	c.enter(phaseHTTP3, c.began)
	w.follow(&c.conn)
	return true
}

// part forgets a connection that has ended, and tells whether hands were shaken.
func (w *watch) part(c *http3Conn) (shaken bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.ended = true
	if !c.shaken {
		w.s.counters.failedHandshakes.Add(1)
	}
	if c.counted {
		delete(w.all, &c.conn)
		w.give(c.peer)
		w.connections.Done()
	}
	return c.shaken
}

// serveConn serves a connection to its end.
func (f *http3Front) serveConn(qc *quic.Conn) {
	c := qc.Context().Value(connKey{}).(*http3Conn)
	c.quic, c.server = qc, f.newServer()
	code := http3.ErrCodeNoError
	defer func() { c.sever(code) }()
	defer c.survive()
	state := qc.ConnectionState().TLS
	c.state, c.handshake = &state, handshakeOf(&state)
	c.localPort = addrPort(qc.LocalAddr()).Port()
	if !f.s.watch.admit(c) {
		code = http3.ErrCodeExcessiveLoad
		return
	}
	if !f.enter(c.server) {
		return
	}
	defer f.exit(c.server)
	if err := c.server.ServeQUICConn(qc); err != nil {
		f.s.log.Debug("an HTTP/3 connection ended", "client", c.source, "error", err)
	}
	c.leave()
}

// enter announces a connection to shutdown, which waits until the server has it;
// false means that it is too late.
func (f *http3Front) enter(server *http3.Server) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closing {
		return false
	}
	f.servers[server] = struct{}{}
	f.entering.Add(1)
	return true
}

// exit forgets a connection that has ended.
func (f *http3Front) exit(server *http3.Server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.servers, server)
}

// sever ends the connection, whatever it does, and doesn't wait for it.
func (c *http3Conn) sever(code http3.ErrCode) {
	if c.quic.Context().Err() == nil {
		go func() { _ = c.quic.CloseWithError(quic.ApplicationErrorCode(code), "") }() // it never fails
	}
}

// check ends a connection on which nothing is asked, and has its client leave one that
// is old. Streams whose head doesn't come ask nothing. It runs in the watch's
// goroutine, with its mutex.
func (c *http3Conn) check(now time.Time, idle time.Duration) {
	if c.retired.IsZero() && now.Sub(c.began) > http3Age {
		c.retired = now
		// It is done with the connection.
		c.s.running.Go(func() { _ = c.server.Shutdown(c.quic.Context()) })
	}
	if c.running.Load() > 0 {
		return
	}
	gone := func(since time.Time) bool { return idle > farewellTime && now.Sub(since) > farewellTime }
	if idle > c.s.IdleTimeout || c.s.draining.Load() && gone(c.s.watch.leaving) || !c.retired.IsZero() && gone(c.retired) {
		c.expire()
	}
}

// shutdown says goodbye, lets requests finish until ctx ends and cuts the rest,
// then with ctx's error.
func (f *http3Front) shutdown(ctx context.Context) error {
	f.mu.Lock()
	f.closing = true
	listeners, servers := f.listeners, slices.Collect(maps.Keys(f.servers))
	f.listeners = nil
	f.mu.Unlock()
	for _, l := range listeners {
		if err := l.Close(); err != nil {
			f.s.log.Debug("cannot close a listener of HTTP/3", "error", err)
		}
	}
	f.entering.Wait()
	errs := make([]error, len(servers))
	var ends sync.WaitGroup
	for i, server := range servers {
		ends.Go(func() { errs[i] = server.Shutdown(ctx) })
	}
	ends.Wait()
	f.end.Do(func() { close(f.over) })
	return cmp.Or(errs...)
}

// ServeHTTP serves one stream of a connection.
func (f *http3Front) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*http3Conn)
	c.running.Add(1)
	defer func() {
		c.enter(phaseHTTP3, f.s.Clock())
		c.running.Add(-1)
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				f.s.log.Error("a request over HTTP/3 panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			}
			panic(http.ErrAbortHandler) // resets the stream
		}
	}()
	f.s.serveStream(&c.conn, rw, r)
	// What isn't written yet is now. It is little, or the client was waited for.
	if err := http.NewResponseController(rw).SetWriteDeadline(time.Now().Add(f.s.StallTimeout)); err != nil {
		f.s.log.Debug("cannot bound the end of a response", "error", err)
	}
}

// readyStream is what quic-go leaves to do for a request before it is served. Its
// client may wait for a word before it sends the body, and one that announces no
// length may have none.
func (c *http3Conn) readyStream(rw http.ResponseWriter, r *http.Request, body *limitedBody) {
	if r.ContentLength != 0 && r.ContentLength <= c.s.MaxBodyBytes && plan.EqualFold(r.Header.Get("Expect"), "100-continue") {
		rw.WriteHeader(http.StatusContinue)
	}
	if r.ContentLength < 0 && !body.begin() {
		r.ContentLength = 0
	}
}
