package throttle

import (
	"math"
	"sync/atomic"
	"time"
)

// A bucket is the state of one token bucket, kept as the moment at which it
// will be full again (the generic cell rate algorithm): one number, which every
// request moves ahead by the time one token takes.
type bucket struct {
	full atomic.Int64 // Unix nanoseconds
	// The rest of a cache line keeps buckets from slowing each other down. It also
	// keeps them out of the memory that Go shares among very small values, of which
	// each lives as long as the others do.
	_ [56]byte
}

// A Limit is a bucket with a rate and a burst.
type Limit struct {
	bucket *bucket
	// token is the time of one token, depth that of a whole bucket; both in
	// nanoseconds.
	token, depth int64

	rate  float64
	burst int32
}

// Numbers are the limit's rate, in requests a second, and its burst.
func (l *Limit) Numbers() (rate float64, burst int32) { return l.rate, l.burst }

// longest keeps sums of a moment and a duration within an int64.
const longest = math.MaxInt64 / 4

// spans returns the times of one token and of a whole bucket at a rate a second
// with bursts of burst. With either at 0 nothing passes.
func spans(rate float64, burst int32) (token, depth int64) {
	if rate <= 0 || burst <= 0 {
		return longest, 0
	}
	t := max(float64(time.Second)/rate, 1)
	return int64(min(t, longest)), int64(min(t*float64(burst), longest))
}

// Take takes one token at a moment and tells whether there was one.
func (l *Limit) Take(now time.Time) bool {
	at := now.UnixNano()
	for {
		full := l.bucket.full.Load()
		next := max(full, at) + l.token
		if next-at > l.depth {
			return false
		}
		if l.bucket.full.CompareAndSwap(full, next) {
			return true
		}
	}
}
