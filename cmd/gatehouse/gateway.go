package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/control/apigatewayv2"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/serve"
)

// What lies in the data directory beside the database and the sealing key.
const (
	codeDir    = "code"
	logsDir    = "logs"
	tlsDir     = "tls"
	runtimeDir = "runtime"
	usageDir   = "usage"
	trustDir   = "truststores"

	ticketsFile  = tlsDir + "/tickets"   // the keys of session tickets, sealed
	authorityDir = tlsDir + "/authority" // what certificates are issued by
)

// A gateway is everything that runs, in the order it was started; Close stops
// it in the opposite one.
type gateway struct {
	addr   net.Addr
	failed chan error
	// closers stop the parts; the last one started stops first.
	closers []closer
}

type closer struct {
	name  string
	close func(context.Context) error
}

// start brings up a gateway. Functions' output goes to terminal.
func start(ctx context.Context, c config, log *slog.Logger, terminal io.Writer) (_ *gateway, err error) {
	g := &gateway{failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close(context.WithoutCancel(ctx)))
		}
	}()

	// The addresses first: a port that is taken is the most likely trouble, and
	// the port is part of what is handed out.
	l, err := g.listen(c)
	if err != nil {
		return nil, err
	}
	parts, err := g.open(ctx, c, log, terminal, g.endpoint(c, l))
	if err != nil {
		return nil, err
	}
	if err := g.serve(c, log, l, parts); err != nil {
		return nil, err
	}
	if err := g.serveDNS(c, log, l, parts.zones, parts.texts); err != nil {
		return nil, err
	}
	// Orders end first: an authority that finds nobody to answer counts a failure.
	g.onClose("orders of certificates", func(context.Context) error { parts.orders(); return nil })
	return g, nil
}

// Addr is where management listens.
func (g *gateway) Addr() string { return g.addr.String() }

// ownURL is management as a function on this machine reaches it.
func (g *gateway) ownURL() string {
	if tcp, ok := g.addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return "http://" + g.Addr()
}

// Failed yields the error of a listener that failed.
func (g *gateway) Failed() <-chan error { return g.failed }

// Close stops everything: no new requests, those in flight finish until ctx
// ends, then functions, logs and the store. It may be called again.
func (g *gateway) Close(ctx context.Context) error {
	var errs []error
	for len(g.closers) > 0 {
		last := g.closers[len(g.closers)-1]
		g.closers = g.closers[:len(g.closers)-1]
		if err := last.close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", last.name, err))
		}
	}
	return errors.Join(errs...)
}

func (g *gateway) onClose(name string, f func(context.Context) error) {
	g.closers = append(g.closers, closer{name, f})
}

// listeners are the sockets of a gateway.
type listeners struct {
	shared              net.Listener
	traffic, trafficTLS []net.Listener
	private             []net.Listener   // of config.endpoints
	http3               []net.PacketConn // those beside trafficTLS, if any
	dns                 *dnsListener     // nil where no queries are answered
}

func (g *gateway) listen(c config) (listeners, error) {
	var l listeners
	open := func(addr string) (net.Listener, error) {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", addr, err)
		}
		g.onClose("listener "+addr, unlessClosed(ln))
		return ln, nil
	}
	var err error
	if l.shared, err = open(c.Listen); err != nil {
		return l, err
	}
	g.addr = l.shared.Addr()
	for _, addr := range c.Traffic {
		ln, err := open(addr)
		if err != nil {
			return l, err
		}
		l.traffic = append(l.traffic, ln)
	}
	for _, addr := range c.TrafficTLS {
		if !c.HTTP3 {
			ln, err := open(addr)
			if err != nil {
				return l, err
			}
			l.trafficTLS = append(l.trafficTLS, ln)
			continue
		}
		ln, pc, err := listenHTTP3(addr)
		if err != nil {
			return l, err
		}
		g.onClose("listener "+addr, unlessClosed(ln))
		g.onClose("socket of HTTP/3", unlessClosed(pc))
		l.trafficTLS, l.http3 = append(l.trafficTLS, ln), append(l.http3, pc)
	}
	for _, p := range c.endpoints {
		ln, err := open(p.address)
		if err != nil {
			return l, err
		}
		l.private = append(l.private, ln)
	}
	l.dns, err = g.listenDNS(c)
	return l, err
}

// listenHTTP3 opens a listener for TLS and the socket of HTTP/3 beside it, which
// has the same port.
func listenHTTP3(addr string) (net.Listener, net.PacketConn, error) {
	const tries = 16 // a port that is chosen for the one may be taken for the other
	for try := 1; ; try++ {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, nil, fmt.Errorf("listen on %s: %w", addr, err)
		}
		pc, err := net.ListenPacket("udp", ln.Addr().String())
		if err == nil {
			return ln, pc, nil
		}
		err = errors.Join(fmt.Errorf("listen on %s for HTTP/3: %w", ln.Addr(), err), ln.Close())
		if _, port, _ := net.SplitHostPort(addr); port != "0" || try == tries {
			return nil, nil, err
		}
	}
}

// unlessClosed closes what may have been closed already.
func unlessClosed(c io.Closer) func(context.Context) error {
	return func(context.Context) error {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

// endpoint is the address that APIs are told to be reached at: the listener for
// traffic if there is one, the shared one otherwise.
func (g *gateway) endpoint(c config, l listeners) apigatewayv2.Endpoint {
	e := apigatewayv2.Endpoint{Scheme: "http", Domain: c.Domain, Port: port(l.shared)}
	switch {
	case len(l.trafficTLS) > 0:
		e.Scheme, e.Port = "https", port(l.trafficTLS[0])
	case len(l.traffic) > 0:
		e.Port = port(l.traffic[0])
	}
	return e
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// serve starts the server on all listeners.
func (g *gateway) serve(c config, log *slog.Logger, l listeners, p *parts) error {
	proxies, err := c.trustedProxies()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Bits() == 0 }) {
		log.Warn("--trusted-proxies trusts everybody: whoever connects to a listener for traffic can name any address as the client's")
	}
	connections, perClient := c.fitConnections(maxDescriptors(), log)
	var server *serve.Server
	server = serve.New(serve.Options{
		Plan:       p.compiler.Published(),
		Management: p.management,
		// Whoever runs the gateway for himself calls his private APIs, too.
		SharedPrivate: c.loopback(),
		Pages:         p.pages(func() serve.Numbers { return server.Numbers() }),
		UserPools:     p.userPools,
		Certificate:   p.certificates.Certificate,
		Tickets:       p.tickets,
		Challenges:    p.challenges,
		Connections:   p.connections,
		Sockets:       p.sockets,
		Logger:        log,
		ShowReasons:   c.Explain && c.loopback(),

		TrustedProxies: proxies, ProxyProtocol: c.ProxyProtocol,
		MaxConnections: connections, MaxPerClient: perClient, MaxHeldBytes: c.MaxHeldMiB << 20,
		MaxBodyBytes: c.limits.bodyBytes, MaxHeadBytes: c.limits.headBytes,
	})
	g.onClose("server", server.Shutdown)
	p.tester.server = server
	run := func(addr net.Addr, f func() error) {
		go func() {
			if err := f(); err != nil {
				select {
				case g.failed <- fmt.Errorf("serve %s %s: %w", addr.Network(), addr, err):
				default: // one failure is enough to stop for
				}
			}
		}()
	}
	run(l.shared.Addr(), func() error { return server.Serve(l.shared) })
	for _, ln := range l.traffic {
		log.Info("serving traffic", "address", ln.Addr().String(), "tls", false)
		run(ln.Addr(), func() error { return server.ServeTraffic(ln) })
	}
	for i, ln := range l.trafficTLS {
		http3 := 0
		if len(l.http3) > 0 {
			http3 = cmp.Or(c.HTTP3Port, port(ln))
			run(ln.Addr(), func() error { return server.ServeTrafficHTTP3(l.http3[i]) })
		}
		log.Info("serving traffic", "address", ln.Addr().String(), "tls", true, "http3", http3 != 0)
		run(ln.Addr(), func() error { return server.ServeTrafficTLS(ln, http3) })
	}
	for i, ln := range l.private {
		entrance := c.endpoints[i].entrance
		log.Info("serving private traffic", "address", ln.Addr().String(), "endpoint", entrance.VPCEndpoint, "vpc", entrance.VPC)
		run(ln.Addr(), func() error { return server.ServePrivate(ln, entrance) })
	}
	return nil
}

// pages are the gateway's own, below /_gatehouse/.
func (p *parts) pages(numbers func() serve.Numbers) http.Handler {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /_gatehouse/health", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok","version":"`+strings.ReplaceAll(version, `"`, "")+`"}`+"\n")
	})
	pages.Handle("GET /_gatehouse/metrics", p.metricsPage(numbers))
	pages.HandleFunc(lambda.CodePathPrefix, p.lambda.ServeCode)
	return pages
}
