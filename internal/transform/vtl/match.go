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
			st.charge(8 + (len(s)-from)>>2)
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
			st.charge(8 + len(s)>>2)
		}
		if st.err != nil || !f(m) {
			return
		}
	}
}

// sight tells whether an expression is near, and whether it is free: it has no
// \b and no start of line or text. Near it is if all that repeats without bounds
// is one character, and the next that the expression wants can't be such a one:
// so that no match is looked for beyond where it ends.
func sight(source string) (near, free bool) {
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return false, false // it was compiled, so this can't be
	}
	return isNear(tree, nil, true), isFree(tree)
}

// isNear is about a part of an expression and what follows it, nil if that isn't
// known or, at the end, nothing.
func isNear(re, next *syntax.Regexp, last bool) bool {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		repeated, ok := firstRunes(re.Sub[0])
		if !ok || !isSingle(re.Sub[0]) {
			return false
		}
		if last {
			return true
		}
		following, ok := firstRunes(next)
		return ok && disjoint(repeated, following)
	case syntax.OpConcat:
		for i, sub := range re.Sub {
			after := next
			if i+1 < len(re.Sub) {
				after = re.Sub[i+1]
			}
			if !isNear(sub, after, last && i+1 == len(re.Sub)) {
				return false
			}
		}
		return true
	}
	for _, sub := range re.Sub {
		if !isNear(sub, next, last) {
			return false
		}
	}
	return true
}

func isSingle(re *syntax.Regexp) bool {
	return re.Op == syntax.OpCharClass || re.Op == syntax.OpLiteral && len(re.Rune) == 1
}

// firstRunes are the ranges of characters that what an expression matches starts
// with, if that is easily told.
func firstRunes(re *syntax.Regexp) ([]rune, bool) {
	switch {
	case re == nil:
		return nil, false
	case re.Op == syntax.OpCharClass:
		return re.Rune, true
	case re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase == 0:
		return []rune{re.Rune[0], re.Rune[0]}, true
	case re.Op == syntax.OpCapture, re.Op == syntax.OpPlus, re.Op == syntax.OpConcat:
		return firstRunes(re.Sub[0])
	}
	return nil, false
}

// disjoint tells whether two sets of ranges have nothing in common.
func disjoint(a, b []rune) bool {
	for i := 0; i < len(a); i += 2 {
		for j := 0; j < len(b); j += 2 {
			if a[i] <= b[j+1] && b[j] <= a[i+1] {
				return false
			}
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
