package authorize

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// What an AnswerCache holds by default.
const (
	defaultCachedAnswers = 1 << 17
	defaultCachedBytes   = 128 << 20
)

// cacheShards bounds how many callers wait for each other: a key is in one.
const cacheShards = 64

// An AnswerCache keeps what the functions of Lambda authorizers answered. It
// outlives plans: an authorizer of a later plan finds the answers of its
// predecessor if its definition is the same. It holds nobody's tokens, only
// keyed hashes of them.
type AnswerCache struct {
	clock  func() time.Time
	secret [32]byte
	shards [cacheShards]cacheShard
}

// AnswerCacheOptions are what an AnswerCache is made of. The zero value is good.
type AnswerCacheOptions struct {
	// MaxAnswers and MaxBytes bound what is kept; 0 is 131,072 answers and 128 MiB.
	MaxAnswers, MaxBytes int
	// Clock is what answers age by; nil is time.Now.
	Clock func() time.Time
}

// NewAnswerCache returns an empty cache.
func NewAnswerCache(o AnswerCacheOptions) *AnswerCache {
	c := &AnswerCache{clock: o.Clock}
	if c.clock == nil {
		c.clock = time.Now
	}
	if o.MaxAnswers == 0 {
		o.MaxAnswers = defaultCachedAnswers
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultCachedBytes
	}
	_, _ = rand.Read(c.secret[:]) // never fails
	for i := range c.shards {
		c.shards[i] = cacheShard{
			maxEntries: max(o.MaxAnswers/cacheShards, 1), maxBytes: max(o.MaxBytes/cacheShards, 1),
			entries: map[cacheKey]*cacheEntry{}, flights: map[cacheKey]*flight{},
		}
	}
	return c
}

// Flush forgets the answers of a stage's authorizers. Answers that are on their
// way are for those who wait for them and aren't kept.
func (c *AnswerCache) Flush(apiID, stage string) {
	of := cacheScope{apiID, stage}
	for i := range c.shards {
		c.shards[i].flush(of)
	}
}

// A cacheScope is the stage that an answer belongs to.
type cacheScope struct{ apiID, stage string }

// A cacheKey is the hash of an authorizer and of the identity of a caller.
type cacheKey [sha256.Size]byte

// authorizerKey is what the keys of one authorizer's callers begin with: a hash
// of the texts that tell it from all others.
func (c *AnswerCache) authorizerKey(texts ...string) (key [sha256.Size]byte) {
	framed := append([]byte(nil), c.secret[:]...)
	for _, text := range texts {
		framed = binary.BigEndian.AppendUint32(framed, uint32(len(text)))
		framed = append(framed, text...)
	}
	return sha256.Sum256(framed)
}

func (c *AnswerCache) shard(key *cacheKey) *cacheShard { return &c.shards[key[0]%cacheShards] }

// find returns the answer that is kept for a key, nil for none.
func (c *AnswerCache) find(key *cacheKey, now time.Time) *verdict {
	s := c.shard(key)
	s.mu.RLock()
	e := s.entries[*key]
	s.mu.RUnlock()
	if e == nil || !now.Before(e.expires) {
		return nil
	}
	if !e.used.Load() {
		e.used.Store(true)
	}
	return e.verdict
}

// A cacheShard holds some of the answers, and the calls that will bring more.
// What is evicted is found by the clock algorithm: the hand goes round and takes
// what wasn't used since it came by last.
type cacheShard struct {
	maxEntries, maxBytes int

	mu      sync.RWMutex
	entries map[cacheKey]*cacheEntry
	ring    []*cacheEntry
	hand    int
	bytes   int
	flights map[cacheKey]*flight
}

type cacheEntry struct {
	key     cacheKey
	scope   cacheScope
	verdict *verdict
	expires time.Time
	used    atomic.Bool
	place   int // in the ring
}

// entryOverhead is about what an entry takes beside its answer.
const entryOverhead = 256

func (e *cacheEntry) size() int { return e.verdict.size + entryOverhead }

// put keeps an answer. s.mu is held.
func (s *cacheShard) put(e *cacheEntry, now time.Time) {
	if old := s.entries[e.key]; old != nil {
		s.remove(old)
	}
	if e.size() > s.maxBytes {
		return // one answer mustn't cost all others
	}
	for len(s.ring) > 0 && (len(s.ring) >= s.maxEntries || s.bytes+e.size() > s.maxBytes) {
		s.evict(now)
	}
	e.place = len(s.ring)
	s.ring = append(s.ring, e)
	s.entries[e.key] = e
	s.bytes += e.size()
}

// evict removes one entry. s.mu is held.
func (s *cacheShard) evict(now time.Time) {
	for {
		if s.hand >= len(s.ring) {
			s.hand = 0
		}
		e := s.ring[s.hand]
		if !now.Before(e.expires) || !e.used.Swap(false) {
			s.remove(e)
			return
		}
		s.hand++
	}
}

// remove takes an entry out; the last of the ring gets its place.
func (s *cacheShard) remove(e *cacheEntry) {
	last := len(s.ring) - 1
	s.ring[e.place] = s.ring[last]
	s.ring[e.place].place = e.place
	s.ring[last] = nil
	s.ring = s.ring[:last]
	delete(s.entries, e.key)
	s.bytes -= e.size()
}

func (s *cacheShard) flush(of cacheScope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.ring) - 1; i >= 0; i-- {
		if e := s.ring[i]; e.scope == of {
			s.remove(e)
		}
	}
	for key, f := range s.flights {
		if f.scope == of {
			delete(s.flights, key) // who comes now asks anew
		}
	}
}

// A flight is a call of a function for all who ask for the same key while it
// lasts: a crowd that comes with one token costs one call.
type flight struct {
	scope  cacheScope
	ttl    time.Duration
	cancel func()
	// waiting is how many wait; guarded by the shard's mutex. The last one that
	// leaves cancels the call.
	waiting int
	// done is closed once outcome is there.
	done    chan struct{}
	outcome outcome
}

// join returns the answer that is kept for a key, or the call that will bring
// it. The call is new, and the caller's to start, if started is true.
func (c *AnswerCache) join(key *cacheKey, scope cacheScope, ttl time.Duration) (v *verdict, f *flight, started bool) {
	s := c.shard(key)
	now := c.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[*key]; e != nil && now.Before(e.expires) {
		e.used.Store(true)
		return e.verdict, nil, false
	}
	if f = s.flights[*key]; f != nil {
		f.waiting++
		return nil, f, false
	}
	f = &flight{scope: scope, ttl: ttl, waiting: 1, done: make(chan struct{})}
	s.flights[*key] = f
	return nil, f, true
}

// land ends a call with its outcome. An answer is kept unless the cache was
// flushed meanwhile; a failure isn't.
func (c *AnswerCache) land(key *cacheKey, f *flight, o outcome) {
	s := c.shard(key)
	now := c.clock()
	s.mu.Lock()
	if s.flights[*key] == f {
		delete(s.flights, *key)
		if o.verdict != nil {
			s.put(&cacheEntry{key: *key, scope: f.scope, verdict: o.verdict, expires: now.Add(f.ttl)}, now)
		}
	}
	s.mu.Unlock()
	f.outcome = o
	close(f.done)
}

// leave gives up waiting for a call. Without anyone who waits the call is
// cancelled, and leave returns when it has ended.
func (c *AnswerCache) leave(key *cacheKey, f *flight) {
	s := c.shard(key)
	s.mu.Lock()
	f.waiting--
	last := f.waiting == 0
	if last && s.flights[*key] == f {
		delete(s.flights, *key)
	}
	s.mu.Unlock()
	if last {
		f.cancel()
		<-f.done
	}
}
