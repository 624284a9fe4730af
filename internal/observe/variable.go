package observe

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

// variableOf returns the variable of a name without "$context.". Names that
// this gateway can't answer, or that nobody knows, never have a value.
func variableOf(name string) variable {
	switch name {
	case "accountId":
		return text(func(x *plan.Exchange) string { return x.Stage.API.AccountID })
	case "apiId":
		return text(func(x *plan.Exchange) string { return x.Stage.API.ID })
	case "stage":
		return text(func(x *plan.Exchange) string { return x.Stage.Name })
	case "domainName":
		return text(func(x *plan.Exchange) string { return x.DomainName })
	case "domainPrefix":
		return text(func(x *plan.Exchange) string { return x.DomainPrefix })
	case "requestId", "extendedRequestId":
		return text(func(x *plan.Exchange) string { return x.RequestID })
	case "httpMethod":
		return text(func(x *plan.Exchange) string { return x.Request.Method })
	case "identity.userAgent":
		return text(func(x *plan.Exchange) string { return x.Request.Headers.Get("user-agent") })
	case "routeKey":
		return text(routeKey)
	case "integration.error", "integrationErrorMessage":
		return text(func(x *plan.Exchange) string { return x.Integration.Error })
	case "integration.requestId", "awsEndpointRequestId":
		return text(func(x *plan.Exchange) string { return x.Integration.RequestID })
	case "error.message":
		return text(errorMessage)
	case "error.messageString":
		return appendMessageString
	case "protocol":
		// AWS says HTTP/1.1 whatever the client spoke.
		return text(func(*plan.Exchange) string { return "HTTP/1.1" })
	case "path":
		return appendPath
	case "identity.sourceIp":
		return appendSourceIP
	case "requestTime":
		return func(dst []byte, _ *Format, x *plan.Exchange, _ time.Duration) ([]byte, bool) {
			return x.Start.UTC().AppendFormat(dst, clfTime), true
		}
	case "requestTimeEpoch":
		return number(func(x *plan.Exchange) int64 { return x.Start.UnixMilli() })
	case "status":
		return positive(func(x *plan.Exchange) int { return x.Response.Status })
	case "responseLength":
		return number(responseLength)
	case "responseLatency":
		return func(dst []byte, _ *Format, _ *plan.Exchange, latency time.Duration) ([]byte, bool) {
			return strconv.AppendInt(dst, latency.Milliseconds(), 10), true
		}
	case "dataProcessed":
		return number(dataProcessed)
	case "integration.latency", "integrationLatency":
		return func(dst []byte, _ *Format, x *plan.Exchange, _ time.Duration) ([]byte, bool) {
			if !x.Integration.Called {
				return dst, false
			}
			return strconv.AppendInt(dst, x.Integration.Latency.Milliseconds(), 10), true
		}
	case "integration.integrationStatus", "integrationStatus":
		return positive(func(x *plan.Exchange) int { return x.Integration.Status })
	case "integration.status":
		return positive(func(x *plan.Exchange) int { return x.Integration.FunctionStatus })
	}
	return func(dst []byte, _ *Format, _ *plan.Exchange, _ time.Duration) ([]byte, bool) { return dst, false }
}

// text is a variable whose value is text; "" is no value.
func text(value func(x *plan.Exchange) string) variable {
	return func(dst []byte, f *Format, x *plan.Exchange, _ time.Duration) ([]byte, bool) {
		v := value(x)
		return f.escape(dst, v), v != ""
	}
}

// number is a variable whose value is a number.
func number(value func(x *plan.Exchange) int64) variable {
	return func(dst []byte, _ *Format, x *plan.Exchange, _ time.Duration) ([]byte, bool) {
		return strconv.AppendInt(dst, value(x), 10), true
	}
}

// positive is a variable whose value is a number other than 0.
func positive(value func(x *plan.Exchange) int) variable {
	return func(dst []byte, _ *Format, x *plan.Exchange, _ time.Duration) ([]byte, bool) {
		v := value(x)
		if v == 0 {
			return dst, false
		}
		return strconv.AppendInt(dst, int64(v), 10), true
	}
}

func routeKey(x *plan.Exchange) string {
	if x.Route == nil {
		return ""
	}
	return x.Route.Key
}

// appendPath appends the path with the stage, decoded as HTTP APIs show it.
func appendPath(dst []byte, f *Format, x *plan.Exchange, _ time.Duration) ([]byte, bool) {
	path := plan.CutPath(x.GatewayPath)
	if strings.IndexByte(path, '%') >= 0 {
		start := len(x.Scratch)
		x.Scratch = plan.AppendDecoded(x.Scratch, path)
		path = unsafe.String(&x.Scratch[start], len(x.Scratch)-start)
	}
	return f.escape(dst, path), path != ""
}

func appendSourceIP(dst []byte, _ *Format, x *plan.Exchange, _ time.Duration) ([]byte, bool) {
	address := x.Request.Source.Addr()
	if !address.IsValid() {
		return dst, false
	}
	return address.Unmap().AppendTo(dst), true
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
func appendMessageString(dst []byte, f *Format, x *plan.Exchange, _ time.Duration) ([]byte, bool) {
	message := errorMessage(x)
	if message == "" {
		return dst, false
	}
	dst = f.escape(append(dst, '"'), message)
	return append(dst, '"'), true
}

// responseLength is how many bytes of a body went to the client.
func responseLength(x *plan.Exchange) int64 {
	switch {
	case x.Request.Method == "HEAD":
		return 0
	case x.Response.BodyStream != nil:
		return max(x.Response.StreamLength, 0)
	}
	return int64(len(x.Response.Body))
}

// dataProcessed is how many bytes of bodies came and went.
func dataProcessed(x *plan.Exchange) int64 {
	received := int64(len(x.Request.Body))
	if received == 0 {
		received = max(x.Request.ContentLength, 0)
	}
	return received + responseLength(x)
}
