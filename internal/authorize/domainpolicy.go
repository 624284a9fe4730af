package authorize

import (
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// A DomainPolicy is the policy of a private custom domain name, compiled: whoever
// calls by the name needs its leave and, behind it, that of the API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-custom-domains.html
type DomainPolicy struct {
	// Document is empty, and lets nobody pass, for a domain without a policy.
	Document *policy.Document
	// Resource is the domain to the policy: an ARN of execute-api.
	Resource string
	// Clock is read for the conditions on time.
	Clock func() time.Time
}

// Authorize implements plan.Authorizer for a placed exchange.
//
// UNVERIFIED: that nobody's signature is looked at, as methods say what of them asks
// for one.
func (p *DomainPolicy) Authorize(x *plan.Exchange) error {
	q := inquiries.Get().(*inquiry)
	defer q.release()
	q.x, q.resource = x, p.Document
	q.keys = requestKeys{x: x, now: p.Clock()}
	q.request = policy.Request{Action: invoke, Resource: p.Resource, Keys: &q.keys}
	if v := q.evaluate(nil); v.Decision != policy.Allowed {
		return q.refuse(v)
	}
	return nil
}
