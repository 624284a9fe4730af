package compile_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

func putPages(tx *store.Tx, name, region, certificate string) error {
	return putPagesWith(tx, name, region, &cognitoidp.CustomDomainConfigType{CertificateArn: &certificate})
}

func putPagesWith(tx *store.Tx, name, region string, config *cognitoidp.CustomDomainConfigType) error {
	d := &definition.UserPoolDomain{Account: ours.Account, Region: ours.Region}
	d.Domain.UserPoolId, d.Domain.CustomDomainConfig = new("pool"), config
	return definition.UserPoolDomains.Put(tx, store.Scope{}, d, name, region)
}

// The domain of a user pool goes before a star and has its own certificate; a name
// that an API has, too, stays the API's until that is gone.
func TestPages(t *testing.T) {
	var log bytes.Buffer
	parts := printedParts()
	parts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	parts.ReservedHost = func(name string) bool { return name == "gateway.test" }
	parts.TLS = func(d compile.DomainTLS) (plan.Handshaker, plan.Truststore, error) {
		name := d.Name + " " + d.CertificateARN
		if d.Pages {
			name += " pages"
		}
		return &namedFront{name: name}, nil, nil
	}
	c := compile.New(parts)
	s := openStore(t, store.Options{Prepare: c.Prepare})
	update := func(do func(tx *store.Tx) error) {
		t.Helper()
		if err := s.Update(context.Background(), do); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(host, to, shakes string) {
		t.Helper()
		fresh := compile.New(parts)
		if err := s.View(context.Background(), func(tx *store.Tx) error { _, err := fresh.Load(tx); return err }); err != nil {
			t.Fatal(err)
		}
		for when, p := range map[string]*plan.Plan{"": c.Plan(), " after a start": fresh.Plan()} {
			if got, by := leads(p, host, "/"), nameOf(p.TLSOf(host, nil)); got != to || by != shakes {
				t.Errorf("%s%s leads to %q by %q, want %q by %q", host, when, got, by, to, shakes)
			}
		}
	}
	const elsewhere = "nowhere" // no API's
	update(func(tx *store.Tx) error {
		return errors.Join(
			putDomain(tx, ours, "*.a.test", nil), putDomain(tx, ours, "both.test", nil),
			putPages(tx, "auth.a.test", "", "c1"), putPages(tx, "both.test", "", "c1"), putPages(tx, "gateway.test", "", "c1"), putPages(tx, "shop", "eu-west-1", "c1"),
		)
	})
	expect("auth.a.test", elsewhere, "auth.a.test c1 pages")
	expect("AUTH.a.test.", elsewhere, "auth.a.test c1 pages")
	expect("other.a.test", "no mapping of *.a.test takes /", "*.a.test certificate-1")
	expect("both.test", "no mapping of both.test takes /", "both.test certificate-1")
	expect("gateway.test", elsewhere, "")
	expect("shop", elsewhere, "")
	for _, want := range []string{"domain=both.test pool=pool reason=\"a custom domain name of an API has this name\"", "domain=gateway.test pool=pool reason=\"the gateway itself"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log doesn't have %s:\n%s", want, log.String())
		}
	}

	update(func(tx *store.Tx) error { return putPages(tx, "auth.a.test", "", "c2") })
	expect("auth.a.test", elsewhere, "auth.a.test c2 pages")
	update(func(tx *store.Tx) error {
		return definition.UserPoolDomains.Delete(tx, store.Scope{}, "auth.a.test", "")
	})
	expect("auth.a.test", "no mapping of *.a.test takes /", "*.a.test certificate-1")
	update(func(tx *store.Tx) error { return definition.Domains.Delete(tx, ours, "both.test") })
	expect("both.test", elsewhere, "both.test c1 pages")
	update(func(tx *store.Tx) error { return definition.UserPoolDomains.Delete(tx, store.Scope{}, "both.test", "") })
	expect("both.test", elsewhere, "")
}

// Each security policy that a user pool's domain can have is enforced as one that
// API Gateway has.
func TestPagesPolicy(t *testing.T) {
	for policy, want := range map[string]string{
		"": "TLS_1_2", "TLS_V1": "TLS_1_0", "TLS_V1_2_2021": "SecurityPolicy_TLS12_PFS_2025_EDGE", "TLS_V1_3_2025": "SecurityPolicy_TLS13_2025_EDGE",
	} {
		parts, got := printedParts(), ""
		parts.TLS = func(d compile.DomainTLS) (plan.Handshaker, plan.Truststore, error) {
			got = d.SecurityPolicy
			return &namedFront{}, nil, nil
		}
		s := openStore(t, store.Options{Prepare: compile.New(parts).Prepare})
		config := &cognitoidp.CustomDomainConfigType{CertificateArn: new("c1")}
		if policy != "" {
			config.SecurityPolicy = &policy
		}
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return putPagesWith(tx, "auth.a.test", "", config) }); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q shakes hands by %s, want %s", policy, got, want)
		}
	}
}
