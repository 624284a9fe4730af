package serve_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/stagecache"
	"gatehouse/internal/transform/rest"
)

// cached has a method cache its responses by the path variable {id} and what how
// changes of that.
func cached(t testing.TB, r *plan.Route, how func(*plan.MethodCache)) *plan.Route {
	t.Helper()
	key, err := rest.NewCacheKey(rest.CacheKeyOptions{Namespace: r.ID, Parameters: []string{"method.request.path.id"}})
	if err != nil {
		t.Fatal(err)
	}
	caches := stagecache.New(stagecache.Options{MaxBytes: 64 << 20})
	r.Rest.Cache = &plan.MethodCache{
		Cluster: caches.Cluster(stagecache.ID{APIID: "abc", Stage: "dev"}, 1<<30), Key: key,
		RequireAuthorization: true, CacheTerms: plan.CacheTerms{TTL: time.Hour},
	}
	if how != nil {
		how(r.Rest.Cache)
	}
	return r
}

// What a backend answers is the same from the cache, over every front, whether it
// came in one piece or is passed on as it comes.
func TestCachedBackend(t *testing.T) {
	var calls atomic.Int64
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.Header().Set("X-Call", fmt.Sprint(calls.Load()))
		size, flush := 100, false
		if strings.HasSuffix(r.URL.Path, "long") {
			size = 300_000
		}
		if strings.Contains(r.URL.Path, "chunked") {
			flush = true
		}
		body := strings.Repeat("0123456789", size/10)
		for len(body) > 0 {
			n, _ := io.WriteString(w, body[:min(len(body), 50_000)])
			if body = body[n:]; flush {
				w.(http.Flusher).Flush()
			}
		}
	}))
	defer backend.Close()
	u := newUpstreams(t, integrate.UpstreamOptions{})
	method := restMethod(t, "GET /pets/{id}", plan.ExecutionLogging{}, newHTTP(t, integrate.HTTPOptions{URI: backend.URL + "/{id}", Upstreams: u}))
	g := startREST(t, serve.Options{Certificate: certificate(t).Certificate}, plan.RestStage{MinCompression: -1}, cached(t, method, nil))
	for _, front := range fronts {
		client := g.over(t, front, &tls.Config{InsecureSkipVerify: true})
		for _, id := range []string{"short", "long", "chunked-short", "chunked-long"} {
			t.Run(front+"/"+id, func(t *testing.T) {
				before := calls.Load()
				var first string
				for i := range 3 {
					res, err := client.Get("https://" + api + "/dev/pets/" + strings.ReplaceAll(front, "/", "") + id)
					if err != nil {
						t.Fatal(err)
					}
					body, err := io.ReadAll(res.Body)
					_ = res.Body.Close()
					got := fmt.Sprint(res.StatusCode, res.Header["X-Call"], res.Header["Content-Type"], len(body), string(body[:min(len(body), 20)]))
					if err != nil {
						t.Fatal(err)
					}
					if i == 0 {
						first = got
					}
					if got != first {
						t.Errorf("%d: got %.80s, want %.80s", i, got, first)
					}
				}
				if n := calls.Load() - before; n != 1 {
					t.Errorf("%d calls of the backend, want 1", n)
				}
			})
		}
	}
}

// outcomes are what the cache did for the requests so far.
type outcomes struct {
	mu   sync.Mutex
	seen []plan.CacheOutcome
}

func (o *outcomes) Count(x *plan.Exchange, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, x.Cache.Outcome)
}

func TestCacheSteps(t *testing.T) {
	var calls atomic.Int64
	counting := step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.Body = 200, fmt.Append(nil, calls.Add(1))
		return nil
	})
	failing := step(func(*plan.Exchange) error {
		calls.Add(1)
		return &plan.Fault{Kind: plan.IntegrationTimeout, Reason: "it takes too long"}
	})
	const renew = "Cache-Control: max-age=0\r\n"
	const warning = "Warning: 199 Cache-control headers were ignored because the caller was unauthorized.\r\n"
	authorized := step(func(x *plan.Exchange) error { x.Cache.MayInvalidate = true; return nil })
	for _, test := range []struct {
		name        string
		method      string
		integration plan.Integration
		change      func(*plan.Route)
		headers     [2]string // of the first and the second request
		wants       [2]string // what the answers have
		calls       int64
		outcomes    []plan.CacheOutcome
	}{
		{"a hit", "GET", counting, nil, [2]string{}, [2]string{"\r\n\r\n1", "\r\n\r\n1"}, 1, []plan.CacheOutcome{plan.CacheMiss, plan.CacheHit}},
		{"another method", "POST", counting, nil, [2]string{}, [2]string{"\r\n\r\n1", "\r\n\r\n2"}, 2, []plan.CacheOutcome{plan.NotCached, plan.NotCached}},
		{"every method", "POST", counting, func(r *plan.Route) { r.Rest.Cache.EveryMethod = true }, [2]string{}, [2]string{"\r\n\r\n1", "\r\n\r\n1"}, 1, []plan.CacheOutcome{plan.CacheMiss, plan.CacheHit}},
		{"a fault", "GET", failing, nil, [2]string{}, [2]string{" 504 ", " 504 "}, 2, []plan.CacheOutcome{plan.CacheMiss, plan.CacheMiss}},
		{"who may not renew", "GET", counting, nil, [2]string{renew, renew}, [2]string{warning, warning}, 1, []plan.CacheOutcome{plan.CacheMiss, plan.CacheHit}},
		{"who may not renew, in silence", "GET", counting, func(r *plan.Route) { r.Rest.Cache.Unauthorized = plan.Ignore }, [2]string{"", renew}, [2]string{"\r\n\r\n1", "\r\n\r\n1"}, 1, []plan.CacheOutcome{plan.CacheMiss, plan.CacheHit}},
		{"who is refused", "GET", counting, func(r *plan.Route) { r.Rest.Cache.Unauthorized = plan.Refuse }, [2]string{"", renew}, [2]string{"\r\n\r\n1", " 403 "}, 1, []plan.CacheOutcome{plan.CacheMiss, plan.NotCached}},
		{"who may renew", "GET", counting, func(r *plan.Route) { r.Authorizer = authorizes{authorized} }, [2]string{"", renew}, [2]string{"\r\n\r\n1", "\r\n\r\n2"}, 2, []plan.CacheOutcome{plan.CacheMiss, plan.CacheMiss}},
		{"everyone may renew", "GET", counting, func(r *plan.Route) { r.Rest.Cache.RequireAuthorization = false }, [2]string{"", renew}, [2]string{"\r\n\r\n1", "\r\n\r\n2"}, 2, []plan.CacheOutcome{plan.CacheMiss, plan.CacheMiss}},
		{"the trace of a request, once", "GET", counting, func(r *plan.Route) { r.Rest.ReportsTrace = true }, [2]string{}, [2]string{"200 OK\r\nX-Amzn-Trace-Id: *\r\nContent-Type: application/json\r\ndate", "200 OK\r\nX-Amzn-Trace-Id: *\r\nContent-Type: application/json\r\ndate"}, 1, []plan.CacheOutcome{plan.CacheMiss, plan.CacheHit}},
		{"a throttle", "GET", counting, func(r *plan.Route) { r.Limit = &once{} }, [2]string{}, [2]string{"\r\n\r\n1", " 429 "}, 1, []plan.CacheOutcome{plan.CacheMiss, plan.NotCached}},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls.Store(0)
			method := cached(t, restMethod(t, "ANY /pets/{id}", plan.ExecutionLogging{}, test.integration), nil)
			seen := &outcomes{}
			method.Metrics = seen
			if test.change != nil {
				test.change(method)
			}
			g := startREST(t, serve.Options{}, plan.RestStage{MinCompression: -1}, method)
			for i := range test.wants {
				if got := rawBytes(t, g.addr, test.method+" /dev/pets/1 HTTP/1.1\r\n"+test.headers[i]+"\r\n"); !strings.Contains(got, test.wants[i]) {
					t.Errorf("%d: got %q, want %q in it", i, got, test.wants[i])
				}
			}
			g.counts.awaitLogged(t, 2)
			seen.mu.Lock()
			defer seen.mu.Unlock()
			if got := calls.Load(); got != test.calls || fmt.Sprint(seen.seen) != fmt.Sprint(test.outcomes) {
				t.Errorf("%d calls, %v; want %d, %v", got, seen.seen, test.calls, test.outcomes)
			}
		})
	}
}

// authorizes makes an authorizer of a step.
type authorizes struct{ step }

func (a authorizes) Authorize(x *plan.Exchange) error { return a.Integrate(x) }

// once is a throttle that lets one request pass.
type once struct{ taken atomic.Bool }

func (o *once) Take(time.Time) bool       { return !o.taken.Swap(true) }
func (o *once) Numbers() (float64, int32) { return 1, 1 }

// A long response that is opened counts as a body that is held; where there is no
// room it's 503, as for all others.
func TestSealedResponseIsHeld(t *testing.T) {
	body := strings.Repeat("x", 200<<10)
	long := step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.Body = 200, []byte(body)
		return nil
	})
	for limit, want := range map[int64]string{100 << 10: " 503 ", 1 << 20: body} {
		method := cached(t, restMethod(t, "GET /pets/{id}", plan.ExecutionLogging{}, long), func(c *plan.MethodCache) { c.Sealed = true })
		g := startREST(t, serve.Options{MaxHeldBytes: limit}, plan.RestStage{MinCompression: -1}, method)
		for i, want := range []string{body, want} {
			if got := rawBytes(t, g.addr, "GET /dev/pets/1 HTTP/1.1\r\n\r\n"); !strings.Contains(got, want) {
				t.Errorf("%d: got %.200q, want %.20q in it", i, got, want)
			}
		}
	}
}

// constantBackend answers every request of any connection with the same bytes.
func constantBackend(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf, answer := make([]byte, 4096), []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// BenchmarkCache asks for the same small answer: from the cache, from a backend
// with no cache, from one whose answers are looked up and kept each time, and
// from a mock with no cache and with one.
func BenchmarkCache(b *testing.B) {
	backend := constantBackend(b)
	u := newUpstreams(b, integrate.UpstreamOptions{})
	proxy := newHTTP(b, integrate.HTTPOptions{URI: "http://" + backend, Upstreams: u})
	constant := step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.Body = 200, []byte("ok")
		return nil
	})
	renewing := func(c *plan.MethodCache) { c.RequireAuthorization = false }
	for _, test := range []struct {
		name, headers string
		integration   plan.Integration
		cache         bool
	}{
		{"constant", "", constant, false},
		{"hit", "", proxy, true},
		{"backend", "", proxy, false},
		{"miss", "Cache-Control: max-age=0\r\n", proxy, true},
	} {
		b.Run(test.name, func(b *testing.B) {
			method := restMethod(b, "GET /pets/{id}", plan.ExecutionLogging{}, test.integration)
			if test.cache {
				cached(b, method, renewing)
			}
			g := startREST(b, serve.Options{}, plan.RestStage{MinCompression: -1}, method)
			c := dial(b, g.addr)
			request, buf := []byte("GET /dev/pets/1?a=b HTTP/1.1\r\n"+host+"User-Agent: x\r\nAccept: */*\r\n"+test.headers+"\r\n"), make([]byte, 4096)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(request); err != nil {
					b.Fatal(err)
				}
				if _, err := c.Read(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
