package plan

// What only REST APIs have. Stages and routes of other APIs have nil for it.

// A RestStage is what a stage of a REST API has beside what every stage has.
type RestStage struct {
	// Responses are the stage's gateway responses by ResponseType; nil entries
	// are answered as AWS does by default.
	Responses [ResponseTypes]GatewayResponse
	// BinaryTypes are the media types whose bodies are bytes, not text.
	BinaryTypes MediaTypes
	// MinCompression is the smallest body that is compressed; negative for none.
	MinCompression int
	// ExecutionLog takes what is written of the execution of requests; nil when
	// no method of the stage logs.
	ExecutionLog ExecutionLog
	// Tracing tells that the stage has X-Ray tracing on.
	Tracing bool
	// Canary is what a part of the requests is served by; nil without one.
	Canary *Canary
	// IsCanary tells that the stage is a canary itself.
	IsCanary bool
}

// A Canary takes a share of the requests of its stage.
type Canary struct {
	// Stage has a deployment and variables of its own.
	Stage *Stage
	// Percent is the share, from 0 to 100.
	Percent float64
}

// A Method is what a route of a REST API has beside what every route has: it is
// a method of a resource.
type Method struct {
	// ResourceID is the id of the resource; routes of one resource share it.
	ResourceID string
	// OperationName is what SDKs call the method, "" for none.
	OperationName string
	// APIKey checks the API key; nil when the method asks for none.
	APIKey APIKeyCheck
	// Validator checks the parameters and the body of requests; nil without one.
	Validator Validator
	// Cache is how responses are cached; nil when they aren't.
	Cache *MethodCache
	// Log is how much of the method's requests the execution log takes.
	Log ExecutionLogging
	// ReportsTrace tells that successes carry X-Amzn-Trace-Id.
	ReportsTrace bool
	// Streams tells that responses go out while they come (responseTransferMode
	// STREAM): they are never compressed.
	Streams bool
}

// An APIKeyCheck sets APIKeyID of the exchange or returns a *Fault.
type APIKeyCheck interface {
	CheckAPIKey(x *Exchange) error
}

// A Validator lets a request pass or returns a *Fault.
type Validator interface {
	Validate(x *Exchange) error
}

// A ResponseType is a kind of gateway response.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
type ResponseType uint8

// The types of gateway responses, in the order of their names.
const (
	AccessDeniedResponse ResponseType = iota
	APIConfigurationErrorResponse
	AuthorizerConfigurationErrorResponse
	AuthorizerFailureResponse
	BadRequestBodyResponse
	BadRequestParametersResponse
	Default4XXResponse
	Default5XXResponse
	ExpiredTokenResponse
	IntegrationFailureResponse
	IntegrationTimeoutResponse
	InvalidAPIKeyResponse
	InvalidSignatureResponse
	MissingAuthenticationTokenResponse
	QuotaExceededResponse
	RequestTooLargeResponse
	ResourceNotFoundResponse
	ThrottledResponse
	UnauthorizedResponse
	UnsupportedMediaTypeResponse
	WAFFilteredResponse
	// ResponseTypes is how many there are.
	ResponseTypes
)

var responseTypeNames = [ResponseTypes]string{
	AccessDeniedResponse:                 "ACCESS_DENIED",
	APIConfigurationErrorResponse:        "API_CONFIGURATION_ERROR",
	AuthorizerConfigurationErrorResponse: "AUTHORIZER_CONFIGURATION_ERROR",
	AuthorizerFailureResponse:            "AUTHORIZER_FAILURE",
	BadRequestBodyResponse:               "BAD_REQUEST_BODY",
	BadRequestParametersResponse:         "BAD_REQUEST_PARAMETERS",
	Default4XXResponse:                   "DEFAULT_4XX",
	Default5XXResponse:                   "DEFAULT_5XX",
	ExpiredTokenResponse:                 "EXPIRED_TOKEN",
	IntegrationFailureResponse:           "INTEGRATION_FAILURE",
	IntegrationTimeoutResponse:           "INTEGRATION_TIMEOUT",
	InvalidAPIKeyResponse:                "INVALID_API_KEY",
	InvalidSignatureResponse:             "INVALID_SIGNATURE",
	MissingAuthenticationTokenResponse:   "MISSING_AUTHENTICATION_TOKEN",
	QuotaExceededResponse:                "QUOTA_EXCEEDED",
	RequestTooLargeResponse:              "REQUEST_TOO_LARGE",
	ResourceNotFoundResponse:             "RESOURCE_NOT_FOUND",
	ThrottledResponse:                    "THROTTLED",
	UnauthorizedResponse:                 "UNAUTHORIZED",
	UnsupportedMediaTypeResponse:         "UNSUPPORTED_MEDIA_TYPE",
	WAFFilteredResponse:                  "WAF_FILTERED",
}

// String returns AWS's name of the type.
func (t ResponseType) String() string { return responseTypeNames[t] }

// ParseResponseType returns the type of a name.
func ParseResponseType(name string) (ResponseType, bool) {
	for t, n := range responseTypeNames {
		if n == name {
			return ResponseType(t), true
		}
	}
	return 0, false
}

// A GatewayResponse makes the response of a gateway error that was customised.
// x.Error says what happened; x.Response has the default status and headers and
// no body.
type GatewayResponse interface {
	Answer(x *Exchange)
}

// A GatewayError is what $context.error says.
type GatewayError struct {
	// Type is the type of gateway response, good if Raised is set.
	Type   ResponseType
	Raised bool
	// Message is the text for the client; NoMessage tells that it is null.
	Message   string
	NoMessage bool
	// Validation says what is wrong with a request body, "" for other errors.
	Validation string
}

// MediaTypes is a set of media types, of which "type/*" and "*/*" stand for
// many.
type MediaTypes struct {
	all      bool
	types    []string // "image/png"
	families []string // "image/", of "image/*"
}

// NewMediaTypes returns the set of the types as an API lists them. An entry
// with another wildcard never matches.
func NewMediaTypes(list []string) MediaTypes {
	var m MediaTypes
	for _, t := range list {
		switch {
		case t == "*/*":
			m.all = true
		case len(t) > 2 && t[len(t)-2:] == "/*":
			m.families = append(m.families, t[:len(t)-1])
		default:
			m.types = append(m.types, t)
		}
	}
	return m
}

// Empty tells whether nothing is in the set.
func (m *MediaTypes) Empty() bool { return !m.all && len(m.types)+len(m.families) == 0 }

// Has tells whether the media type, without parameters, is in the set.
func (m *MediaTypes) Has(mediaType string) bool {
	if m.Empty() || mediaType == "" {
		return false
	}
	for _, t := range m.types {
		if EqualFold(t, mediaType) {
			return true
		}
	}
	for _, f := range m.families {
		if len(mediaType) > len(f) && EqualFold(mediaType[:len(f)], f) {
			return true
		}
	}
	return m.all && hasSlash(mediaType)
}

func hasSlash(text string) bool {
	for i := range len(text) {
		if text[i] == '/' {
			return true
		}
	}
	return false
}

// AcceptsBinary tells whether the client of a REST API takes bytes: the first
// media type that it accepts is one of the API's binary types. What the response
// is doesn't matter.
func (x *Exchange) AcceptsBinary() bool {
	return x.Stage.Rest.BinaryTypes.Has(MediaType(x.Request.Headers.Get("accept")))
}

// MediaType returns the first media type of a Content-Type or Accept header
// without its parameters.
func MediaType(header string) string {
	start := 0
	for start < len(header) && (header[start] == ' ' || header[start] == '\t') {
		start++
	}
	end := start
	for end < len(header) && header[end] != ';' && header[end] != ',' {
		end++
	}
	for end > start && (header[end-1] == ' ' || header[end-1] == '\t') {
		end--
	}
	return header[start:end]
}
