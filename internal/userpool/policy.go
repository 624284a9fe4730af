package userpool

import (
	"strings"
	"unicode/utf8"
)

// A Policy is what a pool asks of passwords.
type Policy struct {
	MinimumLength                          int
	Uppercase, Lowercase, Numbers, Symbols bool
}

// maxPassword is the longest password Cognito takes.
const maxPassword = 256

// symbols are the characters that Cognito counts as symbols; a blank counts
// within a password.
const symbols = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-"

// Refuse returns what a password lacks, as Cognito words it, or "".
func (p Policy) Refuse(password string) string {
	n := utf8.RuneCountInString(password)
	blank := strings.Contains(strings.TrimSpace(password), " ")
	switch {
	case n < p.MinimumLength:
		return "Password not long enough"
	case n > maxPassword:
		return "Password too long"
	case p.Uppercase && !within(password, 'A', 'Z'):
		return "Password must have uppercase characters"
	case p.Lowercase && !within(password, 'a', 'z'):
		return "Password must have lowercase characters"
	case p.Numbers && !within(password, '0', '9'):
		return "Password must have numeric characters"
	case p.Symbols && !blank && !strings.ContainsAny(password, symbols):
		return "Password must have symbol characters"
	}
	return ""
}

func within(s string, from, to rune) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= from && r <= to })
}
