package compile

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

type numbers struct {
	rate  float64
	burst int32
}

func (numbers) Take(time.Time) bool                    { return true }
func (n numbers) Numbers() (rate float64, burst int32) { return n.rate, n.burst }

type counting struct{ Quota }

func (counting) Spent(time.Time) bool { return false }
func (counting) Take(time.Time) bool  { return true }

// made is a directory with a key in a plan; every change of the plan comes as
// the store tells it.
type made struct {
	*KeyDirectory
	limits []string
}

const keyText = "0123456789012345678901234567890123456789"

func newMade(doc *definition.UsagePlan) *made {
	m := &made{}
	m.KeyDirectory = NewKeyDirectory(KeyDirectoryOptions{
		Limit: func(c KeyInPlan, rate float64, burst int32) plan.Limiter {
			m.limits = append(m.limits, fmt.Sprintf("%v %v/%d", c, rate, burst))
			return numbers{rate, burst}
		},
		MethodLimit: func(c KeyInPlan, apiID, stage string, method plan.MethodRef, rate float64, burst int32) plan.Limiter {
			m.limits = append(m.limits, fmt.Sprintf("%v %s %s %s %s %v/%d", c, apiID, stage, method.Method, method.Path, rate, burst))
			return numbers{rate, burst}
		},
		Quota: func(c KeyInPlan, q Quota) plan.Quota { return counting{q} },
	})
	s := newKeyState()
	at := store.Scope{Account: "1", Region: "r"}
	s.setKey(newDirectoryKey(entityRef{at, "key"}, &definition.APIKey{ApiKey: apigateway.ApiKey{Value: new(keyText), Enabled: new(true)}}))
	s.setPlan(newUsagePlan(entityRef{at, "plan"}, doc))
	s.setMember(at, "plan", "key", true)
	m.state.Store(s)
	return m
}

func TestClients(t *testing.T) {
	since := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	doc := &definition.UsagePlan{QuotaSince: since, UsagePlan: apigateway.UsagePlan{
		Throttle: &apigateway.ThrottleSettings{RateLimit: new(2.5), BurstLimit: new(int32(3))},
		Quota:    &apigateway.QuotaSettings{Limit: new(int32(100)), Offset: new(int32(4)), Period: new("WEEK")},
		ApiStages: []apigateway.ApiStage{
			{ApiId: new("a"), Stage: new("dev"), Throttle: map[string]apigateway.ThrottleSettings{
				"/pets/GET": {RateLimit: new(0.5)}, "//POST": {BurstLimit: new(int32(7))}, "nothing": {},
			}},
			{ApiId: new("b"), Stage: new("prod")},
		},
	}}
	m := newMade(doc)
	client := m.Client("a", "dev", keyText)
	if client == nil || client.KeyID != "key" || client.PlanID != "plan" || client.QuotaLimit != 100 || client.QuotaPeriod != "WEEK" {
		t.Fatalf("client %+v", client)
	}
	slices.Sort(m.limits)
	want := []string{
		"{1 r plan key} 2.5/3",
		"{1 r plan key} a dev GET /pets 0.5/5000",
		"{1 r plan key} a dev POST / 10000/7",
	}
	if !slices.Equal(m.limits, want) {
		t.Errorf("limits %q, want %q", m.limits, want)
	}
	if q, ok := client.Quota.(counting); !ok || q.Quota != (Quota{Limit: 100, Period: "WEEK", Offset: 4, Since: since}) {
		t.Errorf("quota %+v", client.Quota)
	}
	if own := client.Methods[plan.MethodRef{Path: "/", Method: "POST"}]; own == nil || len(client.Methods) != 2 {
		t.Errorf("methods %v", client.Methods)
	}
	// Another stage of the plan shares the plan's own limit.
	other := m.Client("b", "prod", keyText)
	if other.Limit != client.Limit || other.Quota != client.Quota || other.Methods != nil {
		t.Errorf("another stage has %+v", other)
	}
	if n := len(m.limits); n != 3 {
		t.Errorf("limits were made %d times", n)
	}
	if m.Client("b", "dev", keyText) != nil || m.Client("a", "dev", keyText+"0") != nil || m.Client("a", "dev", string(make([]byte, 5000))) != nil {
		t.Error("what is no key of the stage opens it")
	}
	if n := testing.AllocsPerRun(100, func() { m.Client("a", "dev", keyText) }); n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
}

// A plan without limits has none, and is counted all the same.
func TestClientWithoutLimits(t *testing.T) {
	m := newMade(&definition.UsagePlan{UsagePlan: apigateway.UsagePlan{
		Throttle:  &apigateway.ThrottleSettings{},
		ApiStages: []apigateway.ApiStage{{ApiId: new("a"), Stage: new("dev")}},
	}})
	client := m.Client("a", "dev", keyText)
	if client.Limit != nil || client.Methods != nil || client.QuotaPeriod != "" {
		t.Errorf("client %+v", client)
	}
	if q, ok := client.Quota.(counting); !ok || q.Quota != (Quota{}) {
		t.Errorf("quota %+v", client.Quota)
	}
	bare := NewKeyDirectory(KeyDirectoryOptions{})
	bare.state.Store(m.state.Load())
	m.state.Load().byID[entityRef{store.Scope{Account: "1", Region: "r"}, "key"}].plans[0].clients.Store(nil)
	if client := bare.Client("a", "dev", keyText); client == nil || client.Quota != nil {
		t.Errorf("without anybody who counts: %+v", client)
	}
}

func BenchmarkClient(b *testing.B) {
	m := newMade(&definition.UsagePlan{UsagePlan: apigateway.UsagePlan{ApiStages: []apigateway.ApiStage{{ApiId: new("a"), Stage: new("dev")}}}})
	b.ReportAllocs()
	for b.Loop() {
		if m.Client("a", "dev", keyText) == nil {
			b.Fatal("no client")
		}
	}
}
