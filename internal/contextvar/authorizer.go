package contextvar

import (
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/plan"
)

// lookupAuthorizer returns the variables that tell who may call and how that was
// found out.
func lookupAuthorizer(name string) (Variable, bool) {
	switch name {
	case "authenticate.error":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Authorizer.Authenticate.Error }), true
	case "authenticate.status":
		return positive(AtRequest, func(x *plan.Exchange) int { return x.Authorizer.Authenticate.Status }), true
	case "authenticate.latency":
		return checkLatency(func(x *plan.Exchange) *plan.CheckReport { return &x.Authorizer.Authenticate }), true
	case "authorize.error":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Authorizer.Authorize.Error }), true
	case "authorize.status":
		return positive(AtRequest, func(x *plan.Exchange) int { return x.Authorizer.Authorize.Status }), true
	case "authorize.latency":
		return checkLatency(func(x *plan.Exchange) *plan.CheckReport { return &x.Authorizer.Authorize }), true

	case "authorizer.error":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Authorizer.Error }), true
	case "authorizer.requestId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Authorizer.RequestID }), true
	case "authorizer.status":
		return positive(AtRequest, func(x *plan.Exchange) int { return x.Authorizer.Status }), true
	case "authorizer.integrationStatus":
		return positive(AtRequest, func(x *plan.Exchange) int { return x.Authorizer.FunctionStatus }), true
	case "authorizer.latency":
		return authorizerLatency(func(r *plan.AuthorizerReport) time.Duration { return r.Latency }), true
	case "authorizer.integrationLatency":
		return authorizerLatency(func(r *plan.AuthorizerReport) time.Duration { return r.FunctionLatency }), true
	case "authorizer.principalId":
		return text(AtRequest, func(x *plan.Exchange) string {
			if x.Authorization == nil {
				return ""
			}
			return x.Authorization.PrincipalID
		}), true
	}
	// What a token or a function says, under names it chooses itself.
	property, found := strings.CutPrefix(name, "authorizer.")
	if !found || property == "" {
		return Variable{}, false
	}
	if claim, ok := strings.CutPrefix(property, "claims."); ok && claim != "" {
		return said(func(a *plan.Authorization) (string, bool) { return a.Claim(claim) }), true
	}
	return said(func(a *plan.Authorization) (string, bool) { return a.Value(property) }), true
}

// said is a variable of what an authorizer says. One that is said to be empty
// has a value.
func said(of func(a *plan.Authorization) (string, bool)) Variable {
	return Variable{AtRequest, func(dst []byte, x *plan.Exchange, _ time.Duration, escape Escape) ([]byte, bool) {
		v, ok := of(x.Authorization)
		return put(dst, v, escape), ok
	}}
}

func checkLatency(of func(x *plan.Exchange) *plan.CheckReport) Variable {
	return Variable{AtRequest, func(dst []byte, x *plan.Exchange, _ time.Duration, _ Escape) ([]byte, bool) {
		c := of(x)
		if c.Status == 0 {
			return dst, false
		}
		return strconv.AppendInt(dst, c.Latency.Milliseconds(), 10), true
	}}
}

func authorizerLatency(of func(r *plan.AuthorizerReport) time.Duration) Variable {
	return Variable{AtRequest, func(dst []byte, x *plan.Exchange, _ time.Duration, _ Escape) ([]byte, bool) {
		if !x.Authorizer.Called {
			return dst, false
		}
		return strconv.AppendInt(dst, of(&x.Authorizer).Milliseconds(), 10), true
	}}
}

// authorizerKeys are the names of $context.authorizer; the list is empty without
// an authorizer. UNVERIFIED: the order.
func authorizerKeys(a *plan.Authorization) []string {
	switch {
	case a == nil:
		return []string{}
	case a.Token:
		return []string{"claims"}
	}
	keys := make([]string, 0, len(a.Values)+2)
	if a.PrincipalID != "" {
		keys = append(keys, "principalId")
	}
	keys = append(keys, "integrationLatency")
	for i := range a.Values {
		keys = append(keys, a.Values[i].Name)
	}
	return keys
}

func namesOf(values []plan.AuthorizerValue) []string {
	names := make([]string, len(values))
	for i := range values {
		names[i] = values[i].Name
	}
	return names
}
