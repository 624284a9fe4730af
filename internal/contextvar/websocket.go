package contextvar

import (
	"strings"

	"gatehouse/internal/plan"
)

// LookupWebSocket is Lookup for WebSocket APIs, whose exchanges are the events
// of connections.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
func LookupWebSocket(name string) (Variable, bool) {
	switch name {
	case "connectionId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Socket.ConnectionID }), true
	case "connectedAt":
		return number(AtRequest, func(x *plan.Exchange) int64 { return x.Socket.ConnectedAt.UnixMilli() }), true
	case "eventType":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Socket.Event.String() }), true
	case "messageId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Socket.MessageID }), true
	case "routeKey":
		return text(AtRequest, routeKey), true
	case "extendedRequestId":
		return lookupShared("requestId")
	case "identity.userAgent":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Socket.UserAgent }), true
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

	// What these tell of isn't there yet: how callers were checked, and web ACLs.
	case "authenticate.error", "authenticate.latency", "authenticate.status",
		"authorize.error", "authorize.latency", "authorize.status",
		"waf.error", "waf.latency", "waf.status":
		return Variable{}, true
	}
	property, found := strings.CutPrefix(name, "authorizer.")
	return Variable{}, found && property != ""
}
