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
// IntegrationLatency and DataProcessed, as CloudWatch names them.
type Counters struct {
	// shards is nil until the first request: most stages of a laptop never
	// have one.
	shards atomic.Pointer[[shards]shard]

	// Below is Metrics' own, under its lock.
	closed  Totals // what the closed minutes had counted
	minutes []Minute
}

// A shard is one place where requests are counted.
type shard struct {
	clientErrors, serverErrors, data atomic.Uint64
	latency, integration             histogram
	_                                [64]byte
}

// A histogram counts durations. Its fields are written one by one, so a reader
// may see a request in some and not yet in others.
type histogram struct {
	buckets  [buckets]atomic.Uint64
	sum      atomic.Int64
	min, max atomic.Int64 // since the last closed minute; min is one more than it says, 0 for none
}

func (h *histogram) observe(d time.Duration) {
	i := 0
	for i < len(latencyBounds) && d > latencyBounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
	for {
		low := h.min.Load()
		if low != 0 && int64(d)+1 >= low || h.min.CompareAndSwap(low, int64(d)+1) {
			break
		}
	}
	for {
		high := h.max.Load()
		if int64(d) <= high || h.max.CompareAndSwap(high, int64(d)) {
			break
		}
	}
}

// Count counts a finished exchange.
func (c *Counters) Count(x *plan.Exchange, latency time.Duration) {
	all := c.shards.Load()
	if all == nil {
		c.shards.CompareAndSwap(nil, new([shards]shard))
		all = c.shards.Load()
	}
	s := &all[rand.Uint32()%shards]
	switch status := x.Response.Status; {
	case status >= 500:
		s.serverErrors.Add(1)
	case status >= 400:
		s.clientErrors.Add(1)
	}
	if n := x.DataProcessed(); n > 0 {
		s.data.Add(uint64(n))
	}
	s.latency.observe(max(latency, 0))
	if x.Integration.Called {
		s.integration.observe(max(x.Integration.Latency, 0))
	}
}

// Totals are what was counted so far.
type Totals struct {
	Count, ClientErrors, ServerErrors uint64
	// DataProcessed is in bytes of bodies.
	DataProcessed               uint64
	Latency, IntegrationLatency Distribution
}

// A Distribution is how long things took.
type Distribution struct {
	Count uint64
	Sum   time.Duration
	// Min and Max are of a Minute only.
	Min, Max time.Duration
	// Buckets counts durations up to each of LatencyBounds and above the last
	// of those before; the last bucket has what is longer than all.
	Buckets [buckets]uint64
}

// LatencyBounds returns the upper bounds of the buckets of a Distribution.
func LatencyBounds() []time.Duration { return append([]time.Duration(nil), latencyBounds[:]...) }

// Totals adds up the shards.
func (c *Counters) Totals() Totals {
	var t Totals
	all := c.shards.Load()
	if all == nil {
		return t
	}
	for i := range all {
		s := &all[i]
		t.ClientErrors += s.clientErrors.Load()
		t.ServerErrors += s.serverErrors.Load()
		t.DataProcessed += s.data.Load()
		t.Latency.add(&s.latency)
		t.IntegrationLatency.add(&s.integration)
	}
	t.Count = t.Latency.Count
	return t
}

func (d *Distribution) add(h *histogram) {
	for i := range h.buckets {
		n := h.buckets[i].Load()
		d.Buckets[i] += n
		d.Count += n
	}
	d.Sum += time.Duration(h.sum.Load())
}

// A Minute is one minute of a stage or a route.
type Minute struct {
	Start time.Time
	Totals
}

// closeMinute makes a datapoint of what was counted since the last one and
// forgets those before oldest.
func (c *Counters) closeMinute(start, oldest time.Time) {
	keep := 0
	for keep < len(c.minutes) && c.minutes[keep].Start.Before(oldest) {
		keep++
	}
	if c.minutes = c.minutes[keep:]; len(c.minutes) == 0 {
		c.minutes = nil
	}
	all := c.shards.Load()
	if all == nil {
		return
	}
	now := c.Totals()
	point := now.minus(&c.closed)
	c.closed = now
	for i := range all {
		point.Latency.extremes(&all[i].latency)
		point.IntegrationLatency.extremes(&all[i].integration)
	}
	if point.Count > 0 {
		c.minutes = append(c.minutes, Minute{start, point})
	}
}

// extremes takes the shortest and longest duration since the last minute.
func (d *Distribution) extremes(h *histogram) {
	if low := h.min.Swap(0); low != 0 && (d.Min == 0 || time.Duration(low-1) < d.Min) {
		d.Min = time.Duration(low - 1)
	}
	d.Max = max(d.Max, time.Duration(h.max.Swap(0)))
}

// minus returns what t has more than earlier.
func (t *Totals) minus(earlier *Totals) Totals {
	return Totals{
		Count:              t.Count - earlier.Count,
		ClientErrors:       t.ClientErrors - earlier.ClientErrors,
		ServerErrors:       t.ServerErrors - earlier.ServerErrors,
		DataProcessed:      t.DataProcessed - earlier.DataProcessed,
		Latency:            t.Latency.minus(&earlier.Latency),
		IntegrationLatency: t.IntegrationLatency.minus(&earlier.IntegrationLatency),
	}
}

func (d *Distribution) minus(earlier *Distribution) Distribution {
	diff := Distribution{Count: d.Count - earlier.Count, Sum: d.Sum - earlier.Sum}
	for i := range d.Buckets {
		diff.Buckets[i] = d.Buckets[i] - earlier.Buckets[i]
	}
	return diff
}
