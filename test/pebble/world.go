package pebble

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A World is the DNS outside: every name has the loopback address, but for those
// that lead elsewhere, and TXT records are the gateway's to answer.
type World struct {
	// Addr is where it answers, over UDP and TCP.
	Addr string
	// Gateway is the gateway's listener of DNS queries, "" if it has none.
	Gateway string

	mu     sync.Mutex
	lost   bool
	cnames map[string]string
}

// NewWorld starts one, which ends with the test.
func NewWorld(t testing.TB) *World {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Addr: l.Addr().String(), cnames: map[string]string{}}
	for _, server := range [...]*dns.Server{{Listener: l, Handler: w}, {PacketConn: u, Handler: w}} {
		go func() { _ = server.ActivateAndServe() }() // until it is shut down
		t.Cleanup(func() { _ = server.Shutdown() })
	}
	return w
}

// Lose has all names lead to where nobody listens, or back.
func (w *World) Lose(lost bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = lost
}

// CNAME gives a name a CNAME. Both end in a dot.
func (w *World) CNAME(name, target string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cnames[name] = target
}

// ServeDNS answers as the resolver of the world.
func (w *World) ServeDNS(rw dns.ResponseWriter, q *dns.Msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := new(dns.Msg).SetReply(q)
	name := dns.CanonicalName(q.Question[0].Name)
	if target := w.cnames[name]; target != "" {
		a.Answer = append(a.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: target})
		name = target
	}
	switch qtype := q.Question[0].Qtype; {
	case qtype == dns.TypeA:
		ip := net.IPv4(127, 0, 0, 1)
		if w.lost {
			ip = net.IPv4(127, 0, 0, 99)
		}
		a.Answer = append(a.Answer, &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: ip})
	case qtype == dns.TypeTXT && w.Gateway != "":
		client := dns.Client{Timeout: 10 * time.Second}
		if found, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeTXT), w.Gateway); err == nil {
			a.Answer, a.Rcode = append(a.Answer, found.Answer...), found.Rcode
		}
	}
	_ = rw.WriteMsg(a) // who asked will ask again
}
