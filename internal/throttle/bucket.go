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
}

// A Limit is a bucket with a rate and a burst.
type Limit struct {
	bucket *bucket
	// token is the time of one token, depth that of a whole bucket; both in
	// nanoseconds.
	token, depth int64
}

// longest keeps sums of a moment and a duration within an int64.
const longest = math.MaxInt64 / 4

// newLimit makes a limit of rate requests a second with bursts of burst. With
// either at 0 nothing passes.
func newLimit(b *bucket, rate float64, burst int32) *Limit {
	l := &Limit{bucket: b, token: longest}
	if rate <= 0 || burst <= 0 {
		return l
	}
	token := max(float64(time.Second)/rate, 1)
	l.token = int64(min(token, longest))
	l.depth = int64(min(token*float64(burst), longest))
	return l
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
