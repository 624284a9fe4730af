package observe

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

// MaxFormatBytes is the longest access log format that API Gateway takes.
const MaxFormatBytes = 3 << 10

// MaxLineBytes is AWS's quota of an entry of an access log.
// UNVERIFIED: that a longer one is cut, not left out.
const MaxLineBytes = 1 << 20

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

// A Lookup finds what a name of $context stands for: contextvar.Lookup for HTTP
// APIs, contextvar.LookupREST for REST APIs, contextvar.LookupWebSocket for
// WebSocket APIs.
type Lookup func(name string) (contextvar.Variable, bool)

// ParseFormat parses an access log format: one line of text with $context
// variables, among them the request id.
func ParseFormat(format string, lookup Lookup) (*Format, error) {
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
		variable, _ := lookup(name)
		f.parts = append(f.parts, part{rest[:i], variable})
		rest = rest[i+len(contextPrefix)+len(name):]
	}
	if !identified {
		return nil, errors.New("Access Log format must include either $context.requestId or $context.extendedRequestId")
	}
	return f, nil
}

// Append appends the line of an exchange that took latency, without an end of
// line and at most MaxLineBytes of it. A variable without a value is "-".
func (f *Format) Append(dst []byte, x *plan.Exchange, latency time.Duration) []byte {
	start := len(dst)
	for i := range f.parts {
		if len(dst)-start > MaxLineBytes {
			return cut(dst, start+MaxLineBytes)
		}
		p := &f.parts[i]
		dst = append(dst, p.text...)
		var ok bool
		if dst, ok = p.variable.Append(dst, x, latency, f.escape); !ok {
			dst = append(dst, '-')
		}
	}
	dst = append(dst, f.tail...)
	if len(dst)-start > MaxLineBytes {
		return cut(dst, start+MaxLineBytes)
	}
	return dst
}

// cut cuts a line at end or, where that is in a character, before it.
func cut(line []byte, end int) []byte {
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end]
}
