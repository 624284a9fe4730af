package vtl

import (
	"strconv"
	"strings"
)

// A filterExpr is the condition of a [?(...)].
type filterExpr interface {
	// holds tells whether it holds for an element of a document.
	holds(st *state, doc, at value) bool
}

// filterLogic is && and ||.
type filterLogic struct {
	or          bool
	left, right filterExpr
}

func (f *filterLogic) holds(st *state, doc, at value) bool {
	if f.or {
		return f.left.holds(st, doc, at) || f.right.holds(st, doc, at)
	}
	return f.left.holds(st, doc, at) && f.right.holds(st, doc, at)
}

type filterNot struct{ of filterExpr }

func (f *filterNot) holds(st *state, doc, at value) bool { return !f.of.holds(st, doc, at) }

// An operand is a literal, or a path from the element (@) or the document ($).
type operand struct {
	literal value
	path    *jsonPath
	root    bool // the path starts at the document
}

// eval is the operand's value, and whether there is one: null is a value.
func (o *operand) eval(st *state, doc, at value) (value, bool) {
	if o.path == nil {
		return o.literal, true
	}
	if o.root {
		at = doc
	}
	if len(o.path.tokens) == 0 && o.path.function == "" {
		return at, true
	}
	if !o.path.indefinite && o.path.function == "" {
		// What is null is there, what is missing isn't.
		last := len(o.path.tokens) - 1
		for i := range o.path.tokens[:last] {
			at = o.path.tokens[i].one(at)
		}
		st.charge(last + 1)
		t := &o.path.tokens[last]
		v := t.one(at)
		return v, v.k != null || t.hasNull(at)
	}
	v := o.path.values(st, doc, at)
	if o.path.function != "" {
		v = o.path.apply(st, v)
	}
	return v, v.k != null
}

// hasNull tells whether what a token leads to is there, knowing that it is null
// or isn't.
func (t *pathToken) hasNull(v value) bool {
	switch {
	case t.kind == namesToken && v.k == dict && len(t.names) == 1:
		_, ok := v.dict().find(t.names[0])
		return ok
	case t.kind == indexToken && v.k == list:
		n := len(v.list().items)
		return t.numbers[0] < n && t.numbers[0] >= -n
	}
	return false
}

// filterExists is a path alone: it holds if there is what it leads to.
type filterExists struct{ of operand }

func (f *filterExists) holds(st *state, doc, at value) bool {
	v, ok := f.of.eval(st, doc, at)
	if ok && v.k == list && f.of.path != nil && f.of.path.indefinite {
		return len(v.list().items) > 0
	}
	return ok
}

// filterCompare is one operand compared with another.
type filterCompare struct {
	op          string
	left, right operand
	pattern     string
}

func (f *filterCompare) holds(st *state, doc, at value) bool {
	left, hasLeft := f.left.eval(st, doc, at)
	if f.op == "=~" {
		return f.matches(st, left)
	}
	right, hasRight := f.right.eval(st, doc, at)
	switch f.op {
	case "==":
		return hasLeft == hasRight && sameInFilter(st, left, right)
	case "!=":
		return hasLeft != hasRight || !sameInFilter(st, left, right)
	case "===":
		return hasLeft == hasRight && st.same(left, right)
	case "!==":
		return hasLeft != hasRight || !st.same(left, right)
	case "nin":
		return !hasLeft || right.k != list || !anyOf(st, right.list().items, left)
	}
	if !hasLeft || !hasRight {
		return false
	}
	switch f.op {
	case "<", "<=", ">", ">=":
		return ordered(f.op, left, right)
	case "in":
		return right.k == list && anyOf(st, right.list().items, left)
	case "contains":
		if left.k == list {
			return anyOf(st, left.list().items, right)
		}
		st.charge(len(left.s) >> 4)
		return left.k == text && right.k == text && strings.Contains(left.s, right.s)
	case "size":
		return right.k == integer && sizeOf(left) == int(right.n)
	case "empty":
		return sizeOf(left) >= 0 && right.k == boolean && (sizeOf(left) == 0) == right.isTrue()
	}
	return left.k == list && right.k == list && f.sets(st, left.list().items, right.list().items)
}

// sets are the operators on two lists.
func (f *filterCompare) sets(st *state, left, right []value) bool {
	common := 0
	for _, v := range left {
		if anyOf(st, right, v) {
			common++
		}
	}
	switch f.op {
	case "subsetof":
		return common == len(left)
	case "anyof":
		return common > 0
	case "all":
		for _, v := range right {
			if !anyOf(st, left, v) {
				return false
			}
		}
		return true
	}
	return common == 0 // noneof
}

func (f *filterCompare) matches(st *state, left value) bool {
	p := st.pattern(f.pattern)
	if p == nil {
		return false
	}
	inputs := []value{left}
	if left.k == list {
		inputs = left.list().items
	}
	for _, v := range inputs {
		input := ""
		if v.k == text || v.k == boolean || v.isNumber() {
			input = st.text(v)
		}
		if st.matchesWhole(p, input) {
			return true
		}
	}
	return false
}

// sameInFilter is a filter's ==, to which a number and its text are the same.
func sameInFilter(st *state, a, b value) bool {
	if a.k == text && b.isNumber() || a.isNumber() && b.k == text {
		return st.text(a) == st.text(b)
	}
	return st.same(a, b)
}

func anyOf(st *state, items []value, v value) bool {
	for _, item := range items {
		if sameInFilter(st, item, v) {
			return true
		}
	}
	return false
}

func sizeOf(v value) int {
	switch v.k {
	case list:
		return len(v.list().items)
	case dict:
		return len(v.dict().keys)
	case text:
		return unitCount(v.s)
	}
	return -1
}

func ordered(op string, a, b value) bool {
	var order int
	switch {
	case a.isNumber() && b.isNumber():
		order = compareNumbers(a, b)
	case a.k == text && b.k == text:
		order = strings.Compare(a.s, b.s)
	default:
		return false
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// filter reads the condition of a filter, from behind its parenthesis on.
func (r *pathReader) filter() filterExpr {
	return r.logic(true)
}

func (r *pathReader) logic(or bool) filterExpr {
	operator := "&&"
	if or {
		operator = "||"
	}
	next := func() filterExpr {
		if or {
			return r.logic(false)
		}
		return r.condition()
	}
	left := next()
	for r.bad == "" {
		r.space()
		if !strings.HasPrefix(r.s[r.i:], operator) {
			break
		}
		r.i += 2
		left = &filterLogic{or, left, next()}
	}
	return left
}

func (r *pathReader) condition() filterExpr {
	r.nest++
	defer func() { r.nest-- }()
	if r.nest > maxNesting {
		r.fail("the filter nests too deep")
		return nil
	}
	r.space()
	switch {
	case r.take('!'):
		return &filterNot{r.condition()}
	case r.take('('):
		inner := r.filter()
		r.space()
		if !r.take(')') {
			r.fail("parentheses aren't closed")
		}
		return inner
	}
	left := r.operand()
	op := r.operator()
	if op == "" {
		if left.path == nil {
			r.fail("a filter needs a path or a comparison")
		}
		return &filterExists{left}
	}
	f := &filterCompare{op: op, left: left}
	if op == "=~" {
		f.pattern = r.pattern()
		return f
	}
	f.right = r.operand()
	return f
}

// operator reads an operator, "" if there is none.
func (r *pathReader) operator() string {
	r.space()
	for _, op := range [...]string{"===", "!==", "==", "!=", "=~", "<=", ">=", "<", ">"} {
		if strings.HasPrefix(r.s[r.i:], op) {
			r.i += len(op)
			return op
		}
	}
	start := r.i
	for isLetter(r.peek()) {
		r.i++
	}
	switch op := strings.ToLower(r.s[start:r.i]); op {
	case "in", "nin", "contains", "size", "empty", "subsetof", "anyof", "noneof", "all":
		return op
	case "":
		return ""
	}
	r.fail("an operator isn't known")
	return ""
}

func (r *pathReader) operand() operand {
	r.space()
	if c := r.peek(); c == '@' || c == '$' {
		r.i++
		r.nest++
		if r.nest > maxNesting {
			r.fail("the filter nests too deep")
			return operand{}
		}
		p := r.path()
		r.nest--
		return operand{path: p, root: c == '$'}
	}
	v, ok := r.literal()
	if !ok {
		r.fail("a value can't be read")
	}
	return operand{literal: v}
}

// literal reads a text, a number, true, false, null or a list of these.
func (r *pathReader) literal() (value, bool) {
	r.space()
	switch c := r.peek(); {
	case c == '\'' || c == '"':
		s, ok := r.quoted()
		return textValue(s), ok
	case c == '[':
		return r.literals()
	}
	start := r.i
	for r.i < len(r.s) && !strings.ContainsRune(" \t\r\n,)]&|=!<>", rune(r.s[r.i])) {
		r.i++
	}
	switch word := r.s[start:r.i]; word {
	case "true", "false":
		return boolValue(word == "true"), true
	case "null":
		return value{}, true
	case "":
		return value{}, false
	default:
		if v, ok := integerText(word); ok {
			return v, true
		}
		f, err := strconv.ParseFloat(word, 64)
		return doubleValue(f), err == nil
	}
}

func (r *pathReader) literals() (value, bool) {
	r.i++
	r.nest++
	defer func() { r.nest-- }()
	l := &listObject{json: true}
	for r.space(); !r.take(']'); r.space() {
		v, ok := r.literal()
		if !ok || r.nest > maxNesting {
			return value{}, false
		}
		l.items = append(l.items, v)
		r.space()
		r.take(',')
	}
	return listValue(l), true
}

// pattern reads /expression/flags or a text that is one.
func (r *pathReader) pattern() string {
	r.space()
	if r.peek() != '/' {
		v, ok := r.literal()
		if !ok {
			r.fail("a pattern can't be read")
		}
		return v.s
	}
	r.i++
	start := r.i
	for r.i < len(r.s) && r.s[r.i] != '/' {
		if r.s[r.i] == '\\' {
			r.i++
		}
		r.i++
	}
	if r.i >= len(r.s) {
		r.i = len(r.s)
		r.fail("a pattern isn't closed")
		return ""
	}
	source := r.s[start:r.i]
	r.i++
	flags := ""
	for isLetter(r.peek()) {
		if c := r.peek(); strings.IndexByte("ims", c) >= 0 {
			flags += string(c)
		}
		r.i++
	}
	if flags != "" {
		return "(?" + flags + ")" + source
	}
	return source
}
