package serve_test

import (
	"bufio"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

// change changes the stages of a gateway as a new plan would.
func (g *gateway) change(f func(*plan.Stage)) {
	p := g.plan.Load()
	api, _ := p.API("abc")
	next := *api
	next.Stages = map[string]*plan.Stage{}
	for name, s := range api.Stages {
		changed := *s
		f(&changed)
		next.Stages[name] = &changed
	}
	g.plan.Store(p.With(&next))
}

// limiter lets a number of requests pass.
type limiter struct{ left int }

func (l *limiter) Take(time.Time) bool {
	l.left--
	return l.left >= 0
}

func (*limiter) Numbers() (rate float64, burst int32) { return 2.5, 3 }

// mapping is a mapping made of a function.
type mapping func(x *plan.Exchange) error

func (m mapping) Map(x *plan.Exchange) error { return m(x) }

func TestCORS(t *testing.T) {
	backend := step(func(x *plan.Exchange) error {
		x.Response.Status = 200
		x.Response.Add("Access-Control-Allow-Origin", "https://backend.example")
		x.Response.Add("x-backend", x.Request.Method)
		return nil
	})
	g := startGateway(t, serve.Options{}, route(t, "GET /x", backend), route(t, "OPTIONS /x", backend), route(t, "GET /broken", step(func(*plan.Exchange) error {
		return &plan.Fault{Kind: plan.IntegrationFailure, Reason: "broken"}
	})))
	g.change(func(s *plan.Stage) {
		if s.Name == plan.DefaultStage {
			s.CORS = plan.NewCORS(plan.CORSOptions{AllowOrigins: []string{"https://app.example"}, AllowMethods: []string{"GET"}})
		}
	})
	const ours, theirs = "https://app.example", "https://backend.example"
	preflight := "Origin: " + ours + "\r\nAccess-Control-Request-Method: GET\r\n"
	for _, test := range []struct {
		name, request, headers           string
		status                           int
		allowOrigin, allowMethods, calls string
	}{
		{"preflight with a route", "OPTIONS /x", preflight, 204, ours, "GET", ""},
		{"preflight without one", "OPTIONS /none", preflight, 204, ours, "GET", ""},
		{"preflight of another origin", "OPTIONS /x", strings.Replace(preflight, ours, theirs, 1), 204, "", "", ""},
		{"OPTIONS that is no preflight", "OPTIONS /x", "Origin: " + ours + "\r\n", 200, ours, "", "OPTIONS"},
		{"OPTIONS without a route", "OPTIONS /none", "Origin: " + ours + "\r\n", 404, "", "", ""},
		{"actual", "GET /x", "Origin: " + ours + "\r\n", 200, ours, "", "GET"},
		{"actual of another origin", "GET /x", "Origin: " + theirs + "\r\n", 200, "", "", "GET"},
		{"same origin", "GET /x", "", 200, "", "", "GET"},
		{"a fault of the gateway's", "GET /broken", "Origin: " + ours + "\r\n", 500, "", "", ""},
		{"a stage without a configuration", "GET /dev/x", "Origin: " + ours + "\r\n", 200, theirs, "", "GET"},
		{"its preflight is the backend's", "OPTIONS /dev/x", preflight, 200, theirs, "", "OPTIONS"},
	} {
		t.Run(test.name, func(t *testing.T) {
			method, _, _ := strings.Cut(test.request, " ")
			c := dial(t, g.addr)
			if _, err := c.Write([]byte(test.request + " HTTP/1.1\r\n" + host + test.headers + "Connection: close\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
			res, body := receive(t, bufio.NewReader(c), method)
			h := res.Header
			if res.StatusCode != test.status || h.Get("Access-Control-Allow-Origin") != test.allowOrigin ||
				h.Get("Access-Control-Allow-Methods") != test.allowMethods || h.Get("X-Backend") != test.calls {
				t.Errorf("got %d %v", res.StatusCode, h)
			}
			if res.StatusCode == 204 && (body != "" || h.Get("Content-Length") != "") {
				t.Errorf("a 204 with %q, length %q", body, h.Get("Content-Length"))
			}
		})
	}
}

func TestThrottles(t *testing.T) {
	limited := route(t, "GET /limited", answer("ok"))
	limited.Limit = &limiter{left: 2}
	g := startGateway(t, serve.Options{}, limited, route(t, "GET /free", answer("ok")), route(t, "GET /account", answer("ok")))
	get := func(path string) string {
		res, body := send(t, g.addr, "GET "+path+" HTTP/1.1\r\n"+host+"Connection: close\r\n\r\n")
		if res.StatusCode == 429 && body != `{"message":"Too Many Requests"}` {
			t.Errorf("429 with %s", body)
		}
		return res.Status[:3]
	}
	for i, want := range []string{"200", "200", "429", "429"} {
		if got := get("/limited"); got != want {
			t.Errorf("request %d of a limited route: %s, want %s", i, got, want)
		}
	}
	account := &limiter{left: 1}
	g.change(func(s *plan.Stage) { s.Limit = account })
	for i, want := range []string{"200", "429"} {
		if got := get("/free"); got != want {
			t.Errorf("request %d of a limited account: %s, want %s", i, got, want)
		}
	}
	if got := get("/nope"); got != "404" {
		t.Errorf("a request without a route: %s", got)
	}
}

// A throttle counts a request when its head is there, not when it began: who
// began many and ended them together would have saved up a burst.
func TestThrottleOfSlowHeads(t *testing.T) {
	var ticks atomic.Int64
	first := time.Now()
	began, taken := make(chan time.Time, 1), make(chan time.Time, 1)
	r := route(t, "GET /x", step(func(x *plan.Exchange) error {
		began <- x.Start
		return answer("ok")(x)
	}))
	r.Limit = take(func(now time.Time) bool {
		taken <- now
		return true
	})
	g := startGateway(t, serve.Options{Clock: func() time.Time { return first.Add(time.Duration(ticks.Add(1)) * time.Millisecond) }}, r)
	send(t, g.addr, "GET /x HTTP/1.1\r\n"+host+"Connection: close\r\n\r\n")
	if start, counted := <-began, <-taken; !counted.After(start) {
		t.Errorf("begun at %s, counted at %s", start, counted)
	}
}

// take is a limiter made of a function.
type take func(now time.Time) bool

func (t take) Take(now time.Time) bool { return t(now) }

func (take) Numbers() (rate float64, burst int32) { return 1, 2 }

func TestOrderOfSteps(t *testing.T) {
	var steps []string
	note := func(name string, err error) mapping {
		return func(*plan.Exchange) error {
			steps = append(steps, name)
			return err
		}
	}
	r := route(t, "GET /x", step(func(x *plan.Exchange) error {
		x.Response.Status = 200
		return note("integration", nil)(x)
	}))
	r.MapRequest, r.MapResponse = note("request", nil), note("response", nil)
	failing := route(t, "GET /fails", answer("ok"))
	failing.MapRequest = note("failing request", errors.New("no"))
	failing.MapResponse = note("not reached", nil)
	g := startGateway(t, serve.Options{}, r, failing)
	for _, path := range []string{"/x", "/fails"} {
		send(t, g.addr, "GET "+path+" HTTP/1.1\r\n"+host+"Connection: close\r\n\r\n")
	}
	if got, want := strings.Join(steps, ", "), "request, integration, response, failing request"; got != want {
		t.Errorf("steps: %s, want %s", got, want)
	}
}

// guard is an authorizer made of a function.
type guard func(x *plan.Exchange) error

func (g guard) Authorize(x *plan.Exchange) error { return g(x) }

// Nothing happens to a request before the authorizer of its route lets it pass:
// no preflight is answered, no throttle counts it, no body is looked at, no
// integration is called.
func TestAuthorizerStandsFirst(t *testing.T) {
	closed := guard(func(*plan.Exchange) error {
		return &plan.Fault{Kind: plan.NotImplemented, Reason: "route GET /x asks for JWT authorization"}
	})
	var calls, authorized atomic.Int64
	called := step(func(x *plan.Exchange) error {
		calls.Add(1)
		x.Response.Status = 200
		return nil
	})
	guarded := func(key string) *plan.Route {
		r := route(t, key, called)
		r.Authorizer, r.Limit = closed, &limiter{}
		return r
	}
	open := route(t, "OPTIONS /open", called)
	passed := route(t, "POST /passed", called)
	passed.Authorizer = guard(func(*plan.Exchange) error {
		authorized.Add(1)
		return nil
	})
	g := startGateway(t, serve.Options{MaxBodyBytes: 10, ShowReasons: true},
		guarded("GET /x"), guarded("ANY /any"), guarded("OPTIONS /options"), guarded("$default"), open, passed)
	g.change(func(s *plan.Stage) { s.CORS = plan.NewCORS(plan.CORSOptions{AllowOrigins: []string{"*"}}) })

	const preflight = "Origin: https://o.example\r\nAccess-Control-Request-Method: GET\r\n"
	for _, test := range []struct {
		name, head, headers string
		want                int
	}{
		{"a route", "GET /x", "", 501},
		{"a route of a browser", "GET /x", "Origin: https://o.example\r\n", 501},
		{"a body over the limit", "POST /any", "Content-Length: 11\r\n", 501},
		{"the default route", "GET /elsewhere", "", 501},
		{"a preflight that meets ANY", "OPTIONS /any", preflight, 501},
		{"a preflight that meets OPTIONS", "OPTIONS /options", preflight, 501},
		{"a preflight that meets $default", "OPTIONS /x", preflight, 501},
		{"a preflight that meets an open route", "OPTIONS /open", preflight, 204},
		{"a request that may pass", "POST /passed", "", 200},
		{"a body over the limit that may pass", "POST /passed", "Content-Length: 11\r\n", 413},
	} {
		body := strings.Repeat("x", 11*strings.Count(test.headers, "Length"))
		res, text := send(t, g.addr, test.head+" HTTP/1.1\r\n"+host+test.headers+"Connection: close\r\n\r\n"+body)
		if res.StatusCode != test.want {
			t.Errorf("%s: %d %s, want %d", test.name, res.StatusCode, text, test.want)
		}
		if test.want == 501 && (text != `{"message":"Not Implemented"}` || res.Header.Get("x-gatehouse-reason") != "route GET /x asks for JWT authorization") {
			t.Errorf("%s: %s %v", test.name, text, res.Header)
		}
	}
	if calls.Load() != 1 || authorized.Load() != 2 {
		t.Errorf("%d calls, %d authorized; want 1, 2", calls.Load(), authorized.Load())
	}
}
