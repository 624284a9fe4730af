package authorize

import (
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// The actions of calling a method, and of having what its stage has cached of it
// renewed.
const (
	invoke          = "execute-api:Invoke"
	invalidateCache = "execute-api:InvalidateCache"
)

// A ResourcePolicy is the policy of a REST API, compiled.
type ResourcePolicy struct {
	// Document is empty, and lets nobody pass, for a private API without a policy.
	Document *policy.Document
	// Clock is read for the conditions on time.
	Clock func() time.Time
}

// Decide tells what the policy says of a matched exchange. caller is who signed
// it, the zero Caller for nobody, and keys are the caller's condition keys, nil
// for none.
func (p *ResourcePolicy) Decide(x *plan.Exchange, caller policy.Caller, keys policy.Keys) policy.Decision {
	q := inquiries.Get().(*inquiry)
	defer q.release()
	q.of(x, p.Clock(), p)
	q.request.Caller, q.keys.caller = caller, keys
	return q.decide(p.Document)
}

// Authorize implements plan.Authorizer for callers who needn't sign: the policy
// has to allow what they ask for, whatever else says who they are. It counts for
// preflights, too.
func (p *ResourcePolicy) Authorize(x *plan.Exchange) error {
	q := inquiries.Get().(*inquiry)
	defer q.release()
	q.of(x, p.Clock(), p)
	return q.answer(nil)
}
