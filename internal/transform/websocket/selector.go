package websocket

import (
	"fmt"
	"strings"
	"unsafe"

	"gatehouse/internal/plan"
	"gatehouse/internal/transform"
)

// A Selector is a compiled selection expression.
type Selector struct {
	parts []part
	// tail is the text behind the last source.
	tail string
}

var _ plan.Selector = (*Selector)(nil)

// A part is literal text and the source of more behind it.
type part struct {
	literal string
	source  source
}

// A source appends what a reference says of an exchange, nothing when it leads
// nowhere.
type source interface {
	append(dst []byte, x *plan.Exchange) []byte
}

// An ExpressionError refuses a selection expression.
type ExpressionError struct{ Expression string }

func (e *ExpressionError) Error() string {
	return fmt.Sprintf("%q isn't a selection expression", e.Expression)
}

// NewRequestSelector reads an expression about a message: its references begin
// with "request.body". The error is an *ExpressionError.
func NewRequestSelector(text string) (*Selector, error) { return parse(text, requestSource) }

// NewResponseSelector reads an expression about a message and what its
// integration answered: references begin with "request.body" or
// "integration.response". The error is an *ExpressionError.
func NewResponseSelector(text string) (*Selector, error) { return parse(text, responseSource) }

// Select implements plan.Selector.
func (s *Selector) Select(x *plan.Exchange) string {
	if len(s.parts) == 0 {
		return s.tail
	}
	start := len(x.Scratch)
	for i := range s.parts {
		x.Scratch = append(x.Scratch, s.parts[i].literal...)
		x.Scratch = s.parts[i].source.append(x.Scratch, x)
	}
	x.Scratch = append(x.Scratch, s.tail...)
	return unsafe.String(unsafe.SliceData(x.Scratch[start:]), len(x.Scratch)-start)
}

// parse reads an expression: one reference, "$name", or text with references in
// braces, "${name}". A dollar sign behind a backslash is itself, and so is that
// of the keys that begin with one.
func parse(text string, find func(name string) source) (*Selector, error) {
	s := &Selector{}
	switch text {
	case "":
		return nil, &ExpressionError{text}
	case "$default", plan.ConnectRouteKey, plan.DisconnectRouteKey:
		s.tail = text
		return s, nil
	}
	if name, found := strings.CutPrefix(text, "$"); found && !strings.HasPrefix(name, "{") {
		from := find(name)
		if from == nil {
			return nil, &ExpressionError{text}
		}
		s.add(from)
		return s, nil
	}
	for rest := text; rest != ""; {
		i := strings.IndexAny(rest, `\$`)
		if i < 0 {
			s.tail += rest
			break
		}
		s.tail += rest[:i]
		rest = rest[i:]
		switch {
		case strings.HasPrefix(rest, `\$`):
			s.tail += "$"
			rest = rest[2:]
		case strings.HasPrefix(rest, "${"):
			name, behind, closed := strings.Cut(rest[2:], "}")
			from := find(name)
			if !closed || from == nil {
				return nil, &ExpressionError{text}
			}
			s.add(from)
			rest = behind
		default:
			s.tail += rest[:1]
			rest = rest[1:]
		}
	}
	return s, nil
}

func (s *Selector) add(from source) {
	s.parts = append(s.parts, part{s.tail, from})
	s.tail = ""
}

func requestSource(name string) source {
	path, ok := strings.CutPrefix(name, "request.body")
	if !ok {
		return nil
	}
	if path == "" {
		return wholeBody{}
	}
	if p, ok := transform.ParsePath(path); ok {
		return requestBody{p}
	}
	return nil
}

func responseSource(name string) source {
	after, ok := strings.CutPrefix(name, "integration.response.")
	if !ok {
		return requestSource(name)
	}
	if after == "statuscode" {
		return status{}
	}
	if header, ok := strings.CutPrefix(after, "header."); ok && header != "" {
		return lastHeader(header)
	}
	if header, ok := strings.CutPrefix(after, "multivalueheader."); ok && header != "" {
		return allHeaders(header)
	}
	if path, ok := strings.CutPrefix(after, "body"); ok {
		if p, ok := transform.ParsePath(path); ok {
			return responseBody{p}
		}
	}
	return nil
}
