package plan

import "time"

// A Client is an API key in a usage plan: what limits its requests to one stage.
// Other stages of the plan share its Limit and its Quota.
type Client struct {
	KeyID, PlanID string
	// Limit is the throttle of all its requests, Methods those of the stage's
	// methods that have one beside; nil without.
	Limit   Limiter
	Methods map[MethodRef]Limiter
	// Quota counts its requests; nil when nobody counts.
	Quota Quota
	// QuotaLimit and QuotaPeriod are the quota in AWS's words; the period is "" for
	// a plan without one.
	QuotaLimit  int32
	QuotaPeriod string
}

// A MethodRef names a method of a REST API as routes do.
type MethodRef struct{ Path, Method string }

// A Quota counts the requests of a client. It must not block but to keep what it
// counts.
type Quota interface {
	// Spent tells whether nothing is left at a moment.
	Spent(now time.Time) bool
	// Take counts a request at a moment unless nothing is left, and tells whether
	// it did.
	Take(now time.Time) bool
}
