package logs

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

func jsonStop(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("(){}&|,", r) }

func fieldStop(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("[]&|,", r) }

// test reads an operator and a value: a number, a word or string in which a
// star stands for anything, or a regular expression.
func (s *scanner) test(stop func(rune) bool) func(text string) bool {
	op := s.operator()
	s.space()
	switch {
	case s.bad || s.rest == "":
		s.fail()
		return nil
	case s.rest[0] == '%':
		return s.equality(op, s.matcher())
	case s.rest[0] == '"':
		return s.equality(op, glob(s.quoted()))
	}
	word := s.until(stop)
	if word == "" {
		s.fail()
		return nil
	}
	if want, err := strconv.ParseFloat(word, 64); err == nil && isNumber(word) {
		return compareNumber(op, want)
	}
	return s.equality(op, glob(word))
}

func (s *scanner) operator() string {
	for _, op := range []string{"!=", ">=", "<=", "=", ">", "<"} {
		if s.take(op) {
			return op
		}
	}
	s.fail()
	return ""
}

// matcher reads a regular expression.
func (s *scanner) matcher() func(string) bool {
	re := s.regexp()
	if re == nil {
		return nil
	}
	return re.MatchString
}

// equality is all that texts have: they aren't greater or less.
func (s *scanner) equality(op string, equal func(string) bool) func(string) bool {
	switch op {
	case "=":
		return equal
	case "!=":
		return func(text string) bool { return !equal(text) }
	default:
		s.fail()
		return nil
	}
}

// isNumber leaves out what ParseFloat takes beyond decimal numbers.
func isNumber(word string) bool { return strings.Trim(word, "+-.0123456789eE") == "" }

func compareNumber(op string, want float64) func(string) bool {
	return func(text string) bool {
		got, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return op == "!="
		}
		switch op {
		case "=":
			return got == want
		case "!=":
			return got != want
		case ">":
			return got > want
		case "<":
			return got < want
		case ">=":
			return got >= want
		default:
			return got <= want
		}
	}
}

// glob matches a text in which a star stands for anything.
func glob(text string) func(string) bool {
	if !strings.Contains(text, "*") {
		return func(got string) bool { return got == text }
	}
	parts := strings.Split(text, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?s)\A` + strings.Join(parts, ".*") + `\z`).MatchString
}
