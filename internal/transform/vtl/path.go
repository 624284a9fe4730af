package vtl

import (
	"strconv"
	"strings"
)

// A jsonPath is a path in Jayway's dialect, which $input.path and $input.json
// take: $.a.b, ['a','b'], [0], [-1], [1,2], [1:3], *, .., [?(...)], and a function
// such as length() at its end.
type jsonPath struct {
	tokens []pathToken
	// indefinite paths may lead to many values and give a list, even of none.
	indefinite bool
	function   string
	arguments  []value // of the function
	// bad is what is wrong with the path, "" if nothing is.
	bad string
}

// A pathToken is one step of a path.
type pathToken struct {
	kind  tokenKind
	names []string
	// numbers are indexes, or the from and to of a slice, where set tells which of
	// them are given.
	numbers []int
	set     [2]bool
	filter  filterExpr
	// scan tells that the token is looked for at every depth, last that none
	// follows: then several names make a map.
	scan, last bool
}

type tokenKind uint8

const (
	namesToken tokenKind = iota
	wildcardToken
	indexToken
	sliceToken
	filterToken
)

// A pathReader reads a path.
type pathReader struct {
	s    string
	i    int
	nest int
	bad  string
}

func (r *pathReader) fail(reason string) {
	if r.bad == "" {
		r.bad = reason + " at character " + strconv.Itoa(r.i+1)
	}
}

func (r *pathReader) space() {
	for r.i < len(r.s) && (r.s[r.i] == ' ' || r.s[r.i] == '\t' || r.s[r.i] == '\n' || r.s[r.i] == '\r') {
		r.i++
	}
}

func (r *pathReader) peek() byte {
	if r.i < len(r.s) {
		return r.s[r.i]
	}
	return 0
}

func (r *pathReader) take(c byte) bool {
	if r.i < len(r.s) && r.s[r.i] == c {
		r.i++
		return true
	}
	return false
}

// parseJSONPath reads a path. What is wrong with it is said when it is used, as
// AWS does.
func parseJSONPath(source string) *jsonPath {
	s := strings.TrimSpace(source)
	if s == "" {
		return &jsonPath{bad: "the path is empty"}
	}
	if s[0] != '$' && s[0] != '@' {
		s = "$." + s
	}
	r := &pathReader{s: s, i: 1}
	p := r.path()
	if r.bad == "" && r.i < len(r.s) {
		r.fail("the path goes on with what it can't")
	}
	p.bad = r.bad
	if p.bad != "" {
		p.bad = "the path " + strconv.Quote(shortened(source)) + " can't be read: " + p.bad
	}
	return p
}

// path reads tokens up to what can't be one.
func (r *pathReader) path() *jsonPath {
	p := &jsonPath{}
	for r.bad == "" && p.function == "" && (r.peek() == '.' || r.peek() == '[') {
		scan := strings.HasPrefix(r.s[r.i:], "..")
		switch {
		case scan:
			r.i += 2
		case r.take('.') && r.peek() == '[':
			r.fail("a dot before a bracket")
		}
		r.token(p, scan)
	}
	for i := range p.tokens {
		t := &p.tokens[i]
		t.last = i == len(p.tokens)-1
		definite := t.kind == namesToken && (len(t.names) == 1 || t.last) || t.kind == indexToken && len(t.numbers) == 1
		if t.scan || !definite {
			p.indefinite = true
		}
	}
	return p
}

func (r *pathReader) token(p *jsonPath, scan bool) {
	t := pathToken{scan: scan}
	switch {
	case r.peek() == '*':
		r.i++
		t.kind = wildcardToken
	case r.peek() == '[':
		r.i++
		r.bracket(&t)
	default:
		start := r.i
		for r.i < len(r.s) && !strings.ContainsRune(".[]() \t\r\n,=!<>&|", rune(r.s[r.i])) {
			r.i++
		}
		name := r.s[start:r.i]
		if name == "" {
			r.fail("a name is missing")
			return
		}
		if r.take('(') {
			r.functionCall(p, name)
			return
		}
		t.names = []string{name}
	}
	p.tokens = append(p.tokens, t)
}

// functionCall reads a function from behind its parenthesis on.
func (r *pathReader) functionCall(p *jsonPath, name string) {
	switch name {
	case "length", "size", "min", "max", "avg", "sum", "stddev", "keys", "concat", "append", "first", "last", "index":
	default:
		r.fail("there is no function " + strconv.Quote(name))
		return
	}
	p.function = name
	for r.space(); !r.take(')') && r.bad == ""; r.space() {
		v, ok := r.literal()
		if !ok {
			r.fail("an argument of a function can't be read")
		}
		p.arguments = append(p.arguments, v)
		r.space()
		r.take(',')
	}
}

// bracket reads what is in brackets, from behind the opening one on.
func (r *pathReader) bracket(t *pathToken) {
	r.space()
	switch c := r.peek(); {
	case c == '*':
		r.i++
		t.kind = wildcardToken
	case c == '\'' || c == '"':
		r.names(t)
	case c == '?':
		r.i++
		t.kind = filterToken
		r.space()
		if !r.take('(') {
			r.fail("a filter needs parentheses")
			return
		}
		t.filter = r.filter()
		r.space()
		if !r.take(')') {
			r.fail("a filter isn't closed")
		}
	case c == '-' || c == ':' || isDigit(c):
		r.numbers(t)
	default:
		r.fail("brackets hold what they can't")
	}
	r.space()
	if !r.take(']') {
		r.fail("brackets aren't closed")
	}
}

func (r *pathReader) names(t *pathToken) {
	for r.bad == "" {
		r.space()
		name, ok := r.quoted()
		if !ok {
			r.fail("a name isn't closed")
			return
		}
		t.names = append(t.names, name)
		r.space()
		if !r.take(',') {
			return
		}
	}
}

// quoted reads a text in either quotes, in which a backslash takes the meaning
// of what follows.
func (r *pathReader) quoted() (string, bool) {
	quote := r.peek()
	if quote != '\'' && quote != '"' {
		return "", false
	}
	r.i++
	start, escapes := r.i, false
	for ; r.i < len(r.s); r.i++ {
		switch r.s[r.i] {
		case '\\':
			escapes = true
			r.i++
		case quote:
			s := r.s[start:r.i]
			r.i++
			if escapes {
				return unescapeName(s), true
			}
			return s, true
		}
	}
	return "", false
}

func unescapeName(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// numbers reads indexes with commas between them, or a slice. What a slice has
// behind a second colon doesn't count.
func (r *pathReader) numbers(t *pathToken) {
	t.kind = indexToken
	for part := 0; r.bad == ""; part++ {
		r.space()
		n, given := r.integer()
		if part < 2 || t.kind == indexToken {
			t.numbers = append(t.numbers, n)
		}
		if part < 2 {
			t.set[part] = given
		}
		r.space()
		switch {
		case r.peek() == ':' && (part == 0 || t.kind == sliceToken):
			t.kind = sliceToken
			r.i++
			continue
		case !given && t.kind == indexToken:
			r.fail("an index is missing")
		case r.peek() == ',' && t.kind == indexToken:
			r.i++
			continue
		}
		break
	}
	if t.kind == sliceToken && !t.set[0] && !t.set[1] {
		r.fail("a slice has neither start nor end")
	}
}

func (r *pathReader) integer() (int, bool) {
	start := r.i
	r.take('-')
	for isDigit(r.peek()) && r.i-start < 10 {
		r.i++
	}
	n, err := strconv.Atoi(r.s[start:r.i])
	if err != nil {
		r.i = start
	}
	return n, err == nil
}
