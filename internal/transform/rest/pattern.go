package rest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// A pattern is a selection pattern: a regular expression of Java that the whole
// text has to match.
type pattern struct {
	re *regexp.Regexp
	// full is for patterns with what RE2 hasn't, such as look-ahead; else nil. It
	// goes back and forth over the text, so its time is bounded.
	full *regexp2.Regexp
}

// matchTimeout bounds a match that goes back and forth.
const matchTimeout = 20 * time.Millisecond

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
	if strings.Contains(text, "&&[") {
		// To Java "&&" in a class intersects it; to others it is two characters.
		return nil, &PatternError{text, errors.New("classes can't be intersected here")}
	}
	whole := `\A(?:` + text + `)\z`
	if re, err := regexp.Compile(whole); err == nil {
		return &pattern{re: re}, nil
	}
	// First by itself: an error should show what was written.
	if _, err := regexp2.Compile(text); err != nil {
		return nil, &PatternError{text, err}
	}
	full, err := regexp2.Compile(whole)
	if err != nil {
		return nil, &PatternError{text, err}
	}
	full.MatchTimeout = matchTimeout
	return &pattern{full: full}, nil
}

// matches fails when a match takes too long: nobody knows then whether it is one.
func (p *pattern) matches(text string) (bool, error) {
	if p.full == nil {
		return p.re.MatchString(text), nil
	}
	return p.full.MatchString(text)
}
