package contextvar

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"gatehouse/internal/plan"
)

// clfTime is the time format of $context.requestTime.
const clfTime = "02/Jan/2006:15:04:05 -0700"

// Lookup returns the variable of a name without "$context.", and whether HTTP
// APIs have one of that name.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
func Lookup(name string) (Variable, bool) {
	switch name {
	case "extendedRequestId":
		return lookupShared("requestId")
	case "routeKey":
		return text(AtRequest, routeKey), true
	case "path":
		return Variable{AtRequest, appendPath}, true
	case "error.message":
		return text(AtEnd, errorMessage), true
	case "error.messageString":
		return Variable{AtEnd, appendMessageString}, true
	case "dataProcessed":
		return number(AtEnd, (*plan.Exchange).DataProcessed), true
	case "error.responseType": // of REST APIs' errors only
		return Variable{}, true
	}
	if strings.HasPrefix(name, "authorizer.") {
		return lookupAuthorizer(name)
	}
	return lookupShared(name)
}

// lookupShared returns the variables that say the same of every kind of API.
func lookupShared(name string) (Variable, bool) {
	switch name {
	case "accountId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Stage.API.AccountID }), true
	case "apiId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Stage.API.ID }), true
	case "stage":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Stage.Name }), true
	case "domainName":
		return text(AtRequest, func(x *plan.Exchange) string { return x.DomainName }), true
	case "domainPrefix":
		return text(AtRequest, func(x *plan.Exchange) string { return x.DomainPrefix }), true
	case "requestId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.RequestID }), true
	case "httpMethod":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Request.Method }), true
	case "identity.userAgent":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Request.Headers.Get("user-agent") }), true
	case "identity.accountId":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Caller.AccountID }), true
	case "identity.caller", "identity.user":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Caller.ID }), true
	case "identity.userArn":
		return text(AtRequest, func(x *plan.Exchange) string { return x.Caller.ARN }), true
	case "protocol":
		// AWS says HTTP/1.1 whatever the client spoke.
		return text(AtRequest, func(*plan.Exchange) string { return "HTTP/1.1" }), true
	case "identity.sourceIp":
		return Variable{AtRequest, appendSourceIP}, true
	case "requestTime":
		return Variable{AtRequest, appendRequestTime}, true
	case "requestTimeEpoch":
		return number(AtRequest, func(x *plan.Exchange) int64 { return x.Start.UnixMilli() }), true

	case "integration.error", "integrationErrorMessage":
		return text(AtResponse, func(x *plan.Exchange) string { return x.Integration.Error }), true
	case "integration.requestId", "awsEndpointRequestId":
		return text(AtResponse, func(x *plan.Exchange) string { return x.Integration.RequestID }), true
	case "integration.latency", "integrationLatency":
		return Variable{AtResponse, appendIntegrationLatency}, true
	case "integration.integrationStatus", "integrationStatus":
		return positive(AtResponse, func(x *plan.Exchange) int { return x.Integration.Status }), true
	case "integration.status":
		return positive(AtResponse, func(x *plan.Exchange) int { return x.Integration.FunctionStatus }), true

	case "status":
		return positive(AtEnd, func(x *plan.Exchange) int { return x.Response.Status }), true
	case "responseLength":
		return number(AtEnd, (*plan.Exchange).ResponseLength), true
	case "responseLatency":
		return Variable{AtEnd, appendLatency}, true

	case "identity.clientCert.clientCertPem":
		return certificateText(func(c *plan.ClientCert) string { return c.PEM }), true
	case "identity.clientCert.subjectDN":
		return certificateText(func(c *plan.ClientCert) string { return c.SubjectDN }), true
	case "identity.clientCert.issuerDN":
		return certificateText(func(c *plan.ClientCert) string { return c.IssuerDN }), true
	case "identity.clientCert.serialNumber":
		return certificateText(func(c *plan.ClientCert) string { return c.SerialNumber }), true
	case "identity.clientCert.validity.notBefore":
		return certificateText(func(c *plan.ClientCert) string { return c.NotBefore }), true
	case "identity.clientCert.validity.notAfter":
		return certificateText(func(c *plan.ClientCert) string { return c.NotAfter }), true

	case "customDomain.basePathMatched":
		// UNVERIFIED: that a mapping without a path has no value.
		return text(AtRequest, func(x *plan.Exchange) string { return x.BasePath }), true

	// What these tell of isn't there yet: AWS's second request id and Cognito's
	// identities.
	case "awsEndpointRequestId2",
		"identity.cognitoAuthenticationProvider", "identity.cognitoAuthenticationType",
		"identity.cognitoIdentityId", "identity.cognitoIdentityPoolId", "identity.principalOrgId":
		return Variable{}, true
	}
	return Variable{}, false
}

// text is a variable whose value is text; "" is no value.
func text(from Moment, of func(x *plan.Exchange) string) Variable {
	return Variable{from, func(dst []byte, x *plan.Exchange, _ time.Duration, escape Escape) ([]byte, bool) {
		v := of(x)
		return put(dst, v, escape), v != ""
	}}
}

// certificateText is a variable of the client's certificate.
func certificateText(of func(*plan.ClientCert) string) Variable {
	return text(AtRequest, func(x *plan.Exchange) string {
		if x.ClientCert == nil {
			return ""
		}
		return of(x.ClientCert)
	})
}

// number is a variable whose value is a number.
func number(from Moment, of func(x *plan.Exchange) int64) Variable {
	return Variable{from, func(dst []byte, x *plan.Exchange, _ time.Duration, _ Escape) ([]byte, bool) {
		return strconv.AppendInt(dst, of(x), 10), true
	}}
}

// positive is a variable whose value is a number other than 0.
func positive(from Moment, of func(x *plan.Exchange) int) Variable {
	return Variable{from, func(dst []byte, x *plan.Exchange, _ time.Duration, _ Escape) ([]byte, bool) {
		v := of(x)
		if v == 0 {
			return dst, false
		}
		return strconv.AppendInt(dst, int64(v), 10), true
	}}
}

// put appends text as it is to be read.
func put(dst []byte, text string, escape Escape) []byte {
	if escape == nil {
		return append(dst, text...)
	}
	return escape(dst, text)
}

func routeKey(x *plan.Exchange) string {
	if x.Route == nil {
		return ""
	}
	return x.Route.Key
}

// appendPath appends the path with the stage, decoded as HTTP APIs show it.
func appendPath(dst []byte, x *plan.Exchange, _ time.Duration, escape Escape) ([]byte, bool) {
	path := plan.CutPath(x.GatewayPath)
	if escape == nil {
		return plan.AppendDecoded(dst, path), path != ""
	}
	if strings.IndexByte(path, '%') >= 0 {
		start := len(x.Scratch)
		x.Scratch = plan.AppendDecoded(x.Scratch, path)
		path = unsafe.String(&x.Scratch[start], len(x.Scratch)-start)
	}
	return escape(dst, path), path != ""
}

func appendSourceIP(dst []byte, x *plan.Exchange, _ time.Duration, _ Escape) ([]byte, bool) {
	address := x.Request.Source.Addr()
	if !address.IsValid() {
		return append(dst, x.Request.SourceName...), x.Request.SourceName != ""
	}
	return address.Unmap().AppendTo(dst), true
}

func appendRequestTime(dst []byte, x *plan.Exchange, _ time.Duration, _ Escape) ([]byte, bool) {
	return x.Start.UTC().AppendFormat(dst, clfTime), true
}

func appendIntegrationLatency(dst []byte, x *plan.Exchange, _ time.Duration, _ Escape) ([]byte, bool) {
	if !x.Integration.Called {
		return dst, false
	}
	return strconv.AppendInt(dst, x.Integration.Latency.Milliseconds(), 10), true
}

func appendLatency(dst []byte, _ *plan.Exchange, latency time.Duration, _ Escape) ([]byte, bool) {
	return strconv.AppendInt(dst, latency.Milliseconds(), 10), true
}

// errorMessage is the message of the gateway's own answer.
func errorMessage(x *plan.Exchange) string {
	if x.Fault == nil {
		return ""
	}
	message, ok := bytes.CutPrefix(x.Response.Body, []byte(`{"message":"`))
	if !ok {
		return ""
	}
	message, ok = bytes.CutSuffix(message, []byte(`"}`))
	if !ok {
		return ""
	}
	return string(message)
}

// appendMessageString appends the error message in double quotes.
func appendMessageString(dst []byte, x *plan.Exchange, _ time.Duration, escape Escape) ([]byte, bool) {
	message := errorMessage(x)
	if message == "" {
		return dst, false
	}
	dst = put(append(dst, '"'), message, escape)
	return append(dst, '"'), true
}
