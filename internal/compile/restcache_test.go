package compile_test

import (
	"fmt"
	"testing"
	"time"

	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/seal"
	"gatehouse/internal/stagecache"
	"gatehouse/internal/store"
)

// A cache outlives plans as long as its stage keeps it, and ends with it.
func TestCachesOutlivePlans(t *testing.T) {
	parts := printedParts()
	parts.Caches = stagecache.New(stagecache.Options{MaxBytes: 1 << 20})
	c := compile.New(parts)
	sealer, err := seal.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t, openStore(t, store.Options{Sealer: sealer, Prepare: c.Prepare}), c}
	h.update(func(tx *store.Tx) error {
		if err := putAs(tx, definition.RestAPIs, []byte(`{"name": "Pets", "rootResourceId": "root"}`), []string{"rest1"}); err != nil {
			return err
		}
		return putAs(tx, definition.Resources, []byte(`{"id": "root", "path": "/", "resourceMethods": {"GET": {"httpMethod": "GET", "authorizationType": "NONE", "methodIntegration": {"type": "MOCK"}}}}`), []string{"rest1", "root"})
	})
	deploy := func(id string) {
		h.update(func(tx *store.Tx) error {
			if err := tx.Pin(testScope, "rest1", tx.Revision()); err != nil {
				return err
			}
			return putAs(tx, definition.RestDeployments, fmt.Appendf(nil, `{"id": %q, "_revision": %d}`, id, tx.Revision()), []string{"rest1", id})
		})
	}
	deploy("d1")
	deploy("d2")
	stage := func(text string) {
		h.update(func(tx *store.Tx) error {
			return putAs(tx, definition.RestStages, []byte(`{"stageName": "dev", "methodSettings": {"*/*": {"cachingEnabled": true}}, `+text+`}`), []string{"rest1", "dev"})
		})
	}
	request := func() (*plan.Exchange, *plan.MethodCache) {
		t.Helper()
		api, ok := h.Plan().API("rest1")
		if !ok {
			t.Fatal("no API")
		}
		x := &plan.Exchange{Stage: api.Stages["dev"], StagePath: "/"}
		x.Request.Method = "GET"
		if err := x.Stage.Match(x); err != nil {
			t.Fatal(err)
		}
		return x, x.Route.Rest.Cache
	}
	sum := func(x *plan.Exchange, c *plan.MethodCache) plan.CacheSum {
		t.Helper()
		sum, ok, err := c.Key.Sum(x)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		return sum
	}
	keep := func() {
		t.Helper()
		x, c := request()
		x.Response = plan.Response{Status: 200, Body: []byte("kept")}
		c.Cluster.Keep(x, sum(x, c), c.Cluster.Begin(), plan.CacheTerms{TTL: time.Hour})
	}
	found := func() bool {
		t.Helper()
		x, c := request()
		found, err := c.Cluster.Find(x, sum(x, c))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	const one = `"deploymentId": "d1", "cacheClusterEnabled": true, "cacheClusterSize": "0.5", "_cacheSince": 1`
	stage(one)
	keep()
	for _, step := range []struct {
		name, stage string
		want        bool
	}{
		{"nothing", one, true},
		{"variables", one + `, "variables": {"a": "b"}`, true},
		{"another deployment", `"deploymentId": "d2", "cacheClusterEnabled": true, "cacheClusterSize": "0.5", "_cacheSince": 1`, false},
		{"the deployment before", one, true},
		{"another cache", `"deploymentId": "d1", "cacheClusterEnabled": true, "cacheClusterSize": "0.5", "_cacheSince": 2`, false},
		{"the cache before", one, false},
	} {
		stage(step.stage)
		if got := found(); got != step.want {
			t.Errorf("%s: found is %v, want %v", step.name, got, step.want)
		}
	}

	keep()
	old, oldCache := request()
	stage(`"deploymentId": "d1", "_cacheSince": 2`)
	if _, c := request(); c != nil {
		t.Error("a stage without a cache is cached")
	}
	if n := parts.Caches.Numbers(); n.Entries != 0 || n.Bytes != 0 {
		t.Errorf("switched off: %+v", n)
	}
	// A request of the plan before may still be running.
	old.Response = plan.Response{Status: 200, Body: []byte("kept")}
	oldCache.Cluster.Keep(old, sum(old, oldCache), oldCache.Cluster.Begin(), plan.CacheTerms{TTL: time.Hour})
	if n := parts.Caches.Numbers(); n.Entries != 0 {
		t.Errorf("kept afterwards: %+v", n)
	}

	for _, gone := range []func(tx *store.Tx) error{
		func(tx *store.Tx) error { return definition.RestStages.Delete(tx, testScope, "rest1", "dev") },
		func(tx *store.Tx) error { return definition.RestAPIs.Delete(tx, testScope, "rest1") },
	} {
		stage(one)
		keep()
		if n := parts.Caches.Numbers(); n.Entries != 1 {
			t.Errorf("%+v", n)
		}
		h.update(gone)
		if n := parts.Caches.Numbers(); n.Entries != 0 || n.Bytes != 0 {
			t.Errorf("deleted: %+v", n)
		}
	}
}
