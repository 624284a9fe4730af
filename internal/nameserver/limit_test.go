package nameserver

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// limiterWithoutChance is one in which the few things that TestLimit counts don't
// share cells.
func limiterWithoutChance(t *testing.T, clock func() time.Time) *limiter {
	t.Helper()
	for range 100 {
		l := newLimiter(clock)
		cells := map[any]bool{}
		counted := 0
		for _, client := range []string{"192.0.2.1", "198.51.100.1", "2001:db8:1:1::1", "2001:db8:2::1"} {
			for _, from := range []string{"a.example.test.", "b.example.test."} {
				for _, denies := range []bool{false, true} {
					same, _ := l.cells(networkOf(netip.MustParseAddr(client)), from, denies)
					cells[same] = true
					counted++
				}
			}
			_, all := l.cells(networkOf(netip.MustParseAddr(client)), "", false)
			cells[all] = true
			counted++
		}
		if len(cells) == counted {
			return l
		}
	}
	t.Fatal("counts always share cells")
	return nil
}

// TestLimit asks as a flood would, and as resolvers do.
func TestLimit(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := limiterWithoutChance(t, func() time.Time { return at })
	client := netip.MustParseAddr
	sent := func(n int, client netip.Addr, from func(i int) string, denies bool) (sent, slipped int) {
		for i := range n {
			switch l.judge(client, from(i), denies) {
			case send:
				sent++
			case slip:
				slipped++
			}
		}
		return sent, slipped
	}
	same := func(int) string { return "a.example.test." }
	for _, tt := range []struct {
		name          string
		client        string
		from          func(int) string
		denies        bool
		after         time.Duration
		asked         int
		sent, slipped int
	}{
		{"one name", "192.0.2.1", same, false, 0, 300, 100, 100},
		{"a neighbour is of the same network", "192.0.2.77", same, false, 0, 10, 0, 5},
		{"another network", "198.51.100.1", same, false, 0, 100, 100, 0},
		{"another name", "192.0.2.1", func(int) string { return "b.example.test." }, false, 0, 100, 100, 0},
		{"a denial is counted apart", "192.0.2.1", same, true, 0, 100, 100, 0},
		{"a second later", "192.0.2.1", same, false, time.Second, 40, 20, 10},
		{"a minute later", "192.0.2.1", same, false, time.Minute, 100, 100, 0},
		{"IPv6", "2001:db8:1:1::1", same, false, 0, 100, 100, 0},
		{"the same /56", "2001:db8:1:2::1", same, false, 0, 10, 0, 5},
		{"another /56", "2001:db8:2::1", same, false, 0, 10, 10, 0},
		{"many names", "203.0.113.9", func(i int) string { return fmt.Sprint(i, ".example.test.") }, false, time.Minute, 1500, 1000, 250},
		{"this machine", "127.0.0.1", same, false, 0, 2000, 2000, 0},
		{"this machine by IPv6", "::1", same, false, 0, 2000, 2000, 0},
	} {
		at = at.Add(tt.after)
		if sent, slipped := sent(tt.asked, client(tt.client), tt.from, tt.denies); sent != tt.sent || slipped != tt.slipped {
			t.Errorf("%s: of %d, %d are sent and %d slip, want %d and %d", tt.name, tt.asked, sent, slipped, tt.sent, tt.slipped)
		}
	}
}

// TestWhatIsCounted asks for names that strangers make up: they count as what
// their answers come from.
func TestWhatIsCounted(t *testing.T) {
	s := &Server{o: Options{Zones: testZones(), Gateway: testGateway()}}
	for name, want := range map[string]string{
		"a.example.test.":         "a.example.test.",
		"A.Example.TEST.":         "a.example.test.",
		"x1.wild.example.test.":   "*.wild.example.test.",
		"x2.y.wild.example.test.": "*.wild.example.test.",
		"www.example.test.":       "www.example.test.",
		"alias.example.test.":     "alias.example.test.",
		"none1.example.test.":     "example.test.",
		"x.sub.example.test.":     "sub.example.test.",
		"tree.example.test.":      "example.test.", // a name without records
		"elsewhere.invalid.":      "",
	} {
		if _, from := s.answer(new(dns.Msg).SetQuestion(name, dns.TypeA)); from != want {
			t.Errorf("%s counts as %q, want %q", name, from, want)
		}
	}
	for _, name := range []string{"none.example.test.", "a.example.test."} {
		if _, from := s.answer(new(dns.Msg).SetQuestion(name, dns.TypeANY)); from != "example.test." {
			t.Errorf("ANY of %s counts as %q", name, from)
		}
	}
}

// A writer takes answers for a client that isn't there.
type writer struct {
	dns.ResponseWriter
	client net.Addr
	got    []*dns.Msg
}

func (w *writer) RemoteAddr() net.Addr { return w.client }

func (w *writer) WriteMsg(m *dns.Msg) error {
	w.got = append(w.got, m)
	return nil
}

// TestSlips looks at what a forged sender gets: nothing longer than its question,
// and the way to TCP, where there is no limit.
func TestSlips(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return at }
	s := &Server{o: Options{Zones: testZones(), Gateway: testGateway()}, limiter: newLimiter(clock)}
	query := new(dns.Msg).SetQuestion("long.example.test.", dns.TypeTXT)
	query.SetEdns0(4096, true)
	w := &writer{client: &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}}
	for range sameBurst + 10 {
		s.ServeDNS(w, query)
	}
	if len(w.got) != sameBurst+5 {
		t.Fatalf("%d answers, want %d", len(w.got), sameBurst+5)
	}
	for _, m := range w.got[sameBurst:] {
		if !m.Truncated || m.Rcode != dns.RcodeSuccess || len(m.Answer)+len(m.Ns) > 0 || m.Len() > query.Len() {
			t.Errorf("%d bytes for %d: %v", m.Len(), query.Len(), m)
		}
	}
	w = &writer{client: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}}
	for range sameBurst + 10 {
		s.ServeDNS(w, query)
	}
	if len(w.got) != sameBurst+10 || w.got[sameBurst+9].Truncated {
		t.Errorf("over TCP: %d answers", len(w.got))
	}
}

// A crowd is a listener to which connections come from an address.
type crowd struct {
	net.Listener
	from chan net.IP
}

type visitor struct {
	net.Conn
	from net.IP
}

func (c crowd) Accept() (net.Conn, error) {
	from, ok := <-c.from
	if !ok {
		return nil, net.ErrClosed
	}
	return visitor{from: from}, nil
}

func (v visitor) RemoteAddr() net.Addr { return &net.TCPAddr{IP: v.from, Port: 1} }

func (v visitor) Close() error { return nil }

// TestFairListener has one network come again and again, and another once.
func TestFairListener(t *testing.T) {
	c := crowd{from: make(chan net.IP, 64)}
	l := fairListener(c)
	for i := range maxPerNetwork + 5 {
		c.from <- net.IPv4(192, 0, 2, byte(i))
	}
	c.from <- net.IPv4(198, 51, 100, 1)
	var first net.Conn
	for i := range maxPerNetwork + 1 {
		got, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if from := got.RemoteAddr().(*net.TCPAddr).IP.String(); (from == "198.51.100.1") != (i == maxPerNetwork) {
			t.Errorf("connection %d is from %s", i, from)
		}
	}
	// Closing twice, as servers do, makes room for one.
	_, _ = first.Close(), first.Close()
	for i := range 2 {
		c.from <- net.IPv4(192, 0, 2, byte(100+i))
	}
	close(c.from)
	if got, err := l.Accept(); err != nil || got.RemoteAddr().(*net.TCPAddr).IP[15] != 100 {
		t.Errorf("after one went: %v, %v", got, err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("two came for one that went")
	}
}

// panicking are zones with one that panics.
type panicking struct{}

func (panicking) Zone(name string) (*Zone, bool) { panic("a zone like " + name) }

// TestPanic has an answer panic: others are answered all the same.
func TestPanic(t *testing.T) {
	w := &writer{client: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}}
	s := &Server{o: Options{Zones: panicking{}, Log: slog.New(slog.DiscardHandler)}}
	s.ServeDNS(w, new(dns.Msg).SetQuestion("a.example.test.", dns.TypeA))
	if len(w.got) != 0 {
		t.Errorf("answered %v", w.got)
	}
}
