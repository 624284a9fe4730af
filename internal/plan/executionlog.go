package plan

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// An ExecutionLog takes the trace of one finished exchange. It must not block
// and must not keep any of the exchange's strings.
type ExecutionLog interface {
	LogExecution(x *Exchange)
}

// ExecutionLogging is how much of a method's requests is logged.
type ExecutionLogging struct {
	Level LogLevel
	// Data tells that headers and bodies are logged, too.
	Data bool
}

// A LogLevel is a level of execution logging.
type LogLevel uint8

// The levels of execution logging.
const (
	LogOff LogLevel = iota
	LogError
	LogInfo
)

// MaxTraceText is the longest text of a line, in bytes; AWS cuts what is longer
// and says so behind it.
const MaxTraceText = 1024

const truncated = " [TRUNCATED]"

// A Trace collects the lines of an exchange's execution log. An exchange that
// isn't logged has none: who adds lines asks first, for a trace or for one that
// WantsInfo, so that they cost nothing otherwise.
type Trace struct {
	ExecutionLogging
	// Clock dates the lines.
	Clock func() time.Time
	Lines []TraceLine

	failed bool
}

// A TraceLine is one line of an execution log.
type TraceLine struct {
	At   time.Time
	Text string
}

// Begin makes the trace ready for an exchange. It keeps the memory of Lines.
func (t *Trace) Begin(logging ExecutionLogging, clock func() time.Time) {
	clear(t.Lines)
	*t = Trace{ExecutionLogging: logging, Clock: clock, Lines: t.Lines[:0]}
}

// Info adds a line that level INFO logs.
func (t *Trace) Info(format string, args ...any) {
	if t.Level >= LogInfo {
		t.add(format, args)
	}
}

// WantsInfo tells whether there is a trace that lines of level INFO are added to.
// Who adds several asks, since what a line is made of costs memory even if the
// line isn't made.
func (t *Trace) WantsInfo() bool { return t != nil && t.Level >= LogInfo }

// WantsData tells whether lines about headers and bodies are logged.
func (t *Trace) WantsData() bool { return t.WantsInfo() && t.Data }

// DataInfo adds a line about headers or a body.
func (t *Trace) DataInfo(format string, args ...any) {
	if t.WantsData() {
		t.add(format, args)
	}
}

// DataHeaders adds a line about headers, in which secrets are masked. What they
// are of stands before them: "Method request headers".
func (t *Trace) DataHeaders(of string, headers Headers) {
	if !t.WantsData() {
		return
	}
	var b strings.Builder
	b.WriteString(of)
	b.WriteString(": {")
	for i, h := range headers {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > MaxTraceText {
			break // nobody sees the rest
		}
		value := h.Value
		if isSecret(h.Name) {
			value = Masked(value)
		}
		b.WriteString(h.Name + "=" + value)
	}
	b.WriteString("}")
	t.line(b.String())
}

// DataBody adds a line about a body. What it is of stands before it: "Method
// request body before transformations".
func (t *Trace) DataBody(of string, body []byte) {
	if !t.WantsData() {
		return
	}
	text := "[Binary Data]"
	if shown := body[:min(len(body), MaxTraceText+utf8.UTFMax)]; utf8.Valid(wholeRunes(shown)) {
		text = string(shown)
	}
	t.line(of + ": " + text)
}

// wholeRunes is a text without the character that a cut at its end has broken.
func wholeRunes(text []byte) []byte {
	for end := len(text) - 1; end >= 0 && len(text)-end < utf8.UTFMax; end-- {
		if utf8.RuneStart(text[end]) {
			if !utf8.FullRune(text[end:]) {
				return text[:end]
			}
			break
		}
	}
	return text
}

// Error adds a line that tells of a failure.
func (t *Trace) Error(format string, args ...any) {
	if t.Level >= LogError {
		t.failed = true
		t.add(format, args)
	}
}

// Failed tells whether a line tells of a failure already.
func (t *Trace) Failed() bool { return t.failed }

func (t *Trace) add(format string, args []any) { t.line(fmt.Sprintf(format, args...)) }

func (t *Trace) line(text string) {
	if len(text) > MaxTraceText {
		end := MaxTraceText
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + truncated
	}
	t.Lines = append(t.Lines, TraceLine{At: t.Clock(), Text: strings.ToValidUTF8(text, "\ufffd")})
}

// isSecret tells whether the value of a header or a parameter mustn't stand in a
// log. With its signature a presigned URL is good for whoever reads it.
func isSecret(name string) bool {
	return EqualFold(name, "authorization") || EqualFold(name, "x-api-key") || EqualFold(name, "x-amz-security-token") || EqualFold(name, "x-amz-signature")
}

// MaskedParameter is the value of a parameter as logs may show it.
func MaskedParameter(name, value string) string {
	if isSecret(name) {
		return Masked(value)
	}
	return value
}

// MaskedURI is a URI in whose query secrets are masked.
func MaskedURI(uri string) string {
	start := strings.IndexByte(uri, '?') + 1
	if start == 0 {
		return uri
	}
	var b strings.Builder
	b.WriteString(uri[:start])
	for field := range strings.SplitAfterSeq(uri[start:], "&") {
		name, value, _ := strings.Cut(strings.TrimSuffix(field, "&"), "=")
		if value != "" && isSecret(string(AppendDecodedQuery(nil, name))) {
			field = name + "=" + Masked(value) + field[len(name)+1+len(value):]
		}
		b.WriteString(field)
	}
	return b.String()
}

// shownOfSecret is how much of a secret its reader may see.
const shownOfSecret = 6

// Masked hides a secret but for its last characters, as AWS does in logs.
func Masked(secret string) string {
	hidden := len(secret) - shownOfSecret
	if hidden <= 0 {
		return strings.Repeat("*", len(secret))
	}
	return strings.Repeat("*", hidden) + secret[hidden:]
}

// DataResponse adds a line about the body of a response: of a stream, what
// there is of it at once.
func (t *Trace) DataResponse(of string, r *Response) {
	if !t.WantsData() {
		return
	}
	if r.BodyStream == nil {
		t.DataBody(of, r.Body)
		return
	}
	first := make([]byte, MaxTraceText+utf8.UTFMax)
	n, err := r.BodyStream.Read(first)
	t.DataBody(of, first[:n])
	r.BodyStream = &begun{first[:n], err, r.BodyStream}
}

// A begun is a stream whose first bytes were read already, and the error that
// came with them.
type begun struct {
	first []byte
	err   error
	io.ReadCloser
}

// Read implements io.Reader.
func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.ReadCloser.Read(p)
}
