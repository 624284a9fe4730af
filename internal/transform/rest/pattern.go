package rest

import (
	"fmt"
	"regexp"
)

// A pattern is a selection pattern: a regular expression of Java that the whole
// text has to match.
type pattern struct{ re *regexp.Regexp }

// A PatternError refuses a selection pattern.
type PatternError struct {
	Pattern string
	Err     error
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("Invalid selection pattern specified: %s: %s", e.Pattern, e.Err)
}

func (e *PatternError) Unwrap() error { return e.Err }

func compilePattern(text string) (*pattern, error) {
	re, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		return nil, &PatternError{text, err}
	}
	return &pattern{re}, nil
}

func (p *pattern) matches(text string) bool { return p.re.MatchString(text) }
