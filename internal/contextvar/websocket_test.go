package contextvar

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

// Every variable that the documentation lists for WebSocket APIs, by the first
// moment at which it can have a value.
func TestLookupWebSocket(t *testing.T) {
	const never = AtEnd + 1
	for from, names := range map[Moment]string{
		AtRequest: `apiId connectedAt connectionId domainName eventType extendedRequestId identity.accountId identity.apiKey identity.apiKeyId
			identity.caller identity.sourceIp identity.user identity.userAgent identity.userArn messageId requestId requestTime requestTimeEpoch
			routeKey stage authorize.error authorize.latency authorize.status authorizer.error authorizer.integrationLatency
			authorizer.integrationStatus authorizer.latency authorizer.requestId authorizer.status authorizer.principalId authorizer.anything
			authenticate.error authenticate.latency authenticate.status`,
		AtResponse: `integration.error integration.integrationStatus integration.latency integration.requestId integration.status integrationLatency`,
		AtEnd:      `error.message error.messageString error.responseType error.validationErrorString status`,
		never: `identity.cognitoAuthenticationProvider
			identity.cognitoAuthenticationType identity.cognitoIdentityId identity.cognitoIdentityPoolId identity.principalOrgId
			waf.error waf.latency waf.status`,
	} {
		for name := range strings.FieldsSeq(names) {
			v, known := LookupWebSocket(name)
			if !known {
				t.Errorf("%s isn't known", name)
			}
			for at := AtRequest; at <= AtEnd; at++ {
				if v.Has(at) != (at >= from) {
					t.Errorf("%s at moment %d: %v", name, at, v.Has(at))
				}
			}
		}
	}
	for _, name := range []string{"", "path", "httpMethod", "protocol", "accountId", "resourcePath", "dataProcessed", "responseLength", "authorizer.", "connectionid"} {
		if v, known := LookupWebSocket(name); known || v.Has(AtEnd) {
			t.Errorf("%q is known", name)
		}
	}
}

func TestWebSocketValues(t *testing.T) {
	x := &plan.Exchange{
		RequestID: "JKJaXmPLvHcESHA=", DomainName: "a.execute-api.localhost:4566", Start: time.UnixMilli(1587481701123),
		Stage: &plan.Stage{API: &plan.API{ID: "a"}, Name: "dev"}, Route: &plan.Route{Key: "say"},
		Socket: &plan.Socket{
			Event: plan.SocketMessage, ConnectionID: "R1kmxc2VNjMCFIA=", MessageID: "R1kpLfTqtjMCFIA=",
			ConnectedAt: time.UnixMilli(1587481700000), UserAgent: `a "browser"`,
		},
		Error: plan.GatewayError{Raised: true, Type: plan.BadRequestBodyResponse, Message: "Bad request body", Validation: "[x]"},
	}
	x.Request.Source = netip.MustParseAddrPort("[::ffff:192.0.2.1]:1")
	x.Response.Status = 400
	disconnect := &plan.Exchange{Stage: x.Stage, Socket: &plan.Socket{Event: plan.SocketDisconnect}}
	plain := &plan.Exchange{Stage: x.Stage} // no handshake
	for _, test := range []struct {
		name string
		x    *plan.Exchange
		want string
		ok   bool
	}{
		{"connectionId", x, "R1kmxc2VNjMCFIA=", true},
		{"connectedAt", x, "1587481700000", true},
		{"requestTimeEpoch", x, "1587481701123", true},
		{"eventType", x, "MESSAGE", true},
		{"eventType", disconnect, "DISCONNECT", true},
		{"messageId", x, "R1kpLfTqtjMCFIA=", true},
		{"messageId", disconnect, "", false},
		{"requestId", x, "JKJaXmPLvHcESHA=", true},
		{"extendedRequestId", x, "JKJaXmPLvHcESHA=", true},
		{"routeKey", x, "say", true},
		{"routeKey", disconnect, "", false},
		{"domainName", x, "a.execute-api.localhost:4566", true},
		{"identity.userAgent", x, `a "browser"`, true},
		{"identity.userAgent", disconnect, "", false},
		{"identity.sourceIp", x, "192.0.2.1", true},
		{"status", x, "400", true},
		{"error.message", x, "Bad request body", true},
		{"error.messageString", x, `"Bad request body"`, true},
		{"error.responseType", x, "BAD_REQUEST_BODY", true},
		{"error.validationErrorString", x, "[x]", true},
		{"error.message", disconnect, "", false},
		{"connectionId", plain, "", false},
		{"connectedAt", plain, "", false},
		{"eventType", plain, "", false},
	} {
		v, _ := LookupWebSocket(test.name)
		got, ok := v.Append(nil, test.x, 0, nil)
		if string(got) != test.want || ok != test.ok {
			t.Errorf("%s: %q, %v", test.name, got, ok)
		}
	}
}
