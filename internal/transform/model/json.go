package model

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// maxDepth is how deep values may be nested. UNVERIFIED: AWS's limit.
	maxDepth = 1000
	// maxNumber is how many bytes a number may have. UNVERIFIED: AWS's limit.
	maxNumber = 1000
	// maxText keeps positions within an int32.
	maxText = 1 << 30
)

// A kind is a type of JSON value.
type kind uint8

const (
	nullKind kind = iota
	falseKind
	trueKind
	integerKind // a number without fraction and exponent
	numberKind
	stringKind
	arrayKind
	objectKind
)

// A value is one value of a document. The values inside it follow it, members of
// an object as name and value.
type value struct {
	kind kind
	// escaped tells that a string has escapes.
	escaped bool
	// next is where the values behind this one begin, count how many elements or
	// members it has.
	next, count int32
	// start and end are the value's bytes, a string's without the quotes.
	start, end int32
}

// A document is a text of JSON with its values in the order of the text.
type document struct {
	text   []byte
	values []value
}

// parse reads a text. It keeps the text, and uses the memory of the values it
// had.
func (d *document) parse(text []byte) error {
	if len(text) > maxText {
		return errSyntax
	}
	p := parser{text: text, values: d.values[:0]}
	err := p.value(0)
	p.space()
	if err == nil && p.at != len(text) {
		err = errSyntax
	}
	d.text, d.values = text, p.values
	return err
}

var errSyntax = errors.New("it isn't JSON")

type parser struct {
	text   []byte
	at     int
	values []value
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// peek is the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) add(k kind, start, end int) {
	p.values = append(p.values, value{kind: k, next: int32(len(p.values) + 1), start: int32(start), end: int32(end)})
}

func (p *parser) value(depth int) error {
	p.space()
	switch c := p.peek(); c {
	case '{', '[':
		if depth == maxDepth {
			return errSyntax
		}
		if c == '{' {
			return p.object(depth)
		}
		return p.array(depth)
	case '"':
		return p.str()
	case 't':
		return p.word("true", trueKind)
	case 'f':
		return p.word("false", falseKind)
	case 'n':
		return p.word("null", nullKind)
	default:
		return p.number()
	}
}

func (p *parser) word(word string, k kind) error {
	end := p.at + len(word)
	if end > len(p.text) || string(p.text[p.at:end]) != word {
		return errSyntax
	}
	p.add(k, p.at, end)
	p.at = end
	return nil
}

func (p *parser) object(depth int) error {
	self := len(p.values)
	p.add(objectKind, p.at, p.at)
	p.at++
	p.space()
	count := int32(0)
	for p.peek() != '}' || count > 0 {
		if p.space(); p.peek() != '"' {
			return errSyntax
		}
		if err := p.str(); err != nil {
			return err
		}
		if p.space(); p.peek() != ':' {
			return errSyntax
		}
		p.at++
		if err := p.value(depth + 1); err != nil {
			return err
		}
		count++
		if p.space(); p.peek() != ',' {
			break
		}
		p.at++
	}
	return p.close(self, count, '}')
}

func (p *parser) array(depth int) error {
	self := len(p.values)
	p.add(arrayKind, p.at, p.at)
	p.at++
	p.space()
	count := int32(0)
	for p.peek() != ']' || count > 0 {
		if err := p.value(depth + 1); err != nil {
			return err
		}
		count++
		if p.space(); p.peek() != ',' {
			break
		}
		p.at++
	}
	return p.close(self, count, ']')
}

// close ends an object or an array.
func (p *parser) close(self int, count int32, end byte) error {
	if p.peek() != end {
		return errSyntax
	}
	p.at++
	v := &p.values[self]
	v.next, v.count, v.end = int32(len(p.values)), count, int32(p.at)
	return nil
}

func (p *parser) str() error {
	p.at++
	start := p.at
	escaped := false
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			p.add(stringKind, start, p.at)
			p.values[len(p.values)-1].escaped = escaped
			p.at++
			return nil
		case c < ' ':
			return errSyntax
		case c == '\\':
			escaped = true
			if !p.escape() {
				return errSyntax
			}
		default:
			p.at++
		}
	}
	return errSyntax
}

// escape passes an escape.
func (p *parser) escape() bool {
	p.at++
	switch p.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.at++
		return true
	case 'u':
		if _, ok := hex4(p.text[p.at+1:]); !ok {
			return false
		}
		p.at += 5
		return true
	}
	return false
}

// hex4 reads four hex digits.
func hex4(text []byte) (r rune, ok bool) {
	if len(text) < 4 {
		return 0, false
	}
	for _, c := range text[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

func (p *parser) number() error {
	start := p.at
	k := integerKind
	if p.peek() == '-' {
		p.at++
	}
	if p.peek() == '0' {
		p.at++
	} else if !p.digits() {
		return errSyntax
	}
	if p.peek() == '.' {
		k = numberKind
		p.at++
		if !p.digits() {
			return errSyntax
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		k = numberKind
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if !p.digits() {
			return errSyntax
		}
	}
	if p.at-start > maxNumber {
		return errSyntax
	}
	p.add(k, start, p.at)
	return nil
}

// digits passes digits and tells whether there is one.
func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}

// raw are the bytes of a value, a string's between the quotes.
func (d *document) raw(i int) []byte { return d.text[d.values[i].start:d.values[i].end] }

// str is what a string says. It is good until the text is overwritten; only a
// string with escapes costs memory.
func (d *document) str(i int) []byte {
	if !d.values[i].escaped {
		return d.raw(i)
	}
	return unescape(d.raw(i))
}

// compact is a value's JSON without space.
func (d *document) compact(i int) []byte {
	raw := d.raw(i)
	if d.values[i].kind == stringKind {
		raw = d.text[d.values[i].start-1 : d.values[i].end+1]
	}
	out := make([]byte, 0, len(raw))
	quoted := false
	for j := 0; j < len(raw); j++ {
		c := raw[j]
		switch {
		case quoted && c == '\\':
			out = append(out, c, raw[j+1])
			j++
			continue
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			continue
		}
		out = append(out, c)
	}
	return out
}

// unescape resolves the escapes of a string that parse took. A surrogate without
// its other half becomes U+FFFD.
func unescape(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return append(out, raw...)
		}
		out = append(out, raw[:i]...)
		c := raw[i+1]
		raw = raw[i+2:]
		switch c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(raw)
			raw = raw[4:]
			if utf16.IsSurrogate(r) && len(raw) >= 6 && raw[0] == '\\' && raw[1] == 'u' {
				low, _ := hex4(raw[2:])
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					r, raw = pair, raw[6:]
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
}
