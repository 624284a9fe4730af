package balance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// probes answers for addresses, and counts what it was asked.
type probes struct {
	mu    sync.Mutex
	down  map[string]*Failure
	asked map[string]int
}

func newProbes() *probes { return &probes{down: map[string]*Failure{}, asked: map[string]int{}} }

func (p *probes) probe(_ context.Context, _ *Check, addr string) *Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[addr]++
	return p.down[addr]
}

func (p *probes) set(addr string, f *Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down[addr] = f
}

func (p *probes) count(addr string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[addr]
}

// fast is a check of ten seconds.
func fast() *Check {
	return &Check{Interval: 10 * time.Second, Timeout: 2 * time.Second, HealthyThreshold: 3, UnhealthyThreshold: 2}
}

func group(check *Check, addrs ...string) GroupConfig {
	g := GroupConfig{Key: "g", Name: "g", Check: check}
	for _, a := range addrs {
		g.Targets = append(g.Targets, TargetConfig{Key: a, Addr: a, CheckAddr: a})
	}
	return g
}

func behind(g GroupConfig) Config {
	return Config{Groups: []GroupConfig{g}, Listeners: []ListenerConfig{
		{Key: "l", LoadBalancer: "lb", Port: 80, Default: Action{Forward: []Weighted{{g.Key, 1}}}},
	}}
}

// picked are the addresses of n picks, each once.
func picked(b *Balancer, n int) string {
	g := b.Listener("l").Default().Group
	all := map[string]bool{}
	for range n {
		if t := g.Pick(time.Now()); t != nil {
			all[t.Addr] = true
		}
	}
	var list []string
	for a := range all {
		list = append(list, a)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func state(b *Balancer, target string) string {
	h := b.Health("g")[target]
	return strings.TrimSpace(string(h.State) + " " + h.Reason)
}

// in runs a balancer in a bubble of time.
func in(t *testing.T, f func(t *testing.T, b *Balancer, p *probes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newProbes()
		b := New(Options{Probe: p.probe, Jitter: func() float64 { return 0 }})
		defer b.Close()
		f(t, b, p)
	})
}

// pass lets time pass, and what is to be done then be done.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestHealthFollowsThresholds(t *testing.T) {
	in(t, func(t *testing.T, b *Balancer, p *probes) {
		p.set("b", failedChecks)
		b.Apply("o", behind(group(fast(), "a", "b")))
		synctest.Wait()
		steps := []struct {
			name, a, b, want string
			before           func()
		}{
			{"one check makes a new target healthy, one failure isn't enough", "healthy", "initial Elb.InitialHealthChecking", "a", nil},
			{"two failures are", "healthy", "unhealthy Target.FailedHealthChecks", "a", nil},
			{"it comes back: one", "healthy", "unhealthy Target.FailedHealthChecks", "a", func() { p.set("b", nil) }},
			{"two", "healthy", "unhealthy Target.FailedHealthChecks", "a", nil},
			{"three passed checks do it", "healthy", "healthy", "a b", nil},
			{"the other one fails once", "healthy", "healthy", "a b", func() { p.set("a", timedOut) }},
			{"and again", "unhealthy Target.Timeout", "healthy", "b", nil},
			{"a passed check in between counts anew", "unhealthy Target.Timeout", "healthy", "b", func() { p.set("b", failedChecks) }},
			{"nobody is healthy: all get requests", "unhealthy Target.Timeout", "unhealthy Target.FailedHealthChecks", "a b", nil},
		}
		for i, s := range steps {
			if s.before != nil {
				s.before()
			}
			if i > 0 {
				pass(10 * time.Second)
			}
			if got := state(b, "a"); got != s.a {
				t.Errorf("%s: a is %q, want %q", s.name, got, s.a)
			}
			if got := state(b, "b"); got != s.b {
				t.Errorf("%s: b is %q, want %q", s.name, got, s.b)
			}
			if got := picked(b, 8); got != s.want {
				t.Errorf("%s: requests go to %q, want %q", s.name, got, s.want)
			}
		}
	})
}

func TestChecksBeginAndEndWithTargets(t *testing.T) {
	in(t, func(t *testing.T, b *Balancer, p *probes) {
		g := group(fast(), "a", "b")
		g.Unused = true
		b.Apply("o", Config{Groups: []GroupConfig{g}})
		pass(time.Minute)
		if n := p.count("a"); n != 0 || state(b, "a") != "unused Target.NotInUse" {
			t.Errorf("a group without a listener was checked %d times, its target is %s", n, state(b, "a"))
		}
		b.Apply("o", behind(group(fast(), "a", "b")))
		pass(25 * time.Second)
		if n := p.count("a"); n != 3 {
			t.Errorf("checked %d times in 25 s, want 3", n)
		}
		gone := b.Listener("l").Default().Group.Pick(time.Now(), b.Listener("l").Default().Group.Pick(time.Now()))
		b.Apply("o", behind(group(fast(), "a")))
		before := p.count("b")
		pass(time.Minute)
		if n := p.count("b"); n != before {
			t.Errorf("a target that is gone was checked %d times more", n-before)
		}
		if n := p.count("a"); n < 8 || state(b, "a") != "healthy" {
			t.Errorf("the target that stayed is %s after %d checks", state(b, "a"), n)
		}
		if gone.Addr == "b" && !gone.Gone() {
			t.Error("a target that was taken out doesn't know")
		}
		b.Apply("o", Config{})
		before = p.count("a")
		pass(time.Minute)
		if p.count("a") != before || b.Listener("l") != nil || b.Health("g") != nil || b.At(Port{"lb", 80}) != nil {
			t.Error("what was deleted is still there")
		}
	})
}

func TestHealthOutlivesOtherChanges(t *testing.T) {
	in(t, func(t *testing.T, b *Balancer, p *probes) {
		p.set("b", failedChecks)
		b.Apply("o", behind(group(fast(), "a", "b")))
		pass(15 * time.Second)
		g := group(fast(), "a", "b", "c")
		g.Algorithm = LeastOutstanding
		b.Apply("o", behind(g))
		if got := state(b, "b"); got != "unhealthy Target.FailedHealthChecks" {
			t.Errorf("b is %s after another target came", got)
		}
		slow := fast()
		slow.Interval = time.Minute
		b.Apply("o", behind(group(slow, "a", "b", "c")))
		if got := state(b, "a"); got != "initial Elb.InitialHealthChecking" {
			t.Errorf("a is %s once it is checked in another way", got)
		}
		synctest.Wait()
		if got := state(b, "a"); got != "healthy" {
			t.Errorf("a is %s after the first of the new checks", got)
		}
	})
}

func TestChecksAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu         sync.Mutex
			now, most  int
			everywhere = map[string]bool{}
		)
		b := New(Options{Jitter: func() float64 { return 0 }, Probe: func(ctx context.Context, _ *Check, addr string) *Failure {
			mu.Lock()
			now++
			most = max(most, now)
			everywhere[addr] = true
			mu.Unlock()
			<-ctx.Done() // nobody answers
			mu.Lock()
			now--
			mu.Unlock()
			return timedOut
		}})
		defer b.Close()
		var addrs []string
		for i := range 300 {
			addrs = append(addrs, fmt.Sprintf("t%d", i))
		}
		b.Apply("o", behind(group(fast(), addrs...)))
		pass(20 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		if most != maxOwnerChecks || len(everywhere) != 300 {
			t.Errorf("%d checks at once, %d targets checked; want %d and 300", most, len(everywhere), maxOwnerChecks)
		}
	})
}

// Targets that don't answer keep nobody else's from being checked.
func TestOwnersAreChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbes()
		b := New(Options{Jitter: func() float64 { return 0 }, Probe: func(ctx context.Context, c *Check, addr string) *Failure {
			failure := p.probe(ctx, c, addr)
			if strings.HasPrefix(addr, "silent") {
				<-ctx.Done()
				return timedOut
			}
			return failure
		}})
		defer b.Close()
		slow := &Check{Interval: 300 * time.Second, Timeout: 120 * time.Second, HealthyThreshold: 3, UnhealthyThreshold: 2}
		for owner := range 12 { // more of them than may be checked at a time
			var silent []string
			for n := range 200 {
				silent = append(silent, fmt.Sprintf("silent %d %d", owner, n))
			}
			g := group(slow, silent...)
			g.Key = fmt.Sprint("silent ", owner)
			b.Apply(g.Key, behind(g))
			if owner == 5 {
				b.Apply("o", behind(group(fast(), "a")))
				synctest.Wait()
				if got := state(b, "a"); got != "healthy" {
					t.Errorf("beside targets that don't answer: %s", got)
				}
			}
		}
		p.set("a", failedChecks)
		pass(20 * time.Minute)
		if got := state(b, "a"); got != "unhealthy Target.FailedHealthChecks" {
			t.Errorf("beside more than are checked at a time: %s", got)
		}
		if len(p.asked) != 12*200+1 {
			t.Errorf("%d targets were checked", len(p.asked))
		}
	})
}

func TestPick(t *testing.T) {
	at := time.Unix(1000, 0)
	set := func(a Algorithm, n int) *Group {
		g := newGroup("g")
		c := GroupConfig{Algorithm: a}
		for i := range n {
			addr := fmt.Sprint(i)
			c.Targets = append(c.Targets, TargetConfig{addr, addr, addr})
		}
		g.apply(c, at)
		return g
	}
	t.Run("in turn", func(t *testing.T) {
		g := set(RoundRobin, 3)
		seen := map[string]int{}
		for range 30 {
			seen[g.Pick(at).Addr]++
		}
		if seen["0"] != 10 || seen["1"] != 10 || seen["2"] != 10 {
			t.Errorf("requests went to %v", seen)
		}
	})
	t.Run("the least busy", func(t *testing.T) {
		g := set(LeastOutstanding, 3)
		g.targets[0].Begin()
		g.targets[2].Begin()
		for range 5 {
			if got := g.Pick(at).Addr; got != "1" {
				t.Errorf("picked %s, want 1", got)
			}
		}
		g.targets[0].End()
		g.targets[1].Begin()
		if got := g.Pick(at).Addr; got != "0" {
			t.Errorf("picked %s, want 0", got)
		}
	})
	t.Run("another one, until there is none", func(t *testing.T) {
		g := set(RoundRobin, 2)
		a := g.Pick(at)
		b := g.Pick(at, a)
		if a == b || b == nil || g.Pick(at, a, b) != nil {
			t.Errorf("picked %v, %v, then %v", a, b, g.Pick(at, a, b))
		}
	})
	t.Run("a suspect comes last, for a moment", func(t *testing.T) {
		g := set(RoundRobin, 2)
		g.targets[0].Suspect(at)
		for range 4 {
			if got := g.Pick(at).Addr; got != "1" {
				t.Errorf("picked %s", got)
			}
		}
		if got := g.Pick(at, g.targets[1]); got != g.targets[0] {
			t.Error("a suspect isn't picked where there is nobody else")
		}
		seen := map[string]bool{}
		for range 4 {
			seen[g.Pick(at.Add(suspicion)).Addr] = true
		}
		if !seen["0"] {
			t.Error("a suspect stays one")
		}
	})
	t.Run("nobody", func(t *testing.T) {
		if got := set(RoundRobin, 0).Pick(at); got != nil {
			t.Errorf("picked %v", got)
		}
	})
	t.Run("without allocating", func(t *testing.T) {
		g := set(RoundRobin, 8)
		if n := testing.AllocsPerRun(100, func() { g.Pick(at) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func TestWeights(t *testing.T) {
	b := New(Options{})
	defer b.Close()
	b.Apply("o", Config{
		Groups: []GroupConfig{{Key: "a"}, {Key: "b"}, {Key: "c"}},
		Listeners: []ListenerConfig{
			{Key: "some", Default: Action{Forward: []Weighted{{"a", 1}, {"b", 0}, {"c", 3}, {"gone", 9}}}},
			{Key: "none", Default: Action{Forward: []Weighted{{"b", 0}}}},
		},
	})
	seen := map[string]int{}
	for range 4000 {
		seen[b.Listener("some").Default().Group.Key]++
	}
	if seen["b"]+seen["gone"] != 0 || seen["a"] < 500 || seen["c"] < 2000 {
		t.Errorf("shares are %v", seen)
	}
	if g := b.Listener("none").Default().Group; g == nil || g.Pick(time.Now()) != nil {
		t.Error("a listener without weights has a target")
	}
}

func TestServiceInstances(t *testing.T) {
	b := New(Options{})
	defer b.Close()
	apply := func(i ...Instance) { b.Apply("o", Config{Services: []ServiceConfig{{Key: "s", Instances: i}}}) }
	addrs := func(attributes map[string]string) string {
		f := Filter{Text: fmt.Sprint(attributes), Attributes: attributes}
		g := b.Service("s").Listener(f).Default().Group
		var all []string
		var tried []*Target
		for t := g.Pick(time.Now()); t != nil; t = g.Pick(time.Now(), tried...) {
			tried = append(tried, t)
			all = append(all, t.Addr)
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	one := Instance{ID: "1", Addr: "a", Attributes: map[string]string{"v": "1"}}
	two := Instance{ID: "2", Addr: "b", Attributes: map[string]string{"v": "2"}}
	apply(one, two)
	if got := addrs(nil) + "|" + addrs(map[string]string{"v": "2"}) + "|" + addrs(map[string]string{"w": "2"}); got != "a b|b|" {
		t.Errorf("instances are %q", got)
	}
	kept := b.Service("s").Listener(Filter{}).Default().Group.targets[1]
	one.Unhealthy = true
	apply(one, two)
	if got := addrs(nil) + "|" + addrs(map[string]string{"v": "1"}); got != "b|a" {
		t.Errorf("with an unhealthy one: %q", got)
	}
	if b.Service("s").Listener(Filter{}).Default().Group.targets[0] != kept && b.Service("s").Listener(Filter{}).Default().Group.Pick(time.Now()) != kept {
		t.Error("an instance that stayed has another target")
	}
	apply(one)
	if !kept.Gone() {
		t.Error("the target of an instance that is gone doesn't know")
	}
}

func TestRules(t *testing.T) {
	l := newListener(&ListenerConfig{Application: true, Port: 80, Default: fixed("default"), Rules: []RuleConfig{
		{[]Condition{{Field: Host, Patterns: []string{"*.example.com"}}, {Field: Path, Patterns: []string{"/img/*", "/?.css"}}}, fixed("host and path")},
		{[]Condition{{Field: Method, Patterns: []string{"DELETE"}}}, fixed("method")},
		{[]Condition{{Field: Header, Name: "X-Kind", Patterns: []string{"a*b", "c"}}}, fixed("header")},
		{[]Condition{{Field: Query, Pairs: []Pair{{"version", "v1"}, {"", "any*"}}}}, fixed("query")},
	}}, nil)
	for _, c := range []struct {
		r    Request
		want string
	}{
		{Request{Host: "A.EXAMPLE.com:8080", Path: "/img/x/y"}, "host and path"},
		{Request{Host: "a.example.com", Path: "/a.css"}, "host and path"},
		{Request{Host: "a.example.com", Path: "/aa.css"}, "default"},
		{Request{Host: "a.example.com", Path: "/IMG/x"}, "default"},
		{Request{Host: "example.com", Path: "/img/x"}, "default"},
		{Request{Method: "DELETE"}, "method"},
		{Request{Method: "delete"}, "default"},
		{Request{Header: has("x-kind", "AxxB")}, "header"},
		{Request{Header: has("x-kind", "d")}, "default"},
		{Request{Query: "a=1&Version=V1"}, "query"},
		{Request{Query: "x=anything"}, "query"},
		{Request{Query: "version=v2"}, "default"},
	} {
		if c.r.Header == nil {
			c.r.Header = has("", "")
		}
		if got := l.Route(&c.r).Fixed.Body; got != c.want {
			t.Errorf("%s %s%s?%s: %s, want %s", c.r.Method, c.r.Host, c.r.Path, c.r.Query, got, c.want)
		}
	}
}

func fixed(name string) Action { return Action{Fixed: &FixedResponse{Status: 200, Body: name}} }

func has(name, value string) func(string, func(string) bool) bool {
	return func(n string, fulfils func(string) bool) bool { return strings.EqualFold(n, name) && fulfils(value) }
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		fold, want    bool
	}{
		{"", "", false, true}, {"*", "", false, true}, {"?", "", false, false}, {"a*c", "abbc", false, true}, {"a*c", "abbd", false, false},
		{"*a*b", "xxaxxb", false, true}, {"a**", "a", false, true}, {"A", "a", false, false}, {"A?", "ab", true, true}, {"*.x", "a.y.x", false, true},
		{strings.Repeat("*a", 30) + "b", strings.Repeat("a", 200), false, false},
	} {
		if got := Glob(c.pattern, c.text, c.fold); got != c.want {
			t.Errorf("Glob(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

func TestLocation(t *testing.T) {
	r := Request{Host: "a.test:8080", Path: "/x/y", Query: "q=1"}
	keep := Redirect{Protocol: "HTTPS", Host: "#{host}", Port: "443", Path: "/#{path}", Query: "#{query}"}
	if got := keep.Location(&r, false, 80); got != "https://a.test:443/x/y?q=1" {
		t.Errorf("Location = %s", got)
	}
	moved := Redirect{Protocol: "#{protocol}", Host: "b.#{host}", Port: "#{port}", Path: "/new/#{path}", Query: ""}
	if got := moved.Location(&r, true, 8443); got != "https://b.a.test:8443/new/x/y" {
		t.Errorf("Location = %s", got)
	}
	r.Host = "[::1]:8080"
	if got := keep.Location(&r, false, 80); got != "https://[::1]:443/x/y?q=1" {
		t.Errorf("Location = %s", got)
	}
}

// Probe is checked with real targets.
func TestProbe(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/down":
			w.WriteHeader(http.StatusInternalServerError)
		case "/silent":
			<-r.Context().Done()
		default:
			if r.UserAgent() != "ELB-HealthChecker/2.0" {
				w.WriteHeader(http.StatusTeapot)
			}
		}
	})
	plain, secure := httptest.NewServer(answer), httptest.NewTLSServer(answer)
	defer plain.Close()
	defer secure.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, addr string
		check      Check
		want       string
	}{
		{"TCP", plain.Listener.Addr().String(), Check{}, ""},
		{"TCP, nobody there", nobody, Check{}, "Target.FailedHealthChecks"},
		{"HTTP", plain.Listener.Addr().String(), Check{Protocol: HTTP, Path: "/ok", Matcher: "200"}, ""},
		{"HTTPS, whatever the certificate", secure.Listener.Addr().String(), Check{Protocol: HTTPS, Path: "/ok?x=1", Matcher: "200"}, ""},
		{"another status", plain.Listener.Addr().String(), Check{Protocol: HTTP, Path: "/down", Matcher: "200-399"}, "Target.ResponseCodeMismatch"},
		{"redirects aren't followed", plain.Listener.Addr().String(), Check{Protocol: HTTP, Path: "/away", Matcher: "200"}, "Target.ResponseCodeMismatch"},
		{"a list of statuses", plain.Listener.Addr().String(), Check{Protocol: HTTP, Path: "/away", Matcher: "200,301-303"}, ""},
		{"TLS where plain HTTP is", plain.Listener.Addr().String(), Check{Protocol: HTTPS, Path: "/", Matcher: "200"}, "Target.FailedHealthChecks"},
		{"HTTP, nobody there", nobody, Check{Protocol: HTTP, Path: "/", Matcher: "200"}, "Target.FailedHealthChecks"},
	} {
		got := ""
		if f := Probe(t.Context(), &c.check, c.addr); f != nil {
			got = f.Reason
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("its time is up"))
	if f := Probe(ctx, &Check{Protocol: HTTP, Path: "/silent", Matcher: "200"}, plain.Listener.Addr().String()); f == nil || f.Reason != "Target.Timeout" {
		t.Errorf("a target that says nothing: %v", f)
	}
}

func BenchmarkPick(b *testing.B) {
	g := newGroup("g")
	c := GroupConfig{}
	for i := range 8 {
		addr := fmt.Sprint(i)
		c.Targets = append(c.Targets, TargetConfig{addr, addr, addr})
	}
	now := time.Now()
	g.apply(c, now)
	b.ReportAllocs()
	for b.Loop() {
		g.Pick(now)
	}
}
