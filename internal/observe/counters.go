package observe

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"gatehouse/internal/plan"
)

// shards is in how many places one thing is counted, so that requests on
// several processors don't fight for one cache line.
const shards = 4

// latencyBounds are the upper bounds of the histogram's buckets; one more
// bucket takes what is slower.
var latencyBounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond,
	5 * time.Second, 10 * time.Second, 30 * time.Second,
}

const buckets = len(latencyBounds) + 1

// Counters count the requests of a stage or a route: Count, 4xx, 5xx, Latency,
// IntegrationLatency, DataProcessed, CacheHitCount and CacheMissCount, as CloudWatch
// names them, or the events of a WebSocket API's.
type Counters struct {
	// counts is nil until the first request: most stages of a laptop never
	// have one.
	counts atomic.Pointer[counts]
}

// counts are the numbers of Counters that have some.
type counts struct {
	shards                     [shards]shard
	clientErrors, serverErrors atomic.Uint64
	cacheMisses                atomic.Uint64
	events                     events // of a WebSocket API instead of all that

	// Below is Metrics' own, under its lock.
	closed  Totals // what the closed minutes had counted
	minutes []Minute
}

// A shard is one place where requests are counted: five cache lines, of which a
// request writes the first and most often one more. With many routes they are
// cold, and counting costs what it takes to fetch them.
type shard struct {
	data                 atomic.Uint64
	latency, integration span
	cacheHits            atomic.Uint64 // the buckets begin a line of their own
	buckets              [buckets]struct{ latency, integration atomic.Uint64 }
}

// A span is what durations came to, beside the buckets they are in. Its fields
// are written one by one, so a reader may see a request in some and not yet in
// others.
type span struct {
	sum      atomic.Int64
	min, max atomic.Int64 // since the last closed minute; min is one more than it says, 0 for none
}

func (s *span) observe(d time.Duration) {
	s.sum.Add(int64(d))
	for {
		low := s.min.Load()
		if low != 0 && int64(d)+1 >= low || s.min.CompareAndSwap(low, int64(d)+1) {
			break
		}
	}
	for {
		high := s.max.Load()
		if int64(d) <= high || s.max.CompareAndSwap(high, int64(d)) {
			break
		}
	}
}

// bucket returns the index of the bucket of a duration.
func bucket(d time.Duration) int {
	i := 0
	for i < len(latencyBounds) && d > latencyBounds[i] {
		i++
	}
	return i
}

// begin returns the numbers, which there are from the first request on.
func (c *Counters) begin() *counts {
	n := c.counts.Load()
	if n == nil {
		c.counts.CompareAndSwap(nil, new(counts))
		n = c.counts.Load()
	}
	return n
}

func shardOf() uint32 { return rand.Uint32() % shards }

// Count counts a finished exchange.
func (c *Counters) Count(x *plan.Exchange, latency time.Duration) {
	n := c.begin()
	if x.Stage != nil && x.Stage.Socket != nil {
		n.countEvent(x)
		return
	}
	switch status := x.Response.Status; {
	case status >= 500:
		n.serverErrors.Add(1)
	case status >= 400:
		n.clientErrors.Add(1)
	}
	s := &n.shards[shardOf()]
	if bytes := x.DataProcessed(); bytes > 0 {
		s.data.Add(uint64(bytes))
	}
	latency = max(latency, 0)
	s.latency.observe(latency)
	s.buckets[bucket(latency)].latency.Add(1)
	switch x.Cache.Outcome {
	case plan.CacheHit:
		s.cacheHits.Add(1)
	case plan.CacheMiss:
		n.cacheMisses.Add(1)
	}
	if x.Integration.Called {
		n.countIntegration(s, max(x.Integration.Latency, 0))
	}
}

// Totals are what was counted so far.
type Totals struct {
	Count, ClientErrors, ServerErrors uint64
	// DataProcessed is in bytes of bodies.
	DataProcessed uint64
	// CacheHits and CacheMisses are of methods that are cached.
	CacheHits, CacheMisses      uint64
	Latency, IntegrationLatency Distribution
	// Events are a WebSocket API's, which has IntegrationLatency and no other of
	// these.
	Events Events
}

// A Distribution is how long things took.
type Distribution struct {
	Count uint64
	Sum   time.Duration
	// Min and Max are of a Minute only.
	Min, Max time.Duration
	// Buckets counts durations up to each of latencyBounds and above the last
	// of those before; the last bucket has what is longer than all.
	Buckets [buckets]uint64
}

// Totals adds up the shards.
func (c *Counters) Totals() Totals {
	n := c.counts.Load()
	if n == nil {
		return Totals{}
	}
	return n.totals()
}

func (n *counts) totals() Totals {
	t := Totals{ClientErrors: n.clientErrors.Load(), ServerErrors: n.serverErrors.Load(), CacheMisses: n.cacheMisses.Load(), Events: n.events.totals()}
	for i := range n.shards {
		s := &n.shards[i]
		t.DataProcessed += s.data.Load()
		t.CacheHits += s.cacheHits.Load()
		t.Latency.Sum += time.Duration(s.latency.sum.Load())
		t.IntegrationLatency.Sum += time.Duration(s.integration.sum.Load())
		for i := range s.buckets {
			t.Latency.add(i, s.buckets[i].latency.Load())
			t.IntegrationLatency.add(i, s.buckets[i].integration.Load())
		}
	}
	t.Count = t.Latency.Count
	return t
}

func (d *Distribution) add(bucket int, n uint64) {
	d.Buckets[bucket] += n
	d.Count += n
}

// A Minute is one minute of a stage or a route.
type Minute struct {
	Start time.Time
	Totals
}

// closeMinute makes a datapoint of what was counted since the last one and
// forgets those before oldest.
func (n *counts) closeMinute(start, oldest time.Time) {
	keep := 0
	for keep < len(n.minutes) && n.minutes[keep].Start.Before(oldest) {
		keep++
	}
	if n.minutes = n.minutes[keep:]; len(n.minutes) == 0 {
		n.minutes = nil
	}
	now := n.totals()
	point := now.minus(&n.closed)
	n.closed = now
	for i := range n.shards {
		point.Latency.extremes(&n.shards[i].latency)
		point.IntegrationLatency.extremes(&n.shards[i].integration)
	}
	if point.Count > 0 || point.Events != (Events{}) {
		n.minutes = append(n.minutes, Minute{start, point})
	}
}

// extremes takes the shortest and longest duration since the last minute.
func (d *Distribution) extremes(s *span) {
	if low := s.min.Swap(0); low != 0 && (d.Min == 0 || time.Duration(low-1) < d.Min) {
		d.Min = time.Duration(low - 1)
	}
	d.Max = max(d.Max, time.Duration(s.max.Swap(0)))
}

// minus returns what t has more than earlier.
func (t *Totals) minus(earlier *Totals) Totals {
	return Totals{
		Count:              t.Count - earlier.Count,
		ClientErrors:       t.ClientErrors - earlier.ClientErrors,
		ServerErrors:       t.ServerErrors - earlier.ServerErrors,
		DataProcessed:      t.DataProcessed - earlier.DataProcessed,
		CacheHits:          t.CacheHits - earlier.CacheHits,
		CacheMisses:        t.CacheMisses - earlier.CacheMisses,
		Latency:            t.Latency.minus(&earlier.Latency),
		IntegrationLatency: t.IntegrationLatency.minus(&earlier.IntegrationLatency),
		Events:             t.Events.minus(earlier.Events),
	}
}

func (d *Distribution) minus(earlier *Distribution) Distribution {
	diff := Distribution{Count: d.Count - earlier.Count, Sum: d.Sum - earlier.Sum}
	for i := range d.Buckets {
		diff.Buckets[i] = d.Buckets[i] - earlier.Buckets[i]
	}
	return diff
}
