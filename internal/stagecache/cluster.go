package stagecache

import (
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/plan"
)

const (
	// MaxResponse is the longest response that is cached, headers included.
	MaxResponse = 1 << 20
	// shards bounds how many requests of a stage wait for each other.
	shards = 16
	// secondChances is how many responses that are in use an eviction passes over;
	// whoever needs room waits no longer.
	secondChances = 32
	// looksForExpired is how many responses each new one looks at for those whose
	// time is up.
	looksForExpired = 2
)

// A Cluster keeps the responses of a stage. It implements plan.CacheCluster.
type Cluster struct {
	caches *Caches
	limit  int64
	used   atomic.Int64
	// turn numbers what integrations are called for; what began up to flushed isn't
	// kept, and nothing is once the cluster has ended.
	turn, flushed atomic.Uint64
	ended         atomic.Bool
	hand          atomic.Uint32 // of the shard that was looked at last
	sealer        atomic.Pointer[sealer]
	shards        [shards]shard
}

// A shard has some of the responses, found by key, and in a ring that the clock
// algorithm goes round.
type shard struct {
	mu      sync.RWMutex
	entries map[plan.CacheSum]*entry
	ring    []*entry
	// hand is where the clock looks next, sweep where what is too old is looked for.
	hand, sweep int
}

func newCluster(c *Caches, size int64) *Cluster {
	return &Cluster{caches: c, limit: size}
}

func (c *Cluster) shard(sum *plan.CacheSum) *shard { return &c.shards[sum[0]%shards] }

// Find implements plan.CacheCluster.
func (c *Cluster) Find(x *plan.Exchange, sum plan.CacheSum) (bool, error) {
	s := c.shard(&sum)
	s.mu.RLock()
	e := s.entries[sum]
	s.mu.RUnlock()
	if e == nil {
		return false, nil
	}
	now := c.caches.clock()
	if !now.Before(e.expires) || e.renews(now) {
		return false, nil
	}
	if !e.used.Load() {
		e.used.Store(true)
	}
	return e.answer(x)
}

// Begin implements plan.CacheCluster.
func (c *Cluster) Begin() uint64 { return c.turn.Add(1) }

// put keeps a response, if there is room and nothing has overtaken it.
func (c *Cluster) put(e *entry) {
	if !c.caches.reserve(c, e.size) {
		return
	}
	s := c.shard(&e.sum)
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.entries[e.sum]
	if c.ended.Load() || e.began <= c.flushed.Load() || old != nil && old.began > e.began {
		c.give(e.size)
		return
	}
	if old != nil {
		c.drop(s, old)
	}
	if s.entries == nil {
		s.entries = map[plan.CacheSum]*entry{}
	}
	e.place = len(s.ring)
	s.ring = append(s.ring, e)
	s.entries[e.sum] = e
	c.caches.entries.Add(1)
	c.dropExpired(s, c.caches.clock())
}

// give gives back room.
func (c *Cluster) give(n int64) {
	c.used.Add(-n)
	c.caches.used.Add(-n)
}

// drop takes a response out of its shard, whose lock is held. The last of the ring
// gets its place.
func (c *Cluster) drop(s *shard, e *entry) {
	last := len(s.ring) - 1
	s.ring[e.place] = s.ring[last]
	s.ring[e.place].place = e.place
	s.ring[last] = nil
	s.ring = s.ring[:last]
	delete(s.entries, e.sum)
	c.give(e.size)
	c.caches.entries.Add(-1)
}

// dropExpired looks at a few responses in turn for some whose time is up. The
// shard's lock is held.
func (c *Cluster) dropExpired(s *shard, now time.Time) {
	for range looksForExpired {
		if len(s.ring) == 0 {
			return
		}
		if s.sweep >= len(s.ring) {
			s.sweep = 0
		}
		if e := s.ring[s.sweep]; !now.Before(e.expires) {
			c.drop(s, e)
			continue
		}
		s.sweep++
	}
}

// evict takes one response out, and tells whether there was one. It goes round all
// shards, a step in each.
func (c *Cluster) evict() bool {
	now := c.caches.clock()
	empty := 0
	for step := 0; empty < shards; step++ {
		s := &c.shards[c.hand.Add(1)%shards]
		there, taken := c.step(s, now, step >= secondChances)
		switch {
		case taken:
			return true
		case there:
			empty = 0
		default:
			empty++
		}
	}
	return false
}

// step looks at the next response of a shard, if one is there, and takes it out if
// it is too old, wasn't used since the last time, or has to go.
func (c *Cluster) step(s *shard, now time.Time, must bool) (there, taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ring) == 0 {
		return false, false
	}
	if s.hand >= len(s.ring) {
		s.hand = 0
	}
	e := s.ring[s.hand]
	expired := !now.Before(e.expires)
	if !expired && e.used.Swap(false) && !must {
		s.hand++
		return true, false
	}
	c.drop(s, e)
	s.hand++ // the one in its place came last and has its round to go
	if !expired {
		c.caches.evicts.Add(1)
	}
	return true, true
}

// flush forgets everything.
func (c *Cluster) flush() {
	c.flushed.Store(c.turn.Load())
	c.sealer.Store(nil)
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for len(s.ring) > 0 {
			c.drop(s, s.ring[len(s.ring)-1])
		}
		s.entries, s.ring, s.hand, s.sweep = nil, nil, 0, 0
		s.mu.Unlock()
	}
}

// end is flush for good: requests of an older plan may still be running.
func (c *Cluster) end() {
	c.ended.Store(true)
	c.flush()
}
