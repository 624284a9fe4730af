package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/arn"
	"gatehouse/internal/authorize"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

const invokeFunction = "lambda:InvokeFunction"

var (
	errRoleNotPermitted = errors.New("it is another account's, and its resource policy has no statement that lets whoever it is called as invoke it")
	errUnsigned         = errors.New("it is called with the credentials of whoever signed the request, and nobody did")
)

// An invocation asks whether a function may be called by whom it is called as: the
// role of an integration or an authorizer, or whoever signed the request. Their own
// policies and the function's decide together. AWS refuses the call if they don't
// allow it. Here that is so under --strict-permissions; otherwise the call goes
// through and the log names the fix, once per integration or authorizer. What parts
// accounts holds in either mode: a function of another account has to let the
// caller in.
type invocation struct {
	// assumption is of the role, nil for whoever signed the request.
	assumption *assumption
	signers    authorize.Signers
	functions  functionPolicies
	function   string
	// owner is the account that the function is of.
	owner  string
	strict bool
	log    *slog.Logger
	warn   sync.Once
	last   atomic.Pointer[roleVerdict]
}

// A roleVerdict is what was last decided for a role. It is true while nothing that it
// was decided by has changed, and not for long: conditions may be about the time.
type roleVerdict struct {
	err        error
	generation uint64
	document   *policy.Document
	until      time.Time
}

// callers makes the checks of calls that are made as somebody.
type callers struct {
	roles     gatewayRoles
	signers   authorize.Signers
	functions functionPolicies
	strict    bool
	log       *slog.Logger
}

// of checks the calls of a function, by its ARN, with credentials: a role's ARN, or
// what stands for those of the caller.
func (c *callers) of(function, credentials string) *invocation {
	i := &invocation{
		signers: c.signers, functions: c.functions, function: function, owner: accountOf(function), strict: c.strict, log: c.log,
	}
	if credentials != callerCredentials {
		i.assumption = newAssumption(c.roles, credentials, c.strict, c.log)
	}
	return i
}

// check implements integrate.LambdaTarget.Permitted.
func (i *invocation) check(x *plan.Exchange) error {
	who, account := x.Caller.ARN, cmp.Or(x.Caller.AccountID, x.Stage.API.AccountID)
	if a := i.assumption; a != nil {
		who, account = a.role, a.account
		if err := a.check(x); err != nil {
			return err
		}
	}
	if i.strict {
		return i.decide(x)
	}
	if i.owner != account && !i.functions.Permitted(i.function, lambda.Access{Principal: who}) {
		return errRoleNotPermitted
	}
	i.warn.Do(func() { i.say(x) })
	return nil
}

// decide returns why the caller may not invoke the function.
func (i *invocation) decide(x *plan.Exchange) error {
	if i.assumption == nil {
		s, ok := i.signers.Signer(x.Caller.AccessKeyID, x.Caller.SessionToken)
		if x.Caller.AccessKeyID == "" || !ok {
			return errUnsigned
		}
		return i.ask(x, s.Caller, s.Subject, s.Keys, i.functions.ResourcePolicy(i.function))
	}
	roles := i.assumption.roles
	// Read before what is decided by it: what changes meanwhile makes it outdated.
	generation, document := roles.Generation(), i.functions.ResourcePolicy(i.function)
	last := i.last.Load()
	if last != nil && last.generation == generation && last.document == document && x.Start.Before(last.until) {
		return last.err
	}
	c, err := roles.GatewayCaller(context.Background(), i.assumption.role)
	if err != nil {
		return err
	}
	err = i.ask(x, c.Caller, c.Subject, c.Keys, document)
	i.last.Store(&roleVerdict{err, generation, document, x.Start.Add(assumptionKept)})
	return err
}

// A refusedInvocation says whom a function isn't to be invoked by, and why.
type refusedInvocation struct {
	caller, function string
	verdict          policy.Verdict
}

func (e *refusedInvocation) Error() string {
	return "User: " + e.caller + " is not authorized to perform: " + invokeFunction + " on resource: " + e.function + e.verdict.Because(invokeFunction)
}

func (i *invocation) ask(x *plan.Exchange, caller policy.Caller, subject *policy.Subject, principal policy.Keys, document *policy.Document) error {
	r := policy.Request{
		// $LATEST has the policy of the function, which speaks of its plain ARN.
		Action: invokeFunction, Resource: strings.TrimSuffix(i.function, ":$LATEST"), Caller: caller,
		Keys: invocationKeys{principal: principal, at: x.Start, region: x.Stage.API.Region},
	}
	if v := policy.Evaluate(subject, document, &r, i.owner); v.Decision != policy.Allowed {
		return &refusedInvocation{caller: strings.Clone(caller.ARN), function: r.Resource, verdict: v}
	}
	return nil
}

// say warns of what AWS would refuse. Of a role that can't be assumed, which was
// warned of, there is no more to say.
func (i *invocation) say(x *plan.Exchange) {
	a := i.assumption
	if !i.functions.Exists(i.function) {
		return
	}
	if a != nil {
		if ok, err := a.trusts(x.Start); !ok || err != nil {
			return
		}
	}
	err := i.decide(x)
	if err == nil {
		return
	}
	attributes := []any{"function", i.function, "api", x.Stage.API.ID, "route", x.Route.Key}
	var refused *refusedInvocation
	if a != nil && errors.As(err, &refused) && refused.verdict.Decision == policy.Silent && refused.verdict.Source == policy.IdentityBased {
		attributes = append(attributes, "fix", fmt.Sprintf(
			`aws iam put-role-policy --role-name %s --policy-name invoke --policy-document '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"%s"}}'`,
			roleName(a.role), refused.function))
	}
	i.log.Warn("AWS would refuse this call: "+err.Error(), attributes...)
}

// roleName is the name in a role's ARN, without its path.
func roleName(text string) string {
	a, err := arn.Parse(text)
	if err != nil {
		return text
	}
	return a.Name()
}

// invocationKeys are the condition keys of a call that the gateway makes.
type invocationKeys struct {
	principal policy.Keys
	at        time.Time
	region    string
}

// Lookup implements policy.Keys.
func (k invocationKeys) Lookup(key string) ([]string, bool) {
	switch key {
	case "aws:currenttime":
		return []string{k.at.UTC().Format(time.RFC3339)}, true
	case "aws:epochtime":
		return []string{strconv.FormatInt(k.at.Unix(), 10)}, true
	case "aws:requestedregion":
		return []string{k.region}, true
	case "aws:securetransport":
		return []string{"true"}, true
	}
	if k.principal == nil {
		return nil, false
	}
	return k.principal.Lookup(key)
}
