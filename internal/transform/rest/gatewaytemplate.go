package rest

import (
	"strings"
	"unicode/utf8"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

// A gatewayTemplate is the body of a gateway response for one media type. It is
// no VTL: references are replaced, and that is all.
type gatewayTemplate struct {
	// contentType is the key of the template, mediaType that without parameters.
	contentType, mediaType string
	parts                  []gatewayPart
	tail                   string
	// escape is what the media type asks of text that is put in; nil for nothing.
	escape contextvar.Escape
}

// A gatewayPart is literal text and the reference behind it.
type gatewayPart struct {
	literal string
	value   gatewayValue
}

// A gatewayValue is what a reference stands for.
type gatewayValue interface {
	// append appends the value, with text from outside escaped, and tells
	// whether there is any.
	append(dst []byte, x *plan.Exchange, escape contextvar.Escape) ([]byte, bool)
}

// parseGatewayTemplate compiles a template. What looks like no reference is
// text.
func parseGatewayTemplate(key, text string, stage map[string]string) gatewayTemplate {
	t := gatewayTemplate{contentType: key, mediaType: plan.MediaType(key)}
	if isJSON(t.mediaType) {
		t.escape = appendJSONEscaped
	}
	literal := 0
	for i := 0; i < len(text); {
		if text[i] != '$' {
			i++
			continue
		}
		v, length := parseGatewayReference(text[i+1:], stage)
		if v == nil {
			i++
			continue
		}
		t.parts = append(t.parts, gatewayPart{text[literal:i], v})
		i += 1 + length
		literal = i
	}
	t.tail = text[literal:]
	return t
}

// isJSON tells whether bodies of a media type are JSON.
func isJSON(mediaType string) bool {
	mediaType = strings.ToLower(mediaType)
	return strings.HasSuffix(mediaType, "/json") || strings.HasSuffix(mediaType, "+json")
}

// render makes the body. Text that is put into JSON is escaped: AWS answers
// "$context.error.validationErrorString", whose text has quotes in it, with JSON.
// UNVERIFIED: that a reference without a value leaves nothing, and that text in
// bodies of other types stays as it is.
func (t *gatewayTemplate) render(x *plan.Exchange) []byte {
	var body []byte
	for i := range t.parts {
		body = append(body, t.parts[i].literal...)
		body, _ = t.parts[i].value.append(body, x, t.escape)
	}
	return append(body, t.tail...)
}

// parseGatewayReference reads the reference that text, which stood behind a "$",
// begins with. It returns nil for none.
func parseGatewayReference(text string, stage map[string]string) (v gatewayValue, length int) {
	name, prefix := "", ""
	for _, prefix = range [...]string{"context.", "stageVariables.", "method.request."} {
		if rest, found := strings.CutPrefix(text, prefix); found {
			name = rest[:referenceLen(rest, prefix == "method.request.")]
			break
		}
	}
	if name == "" {
		return nil, 0
	}
	v, ok := newGatewayValue(prefix, name, stage)
	if !ok {
		return nil, 0
	}
	return v, len(prefix) + len(name)
}

// referenceLen is how long the name is that text begins with. Names of
// parameters have more characters than those of variables.
func referenceLen(text string, parameter bool) int {
	if !parameter {
		return contextvar.NameLen(text)
	}
	end := 0
	for end < len(text) {
		c := text[end]
		if c != '.' && c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			break
		}
		end++
	}
	for end > 0 && text[end-1] == '.' {
		end--
	}
	return end
}

// parseGatewayParameter compiles the value of a header of a gateway response.
func parseGatewayParameter(text string, stage map[string]string) (gatewayValue, bool) {
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return gatewayText(text[1 : len(text)-1]), true
	}
	for _, prefix := range [...]string{"context.", "stageVariables.", "method.request."} {
		if name, found := strings.CutPrefix(text, prefix); found {
			return newGatewayValue(prefix, name, stage)
		}
	}
	return nil, false
}

// newGatewayValue is the value of a name below one of the prefixes.
func newGatewayValue(prefix, name string, stage map[string]string) (gatewayValue, bool) {
	switch prefix {
	case "context.":
		v, known := contextvar.LookupREST(name)
		return gatewayContext{v}, known
	case "stageVariables.":
		value, found := stage[name]
		if !found {
			return gatewayNothing{}, true
		}
		return gatewayText(value), true
	}
	place, name, found := strings.Cut(name, ".")
	if !found || name == "" {
		return nil, false
	}
	switch place {
	case "header":
		return gatewayParameter{headerSource(name)}, true
	case "querystring":
		return gatewayParameter{querySource(name)}, true
	case "path":
		return gatewayParameter{pathSource(name)}, true
	}
	return nil, false
}

// gatewayText is text that is known.
type gatewayText string

func (v gatewayText) append(dst []byte, _ *plan.Exchange, escape contextvar.Escape) ([]byte, bool) {
	return appendAs(dst, string(v), escape), true
}

// gatewayNothing has no value.
type gatewayNothing struct{}

func (gatewayNothing) append(dst []byte, _ *plan.Exchange, _ contextvar.Escape) ([]byte, bool) {
	return dst, false
}

// A gatewayContext is a variable of $context.
type gatewayContext struct{ variable contextvar.Variable }

func (v gatewayContext) append(dst []byte, x *plan.Exchange, escape contextvar.Escape) ([]byte, bool) {
	return v.variable.Append(dst, x, 0, escape)
}

// A gatewayParameter is a parameter of the request.
type gatewayParameter struct{ source }

func (v gatewayParameter) append(dst []byte, x *plan.Exchange, escape contextvar.Escape) ([]byte, bool) {
	value, found := v.value(x)
	if !found {
		return dst, false
	}
	return appendAs(dst, value, escape), true
}

func appendAs(dst []byte, text string, escape contextvar.Escape) []byte {
	if escape == nil {
		return append(dst, text...)
	}
	return escape(dst, text)
}

// appendJSONEscaped appends text as it stands between the quotes of a string of
// JSON. What is no UTF-8 becomes U+FFFD.
func appendJSONEscaped(dst []byte, text string) []byte {
	const digits = "0123456789abcdef"
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return dst
}
