// Package integrate calls backends: one file per kind of integration. Each
// takes an exchange whose route is known and leaves a response in it, or
// returns a *plan.Fault; serve makes bytes of either.
//
// Package compile builds integrations with the constructors here, so that what
// is wrong with one is found before traffic is. What outlives a plan, such as
// the connections to backends (Upstreams), is made once and passed in.
//
// Package integrate imports plan, http1 and lambdaevent, and for services of AWS
// awsendpoint and awswire/sigv4, never a stored definition. The next stop on a request's walk is serve/respond.go.
package integrate
