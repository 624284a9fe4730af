package throttle

import (
	"runtime"
	"sync"
	"weak"
)

// Buckets own the state of all throttles. A bucket lives as long as a plan has
// a limit over it.
type Buckets struct {
	mu  sync.Mutex
	all map[key]weak.Pointer[bucket]
}

// A key says whose a bucket is: an account's in a region, a route's in a stage,
// or a client's in a usage plan. Each rate and burst has a bucket of its own: what was taken at one rate
// is a different time at another, and a bucket that was emptied at a token an
// hour mustn't refuse for hours when there are ten a second.
// UNVERIFIED: that a changed limit begins with all of its burst.
type key struct {
	account, region, api, stage, route, plan, client string

	token, depth int64
}

// NewBuckets makes Buckets without any.
func NewBuckets() *Buckets { return &Buckets{all: map[key]weak.Pointer[bucket]{}} }

// Account returns the limit of all requests of an account in a region.
func (b *Buckets) Account(account, region string, rate float64, burst int32) *Limit {
	return b.limit(key{account: account, region: region}, rate, burst)
}

// Route returns the limit of one route in a stage, in requests a second with
// bursts of burst requests.
func (b *Buckets) Route(api, stage, route string, rate float64, burst int32) *Limit {
	return b.limit(key{api: api, stage: stage, route: route}, rate, burst)
}

// Client returns the limit of all requests of an API key in a usage plan.
func (b *Buckets) Client(c ClientID, rate float64, burst int32) *Limit {
	return b.limit(key{account: c.Account, region: c.Region, plan: c.PlanID, client: c.KeyID}, rate, burst)
}

// ClientMethod returns the limit of what an API key in a usage plan asks of one
// method of a stage; route says which, in any words that are its own.
func (b *Buckets) ClientMethod(c ClientID, api, stage, route string, rate float64, burst int32) *Limit {
	return b.limit(key{account: c.Account, region: c.Region, plan: c.PlanID, client: c.KeyID, api: api, stage: stage, route: route}, rate, burst)
}

func (b *Buckets) limit(k key, rate float64, burst int32) *Limit {
	k.token, k.depth = spans(rate, burst)
	return &Limit{b.bucket(k), k.token, k.depth, rate, burst}
}

func (b *Buckets) bucket(k key) *bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	if kept := b.all[k].Value(); kept != nil {
		return kept
	}
	made := &bucket{}
	b.all[k] = weak.Make(made)
	runtime.AddCleanup(made, b.forget, k)
	return made
}

// forget drops the entry of a bucket that is gone, unless there is another one
// by now.
func (b *Buckets) forget(k key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all[k].Value() == nil {
		delete(b.all, k)
	}
}
