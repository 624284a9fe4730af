package serve_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

// BenchmarkFront asks the same of each front over TLS, eight requests at a time on
// connections that are kept, client and server in one process.
func BenchmarkFront(b *testing.B) {
	body := make([]byte, 100<<10)
	for _, front := range fronts {
		for _, size := range []int{100, len(body)} {
			name := front + "/100B"
			if size > 100 {
				name = front + "/100KiB"
			}
			b.Run(name, func(b *testing.B) {
				g := startGateway(b, serve.Options{Certificate: certificate(b).Certificate}, route(b, "$default", step(func(x *plan.Exchange) error {
					x.Response.Status, x.Response.Body = 200, body[:size]
					return nil
				})))
				client := g.over(b, front, &tls.Config{InsecureSkipVerify: true})
				if t, ok := client.Transport.(*http.Transport); ok {
					t.MaxIdleConnsPerHost = 8
				}
				b.SetParallelism(4)
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						res, err := client.Get("https://" + api + "/")
						if err != nil {
							b.Error(err)
							return
						}
						if n, err := io.Copy(io.Discard, res.Body); int(n) != size || err != nil {
							b.Errorf("%d bytes, %v", n, err)
						}
						_ = res.Body.Close()
					}
				})
			})
		}
	}
}
