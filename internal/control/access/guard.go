package access

import (
	"cmp"
	"log/slog"
	"sync"

	"gatehouse/internal/arn"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
	"gatehouse/internal/control/sts"
	"gatehouse/internal/policy"
)

// Functions knows the resource policies of functions; *lambda.Directory is the
// one there is.
type Functions interface {
	// ResourcePolicy is the policy of a function, a version or an alias; nil for none.
	ResourcePolicy(functionARN string) *policy.Document
}

// Options are what a Guard works with.
type Options struct {
	// Credentials knows callers and is told who was seen.
	Credentials *sts.Credentials // required
	// Identities knows what users, roles and groups there are.
	Identities *iam.Directory // required
	Functions  Functions      // required
	// LetUnfounded lets a function do everything whose role doesn't exist, with a
	// warning. Only where an unknown key is root already.
	LetUnfounded bool
	// Log takes warnings; nil discards them.
	Log *slog.Logger
}

// A Guard decides management calls. It is safe for concurrent use.
type Guard struct {
	o Options
	// warned holds the ARNs of roles that were warned of.
	warned sync.Map
}

// New returns a guard.
func New(o Options) *Guard {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Guard{o: o}
}

// A need is one thing an operation has to be allowed to do.
type need struct {
	action, resource string
	// begins tells that the resource is only how an ARN begins, of which the rest isn't
	// known.
	begins bool
	// shown is how refusals show the resource; "" as it is.
	shown string
	// keys are condition keys of this action, by name in lower case.
	keys map[string][]string
	// function, if set, is one whose own policy may allow the action as well.
	function string
	// refusal, if set, says why no policy can allow it.
	refusal string
}

// Authorize implements awswire.Options.Authorize.
func (g *Guard) Authorize(c *awswire.Call, a awswire.Action) error {
	g.o.Credentials.Used(c.Principal, a.Service, c.Region, c.Time)
	return g.decide(c, &a, func() []need { return g.needs(&request{Call: c, Action: &a, identities: g.o.Identities}) })
}

// Require implements awswire.Options.Require.
func (g *Guard) Require(c *awswire.Call, a awswire.Action, action, resource string) error {
	return g.decide(c, &a, func() []need { return []need{{action: action, resource: resource}} })
}

// decide tells whether the caller may do all that is needed.
func (g *Guard) decide(c *awswire.Call, a *awswire.Action, needs func() []need) error {
	caller, known := g.o.Credentials.Caller(c.Principal.AccessKeyID, c.Principal.SessionToken)
	if !known {
		// Known a moment ago, when the signature was verified.
		return denied("The security token included in the request is invalid.")
	}
	if caller.Root {
		return nil
	}
	if caller.Unfounded && g.o.LetUnfounded {
		g.warn(caller.RoleARN)
		return nil
	}
	for _, n := range needs() {
		if n.refusal != "" {
			return denied(n.refusal)
		}
		if v := g.ask(c, a, &caller, &n); v.Decision != policy.Allowed {
			return denied("User: " + c.Principal.ARN + " is not authorized to perform: " + n.action + " on resource: " + cmp.Or(n.shown, n.resource) + v.Because(n.action))
		}
	}
	return nil
}

// ask asks the caller's policies, and where there is one that of the function.
func (g *Guard) ask(c *awswire.Call, a *awswire.Action, caller *sts.Caller, n *need) policy.Verdict {
	r := policy.Request{
		Action: n.action, Resource: n.resource, Begins: n.begins, Caller: caller.Caller,
		Keys: &keys{call: c, action: a, need: n, principal: caller.Keys},
	}
	if n.function == "" {
		return caller.Subject.Decide(&r)
	}
	owner := caller.Account
	if at, err := arn.Parse(n.function); err == nil {
		owner = at.Account
	}
	return policy.Evaluate(caller.Subject, g.o.Functions.ResourcePolicy(n.function), &r, owner)
}

// warn tells once that a role is missing.
func (g *Guard) warn(role string) {
	if _, before := g.warned.LoadOrStore(role, true); !before {
		g.o.Log.Warn("AWS would refuse the calls of this function: its role doesn't exist", "role", role)
	}
}

func denied(message string) error {
	return &awswire.Error{Code: "AccessDeniedException", QueryCode: "AccessDenied", Status: 403, Message: message}
}
