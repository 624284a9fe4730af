package main

import (
	"context"
	"runtime"
	"testing"
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
	"gatehouse/internal/throttle"
)

// A meteredStage is a store with a key in a usage plan, and the directory that
// follows it.
type meteredStage struct {
	store *store.Store
	keys  *compile.KeyDirectory
	use   usage
	plan  definition.UsagePlan
}

const (
	meteredKey  = "0123456789012345678901234567890123456789"
	meteredPlan = "plan1"
)

var meteredScope = store.Scope{Account: "000000000000", Region: "us-east-1"}

func newMeteredStage(t testing.TB, p apigateway.UsagePlan) *meteredStage {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ledger, err := throttle.OpenLedger(throttle.LedgerOptions{Dir: t.TempDir()})
	must(err)
	t.Cleanup(func() { must(ledger.Close()) })
	m := &meteredStage{keys: newKeyDirectory(throttle.NewBuckets(), ledger), use: usage{ledger}}
	db, err := sqlite.Open(context.Background(), t.TempDir())
	must(err)
	sealer, err := seal.New(make([]byte, seal.KeyBytes))
	must(err)
	m.store, err = store.Open(context.Background(), db, store.Options{Sealer: sealer, Prepare: m.keys.Prepare})
	must(err)
	t.Cleanup(func() { must(m.store.Close()) })
	p.Id, p.ApiStages = new(meteredPlan), []apigateway.ApiStage{{ApiId: new("api1"), Stage: new("dev")}}
	m.plan.UsagePlan = p
	must(m.store.Update(context.Background(), func(tx *store.Tx) error {
		if err := definition.APIKeys.Put(tx, meteredScope, &definition.APIKey{ApiKey: apigateway.ApiKey{Id: new("key1"), Value: new(meteredKey), Enabled: new(true)}}, "key1"); err != nil {
			return err
		}
		if err := definition.UsagePlans.Put(tx, meteredScope, &m.plan, meteredPlan); err != nil {
			return err
		}
		return definition.UsagePlanKeys.Put(tx, meteredScope, &definition.Reference{ID: "key1"}, meteredPlan, "key1")
	}))
	return m
}

func (m *meteredStage) change(t testing.TB, edit func(*definition.UsagePlan)) {
	t.Helper()
	edit(&m.plan)
	if err := m.store.Update(context.Background(), func(tx *store.Tx) error {
		return definition.UsagePlans.Put(tx, meteredScope, &m.plan, meteredPlan)
	}); err != nil {
		t.Fatal(err)
	}
}

// client finds the client as a request does.
func (m *meteredStage) client(t testing.TB) *plan.Client {
	t.Helper()
	x := &plan.Exchange{Request: plan.Request{Headers: plan.Headers{{Name: "x-api-key", Value: meteredKey}}}}
	if err := (&authorize.APIKey{Keys: m.keys, APIID: "api1", Stage: "dev"}).CheckAPIKey(x); err != nil {
		t.Fatal(err)
	}
	return x.Client
}

// A plan that changes goes on with the tokens and the count it had, unless those
// are what changed.
func TestUsagePlanChanges(t *testing.T) {
	m := newMeteredStage(t, apigateway.UsagePlan{
		Throttle: &apigateway.ThrottleSettings{RateLimit: new(1e-6), BurstLimit: new(int32(2))},
		Quota:    &apigateway.QuotaSettings{Limit: new(int32(10)), Period: new("MONTH")},
	})
	now := time.Now()
	take := func(name string, want int) {
		t.Helper()
		got := 0
		for range 5 {
			if c := m.client(t); c.Limit.Take(now) {
				if !c.Quota.Take(now) {
					t.Errorf("%s: the quota is used up", name)
				}
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d passed, want %d", name, got, want)
		}
	}
	take("at first", 2)
	m.change(t, func(p *definition.UsagePlan) { p.Description = new("changed") })
	runtime.GC()
	take("after a change of something else", 0)
	m.change(t, func(p *definition.UsagePlan) {
		p.Quota = &apigateway.QuotaSettings{Limit: new(int32(5)), Period: new("MONTH")}
	})
	runtime.GC()
	take("after a change of the quota", 0)
	m.change(t, func(p *definition.UsagePlan) { p.Throttle.BurstLimit = new(int32(3)) })
	take("after a change of the throttle", 3)
	if c := m.client(t); !c.Quota.Spent(now) || c.QuotaLimit != 5 {
		t.Errorf("of 5 requests 5 were used, and the quota isn't spent: %+v", c)
	}
	if days := m.use.Days(meteredScope, &m.plan, "key1", now, now, now); len(days) != 1 || days[0] != [2]int64{5, 0} {
		t.Errorf("usage %v", days)
	}
	if err := m.use.SetRemaining(meteredScope, &m.plan, "key1", 2, now); err != nil {
		t.Fatal(err)
	}
	if days := m.use.Days(meteredScope, &m.plan, "key1", now, now, now); days[0] != [2]int64{5, 2} || m.client(t).Quota.Spent(now) {
		t.Errorf("usage %v", days)
	}
}

// BenchmarkUsagePlan is what a request with an API key costs: finding the client,
// its throttle, its quota.
func BenchmarkUsagePlan(b *testing.B) {
	m := newMeteredStage(b, apigateway.UsagePlan{
		Throttle: &apigateway.ThrottleSettings{RateLimit: new(1e9), BurstLimit: new(int32(1 << 30))},
		Quota:    &apigateway.QuotaSettings{Limit: new(int32(1<<31 - 1)), Period: new("MONTH")},
	})
	check := &authorize.APIKey{Keys: m.keys, APIID: "api1", Stage: "dev"}
	x := &plan.Exchange{Request: plan.Request{Headers: plan.Headers{{Name: "x-api-key", Value: meteredKey}}}}
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if err := check.CheckAPIKey(x); err != nil || x.Client.Quota.Spent(now) || !x.Client.Limit.Take(now) || !x.Client.Quota.Take(now) {
			b.Fatal("refused")
		}
	}
}
