package observe

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

// MaxFormatBytes is the longest access log format that API Gateway takes.
const MaxFormatBytes = 3 << 10

// contextPrefix begins a variable.
const contextPrefix = "$context."

// A Format is an access log format, parsed.
type Format struct {
	parts []part
	// tail is the text behind the last variable.
	tail string
	// escape appends text from outside so that it can't break a line.
	escape contextvar.Escape
}

// A part is literal text and the variable behind it. Names that this gateway
// can't answer, or that nobody knows, never have a value.
type part struct {
	text     string
	variable contextvar.Variable
}

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
			f.tail = rest
			break
		}
		name := rest[i+len(contextPrefix):]
		name = name[:contextvar.NameLen(name)]
		identified = identified || name == "requestId" || name == "extendedRequestId"
		variable, _ := contextvar.Lookup(name)
		f.parts = append(f.parts, part{rest[:i], variable})
		rest = rest[i+len(contextPrefix)+len(name):]
	}
	if !identified {
		return nil, errors.New("Access Log format must include either $context.requestId or $context.extendedRequestId")
	}
	return f, nil
}

// Append appends the line of an exchange that took latency, without an end of
// line. A variable without a value is "-".
func (f *Format) Append(dst []byte, x *plan.Exchange, latency time.Duration) []byte {
	for i := range f.parts {
		p := &f.parts[i]
		dst = append(dst, p.text...)
		var ok bool
		if dst, ok = p.variable.Append(dst, x, latency, f.escape); !ok {
			dst = append(dst, '-')
		}
	}
	return append(dst, f.tail...)
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
