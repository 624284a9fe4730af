package observe

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"gatehouse/internal/plan"
)

// DefaultMinutes is how many one-minute datapoints are kept of each stage and
// route.
const DefaultMinutes = 180

// A MetricKey names what is counted: a stage, or one of its routes or methods.
type MetricKey struct {
	APIID, Stage string
	// APIName is the ApiName of a REST API, whose metrics CloudWatch has under
	// names; "" for other APIs.
	APIName string
	// Method and Resource are those of a route with detailed metrics, ""
	// otherwise; Resource alone is "$default" for the default route, and the Route
	// of a WebSocket API.
	Method, Resource string
	// WebSocket tells that the metrics are those of a WebSocket API.
	WebSocket bool
}

// Detailed tells whether the key is that of a route.
func (k MetricKey) Detailed() bool { return k.Resource != "" }

// MetricsOptions are what Metrics need.
type MetricsOptions struct {
	// Minutes is how many datapoints are kept; 0 is DefaultMinutes.
	Minutes int
	// Live tells whether an API and its stage are still served. Counters of
	// what isn't and has no datapoints left are forgotten. It must not wait
	// for anyone who may be asking for counters. Nil is always.
	Live func(apiID, stage string) bool
}

// Metrics has the counters of every stage and route. They outlive plans: who
// asks again under the same key gets the same counters.
type Metrics struct {
	minutes int
	live    func(apiID, stage string) bool
	quit    chan struct{}
	running sync.WaitGroup
	closing sync.Once

	mu  sync.Mutex
	all map[MetricKey]*Counters
}

// NewMetrics starts the metrics. Close them to end the goroutine that closes
// each minute.
func NewMetrics(o MetricsOptions) *Metrics {
	m := &Metrics{minutes: cmp.Or(o.Minutes, DefaultMinutes), live: o.Live, quit: make(chan struct{}), all: map[MetricKey]*Counters{}}
	if m.live == nil {
		m.live = func(string, string) bool { return true }
	}
	m.running.Go(m.run)
	return m
}

// Close ends the metrics; counting goes on, minutes don't.
func (m *Metrics) Close() {
	m.closing.Do(func() { close(m.quit) })
	m.running.Wait()
}

// Stage returns the counters of a stage, or of its canary under the name
// "{stage}/Canary".
func (m *Metrics) Stage(api *plan.API, stage string) *Counters {
	return m.counters(keyOf(api, stage))
}

// Route returns the counters of a route or method with detailed metrics. Method
// and path are "" for the $default route; of a WebSocket API's route the path is
// its key.
func (m *Metrics) Route(api *plan.API, stage, method, path string) *Counters {
	if path == "" {
		path = plan.DefaultRouteKey
	}
	key := keyOf(api, stage)
	key.Method, key.Resource = method, path
	return m.counters(key)
}

func keyOf(api *plan.API, stage string) MetricKey {
	return MetricKey{APIID: api.ID, Stage: stage, APIName: apiName(api), WebSocket: api.Protocol == plan.WebSocket}
}

// apiName is a REST API's name as CloudWatch has it: without what isn't ASCII,
// and the id when nothing is left.
func apiName(api *plan.API) string {
	if api.Protocol != plan.REST {
		return ""
	}
	name := strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return -1
		}
		return r
	}, api.Name)
	return cmp.Or(name, api.ID)
}

func (m *Metrics) counters(key MetricKey) *Counters {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.all[key]
	if c == nil {
		c = &Counters{}
		m.all[key] = c
	}
	return c
}

// Keys returns what has been counted so far, in order.
func (m *Metrics) Keys() []MetricKey {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []MetricKey
	for key, c := range m.all {
		if c.counts.Load() != nil {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

func compareKeys(a, b MetricKey) int {
	return cmp.Or(cmp.Compare(a.APIID, b.APIID), cmp.Compare(a.Stage, b.Stage),
		cmp.Compare(a.APIName, b.APIName), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Method, b.Method))
}

// Minutes returns the datapoints of a key from one moment to before another,
// oldest first. Minutes without a request have none.
func (m *Metrics) Minutes(key MetricKey, from, to time.Time) []Minute {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.all[key]
	if c == nil {
		return nil
	}
	n := c.counts.Load()
	if n == nil {
		return nil
	}
	var points []Minute
	for _, p := range n.minutes {
		if !p.Start.Before(from) && p.Start.Before(to) {
			points = append(points, p)
		}
	}
	return points
}

// run closes each minute when it is over.
func (m *Metrics) run() {
	for {
		now := time.Now()
		next := now.Truncate(time.Minute).Add(time.Minute)
		select {
		case <-time.After(next.Sub(now)):
			m.closeMinute(next)
		case <-m.quit:
			return
		}
	}
}

// closeMinute makes datapoints of what was counted since the last time. end is
// the end of the minute.
func (m *Metrics) closeMinute(end time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	oldest := end.Add(-time.Duration(m.minutes) * time.Minute)
	for key, c := range m.all {
		n := c.counts.Load()
		if n != nil {
			n.closeMinute(end.Add(-time.Minute), oldest)
		}
		if (n == nil || len(n.minutes) == 0) && !m.live(key.APIID, key.Stage) {
			delete(m.all, key)
		}
	}
}

// snapshot returns the totals of everything that was counted.
func (m *Metrics) snapshot() map[MetricKey]Totals {
	m.mu.Lock()
	all := maps.Clone(m.all)
	m.mu.Unlock()
	totals := make(map[MetricKey]Totals, len(all))
	for key, c := range all {
		if c.counts.Load() != nil {
			totals[key] = c.Totals()
		}
	}
	return totals
}
