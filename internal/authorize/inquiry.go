package authorize

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// An inquiry asks the policies that count about a matched exchange. It comes
// from a pool: behind an interface it would cost memory each time.
type inquiry struct {
	x       *plan.Exchange
	keys    requestKeys
	request policy.Request
	// resource is the policy of the API, nil for none.
	resource *policy.Document
}

var inquiries = sync.Pool{New: func() any { return new(inquiry) }}

func (q *inquiry) of(x *plan.Exchange, now time.Time, p *ResourcePolicy) {
	q.x = x
	q.keys = requestKeys{x: x, now: now}
	q.request = policy.Request{Action: invoke, Resource: Resource(x), Keys: &q.keys}
	if p != nil {
		q.resource = p.Document
	}
}

func (q *inquiry) release() {
	*q = inquiry{}
	inquiries.Put(q)
}

// answer is nil if the caller, with the policies of its own in subject, may do
// what is asked, and a *plan.Fault otherwise.
func (q *inquiry) answer(subject *policy.Subject) error {
	if len(q.request.Resource) > maxMethodARN {
		return &plan.Fault{Kind: plan.URITooLong, Reason: "the ARN of the method is over " + strconv.Itoa(maxMethodARN) + " bytes"}
	}
	v := q.verdict(subject)
	if v.Decision == policy.Allowed {
		q.noteInvalidation(subject)
		return nil
	}
	return q.refuse(v)
}

// refuse is the fault of a verdict that doesn't allow what is asked.
func (q *inquiry) refuse(v policy.Verdict) error {
	because := v.Because(invoke)
	who := "anonymous"
	if q.request.Caller.ARN != "" {
		who = q.request.Caller.ARN
	}
	return &plan.Fault{
		Kind: plan.AccessDenied, Reason: who + " may not do " + invoke + " on " + q.request.Resource + because,
		Message: "User: " + who + " is not authorized to perform: " + invoke + " on resource: " + maskedARN(q.request.Resource) + because,
	}
}

// verdict is what the policies say of the resource that the request names, and of
// the one that a backend may take it for.
func (q *inquiry) verdict(subject *policy.Subject) policy.Verdict {
	v := q.evaluate(subject)
	if v.Decision == policy.Allowed {
		if other := backendResource(q.x); other != "" {
			q.request.Resource = other
			v = q.evaluate(subject)
		}
	}
	return v
}

// noteInvalidation finds out, for a request that asks for a response newer than
// the cached one, whether the caller may have that.
//
// UNVERIFIED: that a resource policy can allow it to whom no signature names. What a
// Lambda authorizer answers can't, users report.
func (q *inquiry) noteInvalidation(subject *policy.Subject) {
	if !q.x.Invalidates() {
		return
	}
	q.request.Action, q.request.Resource = invalidateCache, Resource(q.x)
	q.x.Cache.MayInvalidate = q.verdict(subject).Decision == policy.Allowed
}

func (q *inquiry) evaluate(subject *policy.Subject) policy.Verdict {
	return policy.Evaluate(subject, q.resource, &q.request, q.x.Stage.API.AccountID)
}

// decide tells what one document says.
func (q *inquiry) decide(d *policy.Document) policy.Decision {
	decision := d.Decide(&q.request)
	if decision == policy.Denied {
		return decision
	}
	if other := backendResource(q.x); other != "" {
		q.request.Resource = other
		if also := d.Decide(&q.request); also != policy.Allowed {
			return also
		}
	}
	return decision
}

// maskedARN hides all of an ARN's account but its last four digits.
func maskedARN(resource string) string {
	const account = 4 // of the parts
	parts := strings.SplitN(resource, ":", account+2)
	if len(parts) == account+2 && len(parts[account]) >= 4 {
		parts[account] = "********" + parts[account][len(parts[account])-4:]
	}
	return strings.Join(parts, ":")
}
