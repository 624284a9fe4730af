package oidc

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrUnknownKey tells that an issuer has no key of an id.
	ErrUnknownKey = errors.New("the issuer has no key of this id")
	// ErrGone tells that nobody waits for the key any more.
	ErrGone = errors.New("the client is gone")
)

// How long keys are kept and how often they are fetched.
const (
	// keptFor is how long keys are good at most, refreshAfter when they are
	// fetched again behind the requests' back.
	keptFor      = 2 * time.Hour
	refreshAfter = time.Hour
	// ownKeptFor is both for the gateway's own issuers, which are no further than
	// a function call.
	ownKeptFor = 10 * time.Second
	// betweenFetches is the time between fetches, but for a few that may be made at
	// once: a key that is new is found at once, and key ids that somebody makes up
	// cost the issuer no more. Own issuers are asked each time: a pool may have got
	// its keys a moment ago, for the token that is to be verified.
	betweenFetches = 10 * time.Second
	fetchesAtOnce  = 3
	// afterFailure is how long a first failure is remembered; it doubles up to
	// betweenFetches.
	afterFailure = 100 * time.Millisecond
)

// A KeySet has the keys of one issuer. Its methods are for every request at
// once; those that have a key take no lock.
type KeySet struct {
	owner  *KeySets
	issuer string

	keys atomic.Pointer[map[string]*Key]
	// due is when the keys are to be fetched again, in Unix nanoseconds.
	due atomic.Int64

	mu sync.Mutex
	// flight is closed when the fetch that is under way ends; nil without one.
	flight chan struct{}
	// next is when another fetch may begin, and paid until when the fetches that
	// were made would last at one each betweenFetches.
	next, paid time.Time
	// failures are how many fetches in a row have failed, the last one with err.
	failures int
	err      error
}

// A Key is one key of an issuer. It is the same one as long as the issuer has it.
type Key struct {
	material
	set *KeySet
	// until is when it is no longer good, in Unix nanoseconds; 0 when the issuer
	// took it back.
	until atomic.Int64
}

// Verify checks the signature of a token's signed part.
func (k *Key) Verify(algorithm string, signed, signature []byte) error {
	return k.verify(algorithm, signed, signature)
}

// Usable tells whether the issuer still has the key, as far as is known. It
// costs two loads, and now and then has the keys fetched.
func (k *Key) Usable(now time.Time) bool {
	at := now.UnixNano()
	if at >= k.until.Load() {
		return false
	}
	if due := k.set.due.Load(); at >= due && k.set.due.CompareAndSwap(due, at+int64(betweenFetches)) {
		k.set.fetch(now)
	}
	return true
}

// Key returns the key of an id. A key that isn't there is looked for at the
// issuer, as often as that may be asked; the requests that wait for the answer
// wait for the same one, and no longer than until done is closed. The error is
// ErrUnknownKey, ErrGone, or why there are no keys: ErrDiscovery or ErrKeys.
func (s *KeySet) Key(id string, done <-chan struct{}) (*Key, error) {
	now := s.owner.clock()
	if k := s.find(id, now); k != nil {
		return k, nil
	}
	if flight := s.fetch(now); flight != nil {
		select {
		case <-flight:
		case <-done:
			return nil, ErrGone
		}
	}
	// A fetch may have ended just before this one would have begun.
	if k := s.find(id, s.owner.clock()); k != nil {
		return k, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	return nil, ErrUnknownKey
}

func (s *KeySet) find(id string, now time.Time) *Key {
	keys := s.keys.Load()
	if keys == nil {
		return nil
	}
	if k := (*keys)[id]; k != nil && k.Usable(now) {
		return k
	}
	return nil
}

// fetch has the keys fetched, unless that was done just now. It returns what is
// closed when the fetch that is under way ends, nil when there is none.
func (s *KeySet) fetch(now time.Time) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != nil {
		return s.flight
	}
	if now.Before(s.next) || now.Before(s.paid.Add(-(fetchesAtOnce-1)*betweenFetches)) {
		return nil
	}
	flight := make(chan struct{})
	if !s.owner.run(func() {
		defer close(flight)
		s.take(s.owner.load(s.issuer))
	}) {
		return nil
	}
	s.flight = flight
	return flight
}

// take keeps what a fetch brought. When it failed, the keys that there are stay
// good for their time.
func (s *KeySet) take(keys []material, own bool, err error) {
	now := s.owner.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight, s.err = nil, err
	if !own {
		if s.paid.Before(now) {
			s.paid = now
		}
		s.paid = s.paid.Add(betweenFetches)
	}
	if err != nil {
		s.next = now
		if !own {
			s.next = now.Add(min(afterFailure<<min(s.failures, 8), betweenFetches))
			s.failures++
		}
		s.due.Store(s.next.UnixNano())
		return
	}
	s.failures, s.next = 0, now
	kept, refresh := keptFor, refreshAfter
	if own {
		kept, refresh = ownKeptFor, ownKeptFor
	}
	s.due.Store(now.Add(refresh).UnixNano())
	s.replace(keys, now.Add(kept).UnixNano())
}

// replace puts keys in force. Those that were there before stay the same; those
// that are gone are good no more.
func (s *KeySet) replace(keys []material, until int64) {
	var old map[string]*Key
	if p := s.keys.Load(); p != nil {
		old = *p
	}
	next := make(map[string]*Key, len(keys))
	for _, m := range keys {
		k := old[m.id]
		if k == nil || !k.equal(&m) {
			k = &Key{material: m, set: s}
		}
		k.until.Store(until)
		next[m.id] = k
	}
	s.keys.Store(&next)
	for id, k := range old {
		if next[id] != k {
			k.until.Store(0)
		}
	}
}
