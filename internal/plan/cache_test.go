package plan_test

import (
	"testing"

	"gatehouse/internal/plan"
)

func TestInvalidates(t *testing.T) {
	h := func(pairs ...string) (all plan.Headers) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, plan.Header{Name: pairs[i], Value: pairs[i+1]})
		}
		return all
	}
	get, every := &plan.MethodCache{}, &plan.MethodCache{EveryMethod: true}
	for _, test := range []struct {
		name, method string
		cache        *plan.MethodCache
		headers      plan.Headers
		want         bool
	}{
		{"asked for", "GET", get, h("Cache-Control", "max-age=0"), true},
		{"in other words", "GET", get, h("cache-control", "no-transform,\t Max-Age=0 ,x"), true},
		{"on the second line", "GET", get, h("Cache-Control", "x", "Cache-Control", "max-age=0"), true},
		{"no header", "GET", get, h("X", "max-age=0"), false},
		{"another age", "GET", get, h("Cache-Control", "max-age=01, max-age=0.0, max-age"), false},
		{"another directive", "GET", get, h("Cache-Control", "no-cache, s-maxage=0", "Pragma", "no-cache"), false},
		{"nothing", "GET", get, h("Cache-Control", ""), false},
		{"not cached", "GET", nil, h("Cache-Control", "max-age=0"), false},
		{"not cached for the method", "POST", get, h("Cache-Control", "max-age=0"), false},
		{"cached for every method", "POST", every, h("Cache-Control", "max-age=0"), true},
	} {
		x := &plan.Exchange{Route: &plan.Route{Rest: &plan.Method{Cache: test.cache}}}
		x.Request.Method, x.Request.Headers = test.method, test.headers
		if got := x.Invalidates(); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if (&plan.Exchange{Route: &plan.Route{}}).Invalidates() {
		t.Error("a route of another API")
	}
}
