package apigateway_test

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkCreateResource creates resources with a method each below one
// parent, and reports what the last tenth took beside the first: it must not
// grow with what is there. Run it with -benchtime 10000x.
func BenchmarkCreateResource(b *testing.B) {
	g := newServing(b)
	id, root := g.api()
	took := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for i := range b.N {
		start := time.Now()
		g.mock(id, g.resource(id, root, fmt.Sprint("item", i)), "GET")
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

// BenchmarkDeploy/1k_resources freezes an API and compiles it for its stage.
func BenchmarkDeploy(b *testing.B) {
	b.Run("1k_resources", func(b *testing.B) {
		g := newServing(b)
		id, root := g.api()
		for i := range 1000 {
			g.mock(id, g.resource(id, root, fmt.Sprint("item", i)), "GET")
		}
		for b.Loop() {
			g.deploy(id, "prod")
		}
	})
}
