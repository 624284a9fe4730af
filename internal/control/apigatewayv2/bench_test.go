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
