package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/control/lambda"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

// assumptionKept is how long the answer about a role is believed: who calls
// keeps a role's keys for a while on AWS, too.
const assumptionKept = 5 * time.Second

// roleTrust tells which services a role lets in; *sts.Service does.
type roleTrust interface {
	CanAssume(ctx context.Context, roleARN, service string) (bool, error)
}

// An assumption asks whether API Gateway may assume the role that an
// integration or an authorizer calls its function with. AWS refuses the call if
// not. Here that is so under --strict-permissions; otherwise the call goes through
// and the log says so, once per integration or authorizer. What parts accounts holds
// in either mode: the role is of the API's account, and a function of another one
// has to let it in.
type assumption struct {
	roles     roleTrust
	role      string
	functions functionPolicies
	function  string
	// account and owner are those of the role and of the function.
	account, owner string
	strict         bool
	log            *slog.Logger
	warn           sync.Once
	last           atomic.Pointer[trusted]
}

// anyAccount stands in "arn:aws:iam::*:user/*", by which a call is made with the
// credentials of whoever signed the request.
const anyAccount = "*"

var errRoleNotPermitted = errors.New("it is another account's, and its resource policy has no statement that lets whoever it is called as invoke it")

// trusted is what was last heard of a role.
type trusted struct {
	ok    bool
	until time.Time
}

func newAssumption(roles roleTrust, role string, functions functionPolicies, function string, strict bool, log *slog.Logger) *assumption {
	return &assumption{
		roles: roles, role: role, functions: functions, function: function,
		account: accountOf(role), owner: accountOf(function), strict: strict, log: log,
	}
}

// check implements integrate.LambdaTarget.Permitted.
func (a *assumption) check(x *plan.Exchange) error {
	if err := a.crosses(x); err != nil {
		return err
	}
	if a.strict {
		ok, err := a.trusts(x.Start)
		if err != nil {
			return err
		}
		if !ok {
			return &integrate.RoleError{RoleARN: a.role}
		}
		return nil
	}
	a.warn.Do(func() {
		if ok, err := a.trusts(x.Start); !ok {
			a.log.Warn("AWS would refuse this call: the role of the call isn't there or doesn't trust "+gatewayService,
				"role", a.role, "api", x.Stage.API.ID, "route", x.Route.Key, "error", err)
		}
	})
	return nil
}

// crosses refuses a call from one account into another that has no say in it. The
// account of a role isn't known before a stage's variables are.
func (a *assumption) crosses(x *plan.Exchange) error {
	who, account := a.role, a.account
	if account == anyAccount {
		who, account = x.Caller.ARN, cmp.Or(x.Caller.AccountID, x.Stage.API.AccountID)
	} else if account != x.Stage.API.AccountID {
		return &integrate.RoleError{RoleARN: a.role}
	}
	if a.owner != account && !a.functions.Permitted(a.function, lambda.Access{Principal: who}) {
		return errRoleNotPermitted
	}
	return nil
}

// gatewayService is how policies name API Gateway.
const gatewayService = "apigateway.amazonaws.com"

func (a *assumption) trusts(now time.Time) (bool, error) {
	if last := a.last.Load(); last != nil && now.Before(last.until) {
		return last.ok, nil
	}
	ok, err := a.roles.CanAssume(context.Background(), a.role, gatewayService)
	if err != nil {
		return false, err
	}
	a.last.Store(&trusted{ok, now.Add(assumptionKept)})
	return ok, nil
}
