package lambdaevent

import (
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/plan"
)

// WebSocket appends the event of an AWS_PROXY integration of a WebSocket API:
// CONNECT with the headers and the query of the handshake, MESSAGE with a body,
// DISCONNECT with neither. Members stand in AWS's order; what there is none of
// is left out.
// UNVERIFIED: where stageVariables stand; no recording has any.
func WebSocket(dst []byte, x *plan.Exchange) []byte {
	start := len(dst)
	switch x.Socket.Event {
	case plan.SocketConnect:
		dst = appendHandshake(dst, x)
	case plan.SocketDisconnect:
		dst = appendFarewell(dst, x)
	}
	if len(x.Stage.Variables) > 0 {
		dst = append(dst, `,"stageVariables":`...)
		dst = appendStageVariables(dst, x)
	}
	dst = appendContextWebSocket(dst, x)
	dst[start] = '{' // where the first member has its comma
	if x.Socket.Event == plan.SocketMessage {
		dst = append(dst, `,"body":`...)
		dst = appendString(dst, view(x.Request.Body))
	}
	return append(dst, `,"isBase64Encoded":false}`...)
}

// appendHandshake appends the headers and the query of a handshake.
func appendHandshake(dst []byte, x *plan.Exchange) []byte {
	var stack [pairsOnStack]pair
	pairs := handshakeHeaders(stack[:0], x)
	dst = appendHeaderMaps(dst, pairs)
	if pairs = handshakeQuery(pairs[:0], x); len(pairs) == 0 {
		return dst
	}
	return appendQueryMaps(dst, pairs)
}

// handshakeHeaders appends the headers of a handshake and those that the gateway
// adds.
func handshakeHeaders(pairs []pair, x *plan.Exchange) []pair {
	client := ""
	for _, h := range x.Request.Headers {
		switch headerClass(h.Name) {
		case headerDropped:
			continue
		case headerForwardedFor:
			client = join(x, client, h.Value)
			continue
		}
		pairs = append(pairs, pair{titleCase(x, h.Name), h.Value})
	}
	start := len(x.Scratch)
	x.Scratch = append(append(x.Scratch, "Root="...), x.TraceRoot...)
	return appendGatewayHeaders(pairs, x, since(x, start), client)
}

// handshakeQuery appends the parameters of a handshake's query, sorted by name.
func handshakeQuery(pairs []pair, x *plan.Exchange) []pair {
	for piece := range strings.SplitSeq(x.Request.Query, "&") {
		pairs = appendParameter(pairs, x, piece)
	}
	slices.SortStableFunc(pairs, comparePairs)
	return pairs
}

// webSocketHeaders are the headers of RFC 6455, which are spelled as it spells
// them.
var webSocketHeaders = [...]string{
	"Sec-WebSocket-Accept", "Sec-WebSocket-Extensions", "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version",
}

// titleCase returns a header's name with every word's first letter in upper
// case.
// UNVERIFIED: that the other letters of a client's own header stay as they are.
func titleCase(x *plan.Exchange, name string) string {
	if len(name) > 14 && plan.EqualFold(name[:14], "sec-websocket-") {
		for _, known := range webSocketHeaders {
			if plan.EqualFold(name, known) {
				return known
			}
		}
	}
	start := len(x.Scratch)
	word := true
	for i := range len(name) {
		c := name[i]
		if word && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		word = c == '-'
		x.Scratch = append(x.Scratch, c)
	}
	return since(x, start)
}

// appendFarewell appends the headers of a DISCONNECT event, which are of no
// request.
func appendFarewell(dst []byte, x *plan.Exchange) []byte {
	host, _, _ := strings.Cut(x.DomainName, "/")
	dst = append(dst, `,"headers":{"Host":`...)
	dst = appendString(dst, host)
	dst = append(dst, `,"x-api-key":"","X-Forwarded-For":"","x-restapi":""},"multiValueHeaders":{"Host":[`...)
	dst = appendString(dst, host)
	return append(dst, `],"x-api-key":[""],"X-Forwarded-For":[""],"x-restapi":[""]}`...)
}

// appendContextWebSocket appends the event's context.
func appendContextWebSocket(dst []byte, x *plan.Exchange) []byte {
	socket := x.Socket
	dst = append(dst, `,"requestContext":{"routeKey":`...)
	dst = appendString(dst, x.Route.Key)
	dst = appendAuthorizerREST(dst, x)
	switch socket.Event {
	case plan.SocketMessage:
		dst = appendMember(dst, "messageId", socket.MessageID)
	case plan.SocketDisconnect:
		dst = append(dst, `,"disconnectStatusCode":`...)
		dst = strconv.AppendInt(dst, int64(socket.DisconnectCode), 10)
	}
	dst = appendMember(dst, "eventType", socket.Event.String())
	dst = appendMember(dst, "extendedRequestId", x.RequestID)
	dst = append(dst, `,"requestTime":"`...)
	dst = x.Start.UTC().AppendFormat(dst, clfTime)
	dst = append(dst, `","messageDirection":"IN"`...)
	if socket.Event == plan.SocketDisconnect {
		dst = appendMember(dst, "disconnectReason", socket.DisconnectReason)
	}
	dst = appendMember(dst, "stage", x.Stage.Name)
	dst = append(dst, `,"connectedAt":`...)
	dst = strconv.AppendInt(dst, socket.ConnectedAt.UnixMilli(), 10)
	dst = append(dst, `,"requestTimeEpoch":`...)
	dst = strconv.AppendInt(dst, x.Start.UnixMilli(), 10)
	dst = appendIdentityWebSocket(dst, x)
	dst = appendMember(dst, "requestId", x.RequestID)
	dst = appendMember(dst, "domainName", x.DomainName)
	dst = appendMember(dst, "connectionId", socket.ConnectionID)
	dst = appendMember(dst, "apiId", x.Stage.API.ID)
	return append(dst, '}')
}

// appendIdentityWebSocket appends who is connected. A caller is told where one
// signed the handshake.
// UNVERIFIED: the order of a caller's members, taken from REST APIs.
func appendIdentityWebSocket(dst []byte, x *plan.Exchange) []byte {
	dst = append(dst, `,"identity":{`...)
	if caller := &x.Caller; caller.AccessKeyID != "" {
		dst = append(dst, `"cognitoIdentityPoolId":null`...)
		dst = appendMember(dst, "accountId", caller.AccountID)
		dst = append(dst, `,"cognitoIdentityId":null`...)
		dst = appendMember(dst, "caller", caller.ID)
		dst = appendMember(dst, "accessKey", caller.AccessKeyID)
		dst = append(dst, `,"cognitoAuthenticationType":null,"cognitoAuthenticationProvider":null`...)
		dst = appendMember(dst, "userArn", caller.ARN)
		dst = append(appendMember(dst, "user", caller.ID), ',')
	}
	if x.Socket.UserAgent != "" {
		dst = append(dst, `"userAgent":`...)
		dst = append(appendString(dst, x.Socket.UserAgent), ',')
	}
	dst = append(dst, `"sourceIp":`...)
	dst = appendString(dst, sourceIP(x))
	return append(dst, '}')
}
