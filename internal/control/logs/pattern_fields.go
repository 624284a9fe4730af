package logs

import (
	"strings"
	"unicode"
)

// A field is one slot of a space-delimited pattern.
type field struct {
	rest bool                   // "...": any number of fields
	test func(text string) bool // nil: anything
}

// fieldsPattern reads [name, name=value, ..., name>1 && name<5].
func (s *scanner) fieldsPattern() func(string) bool {
	s.expect("[")
	var fields []field
	for {
		fields = append(fields, s.field())
		if s.bad || !s.take(",") {
			break
		}
	}
	s.expect("]")
	s.space()
	before, after, open := fields, []field(nil), false
	for i, f := range fields {
		if !f.rest {
			continue
		}
		if open {
			s.fail() // one ellipsis only
			return nil
		}
		before, after, open = fields[:i], fields[i+1:], true
	}
	return func(message string) bool {
		words := splitFields(message)
		if len(words) < len(before)+len(after) || (!open && len(words) != len(before)) {
			return false
		}
		return passes(before, words) && passes(after, words[len(words)-len(after):])
	}
}

func passes(fields []field, words []string) bool {
	for i, f := range fields {
		if f.test != nil && !f.test(words[i]) {
			return false
		}
	}
	return true
}

func (s *scanner) field() field {
	if s.take("...") {
		return field{rest: true}
	}
	s.space()
	if s.rest != "" && s.rest[0] == '%' {
		return field{test: s.matcher()}
	}
	name := s.fieldName()
	s.space()
	if s.bad || s.rest == "" || s.rest[0] == ',' || s.rest[0] == ']' {
		return field{}
	}
	test := s.fieldAnd(name)
	for !s.bad && s.take("||") {
		s.sameName(name)
		first, second := test, s.fieldAnd(name)
		test = func(text string) bool { return first(text) || second(text) }
	}
	return field{test: test}
}

func (s *scanner) fieldAnd(name string) func(string) bool {
	test := s.test(fieldStop)
	for !s.bad && s.take("&&") {
		s.sameName(name)
		first, second := test, s.test(fieldStop)
		test = func(text string) bool { return first(text) && second(text) }
	}
	return test
}

func (s *scanner) fieldName() string {
	s.space()
	name := s.until(func(r rune) bool { return !isWord(r) && r != '-' && r != '.' })
	if name == "" {
		s.fail()
	}
	return name
}

// sameName reads the name again: a slot has one.
func (s *scanner) sameName(name string) {
	if s.fieldName() != name {
		s.fail()
	}
}

// splitFields splits a message at spaces, keeping together what is in double
// quotes or in brackets.
func splitFields(message string) []string {
	var fields []string
	rest := strings.TrimSpace(message)
	for rest != "" {
		end, skip := strings.IndexFunc(rest, unicode.IsSpace), 0
		start := 0
		for open, shut := range map[byte]byte{'"': '"', '[': ']'} {
			if rest[0] != open {
				continue
			}
			if i := strings.IndexByte(rest[1:], shut); i >= 0 {
				start, end, skip = 1, i+1, 1
			}
		}
		if end < 0 {
			end = len(rest)
		}
		fields = append(fields, rest[start:end])
		rest = strings.TrimLeftFunc(rest[end+skip:], unicode.IsSpace)
	}
	return fields
}
