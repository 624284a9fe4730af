// Package authorize says who may call a method: one file for each kind of
// check. A check reads an exchange, notes on it whom it found and returns nil
// or a *plan.Fault.
//
// It imports plan. Package compile puts checks on methods; whom there is to find
// (API keys, users) it is told through small interfaces, which cmd/gatehouse
// fills. The next stop on a request's walk is throttle.
package authorize
