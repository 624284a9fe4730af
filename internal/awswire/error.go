package awswire

import "fmt"

// An Error is a failure with the code, status and message AWS gives it. The
// generated packages make one for every modelled error; the codecs write it in
// the protocol of the request.
type Error struct {
	// Code is the shape name, as in "NotFoundException".
	Code string
	// QueryCode is the code awsQuery uses where it differs, as in "NoSuchEntity".
	QueryCode string
	// Status is the HTTP status.
	Status int
	// Server tells that the fault is ours and not the sender's.
	Server bool
	// Message is the text for a person.
	Message string
	// MessageMember is the member the message travels in; empty means "message".
	MessageMember string
	// Members are further modelled members by wire name, as in {"Type": "User"}.
	Members map[string]any
	// Cause is what went wrong inside; it is logged and never sent.
	Cause error
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns the cause, if any.
func (e *Error) Unwrap() error { return e.Cause }

// With returns a copy of e that carries one more modelled member.
func (e *Error) With(member string, value any) *Error {
	c := *e
	c.Members = make(map[string]any, len(e.Members)+1)
	for k, v := range e.Members {
		c.Members[k] = v
	}
	c.Members[member] = value
	return &c
}

// NotImplemented is the answer of an operation this gateway doesn't have yet.
// The status is 501 and the code one that no SDK retries.
func NotImplemented(service, operation string) *Error {
	return &Error{
		Code:    "NotImplementedException",
		Status:  501,
		Message: fmt.Sprintf("gatehouse does not implement %s:%s yet; docs/COVERAGE.md lists what it does.", service, operation),
	}
}
