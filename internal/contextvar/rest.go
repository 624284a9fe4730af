package contextvar

import (
	"bytes"
	"encoding/json"
	"time"

	"gatehouse/internal/plan"
)

// LookupREST is Lookup for REST APIs.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
func LookupREST(name string) (Variable, bool) {
	switch name {
	case "extendedRequestId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.ExtendedRequestID }), true
	case "path":
		return text(AtRequest, func(x *plan.Exchange) string { return x.GatewayPath }), true
	case "deploymentId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Stage.DeploymentID }), true
	case "resourceId":
		return text(AtRequest, resourceID), true
	case "resourcePath":
		return text(AtRequest, resourcePath), true
	case "identity.apiKey":
		return text(AtRequest, func(x *plan.Exchange) string { return x.APIKey }), true
	case "identity.apiKeyId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.APIKeyID }), true
	case "identity.accessKey":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Caller.AccessKeyID }), true
	case "identity.vpceId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.VPCEndpoint }), true
	case "identity.vpcId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.VPC }), true
	case "isCanaryRequest":
		return text(AtRequest, isCanaryRequest), true
	case "xrayTraceId":
		return text(AtRequest, tracedRoot), true

	case "integration.responseTransferMode":
		return text(AtRequest, transferMode), true

	case "error.message":
		return Variable{AtEnd, appendErrorMessage}, true
	case "error.messageString":
		return Variable{AtEnd, appendQuotedError}, true
	case "error.responseType":
		return text(AtEnd, errorType), true
	case "error.validationErrorString":
		return text(AtEnd, func(x *plan.Exchange) string { return x.Error.Validation }), true

	case "tlsVersion":
		return handshakeText(func(h *plan.Handshake) string { return h.Version }), true
	case "cipherSuite":
		return handshakeText(func(h *plan.Handshake) string { return h.CipherSuite }), true

	// What these tell of isn't there yet: web ACLs and how a streamed response came
	// about.
	case "waf.error", "waf.latency", "waf.status", "wafResponseCode", "webaclArn",
		"endpointType",
		"integration.timeToAllHeaders", "integration.timeToFirstContent":
		return Variable{}, true
	}
	if v, ok := lookupAuthorizer(name); ok {
		return v, true
	}
	return lookupShared(name)
}

// RESTKeys returns the names of the members of a map of a REST API's $context,
// in AWS's order: of "" ($context itself), "identity", "identity.clientCert" and its
// "validity", "authorizer" or "authorizer.claims". It is nil for what is no map, and must not be written.
//
// Keys that only some requests have (isCanaryRequest, identity.apiKey) aren't
// among them. UNVERIFIED: where they stand.
func RESTKeys(name string, x *plan.Exchange) []string {
	switch name {
	case "":
		return contextKeys
	case "identity":
		return identityKeys
	case "identity.clientCert":
		if x.ClientCert != nil {
			return certificateKeys
		}
	case "identity.clientCert.validity":
		if x.ClientCert != nil {
			return validityKeys
		}
	case "authorizer":
		return authorizerKeys(x.Authorization)
	case "authorizer.claims":
		if a := x.Authorization; a != nil && a.Token {
			return namesOf(a.Claims)
		}
	}
	return nil
}

var (
	contextKeys = []string{
		"resourceId", "resourcePath", "httpMethod", "extendedRequestId", "requestTime", "path", "accountId", "protocol",
		"requestOverride", "stage", "domainPrefix", "requestTimeEpoch", "requestId", "identity", "domainName",
		"deploymentId", "responseOverride", "apiId",
	}
	identityKeys = []string{
		"cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "sourceIp", "principalOrgId", "accessKey",
		"cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn", "userAgent", "user",
	}
	certificateKeys = []string{"clientCertPem", "subjectDN", "issuerDN", "serialNumber", "validity"}
	validityKeys    = []string{"notBefore", "notAfter"}
)

// handshakeText is a variable of what TLS agreed on.
func handshakeText(of func(*plan.Handshake) string) Variable {
	return text(AtRequest, func(x *plan.Exchange) string {
		if x.Request.TLS == nil {
			return ""
		}
		return of(x.Request.TLS)
	})
}

func resourceID(x *plan.Exchange) string {
	if x.Route == nil || x.Route.Rest == nil {
		return ""
	}
	return x.Route.Rest.ResourceID
}

// transferMode tells whether the response goes out while it comes.
func transferMode(x *plan.Exchange) string {
	switch {
	case x.Route == nil || x.Route.Rest == nil:
		return ""
	case x.Route.Rest.Streams:
		return "STREAMED"
	default:
		return "BUFFERED"
	}
}

func resourcePath(x *plan.Exchange) string {
	if x.Route == nil {
		return ""
	}
	return x.Route.Path
}

// isCanaryRequest has a value only where the stage has a canary.
func isCanaryRequest(x *plan.Exchange) string {
	switch rest := x.Stage.Rest; {
	case rest == nil:
		return ""
	case rest.IsCanary:
		return "true"
	case rest.Canary != nil:
		return "false"
	}
	return ""
}

// tracedRoot is the trace of a request to a stage with X-Ray tracing on.
func tracedRoot(x *plan.Exchange) string {
	if x.Stage.Rest == nil || !x.Stage.Rest.Tracing {
		return ""
	}
	return x.TraceRoot
}

func errorType(x *plan.Exchange) string {
	if !x.Error.Raised {
		return ""
	}
	return x.Error.Type.String()
}

// nullMessage is what both variables of an error without a message say.
const nullMessage = "null"

func appendErrorMessage(dst []byte, x *plan.Exchange, _ time.Duration, escape Escape) ([]byte, bool) {
	switch e := &x.Error; {
	case !e.Raised:
		return dst, false
	case e.NoMessage:
		return append(dst, nullMessage...), true
	default:
		return put(dst, e.Message, escape), true
	}
}

// appendQuotedError appends the message as a string of JSON, or null.
func appendQuotedError(dst []byte, x *plan.Exchange, _ time.Duration, escape Escape) ([]byte, bool) {
	switch e := &x.Error; {
	case !e.Raised:
		return dst, false
	case e.NoMessage:
		return append(dst, nullMessage...), true
	case escape != nil:
		return append(escape(append(dst, '"'), e.Message), '"'), true
	default:
		return append(dst, quoted(e.Message)...), true
	}
}

// quoted is text as a string of JSON.
func quoted(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return []byte(nullMessage) // strings always encode
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
