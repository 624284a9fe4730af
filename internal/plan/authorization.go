package plan

import "time"

// An Authorization is what an authorizer says of a caller, also of one whom its
// policy turns away. It may be kept and be that of many exchanges at once, so it
// is never written once it is made.
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

// An AuthorizerReport is what the authorizer step reports for logs.
type AuthorizerReport struct {
	// Called tells that a function was asked, or what it answered before;
	// Latency how long that took in all, FunctionLatency how long the function
	// took, 0 when its answer was kept. They are $context.authorizer.*.
	Called                   bool
	Latency, FunctionLatency time.Duration
	// Status is what the authorizer came to: 200, 401, 403 or 500, 0 if it wasn't
	// asked. FunctionStatus is that of the call of Lambda, 0 for none.
	Status, FunctionStatus int
	// RequestID is that of the call of Lambda, Error why the caller was refused or
	// the authorizer failed.
	RequestID, Error string
	// Authenticate is the check of a signature, Authorize that of what policies
	// allow: $context.authenticate.* and $context.authorize.*.
	Authenticate, Authorize CheckReport
}

// A CheckReport is how one check of a caller went.
type CheckReport struct {
	// Status is 200 or the status of the refusal, 0 when the check wasn't made.
	Status  int
	Latency time.Duration
	// Error is why the caller was refused, "" otherwise.
	Error string
}
