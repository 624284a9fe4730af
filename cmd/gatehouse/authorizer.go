package main

import (
	"context"

	"gatehouse/internal/authorize"
	"gatehouse/internal/compile"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/function"
	"gatehouse/internal/plan"
)

// An authorizerFunction runs the function of a Lambda authorizer.
type authorizerFunction struct {
	directory *lambda.Directory
	arn       string
	// A role of its own is what the call is made as. One of the two is nil.
	permission *permission
	invocation *invocation
}

func newAuthorizerFunction(d *lambda.Directory, as *callers, f compile.AuthorizerFunction) *authorizerFunction {
	a := &authorizerFunction{directory: d, arn: qualifiedARN(f.FunctionARN, f.Qualifier)}
	if f.Credentials == "" {
		a.permission = newPermission(d, a.arn, as.strict, as.log)
	} else {
		a.invocation = as.of(a.arn, f.Credentials)
	}
	return a
}

// Permitted implements authorize.Function.
func (a *authorizerFunction) Permitted(x *plan.Exchange, source string) error {
	if a.invocation != nil {
		return a.invocation.check(x)
	}
	return a.permission.checkSource(x, source)
}

// Invoke implements authorize.Function.
func (a *authorizerFunction) Invoke(ctx context.Context, traceID string, event []byte) (authorize.FunctionResult, error) {
	res, _, err := a.directory.InvokeWith(ctx, a.arn, &function.Invocation{Payload: event, TraceID: traceID})
	if err != nil {
		return authorize.FunctionResult{}, err
	}
	return authorize.FunctionResult{RequestID: res.RequestID, Payload: res.Payload, Failed: res.FunctionError != ""}, nil
}
