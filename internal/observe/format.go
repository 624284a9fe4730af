package observe

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/plan"
)

// MaxFormatBytes is the longest access log format that API Gateway takes.
const MaxFormatBytes = 3 << 10

// contextPrefix begins a variable.
const contextPrefix = "$context."

// A Format is an access log format, parsed.
type Format struct {
	parts []part
	// escape appends text from outside so that it can't break a line.
	escape func([]byte, string) []byte
}

// A part is literal text and the variable behind it, nil at the end.
type part struct {
	text     string
	variable variable
}

// A variable appends its value for a line of format f and tells whether there
// was one. Text from outside passes f.escape, so that it can't break the line.
type variable func(dst []byte, f *Format, x *plan.Exchange, latency time.Duration) ([]byte, bool)

// ParseFormat parses an access log format: one line of text with $context
// variables, among them the request id.
func ParseFormat(format string) (*Format, error) {
	if len(format) > MaxFormatBytes {
		return nil, fmt.Errorf("an access log format has at most %d bytes", MaxFormatBytes)
	}
	if strings.ContainsAny(format, "\r\n") {
		return nil, errors.New("an access log format is a single line")
	}
	f := &Format{escape: appendEscaped}
	if strings.HasPrefix(strings.TrimSpace(format), "<") {
		f.escape = appendXML
	}
	identified := false
	for rest := format; ; {
		i := strings.Index(rest, contextPrefix)
		if i < 0 {
			f.parts = append(f.parts, part{text: rest})
			break
		}
		name := variableName(rest[i+len(contextPrefix):])
		identified = identified || name == "requestId" || name == "extendedRequestId"
		f.parts = append(f.parts, part{rest[:i], variableOf(name)})
		rest = rest[i+len(contextPrefix)+len(name):]
	}
	if !identified {
		return nil, errors.New("an access log format must contain $context.requestId or $context.extendedRequestId")
	}
	return f, nil
}

// variableName returns the name that text begins with. A dot at its end isn't
// part of it.
func variableName(text string) string {
	end := 0
	for end < len(text) {
		c := text[end]
		if c != '.' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			break
		}
		end++
	}
	return strings.TrimRight(text[:end], ".")
}

// Append appends the line of an exchange that took latency, without an end of
// line. A variable without a value is "-".
func (f *Format) Append(dst []byte, x *plan.Exchange, latency time.Duration) []byte {
	for i := range f.parts {
		p := &f.parts[i]
		dst = append(dst, p.text...)
		if p.variable == nil {
			continue
		}
		var ok bool
		if dst, ok = p.variable(dst, f, x, latency); !ok {
			dst = append(dst, '-')
		}
	}
	return dst
}

// appendEscaped appends text so that it stays inside a line and inside double
// quotes, as JSON wants it. A line must be one line whatever a client sends.
func appendEscaped(dst []byte, text string) []byte {
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		if c == '"' || c == '\\' {
			dst = append(dst, '\\', c)
			continue
		}
		const hex = "0123456789abcdef"
		dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return append(dst, text[start:]...)
}

// appendXML appends text so that it stays inside a line, an element and an
// attribute.
func appendXML(dst []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '"':
			dst = append(dst, "&quot;"...)
		case c == '\'':
			dst = append(dst, "&apos;"...)
		case c < ' ' || c == 0x7f:
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
