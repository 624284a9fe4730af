package vtl

import "fmt"

// An Error is why a template doesn't parse or doesn't render, and where in it.
type Error struct {
	// Line and Column count from 1; columns are bytes.
	Line, Column int
	Reason       string
	// Body tells that the message, not the template, is at fault: a path was asked
	// for in what isn't JSON.
	Body bool
}

// Error is the reason behind its place.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}
