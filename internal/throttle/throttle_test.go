package throttle

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// pass counts how many of n requests pass at a moment.
func pass(l *Limit, n int, at time.Duration) int {
	passed := 0
	for range n {
		if l.Take(start.Add(at)) {
			passed++
		}
	}
	return passed
}

func TestLimit(t *testing.T) {
	type step struct {
		at         time.Duration
		tries, got int
	}
	for _, test := range []struct {
		name  string
		rate  float64
		burst int32
		steps []step
	}{
		{"burst, then the rate", 10, 3, []step{{0, 5, 3}, {99 * time.Millisecond, 1, 0}, {100 * time.Millisecond, 2, 1}, {500 * time.Millisecond, 9, 3}, {10 * time.Second, 9, 3}}},
		{"one at a time", 1, 1, []step{{0, 2, 1}, {999 * time.Millisecond, 1, 0}, {time.Second, 2, 1}}},
		{"fractions", 0.5, 1, []step{{0, 2, 1}, {time.Second, 1, 0}, {2 * time.Second, 1, 1}}},
		{"rate 0", 0, 100, []step{{0, 3, 0}, {time.Hour, 3, 0}}},
		{"burst 0", 100, 0, []step{{0, 3, 0}, {time.Hour, 3, 0}}},
		{"slower than time can say", 1e-12, math.MaxInt32, []step{{0, 1, 1}, {time.Hour, 1, 0}}},
		{"faster than time can say", 1e12, math.MaxInt32, []step{{0, 1000, 1000}}},
		{"a request that began earlier", 10, 1, []step{{time.Second, 1, 1}, {0, 1, 0}, {1100 * time.Millisecond, 1, 1}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := NewBuckets().Route("a", "s", "r", test.rate, test.burst)
			for _, s := range test.steps {
				if got := pass(l, s.tries, s.at); got != s.got {
					t.Errorf("at %s %d of %d passed, want %d", s.at, got, s.tries, s.got)
				}
			}
		})
	}
}

// A limit that is made again, as every plan does, goes on where the last one was.
func TestBucketsOutliveLimits(t *testing.T) {
	b := NewBuckets()
	first := b.Route("a", "s", "r", 1, 5)
	if got := pass(first, 9, 0); got != 5 {
		t.Fatalf("%d passed", got)
	}
	if got := pass(b.Route("a", "s", "r", 1, 5), 9, 0); got != 0 {
		t.Errorf("a new limit over the same bucket let %d pass", got)
	}
	for name, other := range map[string]*Limit{
		"another route": b.Route("a", "s", "r2", 1, 5), "another stage": b.Route("a", "s2", "r", 1, 5),
		"another API": b.Route("a2", "s", "r", 1, 5), "an account": b.Account("a", "s", 1, 5),
	} {
		if got := pass(other, 9, 0); got != 5 {
			t.Errorf("%s: %d passed, want a bucket of its own", name, got)
		}
	}
	runtime.KeepAlive(first)
}

// A limit that changes isn't held to what was taken at its old rate.
func TestChangedLimits(t *testing.T) {
	b := NewBuckets()
	slow := b.Route("a", "s", "r", 0.001, 1)
	if got := pass(slow, 9, 0); got != 1 {
		t.Fatalf("%d passed", got)
	}
	if got := pass(b.Route("a", "s", "r", 10, 5), 9, time.Second); got != 5 {
		t.Errorf("%d passed at another rate, want all of its burst", got)
	}
	if got := pass(b.Route("a", "s", "r", 0.001, 3), 9, time.Second); got != 3 {
		t.Errorf("%d passed with another burst, want all of it", got)
	}
	if got := pass(b.Route("a", "s", "r", 0.001, 1), 9, time.Second); got != 0 {
		t.Errorf("%d passed at the old rate, which is where it was", got)
	}
	runtime.KeepAlive(slow)
}

// What no plan has any more is forgotten.
func TestBucketsAreForgotten(t *testing.T) {
	b := NewBuckets()
	for i := range 100 {
		b.Route("a", "s", string(rune('a'+i)), 1, 1)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		runtime.GC()
		runtime.Gosched()
		b.mu.Lock()
		n := len(b.all)
		b.mu.Unlock()
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d buckets are still there", n)
		}
	}
}

// However many ask at once, no more than the burst passes.
func TestConcurrent(t *testing.T) {
	l := NewBuckets().Account("1", "r", 1, 1000)
	var passed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { passed.Add(int64(pass(l, 500, 0))) })
	}
	all.Wait()
	if passed.Load() != 1000 {
		t.Errorf("%d passed, want 1000", passed.Load())
	}
}

func BenchmarkTake(b *testing.B) {
	l := NewBuckets().Route("a", "s", "r", 1e9, math.MaxInt32)
	now := time.Now()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Take(now)
		}
	})
}
