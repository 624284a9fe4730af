package logs

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Pattern is a compiled filter pattern: words, a JSON condition in braces, or
// a list of space-separated fields in brackets.
type Pattern struct{ match func(message string) bool }

// Match tells whether a message passes the pattern. The nil pattern passes all.
func (p *Pattern) Match(message string) bool { return p == nil || p.match(message) }

var errPattern = errors.New("invalid filter pattern")

// ParsePattern compiles a filter pattern; the empty one is nil.
func ParsePattern(text string) (*Pattern, error) {
	text = strings.TrimSpace(text)
	s := &scanner{rest: text}
	var match func(string) bool
	switch {
	case text == "":
		return nil, nil
	case text[0] == '{':
		match = s.jsonPattern()
	case text[0] == '[':
		match = s.fieldsPattern()
	default:
		match = s.termsPattern()
	}
	if s.bad || s.rest != "" {
		return nil, errPattern
	}
	return &Pattern{match: match}, nil
}

// A scanner takes a pattern apart from the front. Once something is wrong, bad
// stays set and nothing is left.
type scanner struct {
	rest  string
	bad   bool
	depth int
}

func (s *scanner) fail() { s.bad, s.rest = true, "" }

func (s *scanner) space() { s.rest = strings.TrimLeftFunc(s.rest, unicode.IsSpace) }

// take skips spaces and then the token, if it is next.
func (s *scanner) take(token string) bool {
	s.space()
	rest, ok := strings.CutPrefix(s.rest, token)
	if ok {
		s.rest = rest
	}
	return ok
}

func (s *scanner) expect(token string) {
	if !s.take(token) {
		s.fail()
	}
}

// until takes everything up to one of the characters, or to the end.
func (s *scanner) until(stop func(rune) bool) string {
	i := strings.IndexFunc(s.rest, stop)
	if i < 0 {
		i = len(s.rest)
	}
	word := s.rest[:i]
	s.rest = s.rest[i:]
	return word
}

// quoted takes a string in double quotes, where a backslash keeps the next
// character.
func (s *scanner) quoted() string {
	var b strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return b.String()
		case c == '\\' && i+1 < len(s.rest):
			i++
			b.WriteByte(s.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	s.fail()
	return ""
}

// regexp takes an expression between percent signs.
func (s *scanner) regexp() *regexp.Regexp {
	end := strings.IndexByte(s.rest[1:], '%')
	if end < 0 {
		s.fail()
		return nil
	}
	re, err := regexp.Compile(s.rest[1 : end+1])
	s.rest = s.rest[end+2:]
	if err != nil {
		s.fail()
		return nil
	}
	return re
}

// termsPattern reads words: all of the plain ones must be there, none of those
// after a minus, and one of those after a question mark. Question marks beside
// plain words have no effect.
func (s *scanner) termsPattern() func(string) bool {
	var all, any, none []func(string) bool
	for s.space(); s.rest != ""; s.space() {
		list := &all
		switch s.rest[0] {
		case '-':
			list, s.rest = &none, s.rest[1:]
		case '?':
			list, s.rest = &any, s.rest[1:]
		}
		*list = append(*list, s.term())
	}
	return func(message string) bool {
		for _, has := range none {
			if has(message) {
				return false
			}
		}
		for _, has := range all {
			if !has(message) {
				return false
			}
		}
		if len(any) == 0 || len(all) > 0 {
			return true
		}
		for _, has := range any {
			if has(message) {
				return true
			}
		}
		return false
	}
}

func (s *scanner) term() func(string) bool {
	switch {
	case strings.HasPrefix(s.rest, `"`):
		phrase := s.quoted()
		return func(message string) bool { return strings.Contains(message, phrase) }
	case strings.HasPrefix(s.rest, "%"):
		re := s.regexp()
		return func(message string) bool { return re.MatchString(message) }
	}
	word := s.until(unicode.IsSpace)
	if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !isWord(r) && !strings.ContainsRune(`.:/@#=;,_-*$+`, r) }) {
		// AWS wants quotes around anything but letters, digits and the underscore;
		// the other characters are let pass since many patterns in use have them.
		s.fail()
		return nil
	}
	return func(message string) bool { return hasWord(message, word) }
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// hasWord tells whether word is in message and not part of a longer one there.
func hasWord(message, word string) bool {
	for at := 0; ; {
		i := strings.Index(message[at:], word)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(word)
		before, _ := utf8.DecodeLastRuneInString(message[:start])
		after, _ := utf8.DecodeRuneInString(message[end:])
		first, _ := utf8.DecodeRuneInString(word)
		last, _ := utf8.DecodeLastRuneInString(word)
		if !(isWord(before) && isWord(first)) && !(isWord(after) && isWord(last)) {
			return true
		}
		_, size := utf8.DecodeRuneInString(message[start:])
		at = start + size
	}
}
