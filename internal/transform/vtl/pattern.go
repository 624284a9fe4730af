package vtl

import (
	"regexp"
	"strings"
)

// A pattern is a Java regular expression. Most that templates use are plain
// texts, written with the escapes that expressions need; these aren't compiled.
type pattern struct {
	plain   bool
	literal string
	re      *regexp.Regexp
	whole   *regexp.Regexp // what matches uses; made when it is first asked for
	source  string
	// near patterns look no further than their match goes, and free ones don't
	// look at what is before it.
	near, free bool
}

// pattern is the expression that source is, or nil and a failure.
func (st *state) pattern(source string) *pattern {
	if p := st.patterns[source]; p != nil {
		return p
	}
	const longest = 4 << 10
	// The text may be in memory that is the exchange's.
	source = strings.Clone(source)
	p := &pattern{source: javaPattern(source)}
	st.charge(20 * len(source))
	if literal, ok := plainPattern(source); ok {
		p.plain, p.literal = true, literal
	} else if len(source) > longest {
		st.fail(st.pos, "the pattern is too long")
		return nil
	} else {
		re, err := regexp.Compile(p.source)
		if err != nil {
			st.fail(st.pos, "the pattern can't be used: "+err.Error())
			return nil
		}
		p.re = re
		p.near, p.free = sight(p.source)
	}
	if len(source) > maxKeptLength {
		return p
	}
	if st.patterns == nil || len(st.patterns) >= maxKept {
		st.patterns = map[string]*pattern{}
	}
	st.patterns[source] = p
	return p
}

// plainPattern is the text that an expression matches and no other, if it is so
// simple.
func plainPattern(source string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case strings.IndexByte(`.^$*+?()[]{}|`, c) >= 0:
			return "", false
		case c == '\\':
			i++
			if i == len(source) {
				return "", false
			}
			switch c = source[i]; {
			case c == 'n':
				c = '\n'
			case c == 'r':
				c = '\r'
			case c == 't':
				c = '\t'
			case isLetter(c), isDigit(c), c >= 0x80:
				return "", false
			}
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// javaPattern writes what Java spells otherwise as RE2 does: its POSIX classes,
// \h, \R and \Z. Look-around, back-references and possessive quantifiers have no
// counterpart; they fail to compile.
func javaPattern(source string) string {
	if !strings.Contains(source, `\`) {
		return source
	}
	var b strings.Builder
	class := 0
	for i := 0; i < len(source); i++ {
		c := source[i]
		if c != '\\' || i+1 == len(source) {
			switch c {
			case '[':
				class++
			case ']':
				class = 0
			}
			b.WriteByte(c)
			continue
		}
		i++
		rest := source[i:]
		name, n := posixClass(rest)
		switch {
		case n > 0 && class > 0:
			b.WriteString(name)
			i += n - 1
		case n > 0:
			b.WriteString("[" + name + "]")
			i += n - 1
		case rest[0] == 'h' && class > 0:
			b.WriteString(` \t`)
		case rest[0] == 'h':
			b.WriteString(`[ \t]`)
		case rest[0] == 'R' && class == 0:
			b.WriteString(`(?:\r\n|[\n\r])`)
		case rest[0] == 'Z' && class == 0:
			b.WriteString(`\z`)
		default:
			b.WriteByte('\\')
			b.WriteByte(rest[0])
		}
	}
	return b.String()
}

// posixClass is RE2's class for Java's \p{Alpha} and the like, given from the p
// on, with how long that is.
func posixClass(rest string) (string, int) {
	if !strings.HasPrefix(rest, "p{") && !strings.HasPrefix(rest, "P{") {
		return "", 0
	}
	name, _, ok := strings.Cut(rest[2:], "}")
	if !ok {
		return "", 0
	}
	n := len(name) + 3
	switch name {
	case "Lower", "Upper", "ASCII", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank", "Cntrl", "XDigit", "Space":
	case "IsAlphabetic":
		name = "Alpha"
	case "IsDigit":
		name = "Digit"
	default:
		return "", 0
	}
	if rest[0] == 'P' {
		return "[:^" + strings.ToLower(name) + ":]", n
	}
	return "[:" + strings.ToLower(name) + ":]", n
}

// textMatches is matches(pattern), which is about the whole text.
func textMatches(st *state, on value, args []value) (value, bool) {
	if len(args) != 1 || args[0].k != text {
		return value{}, false
	}
	p := st.pattern(args[0].s)
	if p == nil {
		return value{}, true
	}
	return boolValue(st.matchesWhole(p, on.s)), true
}

func (st *state) matchesWhole(p *pattern, s string) bool {
	st.charge(len(s) >> 3)
	if p.plain {
		return s == p.literal
	}
	if p.whole == nil {
		re, err := regexp.Compile(`\A(?:` + p.source + `)\z`)
		if err != nil {
			st.fail(st.pos, "the pattern can't be used: "+err.Error())
			return false
		}
		p.whole = re
	}
	return p.whole.MatchString(s)
}

// replacePattern is replaceAll and replaceFirst.
func (st *state) replacePattern(name, s string, args []value) (value, bool) {
	if len(args) != 2 || args[0].k != text || args[1].k != text {
		return value{}, false
	}
	p := st.pattern(args[0].s)
	if p == nil {
		return value{}, true
	}
	n := -1
	if name == "replaceFirst" {
		n = 1
	}
	parts, wrong := p.replacement(args[1].s)
	if wrong != "" {
		return st.throws(name, wrong)
	}
	if p.plain {
		with := ""
		for _, part := range parts {
			if part.group == 0 {
				part.text = p.literal
			}
			with += part.text
		}
		return st.replaceText(s, p.literal, with, n), true
	}
	return st.replaceMatches(p, s, parts, n), true
}

func (st *state) replaceMatches(p *pattern, s string, parts []replacementPart, n int) value {
	var b []byte
	at := 0
	st.eachMatch(p, s, func(m []int) bool {
		b = append(b, s[at:m[0]]...)
		for _, part := range parts {
			if part.group < 0 {
				b = append(b, part.text...)
			} else if m[2*part.group] >= 0 {
				b = append(b, s[m[2*part.group]:m[2*part.group+1]]...)
			}
		}
		at = m[1]
		n--
		return n != 0 && len(b) <= maxOutput
	})
	if !st.fits(len(b) + len(s) - at) {
		return value{}
	}
	return textValue(string(append(b, s[at:]...)))
}

// A replacementPart is text, or for a group that isn't negative what that group
// matched.
type replacementPart struct {
	text  string
	group int
}

// replacement reads a replacement as Java does: $1 and ${name} are groups, a
// backslash takes the meaning of what follows.
func (p *pattern) replacement(s string) (parts []replacementPart, wrong string) {
	var plain []byte
	flush := func() {
		if len(plain) > 0 {
			parts = append(parts, replacementPart{string(plain), -1})
			plain = nil
		}
	}
	groups := 0
	if p.re != nil {
		groups = p.re.NumSubexp()
	}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
			if i == len(s) {
				return nil, "the replacement ends with a backslash"
			}
			plain = append(plain, s[i])
		case '$':
			group, n := p.group(s[i+1:], groups)
			if n == 0 {
				return nil, "the replacement names no group behind a $"
			}
			flush()
			parts = append(parts, replacementPart{group: group})
			i += n
		default:
			plain = append(plain, s[i])
		}
	}
	flush()
	return parts, ""
}

// group reads the number or name of a group, and how long it is; 0 if there is
// no such group. Of a number as many digits count as give a group.
func (p *pattern) group(s string, groups int) (group, n int) {
	if s == "" {
		return 0, 0
	}
	if s[0] == '{' {
		name, _, ok := strings.Cut(s[1:], "}")
		if !ok || p.re == nil || p.re.SubexpIndex(name) < 0 {
			return 0, 0
		}
		return p.re.SubexpIndex(name), len(name) + 2
	}
	for n < len(s) && isDigit(s[n]) {
		next := 10*group + int(s[n]-'0')
		if next > groups {
			break
		}
		group = next
		n++
	}
	return group, n
}

// textSplit is split(pattern) and split(pattern, limit). Without a limit, or
// with 0, empty texts at the end are left out.
func textSplit(st *state, on value, args []value) (value, bool) {
	limit := 0
	if len(args) == 2 && args[1].k == integer {
		limit = int(min(max(args[1].n, -1), maxItems))
	} else if len(args) != 1 {
		return value{}, false
	}
	if args[0].k != text {
		return value{}, false
	}
	p := st.pattern(args[0].s)
	if p == nil {
		return value{}, true
	}
	parts := st.split(p, on.s, limit)
	if limit == 0 && len(parts) > 1 {
		for len(parts) > 0 && parts[len(parts)-1].s == "" {
			parts = parts[:len(parts)-1]
		}
	}
	return listValue(&listObject{items: parts}), true
}

func (st *state) split(p *pattern, s string, limit int) []value {
	st.charge(len(s) >> 3)
	var parts []value
	at := 0
	cut := func(from, to int) bool {
		if limit > 0 && len(parts) == limit-1 {
			return false
		}
		if to == 0 {
			return true // nothing matched at the start gives no empty text
		}
		parts = append(parts, textValue(s[at:from]))
		at = to
		st.made(48)
		return st.err == nil && len(parts) < maxItems
	}
	if p.plain && p.literal != "" {
		for from := 0; ; {
			i := strings.Index(s[from:], p.literal)
			if i < 0 || !cut(from+i, from+i+len(p.literal)) {
				break
			}
			from += i + len(p.literal)
		}
	} else if p.plain {
		for i := range s {
			if !cut(i, i) {
				break
			}
		}
		cut(len(s), len(s))
	} else {
		st.eachMatch(p, s, func(m []int) bool { return cut(m[0], m[1]) })
	}
	return append(parts, textValue(s[at:]))
}
