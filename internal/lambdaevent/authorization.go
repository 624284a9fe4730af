package lambdaevent

import (
	"strconv"

	"gatehouse/internal/plan"
)

// What requestContext says of an authorizer and of who signed the request.

// appendAuthorizer20 appends requestContext.authorizer of payload format 2.0;
// nothing on a route that asks for no authorization.
func appendAuthorizer20(dst []byte, x *plan.Exchange) []byte {
	switch a := x.Authorization; {
	case a == nil && x.Caller.AccessKeyID == "":
		return dst
	case a == nil:
		dst = append(dst, `,"authorizer":{"iam":`...)
		dst = appendCaller20(dst, &x.Caller)
	case a.Token:
		dst = append(dst, `,"authorizer":{"jwt":`...)
		dst = appendToken(dst, a)
	case len(a.Values) == 0:
		// UNVERIFIED: a function that answers no context; types that were made from
		// events let it be null.
		return append(dst, `,"authorizer":{"lambda":null}`...)
	default:
		dst = append(dst, `,"authorizer":{"lambda":{`...)
		for i := range a.Values {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, a.Values[i].Name)
			dst = append(append(dst, ':'), a.Values[i].JSON...)
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendCaller20 appends who signed a request. UNVERIFIED: that principalOrgId
// is null outside an organisation.
func appendCaller20(dst []byte, caller *plan.Caller) []byte {
	dst = append(dst, `{"accessKey":`...)
	dst = appendString(dst, caller.AccessKeyID)
	dst = appendMember(dst, "accountId", caller.AccountID)
	dst = appendMember(dst, "callerId", caller.ID)
	dst = append(dst, `,"cognitoIdentity":null,"principalOrgId":null`...)
	dst = appendMember(dst, "userArn", caller.ARN)
	dst = appendMember(dst, "userId", caller.ID)
	return append(dst, '}')
}

// appendToken appends a token's claims, all of them text, and its scopes.
func appendToken(dst []byte, a *plan.Authorization) []byte {
	dst = append(dst, `{"claims":`...)
	dst = appendValues(append(dst, '{'), a.Claims)
	dst = append(dst, `},"scopes":`...)
	if a.Scopes == nil {
		return append(dst, `null}`...)
	}
	dst = append(dst, '[')
	for i, scope := range a.Scopes {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, scope)
	}
	return append(dst, `]}`...)
}

// appendValues appends values as members that are text.
func appendValues(dst []byte, values []plan.AuthorizerValue) []byte {
	for i := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, values[i].Name)
		dst = append(dst, ':')
		dst = appendString(dst, values[i].Text)
	}
	return dst
}

// appendAuthorizer10 appends requestContext.authorizer of payload format 1.0.
func appendAuthorizer10(dst []byte, x *plan.Exchange) []byte {
	a := x.Authorization
	if a == nil {
		return dst
	}
	dst = append(dst, `,"authorizer":`...)
	if a.Token {
		return appendToken(dst, a)
	}
	dst = append(dst, '{')
	dst = appendValues(dst, a.Values)
	if len(a.Values) > 0 {
		dst = append(dst, ',')
	}
	return append(dst, `"claims":null,"scopes":null}`...)
}

// appendAuthorizerREST appends requestContext.authorizer of a REST API or a
// WebSocket API. UNVERIFIED: the order of its members.
func appendAuthorizerREST(dst []byte, x *plan.Exchange) []byte {
	a := x.Authorization
	if a == nil {
		return dst
	}
	dst = append(dst, `,"authorizer":{`...)
	if a.Token {
		dst = append(dst, `"claims":{`...)
		return append(appendValues(dst, a.Claims), `}}`...)
	}
	dst = appendValues(dst, a.Values)
	if len(a.Values) > 0 {
		dst = append(dst, ',')
	}
	if a.PrincipalID != "" {
		dst = append(dst, `"principalId":`...)
		dst = append(appendString(dst, a.PrincipalID), ',')
	}
	dst = append(dst, `"integrationLatency":`...)
	dst = strconv.AppendInt(dst, x.Authorizer.FunctionLatency.Milliseconds(), 10)
	return append(dst, '}')
}
