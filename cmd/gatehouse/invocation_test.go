package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// oneFunction is a function with its own policy.
type oneFunction struct{ document *policy.Document }

func (f *oneFunction) Exists(string) bool { return true }

func (f *oneFunction) Permitted(string, lambda.Access) bool { return f.document != nil }

func (f *oneFunction) ResourcePolicy(string) *policy.Document { return f.document }

// aSigner has signed every request.
type aSigner struct {
	authorize.Signers
	subject *policy.Subject
}

func (s *aSigner) Signer(string, string) (authorize.Signer, bool) {
	return authorize.Signer{Subject: s.subject, Caller: policy.Caller{Account: "111111111111", ARN: "arn:aws:iam::111111111111:user/u"}}, true
}

func document(t *testing.T, kind policy.Kind, text string) *policy.Document {
	t.Helper()
	if text == "" {
		return nil
	}
	d, err := policy.Parse(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func subject(t *testing.T, text string) *policy.Subject {
	t.Helper()
	if text == "" {
		return &policy.Subject{}
	}
	return &policy.Subject{Identity: []*policy.Document{document(t, policy.Inline, text)}}
}

// TestInvocationByRole has integrations with credentials call a function: their
// policies and the function's decide together.
func TestInvocationByRole(t *testing.T) {
	const (
		own     = "arn:aws:lambda:us-east-1:111111111111:function:f"
		foreign = "arn:aws:lambda:us-east-1:222222222222:function:f"
		role    = "arn:aws:iam::111111111111:role/path/r"

		allow    = `{"Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"` + own + `"}}`
		allowAll = `{"Statement":{"Effect":"Allow","Action":"lambda:*","Resource":"*"}}`
		deny     = `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"lambda:InvokeFunction","Resource":"*"}]}`
		other    = `{"Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"` + own + `2"}}`
		later    = `{"Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}}`
	)
	letIn := func(function, principal string) string {
		return `{"Statement":{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"lambda:InvokeFunction","Resource":"` + function + `"}}`
	}
	for _, c := range []struct {
		name, function, credentials, identity, resource string
		strict, lenient                                 bool // whether the call goes through
		fix                                             bool
	}{
		{name: "no policy", function: own, credentials: role, lenient: true, fix: true},
		{name: "allowed", function: own, credentials: role, identity: allow, strict: true, lenient: true},
		{name: "$LATEST", function: own + ":$LATEST", credentials: role, identity: allow, strict: true, lenient: true},
		{name: "an alias isn't the function", function: own + ":live", credentials: role, identity: allow, lenient: true, fix: true},
		{name: "another function", function: own, credentials: role, identity: other, lenient: true, fix: true},
		{name: "denied", function: own, credentials: role, identity: deny, lenient: true},
		{name: "not yet", function: own, credentials: role, identity: later, lenient: true, fix: true},
		{name: "by the function", function: own, credentials: role, resource: letIn(own, role), strict: true, lenient: true},
		{name: "foreign", function: foreign, credentials: role, identity: allowAll},
		{name: "foreign, let in", function: foreign, credentials: role, identity: allowAll, resource: letIn(foreign, role), strict: true, lenient: true},
		{name: "foreign, let in only", function: foreign, credentials: role, resource: letIn(foreign, role), lenient: true, fix: true},
		{name: "caller", function: own, credentials: callerCredentials, identity: allow, strict: true, lenient: true},
		{name: "caller who may not", function: own, credentials: callerCredentials, lenient: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, strict := range []bool{true, false} {
				var log bytes.Buffer
				roles := &fakeTrust{ok: true, subject: subject(t, c.identity)}
				as := &callers{
					roles: roles, signers: &aSigner{subject: roles.subject}, functions: &oneFunction{document(t, policy.Resource, c.resource)},
					strict: strict, log: slog.New(slog.NewTextHandler(&log, nil)),
				}
				i := as.of(c.function, c.credentials)
				x := &plan.Exchange{
					Stage:  &plan.Stage{API: &plan.API{ID: "abc", AccountID: "111111111111", Region: "us-east-1"}},
					Route:  &plan.Route{Key: "GET /"},
					Caller: plan.Caller{ARN: "arn:aws:iam::111111111111:user/u", AccountID: "111111111111", AccessKeyID: "AKID"},
					Start:  time.Unix(1_700_000_000, 0),
				}
				want := c.strict
				if !strict {
					want = c.lenient
				}
				for range 3 {
					if err := i.check(x); (err == nil) != want {
						t.Fatalf("strict %v: %v", strict, err)
					}
				}
				warnings := 0
				if !strict && c.lenient && !c.strict {
					warnings = 1
				}
				if got := strings.Count(log.String(), "\n"); got != warnings {
					t.Errorf("strict %v: logged %s", strict, &log)
				}
				if fix := strings.Contains(log.String(), "aws iam put-role-policy --role-name r "); fix != (c.fix && !strict) {
					t.Errorf("strict %v: logged %s", strict, &log)
				}
				if strict && c.credentials == role && roles.became != 1 {
					t.Errorf("decided %d times", roles.became)
				}
			}
		})
	}
}

// TestInvocationFollows has a role's and a function's policies change under a call.
func TestInvocationFollows(t *testing.T) {
	const function, role = "arn:aws:lambda:us-east-1:111111111111:function:f", "arn:aws:iam::111111111111:role/r"
	const allow = `{"Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}}`
	roles, f := &fakeTrust{ok: true, subject: subject(t, "")}, &oneFunction{}
	as := &callers{roles: roles, signers: &aSigner{}, functions: f, strict: true, log: slog.New(slog.DiscardHandler)}
	i := as.of(function, role)
	x := &plan.Exchange{
		Stage: &plan.Stage{API: &plan.API{ID: "abc", AccountID: "111111111111", Region: "us-east-1"}},
		Route: &plan.Route{Key: "GET /"}, Start: time.Unix(1_700_000_000, 0),
	}
	var refused *refusedInvocation
	if err := i.check(x); !errors.As(err, &refused) || !strings.HasSuffix(err.Error(), "because no identity-based policy allows the lambda:InvokeFunction action") {
		t.Fatalf("%v", err)
	}
	roles.subject = subject(t, allow)
	roles.generation++
	if err := i.check(x); err != nil {
		t.Errorf("the role was let: %v", err)
	}
	f.document = document(t, policy.Resource, `{"Statement":{"Effect":"Deny","Principal":"*","Action":"lambda:InvokeFunction","Resource":"`+function+`"}}`)
	if err := i.check(x); !errors.As(err, &refused) {
		t.Errorf("the function refuses: %v", err)
	}
	f.document = nil
	became := roles.became
	if err := i.check(x); err != nil || roles.became != became+1 {
		t.Errorf("the function refuses no longer: %v", err)
	}
	x.Start = x.Start.Add(assumptionKept)
	if err := i.check(x); err != nil || roles.became != became+2 {
		t.Errorf("%v, asked %d times later on", err, roles.became-became)
	}
	if allocations := testing.AllocsPerRun(100, func() { _ = i.check(x) }); allocations > 0 {
		t.Errorf("%v allocations", allocations)
	}
	roles.ok = false
	x.Start = x.Start.Add(assumptionKept)
	var role403 *integrate.RoleError
	if err := i.check(x); !errors.As(err, &role403) {
		t.Errorf("a role that can't be assumed: %v", err)
	}
	unsigned := as.of(function, callerCredentials)
	if err := unsigned.check(x); !errors.Is(err, errUnsigned) {
		t.Errorf("nobody signed: %v", err)
	}
}
