package compile_test

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

var (
	ours   = store.Scope{Account: "111111111111", Region: "eu-west-1"}
	theirs = store.Scope{Account: "222222222222", Region: "eu-west-1"}
)

func putDomain(tx *store.Tx, s store.Scope, name string, edit func(*definition.Domain)) error {
	d := &definition.Domain{}
	d.DomainName.DomainName, d.RegionalCertificateArn, d.SecurityPolicy = &name, new("certificate-1"), new("TLS_1_2")
	if edit != nil {
		edit(d)
	}
	return definition.Domains.Put(tx, s, d, name)
}

func putMapping(tx *store.Tx, s store.Scope, domain, id, key, api, stage string) error {
	m := &definition.DomainMapping{}
	m.ApiMappingId, m.ApiMappingKey, m.ApiId, m.Stage = &id, &key, &api, &stage
	return definition.DomainMappings.Put(tx, s, m, domain, id)
}

func newEndpoint(kind string) *apigateway.EndpointConfiguration {
	return &apigateway.EndpointConfiguration{Types: []string{kind}}
}

// A namedFront tells what it was made of.
type namedFront struct{ name string }

func (f *namedFront) Config(*tls.ClientHelloInfo) (*tls.Config, error) {
	return &tls.Config{ServerName: f.name}, nil
}

// nameOf is what a front was made of, "" of none.
func nameOf(f plan.Handshaker) string {
	if f == nil {
		return ""
	}
	return f.(*namedFront).name
}

// leads is the reason for which a request to a domain ends: no API is there.
func leads(p *plan.Plan, host, path string) string { return leadsOver(p, nil, host, path) }

// leadsOver is leads for a request that comes in somewhere.
func leadsOver(p *plan.Plan, e *plan.Entrance, host, path string) string {
	x := &plan.Exchange{Request: plan.Request{Method: "GET", Host: host, Path: path, Entrance: e}}
	traffic, err := p.Place(x)
	var fault *plan.Fault
	if !traffic || !errors.As(err, &fault) {
		return "nowhere"
	}
	return fault.Reason
}

// A domain's part of the plan follows every change, and is the same after a start.
func TestDomains(t *testing.T) {
	made, broken := 0, false
	parts := printedParts()
	parts.TLS = func(d compile.DomainTLS) (plan.Handshaker, plan.Truststore, error) {
		if broken {
			return nil, nil, errors.New("no such policy")
		}
		made++
		return &namedFront{name: d.Name + " " + d.CertificateARN}, nil, nil
	}
	parts.ReservedHost = func(name string) bool { return name == "gateway.test" }
	c := compile.New(parts)
	s := openStore(t, store.Options{Prepare: c.Prepare})
	update := func(do func(tx *store.Tx) error) {
		t.Helper()
		if err := s.Update(context.Background(), do); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(host, path, want string) {
		t.Helper()
		fresh := compile.New(parts)
		if err := s.View(context.Background(), func(tx *store.Tx) error { _, err := fresh.Load(tx); return err }); err != nil {
			t.Fatal(err)
		}
		if got := leads(c.Plan(), host, path); got != want {
			t.Errorf("%s%s: %s, want %s", host, path, got, want)
		}
		if broken {
			return // a start has nothing to go on with
		}
		if got := leads(fresh.Plan(), host, path); got != want {
			t.Errorf("%s%s after a start: %s, want %s", host, path, got, want)
		}
	}
	update(func(tx *store.Tx) error {
		return errors.Join(
			putDomain(tx, ours, "a.test", nil), putMapping(tx, ours, "a.test", "m1", "k", "api1", "v1"),
			putDomain(tx, ours, "gateway.test", nil),
			putDomain(tx, ours, "private.test", func(d *definition.Domain) {
				d.EndpointConfiguration = newEndpoint("PRIVATE")
			}),
		)
	})
	expect("a.test", "/k", "a.test leads to API api1, which is gone")
	expect("a.test", "/x", "no mapping of a.test takes /x")
	expect("gateway.test", "/", "nowhere")
	expect("private.test", "/", "nowhere")

	// What a new mapping doesn't touch stays, sessions of TLS among it.
	before, _ := c.Plan().Domain("a.test")
	update(func(tx *store.Tx) error { return putMapping(tx, ours, "a.test", "m2", "", "api2", "v1") })
	expect("a.test", "/x", "a.test leads to API api2, which is gone")
	if after, _ := c.Plan().Domain("a.test"); after == before || after.TLS != before.TLS || nameOf(after.TLS) != "a.test certificate-1" {
		t.Errorf("%+v, then %+v", before, after)
	}
	update(func(tx *store.Tx) error {
		return putDomain(tx, ours, "a.test", func(d *definition.Domain) { d.RegionalCertificateArn = new("certificate-2") })
	})
	if after, _ := c.Plan().Domain("a.test"); nameOf(after.TLS) != "a.test certificate-2" {
		t.Errorf("%+v", after)
	}

	// What doesn't compile goes on as it was.
	broken = true
	update(func(tx *store.Tx) error {
		return errors.Join(definition.DomainMappings.Delete(tx, ours, "a.test", "m2"),
			putDomain(tx, ours, "a.test", func(d *definition.Domain) { d.SecurityPolicy = new("NEW") }))
	})
	expect("a.test", "/x", "a.test leads to API api2, which is gone")
	broken = false
	update(func(tx *store.Tx) error { return putMapping(tx, ours, "a.test", "m3", "z", "api3", "v1") })
	expect("a.test", "/x", "no mapping of a.test takes /x")
	expect("a.test", "/z", "a.test leads to API api3, which is gone")

	// Another account's private domain of the same name comes and goes unnoticed.
	update(func(tx *store.Tx) error {
		return putDomain(tx, theirs, "a.test", func(d *definition.Domain) { d.EndpointConfiguration = newEndpoint("PRIVATE") })
	})
	expect("a.test", "/z", "a.test leads to API api3, which is gone")
	update(func(tx *store.Tx) error { return definition.Domains.Delete(tx, theirs, "a.test") })
	expect("a.test", "/z", "a.test leads to API api3, which is gone")

	update(func(tx *store.Tx) error {
		_, err := definition.DomainMappings.DeleteAll(tx, ours, "a.test")
		return errors.Join(err, definition.Domains.Delete(tx, ours, "a.test"))
	})
	expect("a.test", "/z", "nowhere")
	if made == 0 {
		t.Error("nothing shakes hands")
	}
}

// A private domain is in the plan for the VPC endpoints that are associated with it,
// after every change and after a start, and so are two of one name.
func TestPrivateDomains(t *testing.T) {
	parts := printedParts()
	parts.TLS = func(d compile.DomainTLS) (plan.Handshaker, plan.Truststore, error) {
		return &namedFront{name: d.Scope.Account}, nil, nil
	}
	c := compile.New(parts)
	s := openStore(t, store.Options{Prepare: c.Prepare})
	update := func(do func(tx *store.Tx) error) {
		t.Helper()
		if err := s.Update(context.Background(), do); err != nil {
			t.Fatal(err)
		}
	}
	private := func(id string) func(*definition.Domain) {
		return func(d *definition.Domain) {
			d.EndpointConfiguration, d.DomainNameId, d.DomainNameArn = newEndpoint("PRIVATE"), &id, new("arn:"+id)
		}
	}
	associate := func(tx *store.Tx, s store.Scope, id, domain, endpoint string) error {
		a := &definition.AccessAssociation{}
		a.DomainNameArn, a.AccessAssociationSource = new("arn:"+domain), &endpoint
		return definition.AccessAssociations.Put(tx, s, a, id)
	}
	// expect says whose mapping is found over vpce-1, over vpce-2 and on a laptop.
	expect := func(when string, want ...string) {
		t.Helper()
		fresh := compile.New(parts)
		if err := s.View(context.Background(), func(tx *store.Tx) error { _, err := fresh.Load(tx); return err }); err != nil {
			t.Fatal(err)
		}
		for i, e := range []*plan.Entrance{{VPCEndpoint: "vpce-1"}, {VPCEndpoint: "vpce-2"}, {Development: true}, nil} {
			want := append(want, "nobody")[i]
			for at, p := range map[string]*plan.Plan{"": c.Plan(), " after a start": fresh.Plan()} {
				got := map[string]string{
					"a.test leads to API api1, which is gone": ours.Account, "a.test leads to API api2, which is gone": theirs.Account,
				}[leadsOver(p, e, "A.test.", "/")]
				if by := nameOf(p.TLSOf("a.test", e)); got != by || got != want && want != "nobody" || got != "" && want == "nobody" {
					t.Errorf("%s, entrance %d%s: %q by %q, want %q", when, i, at, got, by, want)
				}
			}
		}
	}
	update(func(tx *store.Tx) error {
		return errors.Join(putDomain(tx, ours, "a.test", private("1")), putMapping(tx, ours, "a.test", "m1", "", "api1", "v1"))
	})
	expect("without an association", "nobody", "nobody", "nobody")
	update(func(tx *store.Tx) error { return associate(tx, ours, "a1", "1", "vpce-1") })
	expect("with one", ours.Account, "nobody", ours.Account)
	update(func(tx *store.Tx) error {
		return errors.Join(putDomain(tx, theirs, "a.test", private("2")), putMapping(tx, theirs, "a.test", "m2", "", "api2", "v1"), associate(tx, theirs, "a2", "2", "vpce-2"))
	})
	expect("with another account's", ours.Account, theirs.Account, ours.Account)
	update(func(tx *store.Tx) error { return definition.AccessAssociations.Delete(tx, ours, "a1") })
	expect("without ours", "nobody", theirs.Account, theirs.Account)
	update(func(tx *store.Tx) error { return associate(tx, ours, "a1", "1", "vpce-1") })
	update(func(tx *store.Tx) error {
		_, err := definition.DomainMappings.DeleteAll(tx, theirs, "a.test")
		return errors.Join(err, definition.Domains.Delete(tx, theirs, "a.test"), definition.AccessAssociations.Delete(tx, theirs, "a2"))
	})
	expect("without theirs", ours.Account, "nobody", ours.Account)
}
