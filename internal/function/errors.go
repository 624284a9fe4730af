package function

import "fmt"

// Kind says why an invocation never reached the function.
type Kind int

// The service-level failures.
const (
	// Throttled: the function's reserved concurrency or the account's is used up; Error.Reason says which.
	Throttled Kind = iota + 1
	// RequestTooLarge: the payload is over 6 MB.
	RequestTooLarge
	// UnsupportedRuntime: the runtime isn't one that can be run (any more).
	UnsupportedRuntime
	// InterpreterMissing: the host lacks the program that runs this runtime; the message says what to install.
	InterpreterMissing
	// StartFailed: the host couldn't start the process.
	StartFailed
	// Unavailable: the version was retired or the manager closed.
	Unavailable
)

// Throttling reasons, as in TooManyRequestsException.
const (
	ReasonReserved = "ReservedFunctionConcurrentInvocationLimitExceeded"
	ReasonAccount  = "ConcurrentInvocationLimitExceeded"
)

// Error is a service-level failure of an invocation. What the function itself did wrong is in [Result].
type Error struct {
	Kind    Kind
	Message string
	Reason  string // of a throttle
	Err     error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// AWSType is the exception that AWS's Invoke answers for this failure.
func (e *Error) AWSType() string {
	switch e.Kind {
	case Throttled:
		return "TooManyRequestsException"
	case RequestTooLarge:
		return "RequestTooLargeException"
	case UnsupportedRuntime, InterpreterMissing:
		return "InvalidRuntimeException"
	default:
		return "ServiceException"
	}
}

// Status is the HTTP status that AWS's Invoke answers for this failure.
func (e *Error) Status() int {
	switch e.Kind {
	case Throttled:
		return 429
	case RequestTooLarge:
		return 413
	default:
		return 502
	}
}

func throttled(reason string) *Error {
	return &Error{Kind: Throttled, Message: "Rate Exceeded.", Reason: reason}
}

func refusef(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}
