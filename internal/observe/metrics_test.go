package observe

import (
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/internal/plan"
)

// serveOne counts one request of a status and latencies.
func serveOne(c *Counters, status int, latency, integration time.Duration) {
	x := testExchange()
	x.Request.ContentLength = 0
	x.Response.Status = status
	x.Integration = plan.IntegrationReport{Called: integration > 0, Latency: integration}
	c.Count(x, latency)
}

func TestCounters(t *testing.T) {
	var c Counters
	if got := c.Totals(); got != (Totals{}) {
		t.Errorf("nothing counted: %+v", got)
	}
	serveOne(&c, 200, time.Millisecond, 600*time.Microsecond)
	serveOne(&c, 404, 2*time.Millisecond, 0)
	serveOne(&c, 499, 3*time.Millisecond, 0)
	serveOne(&c, 500, time.Minute, 31*time.Second)
	got := c.Totals()
	want := Totals{Count: 4, ClientErrors: 2, ServerErrors: 1, DataProcessed: 4 * uint64(len("hello"))}
	want.Latency = Distribution{Count: 4, Sum: time.Minute + 6*time.Millisecond}
	want.Latency.Buckets[1], want.Latency.Buckets[2], want.Latency.Buckets[3], want.Latency.Buckets[buckets-1] = 1, 1, 1, 1
	want.IntegrationLatency = Distribution{Count: 2, Sum: 31*time.Second + 600*time.Microsecond}
	want.IntegrationLatency.Buckets[1], want.IntegrationLatency.Buckets[buckets-1] = 1, 1
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// What caches did is counted of methods that are cached, and of minutes, too.
func TestCacheCounters(t *testing.T) {
	var c Counters
	for _, outcome := range []plan.CacheOutcome{plan.NotCached, plan.CacheMiss, plan.CacheHit, plan.CacheHit, plan.CacheHit} {
		x := testExchange()
		x.Cache.Outcome = outcome
		c.Count(x, time.Millisecond)
	}
	if got := c.Totals(); got.CacheHits != 3 || got.CacheMisses != 1 || got.Count != 5 {
		t.Errorf("%+v", got)
	}
	n, start := c.counts.Load(), time.Unix(60, 0)
	n.closeMinute(start, start)
	x := testExchange()
	x.Cache.Outcome = plan.CacheHit
	c.Count(x, time.Millisecond)
	n.closeMinute(start.Add(time.Minute), start)
	for i, want := range [][2]uint64{{3, 1}, {1, 0}} {
		if got := n.minutes[i]; got.CacheHits != want[0] || got.CacheMisses != want[1] {
			t.Errorf("minute %d: %+v", i, got)
		}
	}
}

func TestCountersConcurrently(t *testing.T) {
	var c Counters
	var requests sync.WaitGroup
	for range 8 {
		requests.Go(func() {
			for range 1000 {
				serveOne(&c, 503, time.Millisecond, time.Millisecond)
			}
		})
	}
	requests.Wait()
	if got := c.Totals(); got.Count != 8000 || got.ServerErrors != 8000 || got.Latency.Sum != 8*time.Second || got.IntegrationLatency.Count != 8000 {
		t.Errorf("%+v", got)
	}
}

func TestMetricsOutlivePlans(t *testing.T) {
	m := NewMetrics(MetricsOptions{})
	defer m.Close()
	api := &plan.API{ID: "a"}
	route := m.Route(api, "s", "GET", "/x")
	if m.Stage(api, "s") != m.Stage(&plan.API{ID: "a"}, "s") || m.Route(&plan.API{ID: "a"}, "s", "GET", "/x") != route {
		t.Error("the same key got other counters")
	}
	if m.Stage(api, "s") == m.Stage(api, "t") || m.Stage(api, "s") == m.Route(api, "s", "", "") {
		t.Error("another key got the same counters")
	}
	if keys := m.Keys(); len(keys) != 0 {
		t.Errorf("nothing was counted, and there is %v", keys)
	}
	serveOne(m.Route(api, "s", "", ""), 200, 1, 1)
	serveOne(m.Stage(api, "s"), 200, 1, 1)
	if got, want := m.Keys(), []MetricKey{{APIID: "a", Stage: "s"}, {APIID: "a", Stage: "s", Resource: "$default"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("keys %v, want %v", got, want)
	}
}

func TestMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		m := NewMetrics(MetricsOptions{Minutes: 3, Live: func(api, stage string) bool { return !gone.Load() && api == "a" && stage == "s" }})
		defer m.Close()
		start := time.Now().Truncate(time.Minute)
		time.Sleep(time.Until(start.Add(90 * time.Second))) // into the second minute
		c, key := m.Stage(&plan.API{ID: "a"}, "s"), MetricKey{APIID: "a", Stage: "s"}
		serveOne(c, 200, 5*time.Millisecond, 2*time.Millisecond)
		serveOne(c, 500, 9*time.Millisecond, 4*time.Millisecond)
		if got := m.Minutes(key, start, start.Add(time.Hour)); len(got) != 0 {
			t.Errorf("a minute that isn't over: %+v", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		serveOne(c, 404, 7*time.Millisecond, 0)
		time.Sleep(time.Minute)
		synctest.Wait()

		got := m.Minutes(key, start, start.Add(time.Hour))
		if len(got) != 2 || !got[0].Start.Equal(start.Add(time.Minute)) || !got[1].Start.Equal(start.Add(2*time.Minute)) {
			t.Fatalf("minutes %+v", got)
		}
		first, second := got[0], got[1]
		if first.Count != 2 || first.ServerErrors != 1 || first.Latency.Min != 5*time.Millisecond || first.Latency.Max != 9*time.Millisecond ||
			first.Latency.Sum != 14*time.Millisecond || first.IntegrationLatency.Min != 2*time.Millisecond {
			t.Errorf("first %+v", first)
		}
		if second.Count != 1 || second.ClientErrors != 1 || second.ServerErrors != 0 || second.Latency.Min != 7*time.Millisecond || second.Latency.Max != 7*time.Millisecond ||
			second.IntegrationLatency != (Distribution{}) {
			t.Errorf("second %+v", second)
		}
		if got := m.Minutes(key, start, start.Add(2*time.Minute)); len(got) != 1 {
			t.Errorf("the end is not before: %+v", got)
		}

		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := m.Minutes(key, start, start.Add(time.Hour)); len(got) != 0 {
			t.Errorf("old minutes are kept: %+v", got)
		}
		if m.Stage(&plan.API{ID: "a"}, "s") != c {
			t.Error("counters of a stage that is served were forgotten")
		}
		gone.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		if keys := m.Keys(); len(keys) != 0 {
			t.Errorf("counters of a stage that is gone are kept: %v", keys)
		}
	})
}

func TestPage(t *testing.T) {
	m := NewMetrics(MetricsOptions{})
	defer m.Close()
	w := NewLogWriter(LogWriterOptions{})
	defer w.Close()
	api := &plan.API{ID: "a1"}
	serveOne(m.Stage(api, "$default"), 404, 3*time.Millisecond, 0)
	serveOne(m.Route(api, "$default", "GET", "/pets/{id}"), 200, 3*time.Millisecond, 2*time.Millisecond)
	m.Stage(api, "never-called")
	rest := &plan.API{ID: "r1", Name: "Pets ü", Protocol: plan.REST}
	serveOne(m.Stage(rest, "prod"), 404, 3*time.Millisecond, 0)
	serveOne(m.Stage(rest, "prod/Canary"), 500, 3*time.Millisecond, 0)
	serveOne(m.Route(rest, "prod", "GET", "/pets/{id}"), 200, 3*time.Millisecond, 2*time.Millisecond)
	hit := testExchange()
	hit.Cache.Outcome = plan.CacheHit
	m.Route(rest, "prod", "GET", "/cached").Count(hit, time.Millisecond)
	serveOne(m.Stage(&plan.API{ID: "r2", Name: "ü", Protocol: plan.REST}, "prod"), 200, 3*time.Millisecond, 0)
	page := httptest.NewRecorder()
	NewPage(NewCollector(m, w)).ServeHTTP(page, httptest.NewRequest("GET", "/_gatehouse/metrics", nil))
	body, err := io.ReadAll(page.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`gatehouse_stage_count_total{ApiId="a1",Stage="$default"} 1`,
		`gatehouse_stage_4xx_total{ApiId="a1",Stage="$default"} 1`,
		`gatehouse_stage_5xx_total{ApiId="a1",Stage="$default"} 0`,
		`gatehouse_stage_data_processed_bytes_total{ApiId="a1",Stage="$default"} 5`,
		`gatehouse_stage_latency_seconds_bucket{ApiId="a1",Stage="$default",le="0.0025"} 0`,
		`gatehouse_stage_latency_seconds_bucket{ApiId="a1",Stage="$default",le="0.005"} 1`,
		`gatehouse_stage_latency_seconds_bucket{ApiId="a1",Stage="$default",le="30"} 1`,
		`gatehouse_stage_integration_latency_seconds_count{ApiId="a1",Stage="$default"} 0`,
		`gatehouse_route_count_total{ApiId="a1",Method="GET",Resource="/pets/{id}",Stage="$default"} 1`,
		`gatehouse_rest_stage_count_total{ApiId="r1",ApiName="Pets ",Stage="prod"} 1`,
		`gatehouse_rest_stage_4xx_total{ApiId="r1",ApiName="Pets ",Stage="prod"} 1`,
		`gatehouse_rest_stage_5xx_total{ApiId="r1",ApiName="Pets ",Stage="prod/Canary"} 1`,
		`gatehouse_rest_stage_count_total{ApiId="r2",ApiName="r2",Stage="prod"} 1`,
		`gatehouse_rest_stage_latency_seconds_count{ApiId="r1",ApiName="Pets ",Stage="prod"} 1`,
		`gatehouse_rest_method_integration_latency_seconds_count{ApiId="r1",ApiName="Pets ",Method="GET",Resource="/pets/{id}",Stage="prod"} 1`,
		`gatehouse_rest_method_cache_hits_total{ApiId="r1",ApiName="Pets ",Method="GET",Resource="/cached",Stage="prod"} 1`,
		`gatehouse_rest_stage_cache_misses_total{ApiId="r1",ApiName="Pets ",Stage="prod"} 0`,
		`gatehouse_access_log_lost_total{reason="dropped"} 0`,
		`go_goroutines `,
		`process_cpu_seconds_total `,
	} {
		if !strings.Contains(string(body), "\n"+want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(string(body), "gatehouse_rest_stage_data") {
		t.Error("the page shows bytes that CloudWatch doesn't count of REST APIs")
	}
	if strings.Contains(string(body), "gatehouse_stage_cache") {
		t.Error("the page shows caches of HTTP APIs, which have none")
	}
	if strings.Contains(string(body), "never-called") {
		t.Error("the page shows a stage without requests")
	}
}

func TestCountAllocations(t *testing.T) {
	var c Counters
	x := testExchange()
	if n := testing.AllocsPerRun(1000, func() { c.Count(x, latency) }); n != 0 {
		t.Errorf("counting allocates %v times", n)
	}
}

// One counter shows the cost alone, a stage and one of its many routes what a
// request with detailed metrics costs.
func BenchmarkCount(b *testing.B) {
	m := NewMetrics(MetricsOptions{})
	b.Cleanup(m.Close)
	api := &plan.API{ID: "a1"}
	stage := m.Stage(api, "$default")
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			x := testExchange()
			for pb.Next() {
				stage.Count(x, latency)
			}
		})
	})
	routes := make([]*Counters, 1000)
	for i := range routes {
		routes[i] = m.Route(api, "$default", "GET", "/r"+strconv.Itoa(i))
	}
	b.Run("1k_routes", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			x := testExchange()
			for pb.Next() {
				stage.Count(x, latency)
				routes[rand.IntN(len(routes))].Count(x, latency)
			}
		})
	})
}
