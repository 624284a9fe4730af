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

// bodyPaths are the JSONPaths that a mapping looks for in a body. The template
// language has the paths; one template looks for all of them, so that a long
// body is read once.
type bodyPaths struct {
	body func(*plan.Exchange) []byte
	text strings.Builder
	n    int
	find *vtl.Template
}

// A bodyPath is what one of them finds: $input.json, without the quotes of a
// string.
type bodyPath struct {
	all   *bodyPaths
	index int
}

// betweenPaths ends what a path finds. JSON has no such character.
const betweenPaths = "\x00"

// add adds a path, as it stands in an expression without its "$.".
func (p *bodyPaths) add(path string) (bodyPath, error) {
	if path == "" || strings.ContainsAny(path, "'\\\n\x00") && strings.ContainsAny(path, "\"\x00") {
		return bodyPath{}, &ExpressionError{path}
	}
	quote := "'"
	if strings.Contains(path, quote) {
		quote = `"`
	}
	argument := quote + "$." + strings.TrimPrefix(path, "$.") + quote
	text := "#if($input.path(" + argument + ") != $null)=$input.json(" + argument + ")#end"
	if _, err := vtl.Parse(text); err != nil {
		return bodyPath{}, &ExpressionError{path}
	}
	p.text.WriteString(text)
	p.text.WriteString(betweenPaths)
	p.n++
	return bodyPath{p, p.n - 1}, nil
}

// compile readies what was added.
func (p *bodyPaths) compile() error {
	if p.n == 0 {
		return nil
	}
	var err error
	p.find, err = vtl.Parse(p.text.String())
	return err
}

// found is what the paths find in a body, each behind a "=", or "" for nothing.
func (p *bodyPaths) found(x *plan.Exchange, body []byte) []string {
	defer x.Turns.Give(x.Turns.Take(len(body)))
	out, err := p.find.Render(nil, &vtl.Scope{Body: body})
	if err != nil {
		return make([]string, p.n)
	}
	return strings.SplitN(asText(out), betweenPaths, p.n+1)[:p.n]
}

func (s bodyPath) value(x *plan.Exchange) (string, bool) {
	if x.Extracted.By != s.all {
		x.Extracted = plan.Extracted{By: s.all, Values: s.all.found(x, s.all.body(x))}
	}
	return unquoted(x.Extracted.Values[s.index])
}

// in is what the path finds in another body than that of the mapping.
func (s bodyPath) in(x *plan.Exchange, body []byte) (string, bool) {
	return unquoted(s.all.found(x, body)[s.index])
}

// unquoted is the value of what a path found.
func unquoted(found string) (string, bool) {
	if found == "" {
		return "", false
	}
	value := found[1:]
	if value == "" || value[0] != '"' {
		return value, true
	}
	var text string
	if json.Unmarshal([]byte(value), &text) != nil {
		return "", false
	}
	return text, true
}

// errorMessage is the member of a failed function's answer that may be JSON
// again, in a string.
const errorMessage = "errorMessage"

// An errorPath is a path that leads into errorMessage: what a function threw can
// be a document of its own.
type errorPath struct{ direct, message, within bodyPath }

// addResponse adds a path into the body of an integration's response.
func (p *bodyPaths) addResponse(path string) (source, error) {
	inner, leads := strings.CutPrefix(path, errorMessage+".")
	if !leads {
		return p.add(path)
	}
	var s errorPath
	var err error
	if s.direct, err = p.add(path); err != nil {
		return nil, err
	}
	if s.message, err = p.add(errorMessage); err != nil {
		return nil, err
	}
	var within bodyPaths
	if s.within, err = within.add(inner); err != nil {
		return nil, err
	}
	s.within.all = &within
	return s, within.compile()
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
