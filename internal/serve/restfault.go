package serve

import (
	"bytes"
	"encoding/json"

	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/plan"
)

// A restFault is how a REST API answers a kind of fault unless its gateway
// responses say otherwise.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
type restFault struct {
	response           plan.ResponseType
	status             int
	errorType, message string
	// by is the layer of AWS that answers; each writes JSON in a manner of its own.
	by layer
}

// A layer of AWS's gateway.
type layer uint8

const (
	front     layer = iota // what routes, authorizes and limits
	execution              // what runs methods
)

const (
	badRequest     = "BadRequestException"
	internalError  = "InternalServerErrorException"
	internalText   = "Internal server error"
	forbidden      = "ForbiddenException"
	missingToken   = "MissingAuthenticationTokenException"
	incomplete     = "IncompleteSignatureException"
	wrongSignature = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	tooLongMessage = "HTTP content length exceeded 10485760 bytes."
)

// restFaultOf is how a kind of fault is answered. UNVERIFIED marks what nobody
// is known to have recorded.
func restFaultOf(kind plan.FaultKind) restFault {
	switch kind {
	case plan.BadRequest:
		// UNVERIFIED: a request that isn't HTTP.
		return restFault{plan.Default4XXResponse, 400, badRequest, "Bad Request", front}
	case plan.Unauthorized:
		return restFault{plan.UnauthorizedResponse, 401, "UnauthorizedException", "Unauthorized", front}
	case plan.AccessDenied:
		return restFault{plan.AccessDeniedResponse, 403, "AccessDeniedException", "User is not authorized to access this resource", front}
	case plan.RouteNotFound, plan.Unsigned:
		return restFault{plan.MissingAuthenticationTokenResponse, 403, missingToken, "Missing Authentication Token", front}
	case plan.IncompleteSignature:
		// UNVERIFIED: the type of the gateway response.
		return restFault{plan.MissingAuthenticationTokenResponse, 403, incomplete, "Missing Authentication Token", front}
	case plan.Forbidden:
		return restFault{plan.Default4XXResponse, 403, forbidden, "Forbidden", front}
	case plan.InvalidAPIKey:
		return restFault{plan.InvalidAPIKeyResponse, 403, forbidden, "Forbidden", front}
	case plan.URITooLong:
		// UNVERIFIED: the kind of error; the text is that of a method's ARN being
		// too long.
		return restFault{plan.Default4XXResponse, 414, badRequest, "Request URI too long", front}
	case plan.HeadersTooLarge:
		// UNVERIFIED: status and text.
		return restFault{plan.Default4XXResponse, 431, badRequest, "Request Header Fields Too Large", front}
	case plan.Throttled:
		return restFault{plan.ThrottledResponse, 429, "TooManyRequestsException", "Too Many Requests", front}
	case plan.QuotaExceeded:
		return restFault{plan.QuotaExceededResponse, 429, "LimitExceededException", "Limit Exceeded", front}
	case plan.AuthorizerMisconfigured:
		return restFault{plan.AuthorizerConfigurationErrorResponse, 500, "AuthorizerConfigurationException", "", front}
	case plan.AuthorizerFailure:
		// UNVERIFIED: the text.
		return restFault{plan.AuthorizerFailureResponse, 500, "AuthorizerFailureException", internalText, front}
	case plan.ExpiredToken:
		// UNVERIFIED: the text.
		return restFault{plan.ExpiredTokenResponse, 403, "ExpiredTokenException", "The security token included in the request is expired", front}
	case plan.UnrecognizedClient:
		// UNVERIFIED: the type of the gateway response.
		return restFault{plan.InvalidSignatureResponse, 403, "UnrecognizedClientException", "The security token included in the request is invalid.", front}
	case plan.InvalidSignature:
		return restFault{plan.InvalidSignatureResponse, 403, "InvalidSignatureException", wrongSignature, front}
	case plan.BadRequestBody:
		return restFault{plan.BadRequestBodyResponse, 400, badRequest, "Invalid request body", execution}
	case plan.BadRequestParameters:
		return restFault{plan.BadRequestParametersResponse, 400, badRequest, "Missing required request parameters", execution}
	case plan.UnsupportedMediaType:
		return restFault{plan.UnsupportedMediaTypeResponse, 415, badRequest, "Unsupported Media Type", execution}
	case plan.ClientGone:
		// UNVERIFIED: as on HTTP APIs, what operators know of nginx.
		return restFault{plan.Default4XXResponse, 499, badRequest, "Client Closed Request", execution}
	case plan.FunctionFailure:
		return restFault{plan.IntegrationFailureResponse, 502, internalError, internalText, execution}
	case plan.IntegrationFailure:
		return restFault{plan.IntegrationFailureResponse, 500, internalError, internalText, execution}
	case plan.IntegrationUnreachable:
		return restFault{plan.IntegrationFailureResponse, 504, internalError, "Network error communicating with endpoint", execution}
	case plan.IntegrationTimeout:
		return restFault{plan.IntegrationTimeoutResponse, 504, internalError, "Endpoint request timed out", execution}
	case plan.ConfigurationError:
		return restFault{plan.APIConfigurationErrorResponse, 500, internalError, internalText, execution}
	case plan.Overloaded:
		// AWS has no such answer: its memory is others' concern.
		return restFault{plan.Default5XXResponse, 503, "ServiceUnavailableException", "Service Unavailable", execution}
	case plan.NotImplemented:
		return restFault{plan.Default5XXResponse, 501, internalError, "Not Implemented", execution}
	default:
		return restFault{plan.Default5XXResponse, 500, internalError, internalText, execution}
	}
}

// answerRestFault makes the gateway response of a fault.
func (s *Server) answerRestFault(x *plan.Exchange, fault *plan.Fault) {
	x.Response = plan.Response{Headers: x.Response.Headers[:0]}
	if fault.Kind == plan.RequestTooLarge {
		// It comes from before the API: no gateway response applies.
		x.Error = plan.GatewayError{Type: plan.RequestTooLargeResponse, Raised: true, Message: tooLongMessage}
		x.Response.Status, x.Response.Body = 413, []byte(tooLongMessage)
		x.Response.Add("Content-Type", "text/plain")
		return
	}
	f := restFaultOf(fault.Kind)
	if fault.Message != "" {
		f.message = fault.Message
	}
	if fault.Kind == plan.RouteNotFound {
		if authorization, sent := x.Request.Headers.Lookup("authorization"); sent {
			if text := unreadable(authorization, x.Request.Headers); text != "" {
				f.errorType, f.message = incomplete, text
			}
		}
	}
	x.Error = plan.GatewayError{
		Type: f.response, Raised: true, Message: f.message, NoMessage: f.message == "", Validation: fault.Validation,
	}
	x.Response.Status = f.status
	x.Response.Add("Content-Type", "application/json")
	x.Response.Add("x-amzn-ErrorType", f.errorType)
	if reportsTrace(x, fault.Kind) {
		x.Response.Add(traceHeader, x.TraceHeader)
	}
	if x.Stage != nil {
		if custom := x.Stage.Rest.Responses[f.response]; custom != nil {
			custom.Answer(x)
			return
		}
	}
	x.Response.Body = f.body(f.message)
}

// body is the JSON that AWS writes when no gateway response is customised.
func (f *restFault) body(message string) []byte {
	var b bytes.Buffer
	switch {
	case f.response == plan.AccessDeniedResponse:
		b.WriteString(`{"Message":`)
	case f.by == front:
		b.WriteString(`{"message":`)
	default:
		b.WriteString(`{"message": `)
	}
	if message == "" {
		b.WriteString("null}")
		return b.Bytes()
	}
	text := json.NewEncoder(&b)
	text.SetEscapeHTML(false)
	if text.Encode(message) == nil {
		b.Truncate(b.Len() - 1) // the line's end
	}
	b.WriteByte('}')
	return b.Bytes()
}

// reportsTrace tells whether a fault is answered with the request's trace: AWS
// does once a method was executed, and what refuses the caller does if the stage
// has tracing on.
func reportsTrace(x *plan.Exchange, kind plan.FaultKind) bool {
	switch kind {
	case plan.BadRequestBody, plan.BadRequestParameters:
		return true
	case plan.FunctionFailure, plan.IntegrationFailure, plan.IntegrationTimeout:
		return x.Integration.Called && x.Route != nil && x.Route.Rest.ReportsTrace
	case plan.Unauthorized, plan.AccessDenied, plan.RouteNotFound, plan.InvalidAPIKey,
		plan.Unsigned, plan.IncompleteSignature, plan.InvalidSignature, plan.ExpiredToken, plan.UnrecognizedClient:
		return x.Stage != nil && x.Stage.Rest.Tracing
	}
	return false
}

// unreadable is what AWS says of an Authorization header that is no signature,
// "" if it may be one.
func unreadable(authorization string, headers plan.Headers) string {
	_, dated := headers.Lookup("x-amz-date")
	if !dated {
		_, dated = headers.Lookup("date")
	}
	return sigv4.Unreadable(authorization, dated)
}
