package serve

import "gatehouse/internal/plan"

// notInvalidated is the warning that AWS adds for clients who may not renew what
// is cached.
const notInvalidated = "199 Cache-control headers were ignored because the caller was unauthorized."

// callCached answers from the cache of the stage, or calls the integration and has
// its response kept. Who may not call the method, is throttled or sends what the
// method doesn't take hasn't come here: a response that is cached is for everyone
// who has.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html
//
// UNVERIFIED: that what is kept is the response as it was mapped, so that a hit
// runs no templates.
func callCached(x *plan.Exchange, c *plan.MethodCache) error {
	renew, warn := false, false
	if x.Invalidates() {
		switch {
		case !c.RequireAuthorization || x.Cache.MayInvalidate:
			renew = true
		case c.Unauthorized == plan.Refuse:
			// UNVERIFIED: the kind of gateway response, and its text.
			return &plan.Fault{Kind: plan.AccessDenied, Reason: "the caller may not do execute-api:InvalidateCache, which Cache-Control: max-age=0 asks for"}
		default:
			warn = c.Unauthorized == plan.IgnoreWithWarning
		}
	}
	sum, keyed, err := c.Key.Sum(x)
	if err != nil {
		return err
	}
	found := false
	if keyed && !renew {
		if found, err = c.Cluster.Find(x, sum); err != nil {
			return err
		}
	}
	if found {
		x.Cache.Outcome = plan.CacheHit
	} else {
		x.Cache.Outcome = plan.CacheMiss
		began := c.Cluster.Begin()
		if err := call(x); err != nil {
			return err
		}
		if keyed {
			c.Cluster.Keep(x, sum, began, c.CacheTerms)
		}
	}
	if warn {
		x.Response.Add("Warning", notInvalidated)
	}
	return nil
}
