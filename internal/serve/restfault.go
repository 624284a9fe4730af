package serve

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"gatehouse/internal/plan"
)

// A restFault is how a REST API answers a kind of fault unless its gateway
// responses say otherwise.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
type restFault struct {
	response           plan.ResponseType
	status             int
	errorType, message string
	// front tells that AWS's front answers and not what executes methods: each
	// writes JSON in a manner of its own.
	front bool
}

const (
	badRequest     = "BadRequestException"
	internalError  = "InternalServerErrorException"
	internalText   = "Internal server error"
	forbidden      = "ForbiddenException"
	missingToken   = "MissingAuthenticationTokenException"
	incomplete     = "IncompleteSignatureException"
	tooLongMessage = "HTTP content length exceeded 10485760 bytes."
)

// restFaultOf is how a kind of fault is answered. UNVERIFIED marks what nobody
// is known to have recorded.
func restFaultOf(kind plan.FaultKind) restFault {
	switch kind {
	case plan.BadRequest:
		// UNVERIFIED: a request that isn't HTTP.
		return restFault{plan.Default4XXResponse, 400, badRequest, "Bad Request", true}
	case plan.Unauthorized:
		return restFault{plan.UnauthorizedResponse, 401, "UnauthorizedException", "Unauthorized", true}
	case plan.AccessDenied:
		return restFault{plan.AccessDeniedResponse, 403, "AccessDeniedException", "User is not authorized to access this resource", true}
	case plan.RouteNotFound:
		return restFault{plan.MissingAuthenticationTokenResponse, 403, missingToken, "Missing Authentication Token", true}
	case plan.Forbidden:
		return restFault{plan.Default4XXResponse, 403, forbidden, "Forbidden", true}
	case plan.InvalidAPIKey:
		return restFault{plan.InvalidAPIKeyResponse, 403, forbidden, "Forbidden", true}
	case plan.URITooLong:
		// UNVERIFIED: the kind of error.
		return restFault{plan.Default4XXResponse, 414, badRequest, "Request-URI Too Long", true}
	case plan.HeadersTooLarge:
		// UNVERIFIED: status and text.
		return restFault{plan.Default4XXResponse, 431, badRequest, "Request Header Fields Too Large", true}
	case plan.Throttled:
		return restFault{plan.ThrottledResponse, 429, "TooManyRequestsException", "Too Many Requests", true}
	case plan.QuotaExceeded:
		return restFault{plan.QuotaExceededResponse, 429, "LimitExceededException", "Limit Exceeded", true}
	case plan.BadRequestBody:
		return restFault{plan.BadRequestBodyResponse, 400, badRequest, "Invalid request body", false}
	case plan.BadRequestParameters:
		return restFault{plan.BadRequestParametersResponse, 400, badRequest, "Missing required request parameters", false}
	case plan.UnsupportedMediaType:
		return restFault{plan.UnsupportedMediaTypeResponse, 415, badRequest, "Unsupported Media Type", false}
	case plan.ClientGone:
		// UNVERIFIED: as on HTTP APIs, what operators know of nginx.
		return restFault{plan.Default4XXResponse, 499, badRequest, "Client Closed Request", false}
	case plan.FunctionFailure:
		return restFault{plan.IntegrationFailureResponse, 502, internalError, internalText, false}
	case plan.IntegrationFailure:
		return restFault{plan.IntegrationFailureResponse, 500, internalError, internalText, false}
	case plan.IntegrationUnreachable:
		return restFault{plan.IntegrationFailureResponse, 504, internalError, "Network error communicating with endpoint", false}
	case plan.IntegrationTimeout:
		return restFault{plan.IntegrationTimeoutResponse, 504, internalError, "Endpoint request timed out", false}
	case plan.ConfigurationError:
		return restFault{plan.APIConfigurationErrorResponse, 500, internalError, internalText, false}
	case plan.NotImplemented:
		return restFault{plan.Default5XXResponse, 501, internalError, "Not Implemented", false}
	default:
		return restFault{plan.Default5XXResponse, 500, internalError, internalText, false}
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
			if text := unsigned(authorization); text != "" {
				f.errorType, f.message = incomplete, text
			}
		}
	}
	x.Error = plan.GatewayError{Type: f.response, Raised: true, Message: f.message, Validation: fault.Validation}
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
	case f.front:
		b.WriteString(`{"message":`)
	default:
		b.WriteString(`{"message": `)
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
// does once a method was executed.
func reportsTrace(x *plan.Exchange, kind plan.FaultKind) bool {
	switch kind {
	case plan.BadRequestBody, plan.BadRequestParameters:
		return true
	case plan.FunctionFailure, plan.IntegrationFailure, plan.IntegrationTimeout:
		return x.Integration.Called && x.Route != nil && x.Route.Rest.ReportsTrace
	}
	return false
}

// unsigned is what AWS says of an Authorization header that is no signature,
// "" if it may be one.
func unsigned(authorization string) string {
	algorithm, parameters, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	if algorithm == "" {
		return ""
	}
	found := map[string]bool{}
	for parameter := range strings.SplitSeq(parameters, ",") {
		parameter = strings.TrimSpace(parameter)
		if parameter == "" {
			continue
		}
		key, _, ok := strings.Cut(parameter, "=")
		if !ok {
			sum := sha256.Sum256([]byte(authorization))
			return "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '" +
				base64.StdEncoding.EncodeToString(sum[:]) + "'."
		}
		found[key] = true
	}
	text := ""
	for _, key := range [...]string{"Credential", "Signature", "SignedHeaders"} {
		if !found[key] {
			text += "Authorization header requires '" + key + "' parameter. "
		}
	}
	if text == "" {
		return ""
	}
	// UNVERIFIED: that the missing date is told only with other things missing.
	return text + "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=" + authorization
}
