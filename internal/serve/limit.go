package serve

import (
	"fmt"
	"time"

	"gatehouse/internal/plan"
)

// limit asks everything that limits how many requests pass, in AWS's order: what
// the usage plan allows the client, the route's throttle, the account's. The
// first one that refuses is what the client is told.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
//
// The quota is looked at first, so that a client without any of it left takes no
// tokens, and counted last: what a throttle refuses costs none of it.
// UNVERIFIED: both.
func (s *Server) limit(x *plan.Exchange) error {
	route, account, client := x.Route.Limit, x.Stage.Limit, x.Client
	if route == nil && account == nil && client == nil {
		return nil
	}
	// Not x.Start: clients that take their time for a head would save up a burst.
	now := s.Clock()
	if client != nil {
		if client.Quota != nil && client.Quota.Spent(now) {
			return quotaSpent(x)
		}
		if own := client.Methods[plan.MethodRef{Path: x.Route.Path, Method: x.Route.Method}]; own != nil && !own.Take(now) {
			return throttledClient(x, own, " for "+x.Route.Key)
		}
		if client.Limit != nil && !client.Limit.Take(now) {
			return throttledClient(x, client.Limit, "")
		}
	}
	if route != nil && !route.Take(now) {
		return throttledRoute(x)
	}
	if account != nil && !account.Take(now) {
		return throttled(account, "account "+x.Stage.API.AccountID)
	}
	if client != nil && client.Quota != nil && !client.Quota.Take(now) {
		return quotaSpent(x)
	}
	return nil
}

// limitAccount is limit of a request without a route.
func limitAccount(x *plan.Exchange, now time.Time) error {
	if account := x.Stage.Limit; account != nil && !account.Take(now) {
		return throttled(account, "account "+x.API.AccountID)
	}
	return nil
}

// throttled says which throttle refused a request, and its numbers.
func throttled(l plan.Limiter, of string) *plan.Fault {
	rate, burst := l.Numbers()
	return &plan.Fault{Kind: plan.Throttled, Reason: fmt.Sprintf("the throttle of %s: %v requests a second, bursts of %d", of, rate, burst)}
}

func throttledRoute(x *plan.Exchange) error {
	if x.Trace != nil && x.Route.Rest != nil {
		x.Trace.Error("Key throttle limit exceeded for %s", tracedThrottle(x, x.Route.Limit))
	}
	return throttled(x.Route.Limit, "route "+x.Route.Key)
}

// throttledClient refuses a client; where is what of its requests the throttle is
// for, "" for all.
func throttledClient(x *plan.Exchange, l plan.Limiter, where string) error {
	c := x.Client
	if x.Trace != nil && x.Route.Rest != nil {
		x.Trace.Error("API Key %s exceeded throttle limit for API Stage %s/%s: Key throttle limit exceeded for Usage Plan ID %s, %s",
			tracedKey(x), x.Stage.API.ID, x.Stage.Name, c.PlanID, tracedThrottle(x, l))
	}
	return throttled(l, "usage plan "+c.PlanID+" for each API key"+where)
}

func quotaSpent(x *plan.Exchange) error {
	c := x.Client
	if x.Trace != nil && x.Route.Rest != nil {
		x.Trace.Error("API Key %s exceeded quota limit for API Stage %s/%s: Key quota exhausted for Usage Plan ID %s. Limit: %d Period: %s",
			tracedKey(x), x.Stage.API.ID, x.Stage.Name, c.PlanID, c.QuotaLimit, c.QuotaPeriod)
	}
	return &plan.Fault{Kind: plan.QuotaExceeded, Reason: fmt.Sprintf(
		"the quota of usage plan %s: API key %s has used all of its %d requests a %s", c.PlanID, c.KeyID, c.QuotaLimit, periodName(c.QuotaPeriod))}
}

// periodName is a period of a quota in words.
func periodName(period string) string {
	switch period {
	case "DAY":
		return "day"
	case "WEEK":
		return "week"
	default:
		return "month"
	}
}

// tracedThrottle is a throttle that a request met, as execution logs of AWS have
// it.
func tracedThrottle(x *plan.Exchange, l plan.Limiter) string {
	rate, burst := l.Numbers()
	return fmt.Sprintf("RestApi %s, Stage %s, Resource %s, HttpMethod %s. Limit: %.2f Burst: %d",
		x.Stage.API.ID, x.Stage.Name, x.Route.Rest.ResourceID, x.Route.Method, rate, burst)
}
