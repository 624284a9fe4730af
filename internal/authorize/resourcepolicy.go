package authorize

import (
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// invoke is the action of calling a method.
const invoke = "execute-api:Invoke"

// A ResourcePolicy is the policy of a REST API, compiled.
type ResourcePolicy struct {
	Document *policy.Document
	// Clock is read for the conditions on time.
	Clock func() time.Time
}

// Decide tells what the policy says of a matched exchange. caller is who signed
// it, the zero Caller for nobody, and keys are the caller's condition keys, nil
// for none.
func (p *ResourcePolicy) Decide(x *plan.Exchange, caller policy.Caller, keys policy.Keys) policy.Decision {
	return p.Document.Decide(&policy.Request{
		Action: invoke, Resource: Resource(x), Caller: caller,
		Keys: &requestKeys{x: x, now: p.Clock(), caller: keys},
	})
}
