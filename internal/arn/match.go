package arn

import "strings"

// Match tells whether the ARN s fits pattern as the condition operators ArnLike
// and ArnEquals have it: each of the six parts by itself, where * stands for
// any run of characters and ? for any one. A * therefore never reaches over a
// colon, except within the last part. Neither text has to be a valid ARN; one
// with fewer than six parts only matches a pattern with as many.
func Match(pattern, s string) bool {
	for range 5 {
		p, prest, pmore := strings.Cut(pattern, ":")
		t, srest, smore := strings.Cut(s, ":")
		if pmore != smore || !Glob(p, t) {
			return false
		}
		if !pmore {
			return true
		}
		pattern, s = prest, srest
	}
	return Glob(pattern, s)
}

// Glob tells whether s fits pattern, in which * stands for any run of
// characters, the empty one included, and ? for exactly one. Case counts.
func Glob(pattern, s string) bool {
	p, i := 0, 0
	star, mark := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			i = next(s, i)
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			// The last star takes one character more.
			mark = next(s, mark)
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// next is the index after the UTF-8 character at i, so that ? is a character
// and not a byte.
func next(s string, i int) int {
	i++
	for i < len(s) && s[i]&0xC0 == 0x80 {
		i++
	}
	return i
}
