package nameserver

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// BenchmarkAnswer answers out of a zone of AWS's greatest size.
func BenchmarkAnswer(b *testing.B) {
	names := map[string][]Set{}
	for i := range 10_000 {
		names[fmt.Sprintf("n%d.big.test.", i)] = []Set{values("A", 60, "192.0.2.1")}
	}
	zones := testZones()
	zones["big.test."] = NewZone("big.test.").With(names)
	s := &Server{o: Options{Zones: zones, Gateway: testGateway()}}
	for _, name := range []string{"n5000.big.test.", "example.test.", "none.example.test."} {
		b.Run(name, func(b *testing.B) {
			query := new(dns.Msg).SetQuestion(name, dns.TypeA)
			for b.Loop() {
				s.answer(query)
			}
		})
	}
	b.Run("change", func(b *testing.B) {
		zone := zones["big.test."]
		for b.Loop() {
			zone.With(map[string][]Set{"n1.big.test.": {values("A", 60, "192.0.2.2")}})
		}
	})
}

// BenchmarkJudge is what the limit adds to an answer, for a client that floods
// and for many that don't.
func BenchmarkJudge(b *testing.B) {
	l := newLimiter(time.Now)
	b.Run("one", func(b *testing.B) {
		client := netip.MustParseAddr("192.0.2.1")
		b.ReportAllocs()
		for b.Loop() {
			l.judge(client, "n5000.big.test.", false)
		}
	})
	b.Run("many", func(b *testing.B) {
		addr := [4]byte{198, 51, 0, 1}
		b.ReportAllocs()
		for b.Loop() {
			addr[1]++
			if addr[1] == 0 {
				addr[2]++
			}
			l.judge(netip.AddrFrom4(addr), "n5000.big.test.", false)
		}
	})
}
