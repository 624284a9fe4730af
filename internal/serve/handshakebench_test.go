package serve_test

import (
	"crypto"
	"crypto/tls"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/tlspolicy"
)

// BenchmarkHandshake shakes hands with each of many domains in turn, client and
// server in one process. It reports the memory that a domain with its certificate
// takes; the domains share a key, as making so many takes longer than the rest.
func BenchmarkHandshake(b *testing.B) {
	for _, kind := range []struct {
		name string
		key  func(testing.TB) crypto.Signer
	}{
		{"ecdsa", newECDSA},
		{"rsa", func(t testing.TB) crypto.Signer { return newRSA(t, 2048) }},
	} {
		for _, count := range []int{10, 10_000} {
			for _, resume := range []bool{false, true} {
				name := fmt.Sprintf("%s/%d_domains", kind.name, count)
				if resume {
					name += "/resumed"
				}
				b.Run(name, func(b *testing.B) { benchmarkHandshake(b, kind.key(b), count, resume) })
			}
		}
	}
}

func benchmarkHandshake(b *testing.B, key crypto.Signer, count int, resume bool) {
	g := startGateway(b, serve.Options{Certificate: certificate(b).Certificate}, route(b, "$default", answer("x")))
	certificates := make([]tls.Certificate, count)
	for i := range certificates {
		certificates[i] = serverOf(b, key, fmt.Sprintf("d%d.test", i))
	}
	tickets := tlspolicy.NewTickets(nil)
	before := heap()
	p := g.plan.Load()
	for i := range certificates {
		name := fmt.Sprintf("d%d.test", i)
		d := plan.NewDomain(name, plan.MappingsOnly, nil, []plan.PathMapping{{APIID: "abc", Stage: plan.DefaultStage}})
		var err error
		if d.TLS, err = tlspolicy.New(tlspolicy.Options{Certificate: certificates[i], Name: name, Tickets: tickets}); err != nil {
			b.Fatal(err)
		}
		p = p.WithDomain(d)
	}
	g.plan.Store(p)
	perDomain := float64(heap()-before) / float64(count)
	var cache tls.ClientSessionCache
	visited := int64(count)
	if resume {
		// So few that most visits aren't the first. A cache that is smaller than them
		// forgets each before its next turn, and nothing is resumed.
		visited = min(visited, 20)
		cache = tls.NewLRUClientSessionCache(int(visited))
	}
	var next, resumed atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			name := fmt.Sprintf("d%d.test", next.Add(1)%visited)
			nc, err := tls.Dial("tcp", g.addr, &tls.Config{ServerName: name, InsecureSkipVerify: true, ClientSessionCache: cache})
			if err != nil {
				b.Error(err)
				return
			}
			if nc.ConnectionState().DidResume {
				resumed.Add(1)
			}
			if resume {
				// Tickets come with the first answer.
				if _, err := fmt.Fprintf(nc, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", name); err != nil {
					b.Error(err)
				}
				for buf := make([]byte, 512); ; {
					if _, err := nc.Read(buf); err != nil {
						break
					}
				}
			}
			if err := nc.Close(); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(perDomain, "B/domain")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handshakes/s")
	b.ReportMetric(float64(resumed.Load())/float64(b.N), "resumed/op")
	runtime.KeepAlive(certificates)
}

// heap is the memory in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
