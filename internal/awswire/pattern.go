package awswire

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// patterns keeps the compiled patterns of the models: hundreds there are, few
// of which a gateway ever meets.
type patterns struct {
	compiled sync.Map // pattern text to *regexp.Regexp, nil where Go can't express it
}

// match tells whether the whole of s is what a pattern describes.
func (p *patterns) match(pattern, s string) bool {
	re, ok := p.compiled.Load(pattern)
	if !ok {
		c, err := compilePatternText(pattern)
		if err != nil {
			c = nil // checks nothing; a test of awsapi lists which these are
		}
		re, _ = p.compiled.LoadOrStore(pattern, c)
	}
	c := re.(*regexp.Regexp)
	return c == nil || c.MatchString(s)
}

func compilePatternText(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile(Translate(pattern))
}

// maxRepeat is the largest count Go's regexp takes in a repetition.
const maxRepeat = 1000

// javaClasses are the character classes Go spells differently, as the ranges
// that stand inside brackets.
var javaClasses = map[string]string{
	`\p{Alnum}`: `0-9A-Za-z`, `\p{Alpha}`: `A-Za-z`, `\p{Digit}`: `0-9`, `\p{Graph}`: `!-~`, `\p{Print}`: ` -~`,
	`\p{ASCII}`: `\x00-\x7f`, `\p{Punct}`: "!-/:-@\\[-`{-~", `\p{Lower}`: `a-z`, `\p{Upper}`: `A-Z`, `\p{Space}`: `\s`,
	`\p{IsLetter}`: `\p{L}`, `\p{IsAlphabetic}`: `\p{L}`, `\p{IsDigit}`: `\p{Nd}`,
}

// Translate turns a model's pattern, written for Java and matching whole, into
// Go's dialect. A repetition beyond Go's limit loses its upper bound, which a
// length constraint nearly always states too.
func Translate(pattern string) string {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], `\u`) && i+6 <= len(pattern):
			b.WriteString(`\x{` + pattern[i+2:i+6] + `}`)
			i += 5
		case c == '\\' && i+1 < len(pattern):
			end := i + 2
			if pattern[i+1] == 'p' && strings.HasPrefix(pattern[i+2:], "{") {
				end = i + 2 + strings.IndexByte(pattern[i+2:], '}') + 1
			}
			b.WriteString(class(pattern[i:max(end, i+2)], inClass))
			i = max(end, i+2) - 1
		case !inClass && (strings.HasPrefix(pattern[i:], "(?!") || strings.HasPrefix(pattern[i:], "(?<!")):
			// Go looks neither ahead nor behind: without the exclusion the rest
			// still checks most of it.
			i += group(pattern[i:]) - 1
		case c == '[' && inClass:
			b.WriteString(`\[`)
		case c == '[':
			inClass = true
			b.WriteByte(c)
		case c == ']':
			inClass = false
			b.WriteByte(c)
		case c == '{' && !inClass:
			text, length := repeat(pattern[i:])
			b.WriteString(text)
			i += length - 1
		default:
			b.WriteByte(c)
		}
	}
	return `^(?s:` + b.String() + `)$`
}

// group is the length of the parenthesised group that s begins with.
func group(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

func class(escape string, inClass bool) string {
	ranges, ok := javaClasses[escape]
	switch {
	case !ok:
		return escape
	case inClass:
		return ranges
	}
	return "[" + ranges + "]"
}

// repeat rewrites the repetition that s begins with and returns its length.
func repeat(s string) (text string, length int) {
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return s[:1], 1
	}
	original := s[:end+1]
	lowText, highText, ranged := strings.Cut(s[1:end], ",")
	low, err := strconv.Atoi(lowText)
	if err != nil {
		return s[:1], 1
	}
	high := low
	if ranged {
		high, _ = strconv.Atoi(highText) // none is unbounded
	}
	if low <= maxRepeat && high <= maxRepeat {
		return original, len(original)
	}
	switch {
	case low == 0:
		return "*", len(original)
	case low == 1:
		return "+", len(original)
	}
	return "{" + strconv.Itoa(min(low, maxRepeat)) + ",}", len(original)
}
