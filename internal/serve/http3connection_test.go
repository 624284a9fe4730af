package serve_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

// request opens a stream with a GET.
func (c http3Conn) request(path string, lines ...string) *quic.Stream {
	c.t.Helper()
	lines = append([]string{":method: GET", ":scheme: https", ":path: " + path, ":authority: " + api}, lines...)
	stream := c.open(frame(nil, frameHeaders, fields(c.t, lines...)))
	_ = stream.Close() // unless the gateway has ended it already
	return stream
}

// goodbye waits for GOAWAY on the server's control stream and returns the first
// stream that isn't served any more.
func (c http3Conn) goodbye() uint64 {
	c.t.Helper()
	ctx, cancel := timeout(c.t)
	defer cancel()
	control, err := c.AcceptUniStream(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	r := bufio.NewReader(control)
	if kind, err := quicvarint.Read(r); err != nil || kind != 0 {
		c.t.Fatalf("the server's first stream is of kind %d, %v", kind, err)
	}
	for {
		kind, err := quicvarint.Read(r)
		if err != nil {
			c.t.Fatal(err)
		}
		size, err := quicvarint.Read(r)
		if err != nil {
			c.t.Fatal(err)
		}
		if kind == 0x7 {
			id, err := quicvarint.Read(r)
			if err != nil {
				c.t.Fatal(err)
			}
			return id
		}
		if _, err := r.Discard(int(size)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// Requests in flight finish, others are turned away so that they can be asked
// elsewhere, and a client that doesn't leave is left.
func TestHTTP3Shutdown(t *testing.T) {
	a := certificate(t)
	entered, release := make(chan struct{}), make(chan struct{})
	slow := step(func(x *plan.Exchange) error {
		close(entered)
		<-release
		return answer("finished")(x)
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate}, route(t, "GET /slow", slow), route(t, "$default", answer("ok")))
	g.serveHTTP3(t)
	idle, busy := g.dialHTTP3(t, 1<<20), g.dialHTTP3(t, 1<<20)
	if got := idle.outcome(idle.request("/")); got != "200 ok" {
		t.Fatal(got)
	}
	inFlight := busy.request("/slow")
	<-entered
	done := make(chan error, 1)
	go func() { done <- g.Shutdown(context.Background()) }()
	if id := busy.goodbye(); id != 4 {
		t.Errorf("what isn't served begins with stream %d, want 4", id)
	}
	if got := busy.outcome(busy.request("/")); got != "reset 0x10b" {
		t.Errorf("a request after the goodbye: %s", got)
	}
	<-idle.Context().Done()
	var closed *quic.ApplicationError
	if err := context.Cause(idle.Context()); !errors.As(err, &closed) || closed.ErrorCode != 0x100 {
		t.Errorf("the idle connection ended with %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := quic.DialAddr(ctx, g.udp, &tls.Config{ServerName: api, NextProtos: []string{"h3"}, InsecureSkipVerify: true}, nil); err == nil {
		t.Error("a new connection was taken")
	}
	select {
	case err := <-done:
		t.Fatalf("shut down with a request in flight: %v", err)
	default:
	}
	close(release)
	if got := busy.outcome(inFlight); got != "200 finished" {
		t.Errorf("the request in flight: %s", got)
	}
	if err := busy.CloseWithError(0x100, ""); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A connection that is old is left by its client, who may go on with what it began; what
// it doesn't finish ends with it.
func TestHTTP3Age(t *testing.T) {
	a := certificate(t)
	var ahead atomic.Int64
	entered, release := make(chan struct{}), make(chan struct{})
	slow := step(func(x *plan.Exchange) error {
		close(entered)
		<-release
		return answer("finished")(x)
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate, IdleTimeout: 100 * time.Hour, Clock: func() time.Time {
		return time.Now().Add(time.Duration(ahead.Load()))
	}}, route(t, "GET /slow", slow), route(t, "$default", answer("ok")))
	g.serveHTTP3(t)
	c := g.dialHTTP3(t, 1<<20)
	unfinished := c.open([]byte{frameHeaders})
	inFlight := c.request("/slow")
	<-entered
	if got := c.outcome(c.request("/")); got != "200 ok" {
		t.Fatal(got)
	}
	ahead.Store(int64(61 * time.Minute))
	if id := c.goodbye(); id != 12 {
		t.Errorf("what isn't served begins with stream %d, want 12", id)
	}
	if got := c.outcome(c.request("/")); got != "reset 0x10b" {
		t.Errorf("a request after the goodbye: %s", got)
	}
	young := g.naming(t, api, "HTTP/3.0")
	if got := get(t, young, api); got != "200 ok" {
		t.Errorf("on another connection: %s", got)
	}
	close(release)
	if got := c.outcome(inFlight); got != "200 finished" {
		t.Errorf("the request in flight: %s", got)
	}
	ahead.Store(int64(62 * time.Minute))
	if got := c.outcome(unfinished); got != "closed 0x100" {
		t.Errorf("a head that doesn't come: %s", got)
	}
	if got := get(t, young, api); got != "200 ok" {
		t.Errorf("on a connection that isn't old: %s", got)
	}
}

// A shutdown whose time is up cuts what is left.
func TestHTTP3ShutdownCuts(t *testing.T) {
	a := certificate(t)
	entered := make(chan struct{})
	stuck := step(func(x *plan.Exchange) error {
		close(entered)
		<-x.Request.Done
		return errors.New("cut")
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate}, route(t, "$default", stuck))
	g.serveHTTP3(t)
	c := g.dialHTTP3(t, 1<<20)
	stream := c.request("/")
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := g.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if got := c.outcome(stream); got != "closed 0x100" && !strings.HasPrefix(got, "reset") {
		t.Errorf("the request that was cut: %s", got)
	}
}

// Connections of all fronts count together.
func TestHTTP3ConnectionLimit(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate, MaxConnections: 2}, route(t, "$default", answer("ok")))
	g.serveHTTP3(t)
	over := dial(t, g.addr)
	if _, err := io.WriteString(over, "GET / HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	receive(t, bufio.NewReader(over), "GET")
	tokens := quic.NewLRUTokenStore(1, 10)
	open := func() (http3Conn, error) {
		ctx, cancel := timeout(t)
		defer cancel()
		qc, err := quic.DialAddr(ctx, g.udp, &tls.Config{ServerName: api, NextProtos: []string{"h3"}, InsecureSkipVerify: true}, &quic.Config{TokenStore: tokens})
		return http3Conn{qc, t}, err
	}
	first, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if got := first.outcome(first.request("/")); got != "200 ok" {
		t.Fatal(got)
	}
	if n := g.Numbers(); n.Open != 2 || n.Handshakes != 1 || n.Refused != 0 {
		t.Errorf("%+v", n)
	}
	if got := closed(t, dial(t, g.addr)); got != "" {
		t.Errorf("a third connection over TCP got %q", got)
	}
	// The first connection brought a token that proves the address.
	var refused *quic.TransportError
	if _, err := open(); !errors.As(err, &refused) || refused.ErrorCode != quic.ConnectionRefused {
		t.Errorf("one with a token: %v", err)
	}
	stranger, err := open()
	if err != nil {
		t.Fatal(err)
	}
	<-stranger.Context().Done()
	var closed *quic.ApplicationError
	if err := context.Cause(stranger.Context()); !errors.As(err, &closed) || closed.ErrorCode != 0x107 {
		t.Errorf("one without: %v", err)
	}
	if n := g.Numbers(); n.Open != 2 || n.Handshakes != 2 || n.Refused < 3 { // a client may try twice
		t.Errorf("%+v", n)
	}
	if err := over.Close(); err != nil {
		t.Fatal(err)
	}
	g.awaitOpen(t, 1)
	last, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if got := last.outcome(last.request("/")); got != "200 ok" {
		t.Errorf("once another had ended: %s", got)
	}
}

// awaitOpen waits until so many connections are open.
func (g *gateway) awaitOpen(t *testing.T, want int) {
	t.Helper()
	for deadline := time.Now().Add(patience); g.Numbers().Open != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are open, want %d", g.Numbers().Open, want)
		}
	}
}

// A retrySpy is a socket that notices whether its owner was asked to prove its
// address.
type retrySpy struct {
	net.PacketConn
	seen atomic.Bool
}

func (s *retrySpy) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := s.PacketConn.ReadFrom(p)
	if n > 0 && p[0]&0xf0 == 0xf0 {
		s.seen.Store(true)
	}
	return n, from, err
}

// Many clients in a second that didn't prove their address have to.
func TestHTTP3AddressValidation(t *testing.T) {
	a := certificate(t)
	var now atomic.Int64
	now.Store(time.Now().Unix())
	g := startGateway(t, serve.Options{Certificate: a.Certificate, Clock: func() time.Time { return time.Unix(now.Load(), 0) }}, route(t, "$default", answer("ok")))
	g.serveHTTP3(t)
	to, err := net.ResolveUDPAddr("udp", g.udp)
	if err != nil {
		t.Fatal(err)
	}
	proves := func() bool {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer pc.Close()
		spy := &retrySpy{PacketConn: pc}
		tr := &quic.Transport{Conn: spy}
		defer tr.Close()
		ctx, cancel := timeout(t)
		defer cancel()
		qc, err := tr.Dial(ctx, to, &tls.Config{ServerName: api, NextProtos: []string{"h3"}, InsecureSkipVerify: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := http3Conn{qc, t}
		if got := c.outcome(c.request("/")); got != "200 ok" {
			t.Error(got)
		}
		if err := c.CloseWithError(0x100, ""); err != nil {
			t.Error(err)
		}
		return spy.seen.Load()
	}
	for i := range 103 {
		if got := proves(); got != (i >= 100) {
			t.Errorf("client %d of a second proves its address: %v", i+1, got)
		}
	}
	now.Add(1)
	if proves() {
		t.Error("so does the first one of the next second")
	}
}

// A body that doesn't come, or byte by byte, is answered.
func TestHTTP3StalledBody(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{StallTimeout: 200 * time.Millisecond, Certificate: a.Certificate}, route(t, "$default", step(echo)))
	g.serveHTTP3(t)
	c := g.dialHTTP3(t, 1<<20)
	head := func(more ...string) []byte {
		return frame(nil, frameHeaders, fields(t, append([]string{":method: POST", ":scheme: https", ":path: /", ":authority: " + api}, more...)...))
	}
	for name, raw := range map[string][]byte{
		"nothing of it":               head(),
		"nothing of what's announced": head("content-length: 10"),
		"half":                        frame(head("content-length: 10"), frameData, []byte("half")),
		"half a frame":                append(head(), frameData, 10, 'h'),
	} {
		if got := c.outcome(c.open(raw)); !strings.HasPrefix(got, "500") {
			t.Errorf("%s: %s", name, got)
		}
	}
	stream := c.open(head())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(10 * time.Millisecond) // 100 bytes a second
		defer tick.Stop()
		for range tick.C {
			if _, err := stream.Write([]byte{frameData, 1, 'b'}); err != nil {
				return
			}
		}
	}()
	if got := c.outcome(stream); !strings.HasPrefix(got, "500") {
		t.Errorf("byte by byte: %s", got)
	}
	<-ended
}

// Whom a request is from is who sends it now, or who a trusted proxy says.
func TestHTTP3Source(t *testing.T) {
	a := certificate(t)
	source := step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.Body = 200, []byte(x.Request.Source.String())
		return nil
	})
	for proxies, forwarded := range map[string]string{"10.0.0.0/8": "", "127.0.0.0/8": "192.0.2.7:0"} {
		g := startGateway(t, serve.Options{Certificate: a.Certificate, TrustedProxies: []netip.Prefix{netip.MustParsePrefix(proxies)}}, route(t, "$default", source))
		g.serveHTTP3(t)
		home, away := newTransport(t), newTransport(t)
		to, err := net.ResolveUDPAddr("udp", g.udp)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := timeout(t)
		defer cancel()
		qc, err := home.Dial(ctx, to, &tls.Config{ServerName: api, NextProtos: []string{"h3"}, InsecureSkipVerify: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := http3Conn{qc, t}
		ask := func(from net.Addr) {
			t.Helper()
			want := "200 " + cmp.Or(forwarded, from.String())
			// The first request after a move may be what tells the gateway of it.
			got := ""
			for range 10 {
				if got = c.outcome(c.request("/", "x-forwarded-for: 192.0.2.7")); got == want {
					return
				}
			}
			t.Errorf("trusting %s: %s, want %s", proxies, got, want)
		}
		ask(home.Conn.LocalAddr())
		path, err := c.AddPath(away)
		if err != nil {
			t.Fatal(err)
		}
		if err := path.Probe(ctx); err != nil {
			t.Fatal(err)
		}
		if err := path.Switch(); err != nil {
			t.Fatal(err)
		}
		ask(away.Conn.LocalAddr())
		if err := c.CloseWithError(0x100, ""); err != nil {
			t.Error(err)
		}
	}
}

// newTransport is a socket of a client.
func newTransport(t *testing.T) *quic.Transport {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tr := &quic.Transport{Conn: pc}
	t.Cleanup(func() {
		if err := errors.Join(tr.Close(), pc.Close()); err != nil {
			t.Error(err)
		}
	})
	return tr
}

// A client with many connections may send little ahead of what is read on the next
// ones: what it leaves there stays.
func TestHTTP3Crowd(t *testing.T) {
	a := certificate(t)
	release := make(chan struct{})
	deaf := step(func(*plan.Exchange) error { <-release; return errors.New("unread") })
	g := startGateway(t, serve.Options{Certificate: a.Certificate}, route(t, "$default", deaf))
	g.serveHTTP3(t)
	defer close(release)
	// ahead sends for as long as it takes for so many bytes, and then for a moment.
	ahead := func(c http3Conn, least int) (n int) {
		stream := c.open(frame(nil, frameHeaders, fields(t, ":method: POST", ":scheme: https", ":path: /", ":authority: "+api)))
		piece := frame(nil, frameData, make([]byte, 1<<10))
		for {
			limit := patience
			if n >= least {
				limit = 300 * time.Millisecond
			}
			if err := stream.SetWriteDeadline(time.Now().Add(limit)); err != nil {
				t.Fatal(err)
			}
			sent, err := stream.Write(piece)
			if n += sent; err != nil {
				return n
			}
		}
	}
	if n := ahead(g.dialHTTP3(t, 1<<20), 200<<10); n < 200<<10 {
		t.Errorf("the first connection may send %d bytes ahead", n)
	}
	for range 63 {
		g.dialHTTP3(t, 1<<20)
	}
	g.awaitOpen(t, 64)
	if n := ahead(g.dialHTTP3(t, 1<<20), 50<<10); n > 70<<10 || n < 50<<10 {
		t.Errorf("the 65th connection may send %d bytes ahead", n)
	}
}
