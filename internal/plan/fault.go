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
)

// A Fault is a failure as a value. Steps return it; only serve makes bytes of it.
type Fault struct {
	Kind FaultKind
	// Reason says what went wrong in words for the operator (logs, explain).
	// It is never sent to a client.
	Reason string
	// Cause is the underlying error, if there is one.
	Cause error
}

func (f *Fault) Error() string { return f.Reason }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Cause }
