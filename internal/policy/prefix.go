package policy

import "strings"

// fitsAll tells whether everything fits that begins with s. It is false, too, where
// that takes more than a * at the end to see.
func (p *pattern) fitsAll(s string) bool {
	switch p.form {
	case everything:
		return true
	case prefix:
		return strings.HasPrefix(s, p.text)
	case globbed:
		return p.text[len(p.text)-1] == anyRun && p.match(s, false)
	}
	return false
}

// fitsSome tells whether anything fits that begins with s.
func (p *pattern) fitsSome(s string) bool {
	switch p.form {
	case everything:
		return true
	case literal:
		return strings.HasPrefix(p.text, s)
	case prefix:
		return strings.HasPrefix(p.text, s) || strings.HasPrefix(s, p.text)
	}
	// at are the places in the pattern that s may have led to. From each of them
	// some text leads to the end.
	at := make([]bool, len(p.text)+1)
	at[0] = true
	for i := 0; i < len(s); {
		end := i + 1
		if s[i] >= 0x80 {
			end = next(s, i)
		}
		p.skipRuns(at)
		for c := i; c < end; c++ {
			at = p.step(at, s[c], c == end-1)
		}
		i = end
	}
	for _, live := range at {
		if live {
			return true
		}
	}
	return false
}

// skipRuns adds the places behind runs, which may be empty.
func (p *pattern) skipRuns(at []bool) {
	for j := range len(p.text) {
		if at[j] && p.text[j] >= partRun {
			at[j+1] = true
		}
	}
}

// step moves all places over a byte, the last one of its character or not:
// wildcards take whole characters.
func (p *pattern) step(at []bool, c byte, last bool) []bool {
	to := make([]bool, len(at))
	for j := range len(p.text) {
		if !at[j] {
			continue
		}
		switch w := p.text[j]; {
		case w == anyRun, w == partRun && c != ':':
			to[j] = true
		case w == anyOne, w == partOne && c != ':':
			to[j] = to[j] || !last
			to[j+1] = to[j+1] || last
		case w == c:
			to[j+1] = true
		}
	}
	return to
}
