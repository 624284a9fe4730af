package authorize

import (
	"strings"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

// A token as long as tokens are.
var longToken = "auth: Bearer " + strings.Repeat("eyJhbGciOi", 80)

func cachedLambda(t testing.TB, kind LambdaKind, answer string) (*Lambda, *plan.Exchange) {
	l := newLambda(t, LambdaOptions{Kind: kind, Sources: []string{sourceOf(kind)}, TTL: time.Hour, Function: says(answer), Clock: time.Now, Cache: NewAnswerCache(AnswerCacheOptions{})})
	x := request(kind, "GET /pets/1/toys", "host: api.example", longToken, "accept: */*")
	if err := l.Authorize(x); err != nil {
		t.Fatal(err)
	}
	return l, x
}

// An answer that is kept costs no memory.
func TestCachedAnswerBudget(t *testing.T) {
	for kind, answer := range map[LambdaKind]string{
		RESTToken: allows("arn:aws:execute-api:eu-west-1:123456789012:api1/dev/GET/pets/*"), HTTPSimple: `{"isAuthorized":true,"context":{"a":[1]}}`,
	} {
		l, x := cachedLambda(t, kind, answer)
		allocs := testing.AllocsPerRun(200, func() {
			x.Scratch = x.Scratch[:0]
			if err := l.Authorize(x); err != nil {
				t.Fatal(err)
			}
		})
		const budget = 2
		if allocs > budget {
			t.Errorf("kind %d: %v allocations, at most %d", kind, allocs, budget)
		}
	}
}

func BenchmarkCachedAnswer(b *testing.B) {
	narrow := allows("arn:aws:execute-api:eu-west-1:123456789012:api1/dev/GET/pets/*")
	for name, bench := range map[string]struct {
		kind   LambdaKind
		answer string
	}{"policy": {RESTToken, narrow}, "simple": {HTTPSimple, `{"isAuthorized":true}`}} {
		b.Run(name, func(b *testing.B) {
			l, x := cachedLambda(b, bench.kind, bench.answer)
			b.ReportAllocs()
			for b.Loop() {
				x.Scratch = x.Scratch[:0]
				if err := l.Authorize(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// All ask with one token, which is the worst for a lock.
func BenchmarkCachedAnswerParallel(b *testing.B) {
	l, _ := cachedLambda(b, RESTToken, allows("*"))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		x := request(RESTToken, "GET /pets/1/toys", "host: api.example", longToken, "accept: */*")
		for pb.Next() {
			x.Scratch = x.Scratch[:0]
			if err := l.Authorize(x); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
