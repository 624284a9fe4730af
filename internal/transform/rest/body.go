package rest

import (
	"encoding/json"
	"strings"
	"unsafe"

	"gatehouse/internal/plan"
	"gatehouse/internal/transform/vtl"
)

// requestBody is the whole body of the request; an empty one reads as {}.
type requestBody struct{}

func (requestBody) value(x *plan.Exchange) (string, bool) {
	body := requestBytes(x)
	if len(body) == 0 {
		return "{}", true
	}
	return asText(body), true
}

// responseBody is the whole body of the integration's response.
type responseBody struct{}

func (responseBody) value(x *plan.Exchange) (string, bool) { return asText(x.Response.Body), true }

// readable tells whether parameters can come from a body. What begins as JSON
// does has to be JSON.
//
// UNVERIFIED: that, which only another implementation says.
func readable(body []byte) bool {
	return len(body) == 0 || !strings.ContainsRune("{[\"'", rune(body[0])) || json.Valid(body)
}

func requestBytes(x *plan.Exchange) []byte { return x.Request.Body }

func responseBytes(x *plan.Exchange) []byte { return x.Response.Body }

func asText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// A bodyPath is what a JSONPath finds in a body. The template language has the
// paths; this is its $input.json, without the quotes of a string.
type bodyPath struct {
	find *vtl.Template
	body func(*plan.Exchange) []byte
}

// newBodyPath compiles a path that stands in an expression without its "$.".
func newBodyPath(path string, body func(*plan.Exchange) []byte) (bodyPath, error) {
	if path == "" || strings.ContainsAny(path, "'\\\n") && strings.Contains(path, `"`) {
		return bodyPath{}, &ExpressionError{path}
	}
	quote := "'"
	if strings.Contains(path, quote) {
		quote = `"`
	}
	argument := quote + "$." + strings.TrimPrefix(path, "$.") + quote
	find, err := vtl.Parse("#if($input.path(" + argument + ") != $null)=$input.json(" + argument + ")#end")
	if err != nil {
		return bodyPath{}, &ExpressionError{path}
	}
	return bodyPath{find, body}, nil
}

func (s bodyPath) value(x *plan.Exchange) (string, bool) { return s.in(x, s.body(x)) }

// in is what the path finds in a body.
func (s bodyPath) in(x *plan.Exchange, body []byte) (string, bool) {
	defer x.Turns.Give(x.Turns.Take(len(body)))
	found, err := s.find.Render(nil, &vtl.Scope{Body: body})
	if err != nil || len(found) == 0 {
		return "", false
	}
	value := found[1:]
	if len(value) == 0 || value[0] != '"' {
		return asText(value), true
	}
	var unquoted string
	if json.Unmarshal(value, &unquoted) != nil {
		return "", false
	}
	return unquoted, true
}

// errorMessage is the member of a failed function's answer that may be JSON
// again, in a string.
const errorMessage = "errorMessage"

// An errorPath is a path that leads into errorMessage: what a function threw can
// be a document of its own.
type errorPath struct{ direct, message, within bodyPath }

// newResponsePath compiles a path into the body of an integration's response.
func newResponsePath(path string) (source, error) {
	inner, leads := strings.CutPrefix(path, errorMessage+".")
	if !leads {
		return newBodyPath(path, responseBytes)
	}
	var s errorPath
	var err error
	if s.direct, err = newBodyPath(path, responseBytes); err != nil {
		return nil, err
	}
	if s.message, err = newBodyPath(errorMessage, responseBytes); err != nil {
		return nil, err
	}
	s.within, err = newBodyPath(inner, nil)
	return s, err
}

func (s errorPath) value(x *plan.Exchange) (string, bool) {
	if text, ok := s.direct.value(x); ok || !x.Integration.Failed {
		return text, ok
	}
	text, ok := s.message.value(x)
	if !ok {
		return "", false
	}
	return s.within.in(x, []byte(text))
}
