// Package authorize says who may call a method: one file for each kind of
// check. A check reads an exchange, notes on it whom it found and returns nil
// or a *plan.Fault.
//
// Package compile puts checks on methods; whom there is to find (API keys, users)
// and which functions there are to ask it is told through small interfaces, which
// cmd/gatehouse fills. What a function says and what policies say of it are read
// by lambdaevent and policy. The next stop on a request's walk is throttle.
package authorize
