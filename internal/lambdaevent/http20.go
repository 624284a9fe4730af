package lambdaevent

import (
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/plan"
)

// HTTP20 appends the event of payload format 2.0 of an HTTP API. The exchange
// has been matched and its body read.
//
// Names stand in the order in which API Gateway is seen to write them; what is
// empty is left out. Maps are sorted by name.
func HTTP20(dst []byte, x *plan.Exchange) []byte {
	path := decodedPath(x, x.GatewayPath)
	dst = append(dst, `{"version":"2.0","routeKey":`...)
	dst = appendString(dst, x.Route.Key)
	dst = appendMember(dst, "rawPath", eventPath(x, path))
	dst = appendMember(dst, "rawQueryString", x.OutboundQuery())
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
	encoded := false
	if len(x.Request.Body) > 0 {
		dst = append(dst, `,"body":`...)
		dst, encoded = appendBody(dst, x)
	}
	dst = append(dst, `,"isBase64Encoded":`...)
	dst = strconv.AppendBool(dst, encoded)
	return append(dst, '}')
}

// appendCookies appends the cookies of all Cookie lines, one by one.
func appendCookies(dst []byte, x *plan.Exchange) []byte {
	n := 0
	for _, h := range x.OutboundHeaders() {
		if headerClass(h.Name) != headerCookie {
			continue
		}
		for rest := h.Value; rest != ""; {
			var cookie string
			cookie, rest, _ = strings.Cut(rest, ";")
			if cookie = strings.Trim(cookie, " \t"); cookie == "" {
				continue
			}
			if n++; n == 1 {
				dst = append(dst, `,"cookies":[`...)
			} else {
				dst = append(dst, ',')
			}
			dst = appendString(dst, cookie)
		}
	}
	if n > 0 {
		dst = append(dst, ']')
	}
	return dst
}

func appendHeaders20(dst []byte, x *plan.Exchange) []byte {
	var stack [pairsOnStack]pair
	pairs := appendHeaders(stack[:0], x, false)
	slices.SortStableFunc(pairs, foldPairs)
	dst = append(dst, `,"headers":{`...)
	for i, p := range pairs {
		if i > 0 && plan.EqualFold(p.name, pairs[i-1].name) {
			dst = append(dst, ',')
			dst = appendEscaped(dst, p.value)
			continue
		}
		if i > 0 {
			dst = append(dst, '"', ',')
		}
		dst = appendLower(dst, p.name)
		dst = append(dst, ':', '"')
		dst = appendEscaped(dst, p.value)
	}
	return append(dst, '"', '}') // the gateway's own headers make it never empty
}

// foldPairs compares names without regard to ASCII case.
func foldPairs(a, b pair) int {
	for i := range min(len(a.name), len(b.name)) {
		x, y := lower(a.name[i]), lower(b.name[i])
		if x != y {
			return int(x) - int(y)
		}
	}
	return len(a.name) - len(b.name)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func appendQuery20(dst []byte, x *plan.Exchange) []byte {
	if x.OutboundQuery() == "" {
		return dst
	}
	var stack [pairsOnStack]pair
	pairs := appendQuery(stack[:0], x)
	if len(pairs) == 0 {
		return dst
	}
	dst = append(dst, `,"queryStringParameters":{`...)
	for i, p := range pairs {
		if i > 0 && p.name == pairs[i-1].name {
			dst = append(dst, ',')
			dst = appendEscaped(dst, p.value)
			continue
		}
		if i > 0 {
			dst = append(dst, '"', ',')
		}
		dst = appendString(dst, p.name)
		dst = append(dst, ':', '"')
		dst = appendEscaped(dst, p.value)
	}
	return append(dst, '"', '}')
}

func appendContext20(dst []byte, x *plan.Exchange, path string) []byte {
	dst = append(dst, `,"requestContext":{"accountId":`...)
	dst = appendString(dst, x.Stage.API.AccountID)
	dst = appendMember(dst, "apiId", x.Stage.API.ID)
	dst = appendAuthentication(dst, x)
	dst = appendAuthorizer20(dst, x)
	dst = appendMember(dst, "domainName", x.DomainName)
	dst = appendMember(dst, "domainPrefix", x.DomainPrefix)
	dst = append(dst, `,"http":{"method":`...)
	dst = appendString(dst, x.Request.Method)
	dst = appendMember(dst, "path", path)
	// AWS says HTTP/1.1 to functions, whatever the client spoke.
	dst = append(dst, `,"protocol":"HTTP/1.1"`...)
	dst = appendMember(dst, "sourceIp", sourceIP(x))
	dst = appendMember(dst, "userAgent", x.Request.Headers.Get(userAgent))
	dst = append(dst, '}')
	dst = appendMember(dst, "requestId", x.RequestID)
	dst = appendMember(dst, "routeKey", x.Route.Key)
	dst = appendMember(dst, "stage", x.Stage.Name)
	dst = append(dst, `,"time":"`...)
	dst = x.Start.UTC().AppendFormat(dst, clfTime)
	dst = append(dst, `","timeEpoch":`...)
	dst = strconv.AppendInt(dst, x.Start.UnixMilli(), 10)
	return append(dst, '}')
}
