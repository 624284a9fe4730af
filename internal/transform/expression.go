package transform

import (
	"strings"
	"unsafe"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

// An expression is a mapping's value, parsed for its place in a message.
type expression struct {
	parts []part
	// tail is the text behind the last source.
	tail   string
	encode encoding
}

// A part is literal text, encoded, and the source of more behind it.
type part struct {
	literal string
	source  source
}

// A source appends what a reference says of an exchange, nothing when it leads
// nowhere.
type source interface {
	append(dst []byte, x *plan.Exchange) []byte
}

// append appends the value to the exchange's scratch memory.
func (e *expression) append(x *plan.Exchange) {
	for i := range e.parts {
		x.Scratch = append(x.Scratch, e.parts[i].literal...)
		start := len(x.Scratch)
		x.Scratch = e.encode(e.parts[i].source.append(x.Scratch, x), start)
	}
	x.Scratch = append(x.Scratch, e.tail...)
}

// value returns the value, which is good until the exchange ends.
func (e *expression) value(x *plan.Exchange) string {
	if len(e.parts) == 0 {
		return e.tail
	}
	start := len(x.Scratch)
	e.append(x)
	return since(x, start)
}

// since returns what was appended to the exchange's scratch memory from start
// on. It stays as it is until the exchange ends, so it can be seen as a string.
func since(x *plan.Exchange, start int) string {
	return unsafe.String(unsafe.SliceData(x.Scratch[start:]), len(x.Scratch)-start)
}

// A parser reads expressions of one direction.
type parser struct {
	// message is what references to the message itself begin with: "request."
	// or "response.".
	message string
	moment  contextvar.Moment
	// variables are those of the stage.
	variables map[string]string
	// references finds the source of a reference to the message, without its
	// beginning; nil when there is no such thing.
	references func(name string) source
}

// value parses the value of a mapping; what is removed needs none.
func (p *parser) value(m mapping, encode encoding) (expression, error) {
	if m.action == remove {
		return expression{}, nil
	}
	return p.expression(m.value, encode, encode)
}

// expression parses a value. references says how what its references yield is
// put into their place, literals how the text between them is.
func (p *parser) expression(text string, references, literals encoding) (expression, error) {
	e := expression{encode: references}
	if name, found := strings.CutPrefix(text, "$"); found && !strings.HasPrefix(name, "{") {
		// Alone a reference may have any characters, as paths into bodies do.
		s := p.reference(name)
		if s == nil {
			return e, invalidValue(text)
		}
		e.add(s)
		return e, nil
	}
	for rest := text; ; {
		before, name, behind, found := p.cut(rest)
		e.tail += literals.text(before)
		if !found {
			return e, nil
		}
		s := p.reference(name)
		if s == nil {
			return e, invalidValue(text)
		}
		e.add(s)
		rest = behind
	}
}

// cut cuts a text at its first reference, which is in braces or goes as far as its
// characters do: "/$request.path.proxy" is what most paths are overwritten with
// (repost.aws QU8_a_LKzJT86VCIV4-J3cpA). One whose brace isn't closed has no name.
//
// UNVERIFIED: where a reference without braces ends, and that there may be several.
func (p *parser) cut(text string) (before, name, after string, found bool) {
	for at := 0; ; at++ {
		next := strings.IndexByte(text[at:], '$')
		if next < 0 {
			return text, "", "", false
		}
		at += next
		behind := text[at+1:]
		if inBraces, braced := strings.CutPrefix(behind, "{"); braced {
			name, after, closed := strings.Cut(inBraces, "}")
			if !closed {
				name = ""
			}
			return text[:at], name, after, true
		}
		if !p.isReference(behind) {
			continue
		}
		set := &inReference
		if strings.HasPrefix(behind, p.message) {
			set = &inMessageReference
		}
		end := 0
		for end < len(behind) && set[behind[end]] {
			end++
		}
		// A dot or a dash at the end is the sentence's.
		name = strings.TrimRight(behind[:end], ".-")
		return text[:at], name, behind[len(name):], true
	}
}

// isReference tells whether a text begins as the name of a reference does.
func (p *parser) isReference(text string) bool {
	return strings.HasPrefix(text, p.message) || strings.HasPrefix(text, "context.") || strings.HasPrefix(text, "stageVariables.")
}

// add adds a reference behind the tail.
func (e *expression) add(s source) {
	if text, ok := s.(known); ok {
		e.tail += e.encode.text(string(text))
		return
	}
	e.parts = append(e.parts, part{e.tail, s})
	e.tail = ""
}

// reference finds what a name without "$" stands for, nil for nothing.
func (p *parser) reference(name string) source {
	if variable, found := strings.CutPrefix(name, "stageVariables."); found && isName(variable, &inStageVariable) {
		// UNVERIFIED: that a variable the stage doesn't have is empty.
		return known(p.variables[variable])
	}
	if variable, found := strings.CutPrefix(name, "context."); found && contextvar.NameLen(variable) == len(variable) {
		v, exists := contextvar.Lookup(variable)
		switch {
		case !exists:
			return nil
		case !v.Has(p.moment):
			return known("")
		}
		return context{v}
	}
	if reference, found := strings.CutPrefix(name, p.message); found {
		return p.references(reference)
	}
	return nil
}

// known is a value that doesn't depend on the exchange.
type known string

func (s known) append(dst []byte, _ *plan.Exchange) []byte { return append(dst, s...) }

// A context is a variable of $context.
type context struct{ variable contextvar.Variable }

func (s context) append(dst []byte, x *plan.Exchange) []byte {
	dst, _ = s.variable.Append(dst, x, 0, nil)
	return dst
}

// appendLines appends the values of all lines of a header, joined.
func appendLines(dst []byte, headers plan.Headers, name string) []byte {
	start := len(dst)
	for i := range headers {
		if !plan.EqualFold(headers[i].Name, name) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, separator(name)...)
		}
		dst = append(dst, headers[i].Value...)
	}
	return dst
}

// separator is what stands between two values of a header in one line.
// UNVERIFIED: that AWS joins cookies as browsers do.
func separator(name string) string {
	if plan.EqualFold(name, "cookie") {
		return "; "
	}
	return ","
}
