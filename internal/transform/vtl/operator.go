package vtl

// The operators, beside + - * / % which stand for themselves.
const (
	opOr byte = iota
	opAnd
	opEqual
	opUnequal
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
)

func makeBinary(pos int, op byte, left, right expr) expr {
	b := binary{pos, op, left, right}
	switch op {
	case opOr, opAnd:
		return &logical{b}
	case opEqual, opUnequal, opLess, opLessEqual, opGreater, opGreaterEqual:
		return &comparison{b}
	}
	return &arithmeticNode{b}
}

type binary struct {
	pos         int
	op          byte
	left, right expr
}

// logical is && and ||, which ask for the right side only if they must.
type logical struct{ binary }

func (e *logical) eval(st *state) value { return boolValue(e.holds(st)) }

func (e *logical) holds(st *state) bool {
	st.charge(1)
	if e.op == opOr {
		return e.left.holds(st) || e.right.holds(st)
	}
	return e.left.holds(st) && e.right.holds(st)
}

type not struct{ of expr }

func (e *not) eval(st *state) value { return boolValue(e.holds(st)) }
func (e *not) holds(st *state) bool { return !e.of.holds(st) }

// comparison is == and !=, of any values, and < <= > >=, of numbers only: all
// else is in no order, and each of them is false.
type comparison struct{ binary }

func (e *comparison) eval(st *state) value { return boolValue(e.holds(st)) }

func (e *comparison) holds(st *state) bool {
	st.charge(1)
	left, right := e.left.eval(st), e.right.eval(st)
	st.pos = e.pos
	switch e.op {
	case opEqual:
		return st.equal(left, right)
	case opUnequal:
		return !st.equal(left, right)
	}
	if !left.isNumber() || !right.isNumber() {
		return false
	}
	order := compareNumbers(left, right)
	switch e.op {
	case opLess:
		return order < 0
	case opLessEqual:
		return order <= 0
	case opGreater:
		return order > 0
	}
	return order >= 0
}

// arithmeticNode is + - * / %; + also joins texts. What isn't a number makes the
// result null.
type arithmeticNode struct{ binary }

func (e *arithmeticNode) holds(*state) bool { return false }

func (e *arithmeticNode) eval(st *state) value {
	st.charge(1)
	left, right := e.left.eval(st), e.right.eval(st)
	st.pos = e.pos
	if e.op == '+' && (left.k == text || right.k == text) {
		a, b := st.text(left), st.text(right)
		if !st.fits(len(a) + len(b)) {
			return value{}
		}
		return textValue(a + b)
	}
	if !left.isNumber() || !right.isNumber() {
		return value{}
	}
	return arithmetic(e.op, left, right)
}
