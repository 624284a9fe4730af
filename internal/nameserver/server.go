package nameserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/netutil"
)

// Limits of what strangers can ask for.
const (
	// maxUDP is the longest answer over UDP. It fits into a packet everywhere, and
	// bounds what a forged question can send to somebody else.
	maxUDP = 1232
	// maxConnections are the TCP connections that may be open, maxQueries the
	// questions on one of them.
	maxConnections = 256
	maxQueries     = 128
	tcpTimeout     = 5 * time.Second
)

// Options are what a Server works with.
type Options struct {
	Zones   Zones    // required
	Gateway *Gateway // nil means that no name leads to the gateway
	Texts   *Texts   // nil means that there are no records but the zones'
	// Log takes what goes wrong; nil discards it.
	Log *slog.Logger
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
}

// A Server answers queries over UDP and TCP.
type Server struct {
	o        Options
	limiter  *limiter
	udp, tcp *dns.Server
	running  sync.WaitGroup
}

// Listen opens the address, host and port, over UDP and TCP. Port 0 is one that
// is free for both.
func Listen(addr string) (net.PacketConn, net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, err
	}
	const tries = 16 // a port that one has may be taken for the other
	for try := 0; ; try++ {
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, nil, err
		}
		_, got, _ := net.SplitHostPort(tcp.Addr().String())
		udp, err := net.ListenPacket("udp", net.JoinHostPort(host, got))
		if err == nil {
			return udp, tcp, nil
		}
		if err := errors.Join(err, tcp.Close()); port != "0" || try == tries {
			return nil, nil, err
		}
	}
}

// Serve answers on both until Shutdown. Failures of a listener are sent to
// failed, which must have room for two.
func Serve(o Options, udp net.PacketConn, tcp net.Listener, failed chan<- error) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	s := &Server{o: o, limiter: newLimiter(o.Clock)}
	s.udp = &dns.Server{PacketConn: udp, Handler: s, UDPSize: maxUDP}
	s.tcp = &dns.Server{
		Listener: netutil.LimitListener(fairListener(tcp), maxConnections), Handler: s, MaxTCPQueries: maxQueries,
		ReadTimeout: tcpTimeout, WriteTimeout: tcpTimeout, IdleTimeout: func() time.Duration { return tcpTimeout },
	}
	for _, server := range [...]*dns.Server{s.udp, s.tcp} {
		started := make(chan struct{})
		server.NotifyStartedFunc = sync.OnceFunc(func() { close(started) })
		s.running.Go(func() {
			err := server.ActivateAndServe()
			server.NotifyStartedFunc()
			if err != nil {
				failed <- err
			}
		})
		<-started // Shutdown of one that hasn't started does nothing
	}
	return s
}

// Shutdown stops answering and closes what Serve was given.
func (s *Server) Shutdown(ctx context.Context) error {
	err := errors.Join(s.udp.ShutdownContext(ctx), s.tcp.ShutdownContext(ctx))
	if err == nil {
		s.running.Wait()
	}
	return err
}

// ServeDNS answers one query.
func (s *Server) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.Error("an answer to a DNS query panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	reply, from := s.answer(query)
	limit := dns.MinMsgSize
	if edns := query.IsEdns0(); edns != nil {
		limit = max(limit, min(int(edns.UDPSize()), maxUDP))
		reply.SetEdns0(maxUDP, false)
		if edns.Version() != 0 {
			reply.Rcode, reply.Answer, reply.Ns = dns.RcodeBadVers, nil, nil
		}
	}
	if client, ok := w.RemoteAddr().(*net.UDPAddr); ok {
		denies := reply.Rcode != dns.RcodeSuccess || len(reply.Answer) == 0 && reply.Authoritative
		switch s.limiter.judge(client.AddrPort().Addr().Unmap(), from, denies) {
		case drop:
			return
		case slip:
			reply.Truncated, reply.Answer, reply.Ns = true, nil, nil
			reply.Extra = slices.DeleteFunc(reply.Extra, func(rr dns.RR) bool { return rr.Header().Rrtype != dns.TypeOPT })
		}
	} else {
		limit = dns.MaxMsgSize
	}
	reply.Truncate(limit)
	if err := w.WriteMsg(reply); err != nil {
		s.o.Log.Debug("a DNS answer couldn't be sent", "error", err)
	}
}

// answer makes the reply to a query. from is the name that it comes from or, if
// it denies, the zone's.
func (s *Server) answer(query *dns.Msg) (reply *dns.Msg, from string) {
	reply = new(dns.Msg).SetReply(query)
	reply.RecursionAvailable = false
	switch {
	case query.Opcode != dns.OpcodeQuery:
		reply.Rcode = dns.RcodeNotImplemented
	case len(query.Question) != 1:
		reply.Rcode = dns.RcodeFormatError
	case query.Question[0].Qclass != dns.ClassINET, isTransfer(query.Question[0].Qtype):
		reply.Rcode = dns.RcodeRefused
	default:
		var ok bool
		if from, ok = resolve(&s.o, reply, query.Question[0]); !ok {
			reply.Rcode = dns.RcodeRefused
		}
	}
	return reply, from
}

// isTransfer tells a question for a whole zone, which is its owner's alone.
func isTransfer(qtype uint16) bool { return qtype == dns.TypeAXFR || qtype == dns.TypeIXFR }
