package compile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
)

// A house is a store with the compiler that follows it.
type house struct {
	t testing.TB
	*store.Store
	*compile.Compiler
}

func newHouse(t testing.TB) *house {
	c := compile.New(printedParts())
	sealer, err := seal.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &house{t, openStore(t, store.Options{Sealer: sealer, Prepare: c.Prepare}), c}
}

func (h *house) update(fn func(tx *store.Tx) error) {
	h.t.Helper()
	if err := h.Update(context.Background(), fn); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) answer(method, path string) string {
	api, ok := h.Plan().API("api1")
	if !ok {
		return "no API"
	}
	s := api.Stages["$default"]
	if s == nil {
		return "no stage"
	}
	x := &plan.Exchange{StagePath: path}
	x.Request.Method = method
	if err := s.Match(x); err != nil {
		return "no route"
	}
	return fmt.Sprint(x.Route.Key, " ", x.Route.Integration)
}

// deploy stores API api1 with routes to one integration and its $default stage.
func deploy(tx *store.Tx, deployment string, routes ...string) error {
	const id = "api1"
	api := &definition.API{}
	api.ApiId, api.Name = new(id), new("pets")
	integration := &definition.Integration{}
	integration.IntegrationId, integration.IntegrationType, integration.IntegrationUri = new("i"), new("HTTP_PROXY"), new("http://h")
	stage := &definition.Stage{}
	stage.StageName, stage.DeploymentId = new("$default"), &deployment
	d := &definition.Deployment{Revision: tx.Revision()}
	err := errors.Join(
		definition.APIs.Put(tx, testScope, api, id),
		definition.Integrations.Put(tx, testScope, integration, id, "i"),
		definition.Stages.Put(tx, testScope, stage, id, "$default"),
		definition.Deployments.Put(tx, testScope, d, id, deployment),
		tx.Pin(testScope, id, tx.Revision()),
	)
	for _, key := range routes {
		r := &definition.Route{}
		r.RouteKey, r.Target = &key, new("integrations/i")
		err = errors.Join(err, definition.Routes.Put(tx, testScope, r, id, strings.ReplaceAll(key, " ", "_")))
	}
	return err
}

func TestPrepareFollowsTransactions(t *testing.T) {
	h := newHouse(t)
	h.update(func(tx *store.Tx) error { return deploy(tx, "one", "GET /a") })
	before := h.Plan()
	if got := h.answer("GET", "/a"); !strings.HasPrefix(got, "GET /a http") {
		t.Errorf("first deployment: %s", got)
	}
	// A transaction that fails leaves no trace, not even in what the compiler
	// remembers.
	refused := errors.New("refused")
	if err := h.Update(context.Background(), func(tx *store.Tx) error {
		if err := deploy(tx, "two", "GET /b"); err != nil {
			return err
		}
		if reason, err := h.CheckStage(tx, testScope, "api1", &definition.Stage{}); reason != "" || err != nil {
			return fmt.Errorf("check: %s %w", reason, err)
		}
		return refused
	}); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if h.Plan() != before {
		t.Error("a transaction that failed was published")
	}
	h.update(func(tx *store.Tx) error { return deploy(tx, "three", "GET /c") })
	if got := h.answer("GET", "/b"); got != "no route" {
		t.Errorf("a route of the transaction that failed: %s", got)
	}
	if got := h.answer("GET", "/c"); !strings.HasPrefix(got, "GET /c http") {
		t.Errorf("third deployment: %s", got)
	}
	// What was published stays as it was.
	x := &plan.Exchange{StagePath: "/c"}
	x.Request.Method = "GET"
	api, _ := before.API("api1")
	if err := api.Stages["$default"].Match(x); err == nil {
		t.Error("an older plan sees a later route")
	}
	// Documents that no plan is made of publish nothing.
	now := h.Plan()
	h.update(func(tx *store.Tx) error {
		return definition.RouteKeys.Put(tx, testScope, &definition.Reference{}, "api1", "GET /x")
	})
	if h.Plan() != now {
		t.Error("a plan was published for nothing")
	}
	h.update(func(tx *store.Tx) error { return definition.APIs.Delete(tx, testScope, "api1") })
	if got := h.answer("GET", "/c"); got != "no API" {
		t.Errorf("after deletion: %s", got)
	}
}

// A stage that stops compiling goes on with what it ran, and can be mended.
func TestStageKeepsItsLastGoodForm(t *testing.T) {
	h := newHouse(t)
	h.update(func(tx *store.Tx) error { return deploy(tx, "one", "GET /a") })
	h.update(func(tx *store.Tx) error {
		i := &definition.Integration{}
		i.IntegrationId, i.IntegrationType = new("i"), new("MOCK")
		if err := definition.Integrations.Put(tx, testScope, i, "api1", "i"); err != nil {
			return err
		}
		r := &definition.Route{}
		r.RouteKey = new("GET /b")
		if err := definition.Routes.Put(tx, testScope, r, "api1", "b"); err != nil {
			return err
		}
		stage := &definition.Stage{}
		stage.StageName, stage.DeploymentId = new("$default"), new("two")
		reason, err := h.CheckStage(tx, testScope, "api1", stage)
		if err != nil || reason != `Integration i: integration type "MOCK" isn't known` {
			return fmt.Errorf("check: %q %w", reason, err)
		}
		return errors.Join(tx.Pin(testScope, "api1", tx.Revision()),
			definition.Deployments.Put(tx, testScope, &definition.Deployment{Revision: tx.Revision()}, "api1", "two"),
			definition.Stages.Put(tx, testScope, stage, "api1", "$default"))
	})
	if got := h.answer("GET", "/a"); !strings.HasPrefix(got, "GET /a http") {
		t.Errorf("the last good form: %s", got)
	}
	if got := h.answer("GET", "/b"); got != "no route" {
		t.Errorf("a route of the form that doesn't compile: %s", got)
	}
	h.update(func(tx *store.Tx) error { return deploy(tx, "three", "GET /c") })
	for _, path := range []string{"/a", "/b", "/c"} {
		if got := h.answer("GET", path); !strings.HasPrefix(got, "GET "+path) {
			t.Errorf("mended, GET %s: %s", path, got)
		}
	}
}

// BenchmarkLoad/1k_apis is what a start with 1,000 APIs of ten routes pays here.
func BenchmarkLoad(b *testing.B) {
	b.Run("1k_apis", func(b *testing.B) {
		h := newHouse(b)
		h.update(func(tx *store.Tx) error {
			for i := range 1000 {
				if err := bulkAPI(tx, fmt.Sprintf("api%07d", i), 10); err != nil {
					return err
				}
			}
			return nil
		})
		load(b, h)
	})
	b.Run("10k_routes", func(b *testing.B) {
		h := newHouse(b)
		h.update(func(tx *store.Tx) error { return bulkAPI(tx, "api0000001", 10_000) })
		load(b, h)
	})
}

func load(b *testing.B, h *house) {
	for b.Loop() {
		if err := h.View(context.Background(), func(tx *store.Tx) error {
			_, err := h.Load(tx)
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}

func bulkAPI(tx *store.Tx, id string, routes int) error {
	api := &definition.API{}
	api.ApiId, api.Name, api.CreatedDate = &id, new("n"), new(time.Unix(0, 0))
	stage := &definition.Stage{}
	stage.StageName, stage.DeploymentId = new("$default"), new("d")
	i := &definition.Integration{}
	i.IntegrationId, i.IntegrationType, i.IntegrationUri = new("i"), new("HTTP_PROXY"), new("http://127.0.0.1:8080/{id}")
	err := errors.Join(
		definition.APIs.Put(tx, testScope, api, id),
		definition.Stages.Put(tx, testScope, stage, id, "$default"),
		definition.Integrations.Put(tx, testScope, i, id, "i"),
		definition.Deployments.Put(tx, testScope, &definition.Deployment{Revision: tx.Revision()}, id, "d"),
		tx.Pin(testScope, id, tx.Revision()),
	)
	for n := range routes {
		r := &definition.Route{}
		r.RouteId, r.RouteKey, r.Target = new(fmt.Sprint("r", n)), new(fmt.Sprintf("GET /items%d/{id}", n)), new("integrations/i")
		r.AuthorizationType, r.ApiKeyRequired = new("NONE"), new(false)
		err = errors.Join(err, definition.Routes.Put(tx, testScope, r, id, *r.RouteId))
	}
	return err
}

// A stage that configures no access log has the operator's, whether it serves
// anything or not.
func TestDefaultAccessLog(t *testing.T) {
	parts := printedParts()
	parts.DefaultAccessLog = printed("the operator's")
	c := compile.New(parts)
	h := &house{t, openStore(t, store.Options{Prepare: c.Prepare}), c}
	log := func(name string) string {
		api, _ := h.Plan().API("api1")
		return fmt.Sprint(api.Stages[name].AccessLog)
	}
	put := func(name, group string) {
		t.Helper()
		h.update(func(tx *store.Tx) error {
			stage := &definition.Stage{}
			stage.StageName = &name
			if group != "" {
				stage.DeploymentId = new("one")
				stage.AccessLogSettings = &apigatewayv2.AccessLogSettings{DestinationArn: new("arn:aws:logs:us-east-1:000000000000:log-group:" + group), Format: new("$context.requestId")}
			}
			return definition.Stages.Put(tx, testScope, stage, "api1", name)
		})
	}
	h.update(func(tx *store.Tx) error { return deploy(tx, "one", "GET /a") })
	put("bare", "")
	for _, name := range []string{"$default", "bare"} {
		if got := log(name); got != "the operator's" {
			t.Errorf("stage %s logs to %s", name, got)
		}
	}
	put("bare", "g")
	if got := log("bare"); !strings.HasPrefix(got, "to g in") {
		t.Errorf("a stage with a log of its own logs to %s", got)
	}
	put("bare", "")
	if got := log("bare"); got != "the operator's" {
		t.Errorf("a stage without one any more logs to %s", got)
	}
}

// A request for an integration that can't be called fails as one whose backend
// is broken, and says why to the operator.
func TestUnavailableIntegration(t *testing.T) {
	h := newHouse(t)
	h.update(func(tx *store.Tx) error {
		if err := deploy(tx, "one", "GET /a"); err != nil {
			return err
		}
		return definition.Integrations.Delete(tx, testScope, "api1", "i")
	})
	api, _ := h.Plan().API("api1")
	x := &plan.Exchange{StagePath: "/a"}
	x.Request.Method = "GET"
	if err := api.Stages["$default"].Match(x); err != nil {
		t.Fatal(err)
	}
	var fault *plan.Fault
	if err := x.Route.Integration.Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.IntegrationFailure || fault.Reason != "the route's integration i is gone" {
		t.Errorf("Integrate: %v", err)
	}
	if x.Integration.Error == "" {
		t.Error("the access log isn't told")
	}
}
