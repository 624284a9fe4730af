package lambdaevent

import (
	"slices"
	"strconv"

	"gatehouse/internal/plan"
)

// HTTP10 appends the event of payload format 1.0 of an HTTP API. The exchange
// has been matched and its body read. What is empty is null.
func HTTP10(dst []byte, x *plan.Exchange) []byte {
	path := decodedPath(x, path10(x))
	dst = append(dst, `{"version":"1.0","resource":`...)
	dst = appendString(dst, resourcePath(x.Route))
	dst = appendMember(dst, "path", eventPath(x, path))
	dst = appendMember(dst, "httpMethod", x.Request.Method)
	dst = appendHeaders10(dst, x)
	dst = appendQuery10(dst, x)
	dst = appendContext10(dst, x, path)
	dst = append(dst, `,"pathParameters":`...)
	if len(x.Route.ParamNames) > 0 {
		dst = appendPathParameters(dst, x)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"stageVariables":`...)
	if len(x.Stage.Variables) > 0 {
		dst = appendStageVariables(dst, x)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"body":`...)
	encoded := false
	if len(x.Request.Body) > 0 {
		dst, encoded = appendBody(dst, x)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"isBase64Encoded":`...)
	dst = strconv.AppendBool(dst, encoded)
	return append(dst, '}')
}

// resourcePath is the path of the route's key; the key itself for $default.
func resourcePath(route *plan.Route) string {
	if route.Path == "" {
		return route.Key
	}
	return route.Path
}

func appendHeaders10(dst []byte, x *plan.Exchange) []byte {
	var stack [pairsOnStack]pair
	return appendHeaderMaps(dst, appendHeaders(stack[:0], x, true))
}

// appendHeaderMaps appends the headers with the last and with all values.
func appendHeaderMaps(dst []byte, pairs []pair) []byte {
	sortHeaders(pairs)
	dst = append(dst, `,"headers":`...)
	dst = appendLast(dst, pairs)
	dst = append(dst, `,"multiValueHeaders":`...)
	return appendAll(dst, pairs)
}

// sortHeaders sorts headers by name, those of one name in their order. A name
// that came in several casings is one name, spelled as it first came.
func sortHeaders(pairs []pair) {
	slices.SortStableFunc(pairs, foldPairs)
	for i := 1; i < len(pairs); i++ {
		if plan.EqualFold(pairs[i].name, pairs[i-1].name) {
			pairs[i].name = pairs[i-1].name
		}
	}
	slices.SortStableFunc(pairs, comparePairs)
}

func appendQuery10(dst []byte, x *plan.Exchange) []byte {
	var stack [pairsOnStack]pair
	return appendQueryMaps(dst, appendQuery(stack[:0], x))
}

// appendQueryMaps appends sorted query parameters with the last and with all
// values.
func appendQueryMaps(dst []byte, pairs []pair) []byte {
	if len(pairs) == 0 {
		return append(dst, `,"queryStringParameters":null,"multiValueQueryStringParameters":null`...)
	}
	dst = append(dst, `,"queryStringParameters":`...)
	dst = appendLast(dst, pairs)
	dst = append(dst, `,"multiValueQueryStringParameters":`...)
	return appendAll(dst, pairs)
}

// appendLast appends sorted pairs as an object of the last value of each name.
func appendLast(dst []byte, pairs []pair) []byte {
	dst = append(dst, '{')
	for i := 0; i < len(pairs); {
		if i > 0 {
			dst = append(dst, ',')
		}
		i += run(pairs[i:])
		last := pairs[i-1]
		dst = appendString(dst, last.name)
		dst = append(dst, ':')
		dst = appendString(dst, last.value)
	}
	return append(dst, '}')
}

// appendAll appends sorted pairs as an object of lists of values.
func appendAll(dst []byte, pairs []pair) []byte {
	dst = append(dst, '{')
	for i := 0; i < len(pairs); {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, pairs[i].name)
		dst = append(dst, ':', '[')
		end := i + run(pairs[i:])
		for first := i; i < end; i++ {
			if i > first {
				dst = append(dst, ',')
			}
			dst = appendString(dst, pairs[i].value)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// path10 is the path that format 1.0 shows: on a custom domain name with that of
// the mapping, which format 2.0 leaves out.
func path10(x *plan.Exchange) string {
	if x.Domain != nil {
		return x.Request.Path
	}
	return x.GatewayPath
}

// appendContext10 appends the request's context. Events that were published
// from routes without an authorizer have no authorizer in it; the
// documentation's sample, whose members are null, is of no such route.
// UNVERIFIED: no recording of ours.
func appendContext10(dst []byte, x *plan.Exchange, path string) []byte {
	dst = append(dst, `,"requestContext":{"accountId":`...)
	dst = appendString(dst, x.Stage.API.AccountID)
	dst = appendMember(dst, "apiId", x.Stage.API.ID)
	dst = appendAuthorizer10(dst, x)
	dst = appendMember(dst, "domainName", x.DomainName)
	dst = appendMember(dst, "domainPrefix", x.DomainPrefix)
	dst = appendMember(dst, "extendedRequestId", x.RequestID)
	dst = appendMember(dst, "httpMethod", x.Request.Method)
	caller := &x.Caller
	dst = append(dst, `,"identity":{"accessKey":`...)
	if caller.AccessKeyID == "" {
		dst = append(dst, `null`...)
	} else {
		dst = appendString(dst, caller.AccessKeyID)
	}
	dst = appendOrNull(dst, "accountId", caller.AccountID)
	dst = appendOrNull(dst, "caller", caller.ID)
	dst = append(dst, `,"cognitoAmr":null,`+
		`"cognitoAuthenticationProvider":null,"cognitoAuthenticationType":null,"cognitoIdentityId":null,`+
		`"cognitoIdentityPoolId":null,"principalOrgId":null`...)
	dst = appendMember(dst, "sourceIp", sourceIP(x))
	dst = appendOrNull(dst, "user", caller.ID)
	dst = appendMember(dst, "userAgent", x.Request.Headers.Get(userAgent))
	dst = appendOrNull(dst, "userArn", caller.ARN)
	dst = append(appendClientCert(dst, x), '}')
	dst = appendMember(dst, "path", path)
	dst = append(dst, `,"protocol":"HTTP/1.1"`...)
	dst = appendMember(dst, "requestId", x.RequestID)
	dst = append(dst, `,"requestTime":"`...)
	dst = x.Start.UTC().AppendFormat(dst, clfTime)
	dst = append(dst, `","requestTimeEpoch":`...)
	dst = strconv.AppendInt(dst, x.Start.UnixMilli(), 10)
	dst = appendMember(dst, "resourceId", x.Route.Key)
	dst = appendMember(dst, "resourcePath", resourcePath(x.Route))
	dst = appendMember(dst, "stage", x.Stage.Name)
	return append(dst, '}')
}
