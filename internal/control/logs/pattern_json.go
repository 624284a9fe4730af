package logs

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A condition judges a decoded JSON message.
type condition func(root any) bool

// maxDepth bounds how deep parentheses nest.
const maxDepth = 64

// jsonPattern reads { condition }.
func (s *scanner) jsonPattern() func(string) bool {
	s.expect("{")
	cond := s.or()
	s.expect("}")
	s.space()
	return func(message string) bool {
		message = strings.TrimSpace(message)
		if !strings.HasPrefix(message, "{") && !strings.HasPrefix(message, "[") {
			return false
		}
		d := json.NewDecoder(strings.NewReader(message))
		d.UseNumber()
		var root any
		if d.Decode(&root) != nil {
			return false
		}
		return cond(root)
	}
}

func (s *scanner) or() condition {
	left := s.and()
	for s.take("||") {
		first, second := left, s.and()
		left = func(root any) bool { return first(root) || second(root) }
	}
	return left
}

func (s *scanner) and() condition {
	left := s.comparison()
	for s.take("&&") {
		first, second := left, s.comparison()
		left = func(root any) bool { return first(root) && second(root) }
	}
	return left
}

func (s *scanner) comparison() condition {
	if s.take("(") {
		if s.depth++; s.depth > maxDepth {
			s.fail()
			return nil
		}
		cond := s.or()
		s.expect(")")
		s.depth--
		return cond
	}
	path := s.path()
	if s.bad {
		return nil
	}
	if test := s.keyword(); test != nil {
		return func(root any) bool { return test(find(root, path)) }
	}
	test := s.test(jsonStop)
	if s.bad {
		return nil
	}
	return func(root any) bool {
		for _, v := range find(root, path) {
			if text, ok := scalar(v); ok && test(text) {
				return true
			}
		}
		return false
	}
}

// keyword reads IS NULL, IS TRUE, IS FALSE and NOT EXISTS, which are judged on
// all values found.
func (s *scanner) keyword() func(found []any) bool {
	is := func(want any) func([]any) bool {
		return func(found []any) bool {
			for _, v := range found {
				if v == want {
					return true
				}
			}
			return false
		}
	}
	switch {
	case s.words("IS", "NULL"):
		return is(nil)
	case s.words("IS", "TRUE"):
		return is(true)
	case s.words("IS", "FALSE"):
		return is(false)
	case s.words("NOT", "EXISTS"):
		return func(found []any) bool { return len(found) == 0 }
	default:
		return nil
	}
}

func (s *scanner) words(words ...string) bool {
	before := s.rest
	for _, w := range words {
		s.space()
		if len(s.rest) < len(w) || !strings.EqualFold(s.rest[:len(w)], w) {
			s.rest = before
			return false
		}
		s.rest = s.rest[len(w):]
	}
	return true
}

// A step goes from a value to those inside: the member of that name, or the
// element of that index, all of them when it is negative.
type step struct {
	name  string
	index int
	array bool
}

// path reads $.a.b[0], $.list[*].x or $["a b"].
func (s *scanner) path() []step {
	s.expect("$")
	var path []step
	for !s.bad {
		switch {
		case strings.HasPrefix(s.rest, "."):
			s.rest = s.rest[1:]
			name := s.until(func(r rune) bool { return !isWord(r) && r != '-' && r != '@' && r != ':' })
			if name == "" {
				s.fail()
			}
			path = append(path, step{name: name})
		case strings.HasPrefix(s.rest, "["):
			s.rest = s.rest[1:]
			path = append(path, s.bracket())
			s.expect("]")
		default:
			return path
		}
	}
	return nil
}

func (s *scanner) bracket() step {
	switch {
	case s.take("*"):
		return step{array: true, index: -1}
	case strings.HasPrefix(s.rest, `"`):
		return step{name: s.quoted()}
	case strings.HasPrefix(s.rest, "'"):
		s.rest = s.rest[1:]
		name := s.until(func(r rune) bool { return r == '\'' })
		s.expect("'")
		return step{name: name}
	}
	digits := s.until(func(r rune) bool { return r < '0' || r > '9' })
	n, err := strconv.Atoi(digits)
	if err != nil {
		s.fail()
	}
	return step{array: true, index: n}
}

// find returns the values at a path.
func find(root any, path []step) []any {
	found := []any{root}
	for _, st := range path {
		var next []any
		for _, v := range found {
			switch v := v.(type) {
			case map[string]any:
				if inner, ok := v[st.name]; ok && !st.array {
					next = append(next, inner)
				}
			case []any:
				switch {
				case st.array && st.index < 0:
					next = append(next, v...)
				case st.array && st.index < len(v):
					next = append(next, v[st.index])
				}
			}
		}
		found = next
	}
	return found
}

// scalar is a JSON value as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}
