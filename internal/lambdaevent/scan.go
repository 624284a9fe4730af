package lambdaevent

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// maxDepth is how deeply values may nest; encoding/json draws the same line.
const maxDepth = 10000

var (
	errSyntax = errors.New("the result isn't valid JSON")
	errDepth  = errors.New("the result nests too deeply")
)

// A scanner walks over JSON text, checking it.
type scanner struct {
	data  []byte
	i     int
	depth int
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.data) {
		switch c := s.data[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// take skips white space and the byte c, or reports that it isn't there.
func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.i == len(s.data) {
		return false
	}
	s.i++
	return true
}

// value skips white space and one value, and returns the text of the value.
func (s *scanner) value() ([]byte, error) {
	c := s.peek()
	start := s.i
	var err error
	switch {
	case c == '{':
		err = s.members(func(_, _ []byte) error { return nil })
	case c == '[':
		err = s.elements(func([]byte) error { return nil })
	case c == '"':
		err = s.str()
	case c == 't':
		err = s.word("true")
	case c == 'f':
		err = s.word("false")
	case c == 'n':
		err = s.word("null")
	default:
		err = s.number()
	}
	return s.data[start:s.i], err
}

// members walks an object and calls visit with each quoted name and value.
func (s *scanner) members(visit func(name, value []byte) error) error {
	return s.list('{', '}', func() error {
		if s.peek() != '"' {
			return errSyntax
		}
		start := s.i
		if err := s.str(); err != nil {
			return err
		}
		name := s.data[start:s.i]
		if !s.take(':') {
			return errSyntax
		}
		value, err := s.value()
		if err != nil {
			return err
		}
		return visit(name, value)
	})
}

// elements walks an array and calls visit with each value.
func (s *scanner) elements(visit func(value []byte) error) error {
	return s.list('[', ']', func() error {
		value, err := s.value()
		if err != nil {
			return err
		}
		return visit(value)
	})
}

// list walks what stands between two brackets, separated by commas.
func (s *scanner) list(open, end byte, item func() error) error {
	if s.depth++; s.depth > maxDepth {
		return errDepth
	}
	defer func() { s.depth-- }()
	if !s.take(open) {
		return errSyntax
	}
	if s.take(end) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.take(end) {
			return nil
		}
		if !s.take(',') {
			return errSyntax
		}
	}
}

// str skips a string.
func (s *scanner) str() error {
	s.i++ // the quote
	for s.i < len(s.data) {
		switch c := s.data[s.i]; {
		case c == '"':
			s.i++
			return nil
		case c < ' ':
			return errSyntax
		case c != '\\':
			s.i++
			continue
		}
		if s.i+1 >= len(s.data) {
			return errSyntax
		}
		switch s.data[s.i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			s.i += 2
		case 'u':
			if _, ok := hex4(s.data[s.i+2:]); !ok {
				return errSyntax
			}
			s.i += 6
		default:
			return errSyntax
		}
	}
	return errSyntax
}

func (s *scanner) word(word string) error {
	if len(s.data)-s.i < len(word) || string(s.data[s.i:s.i+len(word)]) != word {
		return errSyntax
	}
	s.i += len(word)
	return nil
}

// number skips a number.
func (s *scanner) number() error {
	if s.i < len(s.data) && s.data[s.i] == '-' {
		s.i++
	}
	if s.i < len(s.data) && s.data[s.i] == '0' {
		s.i++
	} else if !s.digits() {
		return errSyntax
	}
	if s.i < len(s.data) && s.data[s.i] == '.' {
		s.i++
		if !s.digits() {
			return errSyntax
		}
	}
	if s.i < len(s.data) && (s.data[s.i] == 'e' || s.data[s.i] == 'E') {
		s.i++
		if s.i < len(s.data) && (s.data[s.i] == '+' || s.data[s.i] == '-') {
			s.i++
		}
		if !s.digits() {
			return errSyntax
		}
	}
	return nil
}

// digits skips digits and tells whether there was one.
func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.data) && '0' <= s.data[s.i] && s.data[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unquote decodes a checked, quoted string in its own place, since no escape is
// shorter than what it stands for.
func unquote(quoted []byte) []byte {
	text := quoted[1 : len(quoted)-1]
	w, i := 0, 0
	for {
		n := bytes.IndexByte(text[i:], '\\')
		if n < 0 {
			break
		}
		w += copy(text[w:], text[i:i+n])
		i += n
		c := text[i+1]
		i += 2
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
			r, _ := hex4(text[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				r, i = surrogates(text, r, i)
			}
			w += utf8.EncodeRune(text[w:i], r)
			continue
		}
		text[w] = c
		w++
	}
	if i == 0 {
		return text
	}
	w += copy(text[w:], text[i:])
	return text[:w]
}

// surrogates joins the surrogate r with the escaped one at text[i], and returns
// U+FFFD when there is none that fits.
func surrogates(text []byte, r rune, i int) (rune, int) {
	if i+1 < len(text) && text[i] == '\\' && text[i+1] == 'u' {
		low, _ := hex4(text[i+2:])
		if joined := utf16.DecodeRune(r, low); joined != utf8.RuneError {
			return joined, i + 6
		}
	}
	return utf8.RuneError, i
}

// view sees bytes as a string, which is good for as long as they don't change.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}
