package contextvar

import (
	"strconv"
	"time"

	"gatehouse/internal/plan"
)

// LookupWebSocket is Lookup for WebSocket APIs, whose exchanges are the events
// of connections.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
func LookupWebSocket(name string) (Variable, bool) {
	switch name {
	case "connectionId":
		return ofSocket(func(s *plan.Socket) string { return s.ConnectionID }), true
	case "connectedAt":
		return Variable{AtRequest, appendConnectedAt}, true
	case "eventType":
		return ofSocket(func(s *plan.Socket) string { return s.Event.String() }), true
	case "messageId":
		return ofSocket(func(s *plan.Socket) string { return s.MessageID }), true
	case "routeKey":
		return text(AtRequest, routeKey), true
	case "extendedRequestId":
		return lookupShared("requestId")
	case "identity.userAgent":
		return ofSocket(func(s *plan.Socket) string { return s.UserAgent }), true
	case "identity.apiKey":
		return text(AtRequest, func(x *plan.Exchange) string { return x.APIKey }), true
	case "identity.apiKeyId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.APIKeyID }), true

	case "error.message":
		return Variable{AtEnd, appendErrorMessage}, true
	case "error.messageString":
		return Variable{AtEnd, appendQuotedError}, true
	case "error.responseType":
		return text(AtEnd, errorType), true
	case "error.validationErrorString":
		return text(AtEnd, func(x *plan.Exchange) string { return x.Error.Validation }), true

	case "apiId", "domainName", "stage", "requestId", "requestTime", "requestTimeEpoch", "status",
		"identity.accountId", "identity.caller", "identity.user", "identity.userArn", "identity.sourceIp",
		"identity.cognitoAuthenticationProvider", "identity.cognitoAuthenticationType",
		"identity.cognitoIdentityId", "identity.cognitoIdentityPoolId", "identity.principalOrgId",
		"integration.error", "integration.integrationStatus", "integration.latency", "integration.requestId",
		"integration.status", "integrationLatency":
		return lookupShared(name)

	case "waf.error", "waf.latency", "waf.status": // there are no web ACLs yet
		return Variable{}, true
	}
	return lookupAuthorizer(name)
}

// ofSocket is a variable of an event. A request that is no handshake has no
// event, and is logged all the same.
func ofSocket(of func(s *plan.Socket) string) Variable {
	return text(AtRequest, func(x *plan.Exchange) string {
		if x.Socket == nil {
			return ""
		}
		return of(x.Socket)
	})
}

func appendConnectedAt(dst []byte, x *plan.Exchange, _ time.Duration, _ Escape) ([]byte, bool) {
	if x.Socket == nil {
		return dst, false
	}
	return strconv.AppendInt(dst, x.Socket.ConnectedAt.UnixMilli(), 10), true
}
