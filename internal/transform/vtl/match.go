package vtl

import (
	"regexp/syntax"
	"unicode/utf8"
)

// maxMatches bounds the matches of a pattern that must be found all at once.
const maxMatches = 20_000

// eachMatch calls f with the bounds of each match and of its groups, until f is
// false. Behind a match another may be empty, as in Java.
func (st *state) eachMatch(p *pattern, s string, f func(m []int) bool) {
	if !p.free {
		st.eachMatchAtOnce(p, s, f)
		return
	}
	for from := 0; from <= len(s) && st.err == nil; {
		m := p.re.FindStringSubmatchIndex(s[from:])
		if m == nil {
			st.charge((len(s) - from) >> 3)
			return
		}
		if p.near {
			st.charge(8 + m[1]>>3)
		} else {
			st.charge(8 + (len(s)-from)>>3)
		}
		for i := range m {
			if m[i] >= 0 {
				m[i] += from
			}
		}
		if !f(m) {
			return
		}
		from = m[1]
		if m[0] == m[1] {
			_, size := utf8.DecodeRuneInString(s[from:])
			from += max(size, 1)
		}
	}
}

// eachMatchAtOnce is eachMatch for a pattern that looks at what is before a
// match, which therefore has to be given all of the text.
func (st *state) eachMatchAtOnce(p *pattern, s string, f func(m []int) bool) {
	const most = 1 << 20
	if len(s) > most {
		st.fail(st.pos, "the text is too long for the pattern")
		return
	}
	all := p.re.FindAllStringSubmatchIndex(s, maxMatches+1)
	if len(all) > maxMatches {
		st.fail(st.pos, "the pattern has too many matches")
		return
	}
	st.charge(len(s) >> 3)
	for _, m := range all {
		if p.near {
			st.charge(8)
		} else {
			st.charge(8 + len(s)>>3)
		}
		if st.err != nil || !f(m) {
			return
		}
	}
}

// sight tells whether an expression is near, which it is if nothing but its last
// part repeats without bounds, and that is one character; and whether it is
// free, which it is if it has no \b and no start of line or text.
func sight(source string) (near, free bool) {
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return false, false // it was compiled, so this can't be
	}
	return isNear(tree, true), isFree(tree)
}

func isNear(re *syntax.Regexp, last bool) bool {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat, syntax.OpQuest:
		one := re.Sub[0].Op
		single := one == syntax.OpCharClass || one == syntax.OpLiteral && len(re.Sub[0].Rune) == 1
		return single && (last || re.Op == syntax.OpQuest)
	}
	for i, sub := range re.Sub {
		if !isNear(sub, last && (re.Op != syntax.OpConcat || i == len(re.Sub)-1)) {
			return false
		}
	}
	return true
}

func isFree(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return false
	}
	for _, sub := range re.Sub {
		if !isFree(sub) {
			return false
		}
	}
	return true
}
