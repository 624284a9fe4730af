package domain

import (
	"errors"
	"fmt"

	"gatehouse/internal/store"
)

// A Kind says which of a face's errors an Error becomes.
type Kind uint8

// The kinds of errors.
const (
	BadRequest Kind = iota
	NotFound
	Conflict
)

// An Error is a refusal in AWS's words.
type Error struct {
	Kind    Kind
	Message string
}

func (e *Error) Error() string { return e.Message }

// A Failure is the gateway's own, a full disk perhaps: what it says is for the
// operator.
type Failure struct{ Err error }

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

func badRequest(format string, args ...any) error {
	return &Error{BadRequest, fmt.Sprintf(format, args...)}
}

func notFound(message string) error { return &Error{NotFound, message} }

func conflict(message string) error { return &Error{Conflict, message} }

// missing words the store's not-found, and leaves other errors as they are.
func missing(err error, message string) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound(message)
	}
	return err
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
