package main

import (
	"context"
	"log/slog"

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
	// A role of its own is what the call is made with; in its account the function's
	// policy has no say then. One of the two is nil.
	permission *permission
	assumption *assumption
}

func newAuthorizerFunction(d *lambda.Directory, roles roleTrust, f compile.AuthorizerFunction, strict bool, log *slog.Logger) *authorizerFunction {
	a := &authorizerFunction{directory: d, arn: qualifiedARN(f.FunctionARN, f.Qualifier)}
	if f.Credentials == "" {
		a.permission = newPermission(d, a.arn, strict, log)
	} else {
		a.assumption = newAssumption(roles, f.Credentials, d, a.arn, strict, log)
	}
	return a
}

// Permitted implements authorize.Function.
func (a *authorizerFunction) Permitted(x *plan.Exchange, source string) error {
	if a.assumption != nil {
		return a.assumption.check(x)
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
