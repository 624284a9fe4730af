package plan

import (
	"net/http"
	"strings"
	"time"
)

// A MethodCache is how a method of a REST API caches its responses.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html
type MethodCache struct {
	// Cluster keeps the responses of the stage, over plans.
	Cluster CacheCluster
	// Key says which requests are answered alike.
	Key CacheKey
	// EveryMethod tells that requests of any HTTP method are cached, not GET alone.
	EveryMethod bool
	// RequireAuthorization tells that a client must be allowed to have a response
	// renewed (execute-api:InvalidateCache); Unauthorized is what becomes of others
	// who ask for it.
	RequireAuthorization bool
	Unauthorized         UnauthorizedCacheControl
	CacheTerms
}

// CacheTerms are how a response is kept.
type CacheTerms struct {
	// TTL is for how long.
	TTL time.Duration
	// Sealed tells that it is encrypted in memory.
	Sealed bool
}

// Caches tells whether the method's cache has a say in a request.
func (c *MethodCache) Caches(q *Request) bool { return c.EveryMethod || q.Method == http.MethodGet }

// UnauthorizedCacheControl is what becomes of a request to renew a response from
// a client who may not: unauthorizedCacheControlHeaderStrategy.
type UnauthorizedCacheControl uint8

// The strategies: the request is served as if it hadn't asked, with or without a
// Warning header, or refused.
const (
	IgnoreWithWarning UnauthorizedCacheControl = iota // SUCCEED_WITH_RESPONSE_HEADER
	Ignore                                            // SUCCEED_WITHOUT_RESPONSE_HEADER
	Refuse                                            // FAIL_WITH_403
)

// A CacheSum stands for all requests that are answered alike. Those of different
// parameters have different sums.
type CacheSum [32]byte

// A CacheKey makes the sums of a method's requests.
type CacheKey interface {
	// Sum is false for a request that has none and isn't cached. The error is a
	// *Fault or that of reading the body.
	Sum(x *Exchange) (sum CacheSum, ok bool, err error)
}

// A CacheCluster keeps the responses of a stage's methods.
type CacheCluster interface {
	// Find puts the response that is kept in x.Response and tells whether there is
	// one. Its body isn't the exchange's: nobody may write to it.
	Find(x *Exchange, sum CacheSum) (found bool, err error)
	// Begin is called before the integration is. What it returns goes to Keep: a
	// response isn't kept that the cluster was flushed after, or a later one took
	// the place of.
	Begin() uint64
	// Keep keeps x.Response as it is now; one that is still being made is kept at
	// its end. What is too long, or answers more than its key says, isn't kept.
	Keep(x *Exchange, sum CacheSum, began uint64, terms CacheTerms)
}

// A CacheReport is what the cache did for an exchange.
type CacheReport struct {
	Outcome CacheOutcome
	// MayInvalidate tells that policies let the caller renew responses. It is found
	// out for requests that ask for it.
	MayInvalidate bool
}

// A CacheOutcome says where a response came from.
type CacheOutcome uint8

// The outcomes.
const (
	NotCached CacheOutcome = iota // the cache had no say, or a fault came before
	CacheMiss                     // the integration was asked
	CacheHit
)

// Invalidates tells whether a matched exchange asks for a response that is newer
// than the one that may be cached: with Cache-Control: max-age=0.
//
// UNVERIFIED: that no-cache, and Pragma, ask for nothing. AWS's guide has max-age=0
// alone.
func (x *Exchange) Invalidates() bool {
	m := x.Route.Rest
	if m == nil || m.Cache == nil || !m.Cache.Caches(&x.Request) {
		return false
	}
	for i := range x.Request.Headers {
		if h := &x.Request.Headers[i]; len(h.Name) == len("cache-control") && EqualFold(h.Name, "cache-control") && hasDirective(h.Value, "max-age=0") {
			return true
		}
	}
	return false
}

// hasDirective tells whether a list with commas between has a directive.
func hasDirective(list, directive string) bool {
	for rest, more := list, true; more; {
		var item string
		item, rest, more = strings.Cut(rest, ",")
		if EqualFold(strings.Trim(item, " \t"), directive) {
			return true
		}
	}
	return false
}
