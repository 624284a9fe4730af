package model

import (
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A pattern is a regular expression of ECMA 262 in RE2's form. Back references
// have none, and look-around only where an anchored expression begins with it:
// "^(?=.*\\d)(?!.*x).{8,}$" asks for several things at once.
type pattern struct {
	source string // as the schema has it
	re     *regexp.Regexp
	// ahead is what text has to begin with as well, or mustn't.
	ahead []lookahead
}

type lookahead struct {
	re      *regexp.Regexp
	refuses bool
}

var (
	errLookaround = errors.New("look-around is supported only where an expression begins, behind ^")
	errBackref    = errors.New("back references aren't supported")
	errRepeat     = errors.New("it repeats too often")
)

const (
	// repeatOnce is the highest count of RE2's own repetitions; higher ones are
	// written as several.
	repeatOnce = 1000
	// maxRepeat bounds what one repetition is written as.
	maxRepeat = 10000
	// maxExpression bounds the whole.
	maxExpression = 1 << 20
)

// newPattern compiles a regular expression.
func newPattern(source string) (*pattern, error) {
	p := &pattern{source: source}
	var err error
	if p.ahead, p.re, err = compileExpression(source); err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", source, err)
	}
	return p, nil
}

func compileExpression(source string) (ahead []lookahead, re *regexp.Regexp, err error) {
	for isAhead(source) {
		inside, rest, closed := cutGroup(source[1:])
		if !closed {
			return nil, nil, errors.New("a group has no end")
		}
		// Alternatives would each have their own.
		if hasAlternatives(rest) || rest != "" && strings.IndexByte("*+?{", rest[0]) >= 0 {
			return nil, nil, errLookaround
		}
		re, err := translate("^(?:" + inside[3:] + ")")
		if err != nil {
			return nil, nil, err
		}
		ahead = append(ahead, lookahead{re, inside[2] == '!'})
		source = "^" + rest
	}
	re, err = translate(source)
	return ahead, re, err
}

func translate(source string) (*regexp.Regexp, error) {
	t := translator{in: source}
	if err := t.run(); err != nil {
		return nil, err
	}
	return regexp.Compile(t.out.String())
}

// matches tells whether the expression is found in text.
func (p *pattern) matches(text []byte) bool {
	for i := range p.ahead {
		if p.ahead[i].re.Match(text) == p.ahead[i].refuses {
			return false
		}
	}
	return p.re.Match(text)
}

// isAhead tells whether an expression begins with look-ahead behind an anchor.
func isAhead(source string) bool {
	return strings.HasPrefix(source, "^(?=") || strings.HasPrefix(source, "^(?!")
}

// cutGroup cuts the group that an expression begins with, without its last
// parenthesis.
func cutGroup(source string) (inside, rest string, closed bool) {
	depth := 0
	for i, c := range syntaxOf(source) {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return source[:i], source[i+1:], true
			}
		}
	}
	return "", "", false
}

// hasAlternatives tells whether an expression has alternatives outside of
// groups.
func hasAlternatives(source string) bool {
	depth := 0
	for _, c := range syntaxOf(source) {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth == 0 {
				return true
			}
		}
	}
	return false
}

// syntaxOf yields the bytes of an expression that aren't escaped or in a set.
func syntaxOf(source string) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		inClass := false
		for i := 0; i < len(source); i++ {
			switch c := source[i]; {
			case c == '\\':
				i++
			case inClass:
				inClass = c != ']'
			case c == '[':
				inClass = true
			default:
				if !yield(i, c) {
					return
				}
			}
		}
	}
}

// A translator writes an ECMA expression as one of RE2.
type translator struct {
	in  string
	at  int
	out strings.Builder
	// atom is where the last atom begins in out, -1 if nothing can be repeated;
	// groups are where the open ones begin.
	atom   int
	groups []int
}

func (t *translator) run() error {
	t.atom = -1
	for t.at < len(t.in) {
		if t.out.Len() > maxExpression {
			return errRepeat
		}
		if err := t.next(); err != nil {
			return err
		}
	}
	return nil
}

// begin says that an atom begins.
func (t *translator) begin() { t.atom = t.out.Len() }

func (t *translator) next() error {
	c := t.in[t.at]
	switch c {
	case '\\':
		t.begin()
		return t.escape(false)
	case '[':
		t.begin()
		return t.class()
	case '(':
		return t.group()
	case ')':
		t.at++
		t.out.WriteByte(c)
		if len(t.groups) > 0 {
			t.atom = t.groups[len(t.groups)-1]
			t.groups = t.groups[:len(t.groups)-1]
		}
	case '|', '^', '$':
		t.at++
		t.out.WriteByte(c)
		t.atom = -1
	case '.':
		t.begin()
		t.at++
		t.out.WriteString(`[^\n\r\x{2028}\x{2029}]`)
	case '{':
		return t.repeat()
	case '*', '+', '?':
		t.at++
		t.out.WriteByte(c)
	default:
		t.begin()
		_, size := utf8.DecodeRuneInString(t.in[t.at:])
		t.out.WriteString(t.in[t.at : t.at+size])
		t.at += size
	}
	return nil
}

func (t *translator) group() error {
	rest := t.in[t.at:]
	for _, look := range [...]string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(rest, look) {
			return errLookaround
		}
	}
	t.groups = append(t.groups, t.out.Len())
	t.atom = -1
	if strings.HasPrefix(rest, "(?:") {
		t.at += len("(?:")
		t.out.WriteString("(?:")
		return nil
	}
	if strings.HasPrefix(rest, "(?") && !strings.HasPrefix(rest, "(?<") {
		return errors.New("an unknown kind of group")
	}
	t.at++
	t.out.WriteByte('(')
	return nil
}

// repeat writes a repetition, {n}, {n,} or {n,m}. Other braces are text.
func (t *translator) repeat() error {
	end := strings.IndexByte(t.in[t.at:], '}')
	least, most, ok := 0, 0, false
	if end > 0 {
		least, most, ok = parseRepeat(t.in[t.at+1 : t.at+end])
	}
	if !ok {
		t.begin()
		t.at++
		t.out.WriteString(`\{`)
		return nil
	}
	t.at += end + 1
	switch {
	case t.atom < 0:
		return errors.New("nothing to repeat")
	case most >= 0 && most < least:
		return errors.New("a repetition with its bounds the wrong way round")
	}
	if least <= repeatOnce && most <= repeatOnce {
		t.out.WriteString(bounds(least, most))
		return nil
	}
	if least > maxRepeat || most > maxRepeat {
		return errRepeat
	}
	written := t.out.String()
	before, atom := written[:t.atom], written[t.atom:]
	if len(atom)*(max(least, most)/repeatOnce+2) > maxExpression {
		return errRepeat
	}
	lazy := ""
	if t.at < len(t.in) && t.in[t.at] == '?' {
		lazy = "?"
		t.at++
	}
	t.out.Reset()
	t.out.WriteString(before)
	t.out.WriteString("(?:")
	for left := least; left > 0; left -= repeatOnce {
		t.out.WriteString(atom + bounds(min(left, repeatOnce), min(left, repeatOnce)) + lazy)
	}
	if most < 0 {
		t.out.WriteString(atom + "*" + lazy)
	}
	for left := most - least; left > 0; left -= repeatOnce {
		t.out.WriteString(atom + bounds(0, min(left, repeatOnce)) + lazy)
	}
	t.out.WriteByte(')')
	return nil
}

// parseRepeat reads what stands between the braces; most is -1 without a bound.
func parseRepeat(text string) (least, most int, ok bool) {
	low, high, ranged := strings.Cut(text, ",")
	least, err := strconv.Atoi(low)
	if err != nil || low[0] == '+' || low[0] == '-' {
		return 0, 0, false
	}
	switch {
	case !ranged:
		return least, least, true
	case high == "":
		return least, -1, true
	}
	most, err = strconv.Atoi(high)
	return least, most, err == nil && high[0] != '+' && high[0] != '-'
}

func bounds(least, most int) string {
	switch {
	case most < 0:
		return "{" + strconv.Itoa(least) + ",}"
	case least == most:
		return "{" + strconv.Itoa(least) + "}"
	}
	return "{" + strconv.Itoa(least) + "," + strconv.Itoa(most) + "}"
}

// class writes a set of characters.
func (t *translator) class() error {
	t.at++
	negated := strings.HasPrefix(t.in[t.at:], "^")
	if negated {
		t.at++
	}
	if strings.HasPrefix(t.in[t.at:], "]") {
		t.at++
		if negated {
			t.out.WriteString(`[\x{0}-\x{10FFFF}]`) // any
			return nil
		}
		t.out.WriteString(`[^\x{0}-\x{10FFFF}]`) // none
		return nil
	}
	t.out.WriteByte('[')
	if negated {
		t.out.WriteByte('^')
	}
	for t.at < len(t.in) {
		switch c := t.in[t.at]; c {
		case ']':
			t.at++
			t.out.WriteByte(c)
			return nil
		case '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		case '[', '&', '~':
			// Nothing begins in a class here.
			t.at++
			t.out.WriteByte('\\')
			t.out.WriteByte(c)
		default:
			t.at++
			t.out.WriteByte(c)
		}
	}
	return errors.New("a set of characters has no end")
}

// escape writes what begins with a backslash.
func (t *translator) escape(inClass bool) error {
	rest := t.in[t.at+1:]
	if rest == "" {
		return errors.New("a backslash at the end")
	}
	c := rest[0]
	t.at += 2
	switch {
	case c == 'd' || c == 'D' || c == 'w' || c == 'W' || c == 's' || c == 'S' || c == 'f' || c == 'n' || c == 'r' || c == 't' || c == 'v':
		t.out.WriteByte('\\')
		t.out.WriteByte(c)
	case c == 'b' && inClass:
		t.out.WriteString(`\x08`)
	case (c == 'b' || c == 'B') && !inClass:
		t.out.WriteByte('\\')
		t.out.WriteByte(c)
		t.atom = -1
	case c == '0':
		t.out.WriteString(`\x00`)
	case '1' <= c && c <= '9':
		return errBackref
	case c == 'k' && strings.HasPrefix(rest, "k<"):
		return errBackref
	case c == 'c' && len(rest) > 1 && isLetter(rest[1]):
		t.at++
		fmt.Fprintf(&t.out, `\x%02x`, rest[1]&31)
	case c == 'x' && len(rest) > 2:
		return t.hex(rest[1:3])
	case c == 'u' && len(rest) > 4:
		return t.hex(rest[1:5])
	case (c == 'p' || c == 'P') && strings.HasPrefix(rest[1:], "{"):
		// UNVERIFIED: that AWS takes Unicode's classes.
		t.out.WriteByte('\\')
		t.out.WriteByte(c)
	default:
		r, size := utf8.DecodeRuneInString(rest)
		t.at += size - 1
		if r < utf8.RuneSelf && !isLetter(c) {
			t.out.WriteByte('\\')
		}
		t.out.WriteRune(r)
	}
	return nil
}

// hex writes a character given in hex digits.
func (t *translator) hex(digits string) error {
	r, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return errors.New("an escape without its hex digits")
	}
	t.at += len(digits)
	c := rune(r)
	if utf16.IsSurrogate(c) {
		rest := t.in[t.at:]
		if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
			return errors.New("half of a character")
		}
		low, err := strconv.ParseUint(rest[2:6], 16, 32)
		if c = utf16.DecodeRune(c, rune(low)); err != nil || c == utf8.RuneError {
			return errors.New("half of a character")
		}
		t.at += 6
	}
	fmt.Fprintf(&t.out, `\x{%x}`, c)
	return nil
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
