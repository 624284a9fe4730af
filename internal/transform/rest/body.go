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
func newBodyPath(path string, body func(*plan.Exchange) []byte) (source, error) {
	if path == "" || strings.ContainsAny(path, "'\\\n") && strings.Contains(path, `"`) {
		return nil, &ExpressionError{path}
	}
	quote := "'"
	if strings.Contains(path, quote) {
		quote = `"`
	}
	argument := quote + "$." + strings.TrimPrefix(path, "$.") + quote
	find, err := vtl.Parse("#if($input.path(" + argument + ") != $null)=$input.json(" + argument + ")#end")
	if err != nil {
		return nil, &ExpressionError{path}
	}
	return bodyPath{find, body}, nil
}

func (s bodyPath) value(x *plan.Exchange) (string, bool) {
	found, err := s.find.Render(nil, &vtl.Scope{Body: s.body(x)})
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
