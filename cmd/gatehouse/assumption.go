package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

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
// and the log says so, once per integration or authorizer.
type assumption struct {
	roles  roleTrust
	role   string
	strict bool
	log    *slog.Logger
	warn   sync.Once
	last   atomic.Pointer[trusted]
}

// trusted is what was last heard of a role.
type trusted struct {
	ok    bool
	until time.Time
}

func newAssumption(roles roleTrust, role string, strict bool, log *slog.Logger) *assumption {
	return &assumption{roles: roles, role: role, strict: strict, log: log}
}

// check implements integrate.LambdaTarget.Permitted.
func (a *assumption) check(x *plan.Exchange) error {
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
