package authorize

import (
	"errors"

	"gatehouse/internal/plan"
)

// How a Lambda authorizer refuses.

// What REST APIs tell callers that the function's policy keeps out.
const (
	explicitDeny = "User is not authorized to access this resource with an explicit deny in an identity-based policy"
	implicitDeny = "User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"
)

// unauthorizedError is the message of a function's error that turns a caller
// away; any other is a failure of the authorizer.
const unauthorizedError = "Unauthorized"

// unauthorized refuses a caller who has to identify himself.
func (l *Lambda) unauthorized(x *plan.Exchange, reason string) error {
	x.Authorizer.Status, x.Authorizer.Error = 401, "Unauthorized"
	return &plan.Fault{Kind: plan.Unauthorized, Reason: reason}
}

// denied refuses a caller whom the function's answer keeps out; message is what
// callers of REST APIs are told.
func (l *Lambda) denied(x *plan.Exchange, reason, message string) error {
	x.Authorizer.Status = 403
	// UNVERIFIED: the words.
	x.Authorizer.Error = "The client is not authorized to perform this operation."
	return &plan.Fault{Kind: plan.AccessDenied, Reason: reason, Message: message}
}

// deniedByResource refuses a caller whom the API's resource policy keeps out,
// before the function is asked.
func (l *Lambda) deniedByResource(resource string) error {
	return &plan.Fault{
		Kind: plan.AccessDenied, Reason: "the API's resource policy denies the request",
		Message: "User: anonymous is not authorized to perform: execute-api:Invoke on resource: " + maskedARN(resource) + " with an explicit deny in a resource-based policy",
	}
}

// What execution logs say of authorizers that fail.
const (
	configurationError = "Execution failed due to configuration error: "
	authorizerFailed   = configurationError + "Authorizer error"
	invalidPermissions = configurationError + "Invalid permissions on Lambda function"
	misconfiguration   = "AuthorizerConfigurationException"
)

// misconfigured is the fault of an authorizer whose function can't be called or
// answers nonsense. words are AWS's, where AWS has any; cause, nil for none, is
// what operators want to know beside them.
func (l *Lambda) misconfigured(x *plan.Exchange, words string, cause error) error {
	x.Authorizer.Status, x.Authorizer.Error = 500, words
	if t := x.Trace; t != nil {
		t.Error("%s", words)
		t.Error(misconfiguration)
	}
	reason := "authorizer " + l.ID + ": " + words
	if cause != nil {
		reason += ": " + cause.Error()
	}
	return &plan.Fault{Kind: plan.AuthorizerMisconfigured, Reason: reason, Cause: cause}
}

// errGone ends the wait for a function when the client has gone away.
var errGone = errors.New("the client has gone away")

// gone is the fault of a request that nobody waits for any more.
func gone() error {
	return &plan.Fault{Kind: plan.ClientGone, Reason: "the authorizer's answer has no reader", Cause: errGone}
}
