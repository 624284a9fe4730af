package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/control/sts"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

// assumptionKept is how long the answer about a role is believed: who calls
// keeps a role's keys for a while on AWS, too.
const assumptionKept = 5 * time.Second

// gatewayRoles tells what becomes of API Gateway with a role; *sts.Service does.
type gatewayRoles interface {
	// CanAssume tells whether a role lets a service in.
	CanAssume(ctx context.Context, roleARN, service string) (bool, error)
	// GatewayCaller is who calls once API Gateway has assumed a role.
	GatewayCaller(ctx context.Context, roleARN string) (sts.Caller, error)
	// Generation counts the changes of roles and policies.
	Generation() uint64
}

// An assumption asks whether API Gateway may assume the role that an
// integration or an authorizer has for its call. AWS refuses the call if
// not. Here that is so under --strict-permissions; otherwise the call goes through
// and the log says so, once per integration or authorizer. That the role is of the
// API's account holds in either mode.
type assumption struct {
	roles gatewayRoles
	role  string
	// account is that of the role.
	account string
	strict  bool
	log     *slog.Logger
	warn    sync.Once
	last    atomic.Pointer[trusted]
}

// trusted is what was last heard of a role.
type trusted struct {
	ok    bool
	until time.Time
}

func newAssumption(roles gatewayRoles, role string, strict bool, log *slog.Logger) *assumption {
	return &assumption{roles: roles, role: role, account: accountOf(role), strict: strict, log: log}
}

// check returns why the role can't be assumed for an exchange.
func (a *assumption) check(x *plan.Exchange) error {
	// A role's account isn't known before a stage's variables are.
	if a.account != x.Stage.API.AccountID {
		return &integrate.RoleError{RoleARN: a.role}
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
