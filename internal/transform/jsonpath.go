package transform

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxPathBody is how much of a body is looked at for a path: AWS cuts a body
// there before it applies one.
const maxPathBody = 100 << 10

// A jsonPath leads from a document to a value in it: names of members and
// indexes of elements. AWS's paths have neither recursive descent nor filters.
// UNVERIFIED: that wildcards, slices and functions can't be used either.
type jsonPath []step

// A step is a member's name, or an element's index if that isn't negative.
type step struct {
	name  string
	index int
}

// parseJSONPath reads what follows "body": ".name", "['name']" or "[index]", at
// least one of them.
func parseJSONPath(text string) (path jsonPath, ok bool) {
	for text != "" {
		var s step
		switch text[0] {
		case '.':
			s, text, ok = parseDotted(text[1:])
		case '[':
			s, text, ok = parseBracketed(text[1:])
		default:
			return nil, false
		}
		if !ok {
			return nil, false
		}
		path = append(path, s)
	}
	return path, len(path) > 0
}

func parseDotted(text string) (s step, rest string, ok bool) {
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	name := text[:end]
	if name == "" || strings.ContainsAny(name, "]()*?'\" \t\r\n") {
		return step{}, "", false
	}
	return step{name, -1}, text[end:], true
}

func parseBracketed(text string) (s step, rest string, ok bool) {
	if text != "" && (text[0] == '\'' || text[0] == '"') {
		name, rest, closed := strings.Cut(text[1:], text[:1])
		rest, ended := strings.CutPrefix(rest, "]")
		return step{name, -1}, rest, closed && ended
	}
	digits, rest, closed := strings.Cut(text, "]")
	if !closed || digits == "" || len(digits) > 9 {
		return step{}, "", false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return step{}, "", false
		}
		s.index = 10*s.index + int(digits[i]-'0')
	}
	return s, rest, true
}

// append appends the value that the path leads to in doc: the text of a string,
// and of everything else its JSON. What isn't there, what doc breaks off in and
// null are nothing.
func (p jsonPath) append(dst, doc []byte) []byte {
	value := p.find(doc[:min(len(doc), maxPathBody)])
	if len(value) == 0 {
		return dst
	}
	switch c := value[0]; {
	case c == '"':
		return appendUnquoted(dst, value[1:len(value)-1])
	case c == '{', c == '[', c == '-', '0' <= c && c <= '9', string(value) == "true", string(value) == "false":
		return append(dst, value...)
	}
	return dst
}

// find returns the JSON of the value that the path leads to, nil for nothing.
func (p jsonPath) find(doc []byte) []byte {
	s := scanner{doc: doc}
	for i := range p {
		if !s.enter(&p[i]) {
			return nil
		}
	}
	s.peek()
	start := s.i
	if !s.skip() {
		return nil
	}
	return s.doc[start:s.i]
}

// A Path leads from a JSON document to a value in it, by names of members and
// indexes of elements.
type Path struct{ steps jsonPath }

// ParsePath reads a path: ".name", "['name']" or "[index]", as often as it takes.
func ParsePath(text string) (path Path, ok bool) {
	steps, ok := parseJSONPath(text)
	return Path{steps}, ok
}

// Find returns the JSON of the value that the path leads to, nil for nothing. A
// document that isn't JSON leads nowhere or anywhere, but never out of it.
func (p Path) Find(doc []byte) []byte { return p.steps.find(doc) }

// AppendUnquoted appends the text of a JSON string, given with its quotes.
func AppendUnquoted(dst, text []byte) []byte { return appendUnquoted(dst, text[1:len(text)-1]) }

// A scanner looks for a value in JSON text. It reads no further than it must,
// so the text may break off behind the value; text that isn't JSON leads
// nowhere or anywhere, but never out of it.
type scanner struct {
	doc []byte
	i   int
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.i < len(s.doc); s.i++ {
		switch c := s.doc[s.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take skips white space and the byte c, or tells that it isn't there.
func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.i == len(s.doc) {
		return false
	}
	s.i++
	return true
}

// enter goes to the value of a member or to an element of the value it is at.
// Of members with one name the first counts.
func (s *scanner) enter(to *step) bool {
	if to.index >= 0 {
		return s.element(to.index)
	}
	if !s.take('{') {
		return false
	}
	for s.peek() == '"' {
		name, ok := s.str()
		if !ok || !s.take(':') {
			return false
		}
		if spells(name, to.name) {
			return true
		}
		if !s.skip() || !s.take(',') {
			return false
		}
	}
	return false
}

func (s *scanner) element(index int) bool {
	if !s.take('[') {
		return false
	}
	for range index {
		if !s.skip() || !s.take(',') {
			return false
		}
	}
	return true
}

// skip skips white space and one whole value.
func (s *scanner) skip() bool {
	switch s.peek() {
	case '"':
		_, ok := s.str()
		return ok
	case '{', '[':
		return s.brackets()
	}
	start := s.i
	for s.i < len(s.doc) {
		switch s.doc[s.i] {
		case ',', ']', '}', ':', '"', '[', '{', ' ', '\t', '\n', '\r':
			return s.i > start
		}
		s.i++
	}
	return false // more of it may have been cut off
}

// brackets skips an object or an array with all that is in it.
func (s *scanner) brackets() bool {
	depth := 0
	for s.i < len(s.doc) {
		switch s.doc[s.i] {
		case '"':
			if _, ok := s.str(); !ok {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.i++
		if depth == 0 {
			return true
		}
	}
	return false
}

// str skips a string and returns what is between its quotes.
func (s *scanner) str() (text []byte, ok bool) {
	start := s.i + 1
	for i := start; i < len(s.doc); i++ {
		switch s.doc[i] {
		case '\\':
			i++
		case '"':
			s.i = i + 1
			return s.doc[start:i], true
		}
	}
	s.i = len(s.doc)
	return nil, false
}

// spells tells whether a member's name, as it is written, is name.
func spells(written []byte, name string) bool {
	if bytes.IndexByte(written, '\\') < 0 {
		return string(written) == name
	}
	var room [64]byte
	return string(appendUnquoted(room[:0], written)) == name
}

// appendUnquoted appends the text of a string, given without its quotes.
func appendUnquoted(dst, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 || i+1 == len(text) {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		c := text[i+1]
		text = text[i+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			var r rune
			r, text = unescapeRune(text)
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
}

// unescapeRune reads the four digits behind "\u", and the second half of a pair
// if they are the first. It returns U+FFFD for what is no character.
func unescapeRune(text []byte) (r rune, rest []byte) {
	r, rest = hex4(text)
	if !utf16.IsSurrogate(r) {
		return r, rest
	}
	if len(rest) >= 2 && rest[0] == '\\' && rest[1] == 'u' {
		low, after := hex4(rest[2:])
		if joined := utf16.DecodeRune(r, low); joined != utf8.RuneError {
			return joined, after
		}
	}
	return utf8.RuneError, rest
}

func hex4(text []byte) (r rune, rest []byte) {
	if len(text) < 4 {
		return utf8.RuneError, nil
	}
	for _, c := range text[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return utf8.RuneError, text[4:]
		}
		r = r<<4 | rune(c)
	}
	return r, text[4:]
}
