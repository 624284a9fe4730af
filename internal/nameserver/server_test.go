package nameserver

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// table is zones by name.
type table map[string]*Zone

func (t table) Zone(name string) (*Zone, bool) { z, ok := t[name]; return z, ok }

func values(rrtype string, ttl uint32, values ...string) Set {
	return Set{Type: rrtype, TTL: ttl, Values: values}
}

func testZones() table {
	long := Set{Type: "TXT", TTL: 60}
	for i := range 40 {
		long.Values = append(long.Values, fmt.Sprintf("%q", strings.Repeat("x", 60)+fmt.Sprint(i)))
	}
	zone := NewZone("example.test.").With(map[string][]Set{
		"example.test.": {
			values("SOA", 900, "ns-1.test. admin.test. 1 7200 900 1209600 300"),
			values("NS", 172800, "ns-1.test."),
			{Type: "A", Alias: "d-1.execute-api.us-east-1.amazonaws.com."},
			{Type: "AAAA", Alias: "d-1.execute-api.us-east-1.amazonaws.com."},
		},
		"www.example.test.":        {values("CNAME", 60, "a.example.test")},
		"a.example.test.":          {values("A", 30, "192.0.2.1", "192.0.2.2")},
		"*.wild.example.test.":     {values("A", 30, "192.0.2.3"), values("TXT", 30, `"w"`)},
		"deep.tree.example.test.":  {values("A", 30, "192.0.2.4")},
		"out.example.test.":        {values("CNAME", 60, "elsewhere.invalid.")},
		"api.example.test.":        {values("CNAME", 60, "d-1.execute-api.us-east-1.amazonaws.com.")},
		"loop.example.test.":       {values("CNAME", 60, "loop2.example.test.")},
		"loop2.example.test.":      {values("CNAME", 60, "loop.example.test.")},
		"alias.example.test.":      {{Type: "A", Alias: "a.example.test."}},
		"aliasloop.example.test.":  {{Type: "A", Alias: "aliasloop.example.test."}},
		"nowhere.example.test.":    {{Type: "A", Alias: "gone.invalid."}},
		"sub.example.test.":        {values("NS", 300, "ns.sub.example.test."), values("DS", 300, "12345 3 1 123456789abcdef67890123456789abcdef67890")},
		"ns.sub.example.test.":     {values("A", 300, "192.0.2.53")},
		"long.example.test.":       {long},
		"failover.example.test.":   {{Type: "A", TTL: 1, Values: []string{"192.0.2.7"}, Policy: Ranked}, {Type: "A", TTL: 1, Values: []string{"192.0.2.8"}, Policy: Ranked, Preferred: true}},
		"multivalue.example.test.": {{Type: "A", TTL: 1, Values: []string{"192.0.2.7"}, Policy: Multivalue}, {Type: "A", TTL: 1, Values: []string{"192.0.2.8"}, Policy: Multivalue}},
	})
	return table{"example.test.": zone}
}

func testGateway() *Gateway {
	return &Gateway{
		Leads:     func(name string) bool { return strings.HasSuffix(name, ".amazonaws.com.") },
		Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("2001:db8::1")},
	}
}

func startServer(t *testing.T) string {
	t.Helper()
	udp, tcp, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 2)
	s := Serve(Options{Zones: testZones(), Gateway: testGateway()}, udp, tcp, failed)
	t.Cleanup(func() {
		if err := s.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		s.running.Wait()
		select {
		case err := <-failed:
			t.Error(err)
		default:
		}
	})
	return udp.LocalAddr().String()
}

// told prints what an answer says, without the parts that are always the same.
func told(m *dns.Msg) string {
	var b strings.Builder
	b.WriteString(dns.RcodeToString[m.Rcode])
	if m.Authoritative {
		b.WriteString(" aa")
	}
	if m.Truncated {
		b.WriteString(" tc")
	}
	for i, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			if rr.Header().Rrtype == dns.TypeOPT {
				continue
			}
			b.WriteString([]string{"; ", "; authority ", "; additional "}[i] + strings.Join(strings.Fields(rr.String()), " "))
		}
	}
	return b.String()
}

const soa = "; authority example.test. 300 IN SOA ns-1.test. admin.test. 1 7200 900 1209600 300"

func TestAnswers(t *testing.T) {
	addr := startServer(t)
	for _, tt := range []struct{ name, rrtype, want string }{
		{"a.example.test.", "A", "NOERROR aa; a.example.test. 30 IN A 192.0.2.1; a.example.test. 30 IN A 192.0.2.2"},
		{"A.Example.TEST.", "A", "NOERROR aa; A.Example.TEST. 30 IN A 192.0.2.1; A.Example.TEST. 30 IN A 192.0.2.2"},
		{"a.example.test.", "AAAA", "NOERROR aa" + soa},
		{"none.example.test.", "A", "NXDOMAIN aa" + soa},
		{"tree.example.test.", "A", "NOERROR aa" + soa}, // exists for what is below it
		{"other.test.", "A", "REFUSED"},
		{"test.", "A", "REFUSED"},
		{".", "NS", "REFUSED"},
		{"www.example.test.", "A", "NOERROR aa; www.example.test. 60 IN CNAME a.example.test.; a.example.test. 30 IN A 192.0.2.1; a.example.test. 30 IN A 192.0.2.2"},
		{"www.example.test.", "CNAME", "NOERROR aa; www.example.test. 60 IN CNAME a.example.test."},
		{"out.example.test.", "A", "NOERROR aa; out.example.test. 60 IN CNAME elsewhere.invalid."},
		{"q.wild.example.test.", "A", "NOERROR aa; q.wild.example.test. 30 IN A 192.0.2.3"},
		{"p.q.wild.example.test.", "TXT", `NOERROR aa; p.q.wild.example.test. 30 IN TXT "w"`},
		{"wild.example.test.", "A", "NOERROR aa" + soa},
		{"q.wild.example.test.", "AAAA", "NOERROR aa" + soa},
		{"q.deep.tree.example.test.", "A", "NXDOMAIN aa" + soa},
		{"example.test.", "A", "NOERROR aa; example.test. 60 IN A 203.0.113.1"},
		{"example.test.", "AAAA", "NOERROR aa; example.test. 60 IN AAAA 2001:db8::1"},
		{"api.example.test.", "A", "NOERROR aa; api.example.test. 60 IN CNAME d-1.execute-api.us-east-1.amazonaws.com.; d-1.execute-api.us-east-1.amazonaws.com. 60 IN A 203.0.113.1"},
		{"d-1.execute-api.us-east-1.amazonaws.com.", "A", "REFUSED"},
		{"alias.example.test.", "A", "NOERROR aa; alias.example.test. 30 IN A 192.0.2.1; alias.example.test. 30 IN A 192.0.2.2"},
		{"aliasloop.example.test.", "A", "NOERROR aa" + soa},
		{"nowhere.example.test.", "A", "NOERROR aa" + soa},
		{"sub.example.test.", "A", "NOERROR; authority sub.example.test. 300 IN NS ns.sub.example.test.; additional ns.sub.example.test. 300 IN A 192.0.2.53"},
		{"x.sub.example.test.", "A", "NOERROR; authority sub.example.test. 300 IN NS ns.sub.example.test.; additional ns.sub.example.test. 300 IN A 192.0.2.53"},
		{"sub.example.test.", "DS", "NOERROR aa; sub.example.test. 300 IN DS 12345 3 1 123456789ABCDEF67890123456789ABCDEF67890"},
		{"failover.example.test.", "A", "NOERROR aa; failover.example.test. 1 IN A 192.0.2.8"},
		{"multivalue.example.test.", "A", "NOERROR aa; multivalue.example.test. 1 IN A 192.0.2.7; multivalue.example.test. 1 IN A 192.0.2.8"},
		{"example.test.", "ANY", `NOERROR aa; example.test. 3600 IN HINFO "RFC8482" ""`},
		{"example.test.", "AXFR", "REFUSED"},
	} {
		t.Run(tt.name+" "+tt.rrtype, func(t *testing.T) {
			m := new(dns.Msg).SetQuestion(tt.name, dns.StringToType[tt.rrtype])
			client := dns.Client{Net: "udp", Timeout: time.Minute}
			if tt.rrtype == "AXFR" {
				client.Net = "tcp"
			}
			got, _, err := client.ExchangeContext(t.Context(), m, addr)
			if err != nil {
				t.Fatal(err)
			}
			if told(got) != tt.want || got.RecursionAvailable {
				t.Errorf("got  %s\nwant %s", told(got), tt.want)
			}
		})
	}
}

func TestLoopEnds(t *testing.T) {
	addr := startServer(t)
	client := dns.Client{Timeout: time.Minute}
	got, _, err := client.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion("loop.example.test.", dns.TypeA), addr)
	if err != nil || len(got.Answer) == 0 || len(got.Answer) > maxHops+1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSizes(t *testing.T) {
	addr := startServer(t)
	for _, tt := range []struct {
		network string
		edns    uint16
		most    int
		cut     bool
	}{
		{"udp", 0, 512, true}, {"udp", 700, 700, true}, {"udp", 4096, maxUDP, true}, {"tcp", 0, dns.MaxMsgSize, false},
	} {
		m := new(dns.Msg).SetQuestion("long.example.test.", dns.TypeTXT)
		if tt.edns > 0 {
			m.SetEdns0(tt.edns, false)
		}
		client := dns.Client{Net: tt.network, UDPSize: 4096, Timeout: time.Minute}
		got, _, err := client.ExchangeContext(t.Context(), m, addr)
		if err != nil {
			t.Fatal(err)
		}
		got.Compress = true
		if got.Len() > tt.most || got.Truncated != tt.cut || tt.cut == (len(got.Answer) == 40) {
			t.Errorf("%s with %d: %d bytes, truncated %v, %d records", tt.network, tt.edns, got.Len(), got.Truncated, len(got.Answer))
		}
	}
}

func TestOddQueries(t *testing.T) {
	addr := startServer(t)
	ask := func(change func(*dns.Msg)) string {
		m := new(dns.Msg).SetQuestion("a.example.test.", dns.TypeA)
		change(m)
		client := dns.Client{Timeout: time.Minute}
		got, _, err := client.ExchangeContext(t.Context(), m, addr)
		if err != nil {
			return err.Error()
		}
		return told(got)
	}
	for name, tt := range map[string]struct {
		change func(*dns.Msg)
		want   string
	}{
		"another class":        {func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, "REFUSED"},
		"an update":            {func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }, "NOTIMP"},
		"a later EDNS version": {func(m *dns.Msg) { m.SetEdns0(1232, false); m.IsEdns0().SetVersion(1) }, "BADVERS aa"},
		"two questions":        {func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }, "FORMERR"},
	} {
		if got := ask(tt.change); !strings.HasPrefix(got, tt.want) && !(tt.want == "BADVERS aa" && strings.HasPrefix(got, "BADSIG aa")) {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	// What is no query gets no answer, and the next query one.
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if got := ask(func(*dns.Msg) {}); !strings.HasPrefix(got, "NOERROR") {
		t.Error(got)
	}
}

// TestRemoval takes records away again: names without any must not exist.
func TestRemoval(t *testing.T) {
	z := testZones()["example.test."]
	before := len(z.nodes)
	next := z.With(map[string][]Set{"deep.tree.example.test.": nil})
	if next.nodes["tree.example.test."] != nil || z.nodes["tree.example.test."] == nil {
		t.Error("a name without records is left, or an older zone has changed")
	}
	again := next.With(map[string][]Set{"deep.tree.example.test.": {values("A", 1, "192.0.2.1")}})
	if len(again.nodes) != before {
		t.Errorf("%d names, %d before", len(again.nodes), before)
	}
	empty := NewZone("example.test.")
	for name := range z.nodes {
		z = z.With(map[string][]Set{name: nil})
	}
	if len(z.nodes) != len(empty.nodes) || z.nodes["example.test."].below != 0 {
		t.Errorf("%d names are left", len(z.nodes))
	}
}

func TestHas(t *testing.T) {
	z := testZones()["example.test."]
	for _, tt := range []struct {
		name, rrtype, value string
		want                bool
	}{
		{"www.example.test", "CNAME", "A.example.test.", true},
		{"WWW.example.test.", "CNAME", "a.example.test", true},
		{"www.example.test", "CNAME", "b.example.test", false},
		{"www.example.test", "TXT", "a.example.test", false},
		{"q.wild.example.test", "A", "192.0.2.3", true},
		{"none.example.test", "A", "192.0.2.3", false},
	} {
		if got := z.Has(tt.name, tt.rrtype, tt.value); got != tt.want {
			t.Errorf("%s %s %s: %v", tt.name, tt.rrtype, tt.value, got)
		}
	}
}

func TestCheckValue(t *testing.T) {
	for _, tt := range []struct {
		rrtype, value string
		ok            bool
	}{
		{"A", "192.0.2.1", true}, {"A", "192.0.2", false}, {"A", "::1", false}, {"A", "192.0.2.1 ", false},
		{"AAAA", "2001:db8::1", true}, {"AAAA", "192.0.2.1", false}, {"AAAA", "fe80::1%eth0", false},
		{"CNAME", "example.test", true}, {"CNAME", "a b", false}, {"CNAME", "", false},
		{"TXT", `"a" "b"`, true}, {"TXT", "a", false}, {"TXT", `"\400"`, false}, {"TXT", `"\09"`, false}, {"TXT", `"\`, false}, {"TXT", `"a`, false},
		{"TXT", `"` + strings.Repeat("x", 255) + `"`, true}, {"TXT", `"` + strings.Repeat("x", 256) + `"`, false}, {"TXT", `"` + strings.Repeat(`\101`, 255) + `"`, true},
		{"TXT", `"` + strings.Repeat(`\"`, 255) + `"`, true}, {"TXT", `"` + strings.Repeat(`\" `, 128) + `"`, false}, {"SPF", `"` + strings.Repeat("x", 256) + `"`, false},
		{"TXT", `"` + strings.Repeat("x", 255) + `" "` + strings.Repeat("y", 255) + `"`, true}, {"TXT", `"a" ` + strings.Repeat("x", 256), false},
		{"MX", "10 mail.example.test.", true}, {"MX", "mail", false},
		{"SRV", "1 10 5269 xmpp.example.test.", true}, {"SRV", "1 10 xmpp", false},
		{"CAA", `0 issue "ca.example.test"`, true}, {"CAA", "0 issue", false},
		{"NS", "ns.example.test.", true}, {"PTR", "a.example.test", true}, {"SPF", `"v=spf1 -all"`, true},
		{"NAPTR", `10 100 "S" "SIP+D2U" "" foo.example.test.`, true},
		{"DS", "123 4 5 1234567890ABCDEF1234567890ABCDEF", true},
		{"TLSA", "3 1 1 " + strings.Repeat("ab", 32), true}, {"SSHFP", "1 1 " + strings.Repeat("ab", 20), true},
		{"HTTPS", "1 . alpn=h2", true}, {"SVCB", "0 a.example.test.", true},
		{"A", "192.0.2.1\nb 0 IN A 192.0.2.2", false}, {"MX", "10 a.test.\n$INCLUDE /etc/passwd", false},
		{"NOTYPE", "x", false},
	} {
		if err := CheckValue(tt.rrtype, tt.value); (err == nil) != tt.ok {
			t.Errorf("%s %q: %v", tt.rrtype, tt.value, err)
		}
	}
}

// TestCodes writes characters as Route 53 does, by octal codes.
func TestCodes(t *testing.T) {
	for value, want := range map[string]string{
		`"a\050b\344\"\\c"`: "a(b\xe4\"\\c", `"\\050"`: `\050`, `"\053" "\054"`: "+,",
	} {
		rr, err := parseValue("TXT", value)
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		wire := make([]byte, 512)
		end, err := dns.PackRR(rr, wire, 0, nil, false)
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		const head = 1 + 10 // the root's name; type, class, TTL and length
		got := ""
		for rest := wire[head:end]; len(rest) > 0; rest = rest[1+rest[0]:] {
			got += string(rest[1 : 1+rest[0]])
		}
		if got != want {
			t.Errorf("%s is %q, want %q", value, got, want)
		}
	}
}

func FuzzCheckValue(f *testing.F) {
	f.Add("A", "192.0.2.1")
	f.Add("TXT", `"a\"b" "c"`)
	f.Add("HTTPS", "1 . alpn=h2 key667=x")
	f.Add("NAPTR", `10 100 "S" "SIP+D2U" "" foo.test.`)
	f.Fuzz(func(t *testing.T, rrtype, value string) {
		if dns.StringToType[rrtype] == 0 || CheckValue(rrtype, value) != nil {
			return
		}
		z := NewZone("t.").With(map[string][]Set{"a.t.": {values(rrtype, 1, value)}})
		m := new(dns.Msg).SetQuestion("a.t.", dns.StringToType[rrtype])
		reply := new(dns.Msg).SetReply(m)
		resolve(&Options{Zones: table{"t.": z}}, reply, m.Question[0])
		if _, err := reply.Pack(); err != nil {
			t.Errorf("%s %q was accepted and can't be sent: %v", rrtype, value, err)
		}
	})
}

// FuzzQuery asks that no message makes the server panic or answer with more
// than it may.
func FuzzQuery(f *testing.F) {
	for _, name := range []string{"a.example.test.", "q.wild.example.test.", "loop.example.test.", "."} {
		packed, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	s := &Server{o: Options{Zones: testZones(), Gateway: testGateway()}}
	f.Fuzz(func(t *testing.T, packed []byte) {
		m := new(dns.Msg)
		if m.Unpack(packed) != nil {
			return
		}
		reply, _ := s.answer(m)
		reply.Truncate(maxUDP)
		if out, err := reply.Pack(); err == nil && len(out) > maxUDP && len(packed) < 512 {
			t.Errorf("%d bytes for %d", len(out), len(packed))
		}
	})
}
