package main

import (
	"errors"

	"gatehouse/internal/authorize"
	apigatewayapi "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/compile"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// PrepareAuthorizerTest implements apigateway.AuthorizerTester.
func (t *methodTester) PrepareAuthorizerTest(tx *store.Tx, c *awswire.Call, in *apigatewayapi.TestInvokeAuthorizerRequest) (func() *apigatewayapi.TestInvokeAuthorizerResponse, error) {
	stage, route, authorizer, err := t.compiler.CompileAuthorizerTest(tx, compile.TestedAuthorizer{
		Scope: store.Scope{Account: c.Account, Region: c.Region},
		APIID: *in.RestApiId, ID: *in.AuthorizerId, Variables: in.StageVariables,
	})
	if err != nil {
		return nil, err
	}
	return func() *apigatewayapi.TestInvokeAuthorizerResponse {
		// The request is as that of a tested method.
		x := testExchange(c, &apigatewayapi.TestInvokeMethodRequest{
			HttpMethod: new("GET"), Headers: in.Headers, MultiValueHeaders: in.MultiValueHeaders,
			PathWithQueryString: in.PathWithQueryString, Body: in.Body,
		}, stage, route)
		out := &apigatewayapi.TestInvokeAuthorizerResponse{}
		latency, err := t.server.TestAuthorizer(x, func(x *plan.Exchange) error {
			lambda, ok := authorizer.(*authorize.Lambda)
			if !ok {
				return authorizer.Authorize(x)
			}
			answer, err := lambda.Test(x, in.AdditionalContext)
			if err == nil {
				out.PrincipalId, out.Policy = &answer.PrincipalID, &answer.Policy
			}
			return err
		})
		if a := x.Authorization; a != nil && a.Token {
			out.Claims = map[string]string{}
			for _, claim := range a.Claims {
				out.Claims[claim.Name] = claim.Text
			}
		}
		out.ClientStatus, out.Latency, out.Log = new(clientStatus(err)), new(latency.Milliseconds()), new(testLog(x))
		return out
	}, nil
}

// clientStatus is what clients of an authorizer would get, 0 if they may pass.
func clientStatus(err error) int32 {
	if err == nil {
		return 0
	}
	var fault *plan.Fault
	if !errors.As(err, &fault) {
		return 500
	}
	switch fault.Kind {
	case plan.Unauthorized:
		return 401
	case plan.AccessDenied:
		return 403
	default:
		return 500
	}
}
