package plan

import (
	"errors"
	"testing"
)

// domainPlan has a domain with mappings to an HTTP API, a wildcard, and one with
// routing rules to a REST API.
func domainPlan() *Plan {
	http := &API{ID: "http1", Protocol: HTTP, Stages: map[string]*Stage{}}
	rest := &API{ID: "rest1", Protocol: REST, Stages: map[string]*Stage{}}
	for _, a := range []*API{http, rest} {
		for _, name := range []string{DefaultStage, "v1", "v2", "beta"} {
			a.Stages[name] = &Stage{API: a, Name: name, DisableExecuteAPIEndpoint: true}
		}
	}
	var p *Plan
	p = p.With(http).With(rest)
	p = p.WithDomain(NewDomain("API.example.com", MappingsOnly, nil, []PathMapping{
		{"", "http1", DefaultStage}, {"orders", "http1", "v1"}, {"orders/v2/items", "http1", "v2"},
		{"orders/v2/items/categories", "http1", "beta"}, {"rest", "rest1", "v1"}, {"any", "rest1", ""}, {"gone", "nope", "v1"},
	}))
	p = p.WithDomain(NewDomain("*.example.com", MappingsOnly, nil, []PathMapping{{"shop", "http1", "v1"}}))
	rules := []RoutingRule{
		{Priority: 30, APIID: "rest1", Stage: "v1"},
		{Priority: 20, BasePaths: []string{"a", "b/c"}, APIID: "rest1", Stage: "v2", StripBasePath: true},
		{Priority: 10, Headers: [][]HeaderMatch{{NewHeaderMatch("X-Tier", "gold*"), NewHeaderMatch("x-tier", "*plus")}, {NewHeaderMatch("x-on", "1")}}, BasePaths: []string{"a"}, APIID: "rest1", Stage: "beta"},
	}
	p = p.WithDomain(NewDomain("rules.test", RulesOnly, rules[1:], nil))
	p = p.WithDomain(NewDomain("both.test", RulesThenMappings, rules[1:], []PathMapping{{"", "http1", "v1"}}))
	return p.WithDomain(NewDomain("catch.test", RulesThenMappings, rules, []PathMapping{{"", "http1", "v1"}}))
}

func TestPlaceDomain(t *testing.T) {
	p := domainPlan()
	gold := Headers{{"x-tier", "golden"}, {"X-On", "1"}}
	for _, test := range []struct {
		name, host, path string
		headers          Headers
		want             string // API/stage stagePath gatewayPath key, or a kind of fault
	}{
		{"the rest", "api.example.com", "/pets/1", nil, "http1/$default /pets/1 /pets/1 "},
		{"the root", "api.example.com", "/", nil, "http1/$default / / "},
		{"port, case and dot", "API.Example.COM.:4566", "/pets", nil, "http1/$default /pets /pets "},
		{"a key", "api.example.com", "/orders/7", nil, "http1/v1 /7 /v1/7 orders"},
		{"a key alone", "api.example.com", "/orders", nil, "http1/v1 / /v1/ orders"},
		{"a key and a slash", "api.example.com", "/orders/", nil, "http1/v1 / /v1/ orders"},
		{"part of a segment", "api.example.com", "/ordersX/7", nil, "http1/$default /ordersX/7 /ordersX/7 "},
		{"a longer key", "api.example.com", "/orders/v2/items/5", nil, "http1/v2 /5 /v2/5 orders/v2/items"},
		{"the longest key", "api.example.com", "/orders/v2/items/categories/5", nil, "http1/beta /5 /beta/5 orders/v2/items/categories"},
		{"back to a shorter key", "api.example.com", "/orders/v2/item", nil, "http1/v1 /v2/item /v1/v2/item orders"},
		{"escaped letters", "api.example.com", "/%6Frders/%37", nil, "http1/v1 /%37 /v1/%37 orders"},
		{"escaped slashes", "api.example.com", "/orders%2Fv2%2fitems%2F5", nil, "http1/v2 /5 /v2/5 orders/v2/items"},
		{"letters of another case", "api.example.com", "/Orders/7", nil, "http1/$default /Orders/7 /Orders/7 "},
		{"a REST API", "api.example.com", "/rest/a//b", nil, "rest1/v1 /a//b /rest/a//b rest"},
		{"a stage in the path", "api.example.com", "/any/v2/a", nil, "rest1/v2 /a /any/v2/a any"},
		{"no such stage in the path", "api.example.com", "/any/v9/a", nil, "forbidden"},
		{"no stage in the path", "api.example.com", "/any", nil, "forbidden"},
		{"an API that is gone", "api.example.com", "/gone/a", nil, "forbidden"},
		{"a wildcard", "eu.example.com", "/shop/1", nil, "http1/v1 /1 /v1/1 shop"},
		{"a wildcard without a mapping", "eu.example.com", "/other", nil, "forbidden"},
		{"an empty label for a star", ".example.com", "/shop", nil, "none"},
		{"two labels for one star", "a.eu.example.com", "/shop", nil, "none"},
		{"what the star hangs on", "example.com", "/shop", nil, "none"},
		{"a base path, stripped", "rules.test", "/a/x", nil, "rest1/v2 /x /a/x "},
		{"a longer base path, stripped", "rules.test", "/b/c", nil, "rest1/v2 / /b/c "},
		{"headers and a base path, kept", "rules.test", "/a/x", gold, "rest1/beta /a/x /a/x "},
		{"one header too few", "rules.test", "/a/x", gold[:1], "rest1/v2 /x /a/x "},
		{"the value's case", "rules.test", "/a/x", Headers{{"x-tier", "Golden"}, {"x-on", "1"}}, "rest1/v2 /x /a/x "},
		{"a star in front", "rules.test", "/a/x", Headers{{"x-tier", "a plus"}, {"x-on", "1"}}, "rest1/beta /a/x /a/x "},
		{"no rule", "rules.test", "/b/x", nil, "forbidden"},
		{"no rule, then mappings", "both.test", "/b/x", nil, "http1/v1 /b/x /v1/b/x "},
		{"a rule for everything", "catch.test", "/b/x", nil, "rest1/v1 /b/x /b/x "},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := &Exchange{Request: Request{Method: "GET", Host: test.host, Path: test.path, Headers: test.headers}}
			traffic, err := p.Place(x)
			got := "none"
			var fault *Fault
			switch {
			case errors.As(err, &fault) && fault.Kind == Forbidden:
				got = "forbidden"
			case err != nil:
				got = err.Error()
			case traffic:
				got = x.API.ID + "/" + x.Stage.Name + " " + x.StagePath + " " + x.GatewayPath + " " + x.BasePath
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	if p = p.WithoutDomain("api.example.com"); p.DomainOf("api.example.com").Name != "*.example.com" {
		t.Error("without the name itself the wildcard takes over")
	}
}
