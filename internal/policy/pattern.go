package policy

import (
	"strings"
	"unicode/utf8"
)

// Wildcards stand in a compiled pattern as bytes that UTF-8 never has, so that
// no character of a policy, escaped ones included, can be taken for one.
const (
	anyRun  = 0xFF // any run of characters
	partRun = 0xFE // any run of characters without a colon
	anyOne  = 0xFD // any one character
	partOne = 0xFC // any one character but a colon
)

// A syntax says what * and ? mean in a pattern.
type syntax uint8

const (
	// plain has no wildcards.
	plain syntax = iota
	// wild has wildcards that don't care what they stand for.
	wild
	// segmented is the syntax of Resource: up to the fifth colon a wildcard stays
	// within its segment, except for a * that ends its segment, which may go on
	// over colons.
	segmented
)

// A pattern is one text of a policy, prepared to be compared.
type pattern struct {
	// text is the whole pattern when it has no variables.
	text string
	form form
	// fixed is how much of a globbed text comes before its first wildcard.
	fixed int
	// parts make up a pattern with variables.
	parts []part
}

// A form is a kind of text that is cheaper to compare than others.
type form uint8

const (
	literal form = iota
	// everything is a lone *.
	everything
	// prefix ends in its only wildcard, a *, which isn't part of the text.
	prefix
	globbed
)

// A part is a piece of a pattern: text, or a variable.
type part struct {
	text string
	// key is the variable's condition key in lower case; empty for text.
	key string
	// fallback is used for a key that is absent, when there is one.
	fallback    string
	hasFallback bool
}

// compilePattern prepares s. Variables and escapes such as ${*} are only known
// to documents of version 2012-10-17; in others they are text.
func compilePattern(s string, syn syntax, variables bool) pattern {
	var parts []part
	var text strings.Builder
	colons, dynamic := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '$' && variables {
			if v, n, ok := variable(s[i:]); ok {
				if v.key == "" && !v.hasFallback {
					text.WriteString(v.text)
				} else {
					parts = append(parts, part{text: text.String()}, v)
					text.Reset()
					dynamic = true
				}
				i += n - 1
				continue
			}
		}
		whole := syn == wild || colons >= 5
		switch {
		case c == ':':
			colons++
			text.WriteByte(c)
		case syn == plain || c != '*' && c != '?':
			text.WriteByte(c)
		case c == '*' && (whole || i+1 == len(s) || s[i+1] == ':'):
			text.WriteByte(anyRun)
		case c == '*':
			text.WriteByte(partRun)
		case whole:
			text.WriteByte(anyOne)
		default:
			text.WriteByte(partOne)
		}
	}
	if dynamic {
		return pattern{parts: append(parts, part{text: text.String()})}
	}
	return newPattern(text.String())
}

func newPattern(text string) pattern {
	wildcard := 0
	for wildcard < len(text) && text[wildcard] < partOne {
		wildcard++
	}
	switch {
	case wildcard == len(text):
		return pattern{text: text}
	case wildcard == 0 && len(text) == 1 && text[0] == anyRun:
		return pattern{text: text, form: everything}
	case wildcard == len(text)-1 && text[wildcard] == anyRun:
		return pattern{text: text[:wildcard], form: prefix}
	}
	return pattern{text: text, form: globbed, fixed: wildcard}
}

// variable reads the variable or escape that s begins with, and tells its
// length. What isn't closed is no variable.
func variable(s string) (v part, n int, ok bool) {
	rest, ok := strings.CutPrefix(s, "${")
	if !ok {
		return part{}, 0, false
	}
	end, quoted := -1, false
	for i := 0; i < len(rest); i++ {
		if rest[i] == '\'' {
			quoted = !quoted
		}
		if rest[i] == '}' && !quoted {
			end = i
			break
		}
	}
	if end < 0 {
		return part{}, 0, false
	}
	n = len("${") + end + 1
	switch inside := rest[:end]; inside {
	case "*", "?", "$":
		return part{text: inside}, n, true
	default:
		name, fallback, more := strings.Cut(inside, ",")
		v.key = strings.ToLower(strings.TrimSpace(name))
		if v.key == "" {
			// No key has an empty name, so that this one is never there.
			v.key = "${}"
		}
		if more {
			fallback = strings.TrimSpace(fallback)
			if len(fallback) >= 2 && fallback[0] == '\'' && fallback[len(fallback)-1] == '\'' {
				v.fallback, v.hasFallback = fallback[1:len(fallback)-1], true
			}
		}
		return v, n, true
	}
}

// resolve is the pattern for a request: itself, or with its variables replaced.
// It is false when a variable has no value, or more than one.
//
// UNVERIFIED: wildcards within a value are plain characters here; AWS doesn't
// say, and anything else would let a caller widen the policy it is bound by.
func (p *pattern) resolve(r *Request) (*pattern, bool) {
	if p.parts == nil {
		return p, true
	}
	return p.substitute(r)
}

func (p *pattern) substitute(r *Request) (*pattern, bool) {
	var text strings.Builder
	for i := range p.parts {
		v := &p.parts[i]
		if v.key == "" {
			text.WriteString(v.text)
			continue
		}
		values, ok := r.lookup(v.key)
		switch {
		case ok && len(values) == 1 && utf8.ValidString(values[0]):
			text.WriteString(values[0])
		case !ok && v.hasFallback:
			text.WriteString(v.fallback)
		default:
			return nil, false
		}
	}
	q := newPattern(text.String())
	return &q, true
}

// match tells whether s fits; fold is for texts in which case doesn't count,
// and then the pattern is in lower case.
func (p *pattern) match(s string, fold bool) bool {
	switch {
	case p.form == everything:
		return true
	case fold && p.form == literal:
		return len(p.text) == len(s) && glob(p.text, s, true)
	case fold && p.form == prefix:
		return len(p.text) <= len(s) && glob(p.text, s[:len(p.text)], true)
	case fold:
		return glob(p.text, s, true)
	case p.form == literal:
		return p.text == s
	case p.form == prefix:
		return strings.HasPrefix(s, p.text)
	}
	return strings.HasPrefix(s, p.text[:p.fixed]) && glob(p.text[p.fixed:], s[p.fixed:], false)
}

// glob tells whether s fits a compiled pattern. It remembers the last wildcard
// of either reach: for one that stays in its segment there is nothing to win by
// going back further than the last, as long as the segment is the same.
func glob(p, s string, fold bool) bool {
	i, j := 0, 0
	wide, wideAt := -1, 0
	narrow, narrowAt := -1, 0
	for i < len(s) {
		if j < len(p) {
			c := s[i]
			if fold && 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			switch p[j] {
			case anyRun:
				wide, wideAt, narrow = j, i, -1
				j++
				continue
			case partRun:
				narrow, narrowAt = j, i
				j++
				continue
			case anyOne:
				i = next(s, i)
				j++
				continue
			case partOne:
				if c != ':' {
					i = next(s, i)
					j++
					continue
				}
			case c:
				i++
				j++
				continue
			}
		}
		switch {
		case narrow >= 0 && s[narrowAt] != ':':
			narrowAt = next(s, narrowAt)
			i, j = narrowAt, narrow+1
		case wide >= 0:
			wideAt = next(s, wideAt)
			i, j, narrow = wideAt, wide+1, -1
		default:
			return false
		}
	}
	for j < len(p) && p[j] >= partRun {
		j++
	}
	return j == len(p)
}

// next is the index after the UTF-8 character at i.
func next(s string, i int) int {
	i++
	for i < len(s) && s[i]&0xC0 == 0x80 {
		i++
	}
	return i
}

// matchARN tells whether s fits as ArnLike has it: each of the six parts by
// itself, the last with all the colons that follow.
func (p *pattern) matchARN(s string) bool {
	if p.form == literal {
		return p.text == s
	}
	text := p.text
	if p.form == prefix {
		// Within its part the * reaches as far as it does in the pattern's own text.
		return matchPrefixARN(text, s)
	}
	for range 5 {
		part, rest, ok := strings.Cut(text, ":")
		value, restValue, more := strings.Cut(s, ":")
		if ok != more || !glob(part, value, false) {
			return false
		}
		if !ok {
			return true
		}
		text, s = rest, restValue
	}
	return glob(text, s, false)
}

// matchPrefixARN is for patterns whose only wildcard is a * at the end.
func matchPrefixARN(prefix, s string) bool {
	if !strings.HasPrefix(s, prefix) {
		return false
	}
	return strings.Count(prefix, ":") >= 5 || !strings.Contains(s[len(prefix):], ":")
}
