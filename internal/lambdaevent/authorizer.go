package lambdaevent

import (
	"gatehouse/internal/plan"
)

// What the functions of Lambda authorizers get. The arn of each is that of the
// method or route as the request calls it. A request's body is no part of it.

// AuthorizerToken appends the event of an authorizer of type TOKEN.
func AuthorizerToken(dst []byte, arn, token string) []byte {
	dst = append(dst, `{"type":"TOKEN"`...)
	dst = appendMember(dst, "methodArn", arn)
	dst = appendMember(dst, "authorizationToken", token)
	return append(dst, '}')
}

// AuthorizerREST appends the event of an authorizer of type REQUEST of a REST
// API. What is empty is an empty object, unlike in the event of an integration.
func AuthorizerREST(dst []byte, x *plan.Exchange, arn string) []byte {
	var stack [pairsOnStack]pair
	dst = append(dst, `{"type":"REQUEST"`...)
	dst = appendMember(dst, "methodArn", arn)
	dst = appendMember(dst, "resource", x.Route.Path)
	dst = appendMember(dst, "path", pathREST(x))
	dst = appendMember(dst, "httpMethod", x.Request.Method)
	dst = appendHeaderMaps(dst, headersREST(stack[:0], x))
	dst = appendQueryObjects(dst, queryREST(stack[:0], x))
	dst = append(dst, `,"pathParameters":`...)
	dst = appendPathParametersREST(dst, x)
	dst = append(dst, `,"stageVariables":`...)
	dst = appendStageVariables(dst, x)
	dst = appendContextREST(dst, x)
	return append(dst, '}')
}

// appendQueryObjects is appendQueryMaps with empty objects for no parameters.
func appendQueryObjects(dst []byte, pairs []pair) []byte {
	dst = append(dst, `,"queryStringParameters":`...)
	dst = appendLast(dst, pairs)
	dst = append(dst, `,"multiValueQueryStringParameters":`...)
	return appendAll(dst, pairs)
}

// AuthorizerWebSocket appends the event of an authorizer of a WebSocket API's
// $connect.
// UNVERIFIED: that what is empty is an empty object, as on REST APIs.
func AuthorizerWebSocket(dst []byte, x *plan.Exchange, arn string) []byte {
	var stack [pairsOnStack]pair
	dst = append(dst, `{"type":"REQUEST"`...)
	dst = appendMember(dst, "methodArn", arn)
	dst = appendHeaderMaps(dst, handshakeHeaders(stack[:0], x))
	dst = appendQueryObjects(dst, handshakeQuery(stack[:0], x))
	dst = append(dst, `,"stageVariables":`...)
	dst = appendStageVariables(dst, x)
	dst = appendContextWebSocket(dst, x)
	return append(dst, '}')
}

// AuthorizerHTTP10 appends the event of payload format 1.0 of an authorizer of
// an HTTP API. identity are the values of the identity sources, in their order.
// UNVERIFIED: that headers are as in the event of an integration, the last value
// under the client's name, and that members without a value are null.
func AuthorizerHTTP10(dst []byte, x *plan.Exchange, arn string, identity []string) []byte {
	var stack [pairsOnStack]pair
	path := decodedPath(x, path10(x))
	dst = append(dst, `{"version":"1.0","type":"REQUEST"`...)
	dst = appendMember(dst, "methodArn", arn)
	for _, name := range [...]string{"identitySource", "authorizationToken"} {
		dst = append(append(append(dst, ',', '"'), name...), '"', ':')
		dst = appendJoined(dst, identity)
	}
	dst = appendMember(dst, "resource", resourcePath(x.Route))
	dst = appendMember(dst, "path", path)
	dst = appendMember(dst, "httpMethod", x.Request.Method)
	pairs := appendHeaders(stack[:0], x, true)
	sortHeaders(pairs)
	dst = append(dst, `,"headers":`...)
	dst = appendLast(dst, pairs)
	dst = append(dst, `,"queryStringParameters":`...)
	dst = appendLast(dst, appendQuery(stack[:0], x))
	dst = append(dst, `,"pathParameters":`...)
	dst = appendPathParameters(dst, x)
	dst = append(dst, `,"stageVariables":`...)
	dst = appendStageVariables(dst, x)
	dst = append(dst, `,"requestContext":{"path":`...)
	dst = appendString(dst, path)
	dst = appendMember(dst, "accountId", x.Stage.API.AccountID)
	dst = appendMember(dst, "resourceId", x.Route.Key)
	dst = appendMember(dst, "stage", x.Stage.Name)
	dst = appendMember(dst, "requestId", x.RequestID)
	// HTTP APIs have no API keys.
	dst = append(dst, `,"identity":{"apiKey":null`...)
	dst = appendMember(dst, "sourceIp", sourceIP(x))
	dst = append(appendClientCert(dst, x), '}')
	dst = appendMember(dst, "resourcePath", resourcePath(x.Route))
	dst = appendMember(dst, "httpMethod", x.Request.Method)
	dst = appendMember(dst, "apiId", x.Stage.API.ID)
	return append(dst, '}', '}')
}

// appendJoined appends texts as one string with commas between, null for none.
func appendJoined(dst []byte, texts []string) []byte {
	if len(texts) == 0 {
		return append(dst, "null"...)
	}
	dst = append(dst, '"')
	for i, text := range texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendEscaped(dst, text)
	}
	return append(dst, '"')
}

// AuthorizerHTTP20 appends the event of payload format 2.0 of an authorizer of
// an HTTP API. identity are the values of the identity sources, in their order.
func AuthorizerHTTP20(dst []byte, x *plan.Exchange, arn string, identity []string) []byte {
	path := decodedPath(x, x.GatewayPath)
	dst = append(dst, `{"version":"2.0","type":"REQUEST"`...)
	dst = appendMember(dst, "routeArn", arn)
	dst = append(dst, `,"identitySource":`...)
	dst = appendList(dst, identity)
	dst = appendMember(dst, "routeKey", x.Route.Key)
	dst = appendMember(dst, "rawPath", path)
	dst = appendMember(dst, "rawQueryString", x.Request.Query)
	dst = appendCookies(dst, x)
	dst = appendHeaders20(dst, x)
	dst = appendQuery20(dst, x)
	dst = appendContext20(dst, x, path)
	if len(x.Route.ParamNames) > 0 {
		dst = append(dst, `,"pathParameters":`...)
		dst = appendPathParameters(dst, x)
	}
	if len(x.Stage.Variables) > 0 {
		dst = append(dst, `,"stageVariables":`...)
		dst = appendStageVariables(dst, x)
	}
	return append(dst, '}')
}

// appendList appends texts as a list of strings, null for none.
func appendList(dst []byte, texts []string) []byte {
	if len(texts) == 0 {
		return append(dst, "null"...)
	}
	for i, text := range texts {
		separator := byte(',')
		if i == 0 {
			separator = '['
		}
		dst = appendString(append(dst, separator), text)
	}
	return append(dst, ']')
}
