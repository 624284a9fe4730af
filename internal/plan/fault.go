package plan

// A FaultKind names a failure the gateway itself answers for. serve turns the
// kind into status, headers and body as each API type words them.
type FaultKind uint8

// The kinds of fault.
const (
	BadRequest FaultKind = iota + 1
	Unauthorized
	AccessDenied
	RouteNotFound
	RequestTooLarge
	URITooLong
	HeadersTooLarge
	Throttled
	IntegrationFailure // the backend could not be called or answered nonsense: 500
	IntegrationTimeout
	IntegrationUnreachable
	ClientGone // nobody reads the answer; it is for logs and metrics
	InternalFailure
	NotImplemented
	Overloaded // there is no memory for the body at the moment: 503

	// What only REST APIs tell apart.

	Forbidden            // no stage, or one that is closed
	BadRequestBody       // the body isn't what the model says
	BadRequestParameters // a required parameter is missing
	UnsupportedMediaType
	ConfigurationError // the API's own definition is at fault: 500
	FunctionFailure    // the function failed or answered nonsense: 502
	InvalidAPIKey
	QuotaExceeded
	AuthorizerMisconfigured // it can't be called or answers nonsense: 500 without a message
	AuthorizerFailure       // it failed or took too long: 500
	Unsigned                // the request has no signature
	IncompleteSignature     // it has one that can't be read
	InvalidSignature
	ExpiredToken       // the signature is that of a session that has ended
	UnrecognizedClient // nobody has the signature's access key

	// What only WebSocket APIs tell apart.

	UpgradeRequired // not a WebSocket handshake
)

// A Fault is a failure as a value. Steps return it; only serve makes bytes of it.
type Fault struct {
	Kind FaultKind
	// Reason says what went wrong in words for the operator (logs, explain).
	// It is never sent to a client.
	Reason string
	// Cause is the underlying error, if there is one.
	Cause error
	// Message is what a client of a REST API is told in place of the kind's own
	// text, "" for that. Validation is $context.error.validationErrorString.
	Message, Validation string
	// Challenge is the value of www-authenticate of an HTTP API's answer, "" for
	// no such header.
	Challenge string
}

func (f *Fault) Error() string { return f.Reason }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Cause }
