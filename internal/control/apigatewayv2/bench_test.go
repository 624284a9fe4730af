package apigatewayv2_test

import (
	"fmt"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigatewayv2"
)

// BenchmarkCreateRoute creates routes one by one in an API whose stage deploys
// automatically, and reports what the last tenth took beside the first: it must
// not grow with what is there. Run it with -benchtime 10000x.
func BenchmarkCreateRoute(b *testing.B) {
	g := newGateway(b)
	id, integration, _ := g.hello()
	took := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for i := range b.N {
		start := time.Now()
		must[*api.CreateRouteResult](b)(g.CreateRoute(g.call(), &api.CreateRouteRequest{
			ApiId: &id, RouteKey: new(fmt.Sprintf("GET /section%d/items/%d/{id}", i%100, i)), Target: new("integrations/" + integration),
		}))
		took = append(took, time.Since(start))
	}
	b.StopTimer()
	tenth := max(len(took)/10, 1)
	b.ReportMetric(mean(took[:tenth]), "first-tenth-ms")
	b.ReportMetric(mean(took[len(took)-tenth:]), "last-tenth-ms")
}

func mean(took []time.Duration) float64 {
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	return sum.Seconds() * 1000 / float64(len(took))
}

// BenchmarkDeleteAPI/1k_routes deletes an API with everything in it.
func BenchmarkDeleteAPI(b *testing.B) {
	b.Run("1k_routes", func(b *testing.B) {
		g := newGateway(b)
		for b.Loop() {
			b.StopTimer()
			id, integration, _ := g.hello()
			for i := range 1000 {
				must[*api.CreateRouteResult](b)(g.CreateRoute(g.call(), &api.CreateRouteRequest{
					ApiId: &id, RouteKey: new(fmt.Sprintf("GET /items/%d", i)), Target: new("integrations/" + integration),
				}))
			}
			b.StartTimer()
			if err := g.DeleteApi(g.call(), &api.DeleteApiRequest{ApiId: &id}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
