package lambdaevent

import (
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/plan"
)

// pathREST is the path that events of REST APIs show: that within the stage, or
// the whole of it, base path included, on a custom domain name.
func pathREST(x *plan.Exchange) string {
	if x.Domain != nil {
		return x.GatewayPath
	}
	return x.StagePath
}

// REST appends the event of an AWS_PROXY integration of a REST API. The
// exchange has been matched and its body read. It shows the request as it came,
// whatever is mapped, and its path as it is encoded. Its members stand in AWS's
// order and are all there: what is empty is null.
func REST(dst []byte, x *plan.Exchange) []byte {
	dst = append(dst, `{"resource":`...)
	dst = appendString(dst, x.Route.Path)
	dst = appendMember(dst, "path", pathREST(x))
	dst = appendMember(dst, "httpMethod", x.Request.Method)
	dst = appendHeadersREST(dst, x)
	dst = appendQueryREST(dst, x)
	dst = append(dst, `,"pathParameters":`...)
	if len(x.Route.ParamNames) > 0 {
		dst = appendPathParametersREST(dst, x)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"stageVariables":`...)
	if len(x.Stage.Variables) > 0 {
		dst = appendStageVariables(dst, x)
	} else {
		dst = append(dst, "null"...)
	}
	dst = appendContextREST(dst, x)
	dst = append(dst, `,"body":`...)
	body, encoded := x.Request.Body, false
	switch {
	case len(body) == 0:
		dst = append(dst, "null"...)
	case isBinaryREST(x):
		dst, encoded = appendBase64(dst, body), true
	default:
		dst = appendString(dst, view(body))
	}
	dst = append(dst, `,"isBase64Encoded":`...)
	dst = strconv.AppendBool(dst, encoded)
	return append(dst, '}')
}

// isBinaryREST tells whether the body is of one of the API's binary media types.
// UNVERIFIED: that a body without a Content-Type counts as JSON here, too.
func isBinaryREST(x *plan.Exchange) bool {
	mediaType := plan.MediaType(x.Request.Headers.Get("content-type"))
	if mediaType == "" {
		mediaType = applicationJSON
	}
	return x.Stage.Rest.BinaryTypes.Has(mediaType)
}

// authorization is the header whose casing is the gateway's.
const authorization = "Authorization"

// signature begins an Authorization header that is a request's signature. It is
// for the gateway and not for the function.
const signature = "AWS4-"

func appendHeadersREST(dst []byte, x *plan.Exchange) []byte {
	var stack [pairsOnStack]pair
	pairs := headersREST(stack[:0], x)
	if len(pairs) == 0 {
		return append(dst, `,"headers":null,"multiValueHeaders":null`...)
	}
	return appendHeaderMaps(dst, pairs)
}

// headersREST appends the headers that an event shows: the client's and those
// that the gateway adds.
func headersREST(pairs []pair, x *plan.Exchange) []pair {
	client := ""
	for _, h := range x.Request.Headers {
		name := h.Name
		switch headerClassREST(name) {
		case headerDropped:
			continue
		case headerForwardedFor:
			client = join(x, client, h.Value)
			continue
		case headerAuthorization:
			if name = authorization; strings.HasPrefix(h.Value, signature) {
				continue
			}
		case headerHost:
			name = host
		case headerUserAgent:
			name = userAgent
		}
		pairs = append(pairs, pair{name, h.Value})
	}
	if x.Request.SourceName == "" {
		pairs = appendGatewayHeaders(pairs, x, x.TraceHeader, client)
	}
	return pairs
}

// headerClassREST tells what becomes of a client's header: REST APIs keep
// fewer than HTTP APIs. The length picks the few names worth comparing.
func headerClassREST(name string) class {
	is := func(other string) bool { return plan.EqualFold(name, other) }
	switch len(name) {
	case 6:
		if is("server") {
			return headerDropped
		}
	case 11:
		if is("content-md5") {
			return headerDropped
		}
	case 12:
		if is("max-forwards") {
			return headerDropped
		}
	case 13:
		if is("authorization") {
			return headerAuthorization
		}
	case 16:
		if is("www-authenticate") {
			return headerDropped
		}
	case 18:
		if is("proxy-authenticate") {
			return headerDropped
		}
	}
	return headerClass(name)
}

func appendQueryREST(dst []byte, x *plan.Exchange) []byte {
	var stack [pairsOnStack]pair
	return appendQueryMaps(dst, queryREST(stack[:0], x))
}

// queryREST appends the parameters of the query, which a semicolon separates as
// well, sorted by name.
// UNVERIFIED: that what stands between semicolons are parameters; AWS only says
// that they split the data.
func queryREST(pairs []pair, x *plan.Exchange) []pair {
	for rest := x.Request.Query; rest != ""; {
		end := strings.IndexAny(rest, "&;")
		if end < 0 {
			pairs = appendParameter(pairs, x, rest)
			break
		}
		pairs = appendParameter(pairs, x, rest[:end])
		rest = rest[end+1:]
	}
	slices.SortStableFunc(pairs, comparePairs)
	return pairs
}

// appendPathParametersREST appends the path variables as an object, sorted by
// name. Their values stay encoded.
func appendPathParametersREST(dst []byte, x *plan.Exchange) []byte {
	var stack [16]pair
	pairs := stack[:0]
	for i, name := range x.Route.ParamNames {
		pairs = append(pairs, pair{name, x.Params[i]})
	}
	return appendObject(dst, pairs)
}

// appendContextREST appends the request's context in the order of AWS's events.
func appendContextREST(dst []byte, x *plan.Exchange) []byte {
	method := x.Route.Rest
	dst = append(dst, `,"requestContext":{"resourceId":`...)
	dst = appendString(dst, method.ResourceID)
	dst = appendAuthorizerREST(dst, x)
	dst = appendMember(dst, "resourcePath", x.Route.Path)
	if method.OperationName != "" {
		dst = appendMember(dst, "operationName", method.OperationName)
	}
	dst = appendMember(dst, "httpMethod", x.Request.Method)
	dst = appendMember(dst, "extendedRequestId", x.ExtendedRequestID)
	dst = append(dst, `,"requestTime":"`...)
	dst = x.Start.UTC().AppendFormat(dst, clfTime)
	dst = append(dst, '"')
	dst = appendMember(dst, "path", x.GatewayPath)
	dst = appendMember(dst, "accountId", x.Stage.API.AccountID)
	dst = append(dst, `,"protocol":"HTTP/1.1"`...)
	dst = appendMember(dst, "stage", x.Stage.Name)
	dst = appendMember(dst, "domainPrefix", x.DomainPrefix)
	dst = append(dst, `,"requestTimeEpoch":`...)
	dst = strconv.AppendInt(dst, x.Start.UnixMilli(), 10)
	dst = appendMember(dst, "requestId", x.RequestID)
	dst = appendIdentityREST(dst, x)
	dst = appendMember(dst, "domainName", x.DomainName)
	// UNVERIFIED: that it is null in tests, which run what isn't deployed.
	dst = appendOrNull(dst, "deploymentId", x.Stage.DeploymentID)
	if stage := x.Stage.Rest; stage.Canary != nil || stage.IsCanary {
		// UNVERIFIED: that it is a boolean, as $context writes it.
		dst = append(dst, `,"isCanaryRequest":`...)
		dst = strconv.AppendBool(dst, stage.IsCanary)
	}
	dst = appendMember(dst, "apiId", x.Stage.API.ID)
	return append(dst, '}')
}

// appendIdentityREST appends who called. An API key is told where a method asks
// for one, and in tests.
func appendIdentityREST(dst []byte, x *plan.Exchange) []byte {
	caller := &x.Caller
	dst = append(dst, `,"identity":{"cognitoIdentityPoolId":null`...)
	dst = appendOrNull(dst, "accountId", caller.AccountID)
	dst = append(dst, `,"cognitoIdentityId":null`...)
	dst = appendOrNull(dst, "caller", caller.ID)
	dst = appendMember(dst, "sourceIp", sourceIP(x))
	dst = append(dst, `,"principalOrgId":null`...)
	dst = appendOrNull(dst, "accessKey", caller.AccessKeyID)
	dst = append(dst, `,"cognitoAuthenticationType":null,"cognitoAuthenticationProvider":null`...)
	dst = appendOrNull(dst, "userArn", caller.ARN)
	if x.Route.Rest.APIKey != nil || x.Request.SourceName != "" {
		dst = appendMember(dst, "apiKey", x.APIKey)
		dst = appendMember(dst, "apiKeyId", x.APIKeyID)
	}
	if x.VPCEndpoint != "" {
		// As AWS's events of private APIs have them; where in the order isn't known.
		dst = appendMember(dst, "vpceId", x.VPCEndpoint)
		dst = appendOrNull(dst, "vpcId", x.VPC)
	}
	if agent, sent := x.Request.Headers.Lookup(userAgent); sent {
		dst = appendMember(dst, "userAgent", agent)
	} else {
		dst = append(dst, `,"userAgent":null`...)
	}
	dst = appendOrNull(dst, "user", caller.ID)
	return append(appendClientCert(dst, x), '}')
}

// appendOrNull is appendMember of null for "".
func appendOrNull(dst []byte, name, value string) []byte {
	if value != "" {
		return appendMember(dst, name, value)
	}
	dst = append(append(dst, ',', '"'), name...)
	return append(dst, `":null`...)
}
