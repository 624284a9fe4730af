package plan

import "time"

// An Authorization is what an authorizer says of a caller that it let pass. It
// may be kept and be that of many exchanges at once, so it is never written once
// it is made.
type Authorization struct {
	// PrincipalID is $context.authorizer.principalId, which functions of REST
	// APIs and WebSocket APIs answer; "" for none.
	PrincipalID string
	// Values are the context that a function answered, in its order.
	Values []AuthorizerValue
	// Claims are those of a token, in its order, nil without one.
	Claims []AuthorizerValue
	// Token tells that a token was verified: Claims and Scopes are its.
	Token bool
	// Scopes are what the token has of what the route asks for, nil if the route
	// asks for none.
	Scopes []string
	// UsageIdentifierKey is the API key that a function answered, "" for none.
	UsageIdentifierKey string
}

// An AuthorizerValue is one value by name, twice: as text, which is what
// $context.authorizer.{name} is, and as JSON.
type AuthorizerValue struct {
	Name, Text, JSON string
}

// Value returns the text of what a function says under a name.
func (a *Authorization) Value(name string) (text string, ok bool) {
	if a == nil {
		return "", false
	}
	return textOf(a.Values, name)
}

// Claim returns the text of a token's claim.
func (a *Authorization) Claim(name string) (text string, ok bool) {
	if a == nil {
		return "", false
	}
	return textOf(a.Claims, name)
}

func textOf(values []AuthorizerValue, name string) (string, bool) {
	for i := range values {
		if values[i].Name == name {
			return values[i].Text, true
		}
	}
	return "", false
}

// An AuthorizerReport is what the authorizer step reports for logs:
// $context.authorizer.*, $context.authenticate.* and $context.authorize.*.
type AuthorizerReport struct {
	// Called tells that an authorizer ran; Latency how long it took in all,
	// FunctionLatency how long its function took, 0 when its answer was kept.
	Called                   bool
	Latency, FunctionLatency time.Duration
	// Status is what the authorizer or the check of a signature came to: 200, 401,
	// 403 or 500. FunctionStatus is that of the call of Lambda, 0 for none.
	Status, FunctionStatus int
	// RequestID is that of the call of Lambda, Error why the caller was refused or
	// the authorizer failed.
	RequestID, Error string
	// Signed tells that the step was the check of a signature
	// ($context.authenticate.*) and of what policies allow ($context.authorize.*).
	Signed bool
}
