package serve_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/throttle"
)

// asked is a limiter that tells it was asked.
type asked struct {
	name  string
	order *[]string
	full  bool
}

func (a *asked) Take(time.Time) bool {
	*a.order = append(*a.order, a.name)
	return !a.full
}

func (*asked) Numbers() (rate float64, burst int32) { return 5, 10 }

// quota is a quota that tells it was asked.
type quota struct {
	asked
	spent bool
}

func (q *quota) Spent(time.Time) bool {
	*q.order = append(*q.order, q.name+"?")
	return q.spent
}

type oneClient struct{ client *plan.Client }

func (o oneClient) Client(string, string, string) *plan.Client { return o.client }

// What limits a request is asked in AWS's order, tells its numbers, and costs
// nothing of what is asked later.
func TestLimits(t *testing.T) {
	var order []string
	log := &traces{}
	named := func(name string) *asked { return &asked{name: name, order: &order} }
	method, all, route, account := named("method"), named("plan"), named("route"), named("account")
	count := &quota{asked: *named("quota")}
	client := &plan.Client{
		KeyID: "key1", PlanID: "plan1", Limit: all, Quota: count, QuotaLimit: 200, QuotaPeriod: "DAY",
		Methods: map[plan.MethodRef]plan.Limiter{{Path: "/own", Method: "GET"}: method},
	}
	keyed := func(key string) *plan.Route {
		r := restMethod(t, key, plan.ExecutionLogging{Level: plan.LogInfo}, answer("ok"))
		r.Rest.APIKey = &authorize.APIKey{Keys: oneClient{client}}
		r.Limit = route
		return r
	}
	open := restMethod(t, "GET /open", plan.ExecutionLogging{Level: plan.LogInfo}, answer("ok"))
	open.Limit = route
	g := startREST(t, serve.Options{ShowReasons: true}, plan.RestStage{ExecutionLog: log}, keyed("GET /own"), keyed("GET /other"), open)
	g.change(func(s *plan.Stage) { s.Limit = account })

	const of, numbers = "RestApi abc, Stage dev, Resource r1, HttpMethod GET. Limit: 5.00 Burst: 10", ": 5 requests a second, bursts of 10"
	const key = "API Key ****456789 exceeded "
	n := 0
	for _, test := range []struct {
		name, path  string
		stop        *bool
		order       string
		body        string
		reason, log string
	}{
		{"nothing in the way", "own", new(bool), "quota? method plan route account quota", "ok", "", "Usage Plan check succeeded for API Key ****456789 and API Stage abc/dev"},
		{"another method", "other", new(bool), "quota? plan route account quota", "ok", "", ""},
		{"a method without a key", "open", new(bool), "route account", "ok", "", ""},
		{"the quota is used up", "own", &count.spent, "quota?", `{"message":"Limit Exceeded"}`, "the quota of usage plan plan1: API key key1 has used all of its 200 requests a day", key + "quota limit for API Stage abc/dev: Key quota exhausted for Usage Plan ID plan1. Limit: 200 Period: DAY"},
		{"the plan's throttle of the method", "own", &method.full, "quota? method", `{"message":"Too Many Requests"}`, "the throttle of usage plan plan1 for each API key for GET /own" + numbers, key + "throttle limit for API Stage abc/dev: Key throttle limit exceeded for Usage Plan ID plan1, " + of},
		{"the plan's throttle", "own", &all.full, "quota? method plan", `{"message":"Too Many Requests"}`, "the throttle of usage plan plan1 for each API key" + numbers, key + "throttle limit for API Stage abc/dev: Key throttle limit exceeded for Usage Plan ID plan1, " + of},
		{"the method's throttle", "own", &route.full, "quota? method plan route", `{"message":"Too Many Requests"}`, "the throttle of route GET /own" + numbers, "Key throttle limit exceeded for " + of},
		{"the account's throttle", "own", &account.full, "quota? method plan route account", `{"message":"Too Many Requests"}`, "the throttle of account " + numbers, "Execution failed: the throttle of account " + numbers},
		{"the last of the quota went to others", "own", &count.full, "quota? method plan route account quota", `{"message":"Limit Exceeded"}`, "the quota of usage plan plan1: API key key1 has used all of its 200 requests a day", ""},
	} {
		order, *test.stop = nil, true
		res, body := send(t, g.addr, "GET /dev/"+test.path+" HTTP/1.1\r\n"+host+"x-api-key: 0123456789\r\nConnection: close\r\n\r\n")
		*test.stop = false
		n++
		lines := log.await(t, n)
		if body != test.body || (res.StatusCode == 429) != (body != "ok") || res.Header.Get("x-gatehouse-reason") != test.reason || res.Header.Get("Retry-After") != "" {
			t.Errorf("%s: %s %v", test.name, body, res.Header)
		}
		if got := strings.Join(order, " "); got != test.order {
			t.Errorf("%s: asked %q, want %q", test.name, got, test.order)
		}
		if test.log != "" && !slices.Contains(lines, test.log) {
			t.Errorf("%s: logged\n%s\nwant\n%s", test.name, strings.Join(lines, "\n"), test.log)
		}
		if succeeded := slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Usage Plan check succeeded") }); succeeded != (body == "ok") {
			t.Errorf("%s: logged\n%s", test.name, strings.Join(lines, "\n"))
		}
	}
}

// The check of a key, of a plan's throttles and of its quota costs no memory.
func TestLimitBudget(t *testing.T) {
	now := time.Now()
	ledger, err := throttle.OpenLedger(throttle.LedgerOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := ledger.Close(); err != nil {
			t.Error(err)
		}
	}()
	id := throttle.ClientID{PlanID: "plan1", KeyID: "key1"}
	buckets := throttle.NewBuckets()
	limit, of := buckets.Client(id, 1e9, 1e9), plan.MethodRef{Path: "/own", Method: "GET"}
	client := &plan.Client{
		Limit: limit, Quota: ledger.Quota(id, throttle.QuotaSettings{Limit: 1e12, Period: throttle.Month}),
		Methods: map[plan.MethodRef]plan.Limiter{of: buckets.ClientMethod(id, "a", "s", "r", 1e9, 1e9)},
	}
	// The first requests are reserved.
	client.Quota.Take(now)
	if n := testing.AllocsPerRun(1000, func() {
		if client.Quota.Spent(now) || !client.Methods[of].Take(now) || !client.Limit.Take(now) || !client.Quota.Take(now) {
			t.Error("a request is refused")
		}
	}); n != 0 {
		t.Errorf("a request allocates %v times", n)
	}
}
