package compile_test

import (
	"context"
	"errors"
	"testing"

	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

func putRestAPI(tx *store.Tx, id, policy, mode string) error {
	api := &definition.RestAPI{}
	api.Id, api.SecurityPolicy, api.EndpointAccessMode = &id, &policy, &mode
	return definition.RestAPIs.Put(tx, ours, api, id)
}

// lead makes a mapping of a domain, or with a rule a routing rule, to an API.
func lead(tx *store.Tx, domain, key, api string) error {
	return errors.Join(putMapping(tx, ours, domain, key, key, api, "v1"), definition.DomainTargets.Put(tx, ours, &definition.Reference{ID: "v1"}, api, domain, key))
}

// How hands are shaken at an API's own host, and at the domains that lead to it,
// follows its security policy, and is the same after a start.
func TestSecurityPolicies(t *testing.T) {
	parts := printedParts()
	parts.TLS = func(d compile.DomainTLS) (plan.Handshaker, plan.Truststore, error) {
		return &namedFront{name: d.SecurityPolicy}, nil, nil
	}
	made := 0
	parts.GatewayTLS = func(policy string) (plan.Handshaker, error) {
		if made++; policy == "OLD" {
			return nil, errors.New("no such policy")
		}
		return &namedFront{name: policy}, nil
	}
	c := compile.New(parts)
	s := openStore(t, store.Options{Prepare: c.Prepare})
	update := func(do func(tx *store.Tx) error) {
		t.Helper()
		if err := s.Update(context.Background(), do); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(name, want string) {
		t.Helper()
		fresh := compile.New(parts)
		if err := s.View(context.Background(), func(tx *store.Tx) error { _, err := fresh.Load(tx); return err }); err != nil {
			t.Fatal(err)
		}
		for when, p := range map[string]*plan.Plan{"": c.Plan(), " after a start": fresh.Plan()} {
			got := "the gateway's"
			if front := p.TLSOf(name, nil); front != nil {
				got = nameOf(front)
			}
			if got != want {
				t.Errorf("%s%s: %s, want %s", name, when, got, want)
			}
		}
	}
	const enhanced, another = "SecurityPolicy_TLS13_1_3_2025_09", "SecurityPolicy_TLS13_1_2_2021_06"
	update(func(tx *store.Tx) error {
		return errors.Join(
			putRestAPI(tx, "one", enhanced, "STRICT"), putRestAPI(tx, "two", enhanced, "BASIC"), putRestAPI(tx, "old", "OLD", ""), putRestAPI(tx, "none", "", ""),
			putDomain(tx, ours, "a.test", nil), lead(tx, "a.test", "k", "one"), lead(tx, "a.test", "l", "two"),
			putDomain(tx, ours, "*.wild.test", nil), lead(tx, "*.wild.test", "k", "none"),
		)
	})
	for _, host := range []string{"one.execute-api.localhost", "one.execute-api.eu-west-1.amazonaws.com", "ONE.Execute-API.localhost.", "two.execute-api.localhost"} {
		expect(host, enhanced)
	}
	for _, host := range []string{"", "localhost", "one.localhost", "old.execute-api.localhost", "none.execute-api.localhost", "gone.execute-api.localhost", "execute-api.localhost"} {
		expect(host, "the gateway's")
	}
	if one, _ := c.Plan().API("one"); !one.Strict {
		t.Error("one isn't strict")
	}
	two, _ := c.Plan().API("two")
	if one, _ := c.Plan().API("one"); two.Strict || one.TLS != two.TLS {
		t.Error("two is strict, or what one has alike isn't shared")
	}

	// The policy of the APIs counts where they have one in common, else the domain's.
	expect("a.test", enhanced)
	expect("b.wild.test", "TLS_1_2")
	update(func(tx *store.Tx) error { return putRestAPI(tx, "two", another, "BASIC") })
	expect("a.test", "TLS_1_2")
	update(func(tx *store.Tx) error { return putRestAPI(tx, "one", another, "BASIC") })
	expect("a.test", another)
	expect("one.execute-api.localhost", another)
	update(func(tx *store.Tx) error { return putRestAPI(tx, "one", "TLS_1_0", "") })
	expect("one.execute-api.localhost", "TLS_1_0")
	expect("a.test", "TLS_1_2")
	update(func(tx *store.Tx) error { return putRestAPI(tx, "one", "", "") })
	expect("one.execute-api.localhost", "the gateway's")

	// A change of the API alone leaves the domain as it is.
	before, _ := c.Plan().Domain("a.test")
	update(func(tx *store.Tx) error { return putRestAPI(tx, "two", another, "STRICT") })
	if after, _ := c.Plan().Domain("a.test"); after != before {
		t.Error("a domain was compiled for nothing")
	}
}

// A strict API is reached by handshakes that named the host of the request.
func TestStrictAPIs(t *testing.T) {
	c := compile.New(printedParts())
	s := openStore(t, store.Options{Prepare: c.Prepare})
	err := s.Update(context.Background(), func(tx *store.Tx) error {
		return errors.Join(
			putRestAPI(tx, "api", "SecurityPolicy_TLS13_1_3_2025_09", "STRICT"),
			putDomain(tx, ours, "a.test", nil), lead(tx, "a.test", "", "api"),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	const (
		own      = "api.execute-api.localhost"
		admitted = "API api has no stage v1"
	)
	refused := func(host string) string {
		return "the TLS handshake didn't name " + host + ", as its endpoint access mode STRICT wants"
	}
	for _, test := range []struct{ sni, host, path, want string }{
		{own, own, "/v1", admitted},
		{own, own + ":443", "/v1", admitted},
		{own, "API.execute-api.localhost.", "/v1", admitted},
		{"other.execute-api.localhost", own, "/v1", refused(own)},
		{"", own, "/v1", refused(own)},
		{"none", own, "/v1", refused(own)},
		{"localhost", "localhost", "/_aws/execute-api/api/v1", "API api is reached by its own host or a domain alone, as its endpoint access mode STRICT wants"},
		{"a.test", "a.test", "/", "a.test leads to stage v1 of API api, which isn't there"},
		{own, "a.test", "/", refused("a.test")},
	} {
		x := &plan.Exchange{Request: plan.Request{Method: "GET", Host: test.host, Path: test.path, TLS: &plan.Handshake{ServerName: test.sni}}}
		if test.sni == "none" {
			x.Request.TLS = nil
		}
		_, err := c.Plan().Place(x)
		var fault *plan.Fault
		if !errors.As(err, &fault) || fault.Reason != test.want || fault.Kind != plan.Forbidden {
			t.Errorf("%+v: %v", test, err)
		}
	}
}
