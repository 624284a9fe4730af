package main

import (
	"errors"
	"log/slog"
	"testing"

	"gatehouse/internal/control/lambda"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// fakePolicies are functions with who may invoke them.
type fakePolicies map[string]string

func (f fakePolicies) Exists(string) bool { return true }

func (f fakePolicies) ResourcePolicy(string) *policy.Document { return nil }

func (f fakePolicies) Permitted(functionARN string, a lambda.Access) bool {
	return a.Principal != "" && f[functionARN] == a.Principal
}

// TestCallsAcrossAccounts has APIs call functions in the mode that warns only: what
// another account's function has to say counts all the same.
func TestCallsAcrossAccounts(t *testing.T) {
	const (
		own      = "arn:aws:lambda:us-east-1:111111111111:function:f"
		foreign  = "arn:aws:lambda:us-east-1:222222222222:function:f"
		role     = "arn:aws:iam::111111111111:role/r"
		user     = "arn:aws:iam::111111111111:user/u"
		roleOf   = "arn:aws:iam::222222222222:role/r"
		ofCaller = "arn:aws:iam::*:user/*"
	)
	exchange := func() *plan.Exchange {
		return &plan.Exchange{
			Stage: &plan.Stage{Name: "s", API: &plan.API{ID: "abc", AccountID: "111111111111", Region: "us-east-1"}},
			Route: &plan.Route{Key: "GET /"}, Caller: plan.Caller{ARN: user, AccountID: "111111111111"},
		}
	}
	errRole := errors.New("the role can't be assumed")
	for _, c := range []struct {
		name, function, credentials, permits string
		want                                 error
	}{
		{"own", own, "", "", nil},
		{"foreign", foreign, "", "", errNotPermitted},
		{"foreign, permitted", foreign, "", gatewayService, nil},
		{"no ARN", "f", "", "", errNotPermitted},
		{"own by a role", own, role, "", nil},
		{"foreign by a role", foreign, role, "", errRoleNotPermitted},
		{"foreign by a role, permitted to another", foreign, role, gatewayService, errRoleNotPermitted},
		{"foreign by a role, permitted", foreign, role, role, nil},
		{"foreign by its own role", foreign, roleOf, roleOf, errRole},
		{"own by a foreign role", own, roleOf, "", errRole},
		{"own by the caller", own, ofCaller, "", nil},
		{"foreign by the caller", foreign, ofCaller, "", errRoleNotPermitted},
		{"foreign by the caller, permitted", foreign, ofCaller, user, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			policies := fakePolicies{c.function: c.permits}
			check := newPermission(policies, c.function, false, slog.New(slog.DiscardHandler)).check
			if c.credentials != "" {
				as := &callers{roles: &fakeTrust{ok: true}, signers: fakeSigners{}, functions: policies, log: slog.New(slog.DiscardHandler)}
				check = as.of(c.function, c.credentials).check
			}
			err := check(exchange())
			var refused *integrate.RoleError
			if errors.As(err, &refused) && refused.RoleARN == roleOf {
				err = errRole
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}
