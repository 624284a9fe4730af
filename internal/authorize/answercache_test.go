package authorize

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

func kept(t testing.TB, clock *lambdaClock, function *fakeFunction, sources ...string) *Lambda {
	return newLambda(t, LambdaOptions{Kind: RESTRequest, Sources: sources, TTL: time.Minute, Function: function, Clock: clock.time})
}

// A narrow answer that is kept doesn't open a sibling, and one that is refused
// at one path is asked about another.
func TestKeptPolicyIsHeldAgainstEachRequest(t *testing.T) {
	function := says(allows("arn:aws:execute-api:eu-west-1:123456789012:api1/dev/GET/a/*"))
	l := kept(t, newLambdaClock(), function, sourceOf(RESTRequest))
	for _, test := range []struct {
		line string
		want plan.FaultKind
	}{
		{"GET /a/1", 0}, {"GET /b/1", plan.AccessDenied}, {"POST /a/1", plan.AccessDenied}, {"GET /a", plan.AccessDenied},
		{"GET /a/2/3", 0}, {"GET /%61/1", 0}, {"GET /a/1", 0},
		{"GET /a%2F1", plan.AccessDenied}, // one segment for a REST API
	} {
		if got := kindOf(t, l.Authorize(request(RESTRequest, test.line, "auth: t"))); got != test.want {
			t.Errorf("%s: fault %d", test.line, got)
		}
	}
	if calls := function.calls.Load(); calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestAnswersAge(t *testing.T) {
	clock, function := newLambdaClock(), says(allows("*"))
	l := kept(t, clock, function, sourceOf(RESTRequest))
	for i, test := range []struct {
		pass  time.Duration
		calls int32
	}{{0, 1}, {time.Minute - 1, 1}, {1, 2}, {time.Second, 2}} {
		clock.pass(test.pass)
		if err := l.Authorize(request(RESTRequest, "GET /", "auth: t")); err != nil || function.calls.Load() != test.calls {
			t.Errorf("%d: %v after %d calls", i, err, function.calls.Load())
		}
	}
}

func TestFailuresAreNotKept(t *testing.T) {
	for _, function := range []*fakeFunction{fails(`{"errorMessage":"Unauthorized"}`), fails("{}"), says("null")} {
		l := kept(t, newLambdaClock(), function, sourceOf(RESTRequest))
		for range 2 {
			if l.Authorize(request(RESTRequest, "GET /", "auth: t")) == nil {
				t.Fatal("it lets pass")
			}
		}
		if calls := function.calls.Load(); calls != 2 {
			t.Errorf("%d calls", calls)
		}
	}
}

func TestDenialsAreKept(t *testing.T) {
	function := says(deny)
	l := kept(t, newLambdaClock(), function, sourceOf(RESTRequest))
	for range 2 {
		if got := kindOf(t, l.Authorize(request(RESTRequest, "GET /", "auth: t"))); got != plan.AccessDenied {
			t.Fatal(got)
		}
	}
	if calls := function.calls.Load(); calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

// Two authorizers share answers only if nothing tells them apart.
func TestAnswersBelongToTheirAuthorizer(t *testing.T) {
	clock := newLambdaClock()
	cache := NewAnswerCache(AnswerCacheOptions{Clock: clock.time})
	function := says(allows("*"))
	base := LambdaOptions{Kind: RESTRequest, ID: "auth1", API: apiOf(RESTRequest), Stage: "dev", Sources: []string{sourceOf(RESTRequest)}, TTL: time.Minute, Function: function, Cache: cache, Clock: clock.time, Definition: "1"}
	try := func(change func(*LambdaOptions)) int32 {
		t.Helper()
		o := base
		change(&o)
		l, err := NewLambda(o)
		if err != nil {
			t.Fatal(err)
		}
		before := function.calls.Load()
		if err := l.Authorize(request(RESTRequest, "GET /", "auth: t")); err != nil {
			t.Fatal(err)
		}
		return function.calls.Load() - before
	}
	for name, test := range map[string]struct {
		change func(*LambdaOptions)
		calls  int32
	}{
		"stage":      {func(o *LambdaOptions) { o.Stage = "prod" }, 1},
		"API":        {func(o *LambdaOptions) { o.API = &plan.API{ID: "api2", AccountID: o.API.AccountID, Protocol: plan.REST} }, 1},
		"id":         {func(o *LambdaOptions) { o.ID = "auth2" }, 1},
		"definition": {func(o *LambdaOptions) { o.Definition = "2" }, 1},
		"kind":       {func(o *LambdaOptions) { o.Kind = RESTToken }, 1},
		"time":       {func(o *LambdaOptions) { o.TTL = time.Hour }, 1},
		"nothing":    {func(*LambdaOptions) {}, 0},
	} {
		try(func(*LambdaOptions) {})
		if got := try(test.change); got != test.calls {
			t.Errorf("another %s: %d calls", name, got)
		}
	}
}

// Whatever a function can tell callers apart by, the key of its answer does, too.
func TestIdentityGames(t *testing.T) {
	header, other := "method.request.header.a", "method.request.header.b"
	query, forwarded := "method.request.querystring.q", "method.request.header.X-Forwarded-For"
	for _, test := range []struct {
		name    string
		sources []string
		one     []string // the line, then headers
		two     []string
		same    bool
	}{
		{"a value moves to its neighbour", []string{header, other}, []string{"GET /", "a: xy", "b: z"}, []string{"GET /", "a: x", "b: yz"}, false},
		{"values are swapped", []string{header, other}, []string{"GET /", "a: x", "b: y"}, []string{"GET /", "a: y", "b: x"}, false},
		{"the joining comma", []string{header}, []string{"GET /", "a: x", "a: y"}, []string{"GET /", "a: x,y"}, false},
		{"a second header before", []string{header}, []string{"GET /", "a: good"}, []string{"GET /", "a: bad", "a: good"}, false},
		{"a second header behind", []string{header}, []string{"GET /", "a: good"}, []string{"GET /", "A: good", "a: bad"}, false},
		{"a second header of the same value", []string{header}, []string{"GET /", "a: good"}, []string{"GET /", "a: good", "a: good"}, false},
		{"a header of nearly the name", []string{header}, []string{"GET /", "a: good"}, []string{"GET /", "a: good", "a_: bad", "aa: bad"}, true},
		{"the case of a name", []string{header}, []string{"GET /", "a: good"}, []string{"GET /", "A: good"}, true},
		{"the case of a value", []string{header}, []string{"GET /", "a: good"}, []string{"GET /", "a: Good"}, false},
		{"a zero byte", []string{header, other}, []string{"GET /", "a: x\x00", "b: y"}, []string{"GET /", "a: x", "b: \x00y"}, false},
		{"lengths that look like values", []string{header, other}, []string{"GET /", "a: x\x00\x00\x00\x01", "b: y"}, []string{"GET /", "a: x", "b: \x00\x00\x00\x01y"}, false},
		{"a second parameter", []string{query}, []string{"GET /?q=x"}, []string{"GET /?q=x&q=y"}, false},
		{"a second parameter behind a semicolon", []string{query}, []string{"GET /?q=x"}, []string{"GET /?q=x;q=y"}, false},
		{"an encoded name", []string{query}, []string{"GET /?q=x"}, []string{"GET /?q=x&%71=y"}, false},
		{"an encoded value is the value", []string{query}, []string{"GET /?q=x"}, []string{"GET /?q=%78"}, true},
		{"a parameter in a header", []string{query}, []string{"GET /?q=x"}, []string{"GET /?q=x", "q: y"}, true},
		{"what others say of an address", []string{forwarded}, []string{"GET /"}, []string{"GET /", "x-forwarded-for: 192.0.2.1"}, false},
	} {
		function := says(allows("*"))
		l := kept(t, newLambdaClock(), function, test.sources...)
		for _, r := range [][]string{test.one, test.two} {
			if err := l.Authorize(request(RESTRequest, r[0], r[1:]...)); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if same := function.calls.Load() == 1; same != test.same {
			t.Errorf("%s: one answer for both is %t", test.name, same)
		}
	}
}

// Different addresses don't share an answer about X-Forwarded-For.
func TestForwardedForIsTheConnection(t *testing.T) {
	function := says(allows("*"))
	l := kept(t, newLambdaClock(), function, "method.request.header.X-Forwarded-For")
	one := request(RESTRequest, "GET /", "x-forwarded-for: 203.0.113.9")
	two := request(RESTRequest, "GET /", "x-forwarded-for: 203.0.113.9")
	two.Request.Source = one.Request.Source
	if l.Authorize(one) != nil || l.Authorize(two) != nil || function.calls.Load() != 1 {
		t.Error("one address isn't one identity")
	}
	two.Request.Source = netip.MustParseAddrPort("192.0.2.2:1")
	if l.Authorize(two) != nil || function.calls.Load() != 2 {
		t.Error("two addresses are one identity")
	}
}

func TestFlush(t *testing.T) {
	function := says(allows("*"))
	l := kept(t, newLambdaClock(), function, sourceOf(RESTRequest))
	ask := func(want int32) {
		t.Helper()
		if err := l.Authorize(request(RESTRequest, "GET /", "auth: t")); err != nil || function.calls.Load() != want {
			t.Errorf("%v after %d calls, want %d", err, function.calls.Load(), want)
		}
	}
	ask(1)
	l.Cache.Flush("api1", "prod")
	l.Cache.Flush("api", "1dev")
	ask(1)
	l.Cache.Flush("api1", "dev")
	ask(2)
	ask(2)
}

// An answer that was on its way when the cache was flushed isn't kept.
func TestFlushDuringACall(t *testing.T) {
	begun, end := make(chan struct{}, 2), make(chan struct{})
	function := &fakeFunction{answer: func(context.Context, string) (FunctionResult, error) {
		begun <- struct{}{}
		<-end
		return FunctionResult{Payload: []byte(allows("*"))}, nil
	}}
	l := kept(t, newLambdaClock(), function, sourceOf(RESTRequest))
	var group sync.WaitGroup
	ask := func() {
		if err := l.Authorize(request(RESTRequest, "GET /", "auth: t")); err != nil {
			t.Error(err)
		}
	}
	group.Go(ask)
	<-begun
	l.Cache.Flush("api1", "dev")
	group.Go(ask) // doesn't wait for the answer from before
	<-begun
	close(end)
	group.Wait()
	ask()
	if calls := function.calls.Load(); calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

// A crowd with one token is one call, and a client that goes away neither ends
// the call of the others nor waits for it.
func TestOneCallForACrowd(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	function := &fakeFunction{answer: func(context.Context, string) (FunctionResult, error) {
		close(begun)
		<-end
		return FunctionResult{Payload: []byte(allows("*"))}, nil
	}}
	l := kept(t, newLambdaClock(), function, sourceOf(RESTRequest))
	var group sync.WaitGroup
	leaver := make(chan struct{})
	left := make(chan struct{})
	group.Go(func() {
		defer close(left)
		x := request(RESTRequest, "GET /", "auth: t")
		x.Request.Done = leaver
		if got := kindOf(t, l.Authorize(x)); got != plan.ClientGone {
			t.Errorf("fault %d", got)
		}
	})
	<-begun
	const crowd = 50
	for range crowd {
		group.Go(func() {
			if err := l.Authorize(request(RESTRequest, "GET /", "auth: t")); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, l, crowd+1)
	close(leaver)
	<-left
	close(end)
	group.Wait()
	if calls := function.calls.Load(); calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

// waitFor waits until so many wait for a call.
func waitFor(t *testing.T, l *Lambda, many int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		waiting := 0
		for i := range l.Cache.shards {
			s := &l.Cache.shards[i]
			s.mu.Lock()
			for _, f := range s.flights {
				waiting += f.waiting
			}
			s.mu.Unlock()
		}
		if waiting == many {
			return
		}
	}
	t.Fatal("they don't come together")
}

// When all have gone the call is cancelled, and who comes next makes another.
func TestTheLastOneCancels(t *testing.T) {
	var cancelled atomic.Bool
	leaver := make(chan struct{})
	function := &fakeFunction{}
	function.answer = func(ctx context.Context, _ string) (FunctionResult, error) {
		if function.calls.Load() > 1 {
			return FunctionResult{Payload: []byte(allows("*"))}, nil
		}
		close(leaver)
		<-ctx.Done()
		cancelled.Store(true)
		return FunctionResult{}, ctx.Err()
	}
	l := kept(t, newLambdaClock(), function, sourceOf(RESTRequest))
	x := request(RESTRequest, "GET /", "auth: t")
	x.Request.Done = leaver
	if got := kindOf(t, l.Authorize(x)); got != plan.ClientGone || !cancelled.Load() {
		t.Errorf("fault %d", got)
	}
	if err := l.Authorize(request(RESTRequest, "GET /", "auth: t")); err != nil {
		t.Error(err)
	}
}

// A function that panics is a failure, for all who wait.
func TestAPanicIsAFailure(t *testing.T) {
	function := &fakeFunction{answer: func(context.Context, string) (FunctionResult, error) { panic("x") }}
	l := kept(t, newLambdaClock(), function, sourceOf(RESTRequest))
	if got := kindOf(t, l.Authorize(request(RESTRequest, "GET /", "auth: t"))); got != plan.AuthorizerMisconfigured {
		t.Errorf("fault %d", got)
	}
}

// The cache has bounds in entries and bytes, and what is used stays.
func TestCacheBounds(t *testing.T) {
	clock := newLambdaClock()
	function := &fakeFunction{answer: func(_ context.Context, event string) (FunctionResult, error) {
		if strings.Contains(event, "huge") {
			return FunctionResult{Payload: []byte(strings.Replace(allows("*"), `"n":1`, `"n":"`+strings.Repeat("x", 1<<20)+`"`, 1))}, nil
		}
		return FunctionResult{Payload: []byte(allows("*"))}, nil
	}}
	cache := NewAnswerCache(AnswerCacheOptions{MaxAnswers: 4 * cacheShards, MaxBytes: cacheShards << 16, Clock: clock.time})
	l := newLambda(t, LambdaOptions{Kind: RESTRequest, Sources: []string{sourceOf(RESTRequest)}, TTL: time.Minute, Function: function, Cache: cache, Clock: clock.time})
	ask := func(token string) {
		t.Helper()
		if err := l.Authorize(request(RESTRequest, "GET /", "auth: "+token)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2000 {
		ask(fmt.Sprint("token", i))
		ask("mine")
	}
	if calls := function.calls.Load(); calls != 2001 {
		t.Errorf("%d calls: what is used was evicted", calls)
	}
	ask("huge")
	ask("huge")
	if calls := function.calls.Load(); calls != 2003 {
		t.Errorf("%d calls: what is too large was kept", calls)
	}
	for i := range cache.shards {
		s := &cache.shards[i]
		bytes := 0
		for place, e := range s.ring {
			if bytes += e.size(); e.place != place || s.entries[e.key] != e {
				t.Fatal("ring and map disagree")
			}
		}
		if len(s.ring) > s.maxEntries || len(s.entries) != len(s.ring) || bytes != s.bytes || bytes > s.maxBytes || len(s.flights) > 0 {
			t.Errorf("shard %d has %d entries of %d bytes", i, len(s.ring), s.bytes)
		}
	}
}

// Many at once, with flushes and clients that leave; the race detector watches.
func TestCacheUnderLoad(t *testing.T) {
	clock := newLambdaClock()
	function := &fakeFunction{answer: func(ctx context.Context, event string) (FunctionResult, error) {
		if strings.Contains(event, "bad") {
			return FunctionResult{}, errors.New("no")
		}
		return FunctionResult{Payload: []byte(allows("*"))}, nil
	}}
	cache := NewAnswerCache(AnswerCacheOptions{MaxAnswers: cacheShards, Clock: clock.time})
	l := newLambda(t, LambdaOptions{Kind: RESTRequest, Sources: []string{sourceOf(RESTRequest)}, TTL: time.Second, Function: function, Cache: cache, Clock: clock.time})
	gone := make(chan struct{})
	close(gone)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 300 {
				token := fmt.Sprint("good", i%20)
				if i%7 == 0 {
					token = "bad"
				}
				x := request(RESTRequest, "GET /", "auth: "+token)
				if i%11 == 0 {
					x.Request.Done = gone
				}
				err := l.Authorize(x)
				if x.Request.Done == nil && (err == nil) != (token != "bad") {
					t.Errorf("%s: %v", token, err)
				}
				if i%50 == worker {
					cache.Flush("api1", "dev")
					clock.pass(100 * time.Millisecond)
				}
			}
		})
	}
	group.Wait()
}

// Two requests have one key only if their values are the same, one by one.
func FuzzIdentityKey(f *testing.F) {
	f.Add("a", "bc", "ab", "c", "q=1", "q=1")
	f.Add("", "\x00\x00\x00\x01", "\x00", "\x00\x00\x01", "q=1&q=2", "q=1%262")
	f.Fuzz(func(t *testing.T, a1, b1, a2, b2, q1, q2 string) {
		var sources []identitySource
		for _, written := range []string{"method.request.header.a", "method.request.querystring.q", "method.request.header.b"} {
			s, err := newIdentitySource(plan.REST, written, nil)
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, s)
		}
		key := func(a, b, q string) (string, [3]string, []bool) {
			x := request(RESTRequest, "GET /")
			x.Request.Query = q
			x.Request.Headers = plan.Headers{{Name: "A", Value: a}, {Name: "b", Value: b}}
			var framed []byte
			var values [3]string
			var present []bool
			for i := range sources {
				var found bool
				framed, found = sources[i].appendKey(framed, x)
				values[i] = sources[i].value(x)
				if found != (values[i] != "") {
					t.Fatalf("%q is found: %t", values[i], found)
				}
				present = append(present, found)
			}
			return string(framed), values, present
		}
		k1, v1, _ := key(a1, b1, q1)
		k2, v2, _ := key(a2, b2, q2)
		if k1 == k2 && v1 != v2 {
			t.Errorf("%q and %q have one key", v1, v2)
		}
		if q1 == q2 && v1 == v2 && k1 != k2 {
			t.Errorf("%q has two keys", v1)
		}
	})
}

// A token may be as long as it likes: what is kept of it is a hash.
func TestHugeTokens(t *testing.T) {
	function := says(allows("*"))
	l := kept(t, newLambdaClock(), function, sourceOf(RESTRequest))
	token := strings.Repeat("x", 1<<20)
	for _, end := range []string{"a", "b", "a"} {
		if err := l.Authorize(request(RESTRequest, "GET /", "auth: "+token+end)); err != nil {
			t.Fatal(err)
		}
	}
	bytes := 0
	for i := range l.Cache.shards {
		bytes += l.Cache.shards[i].bytes
	}
	if calls := function.calls.Load(); calls != 2 || bytes > 4096 {
		t.Errorf("%d calls, %d bytes are kept", calls, bytes)
	}
}
