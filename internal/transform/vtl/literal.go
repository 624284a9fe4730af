package vtl

// A constant is a value that is written out.
type constant struct{ v value }

func (c constant) eval(*state) value { return c.v }
func (c constant) holds(*state) bool { return c.v.isTrue() }

// interpolate is a text in double quotes.
func interpolate(body nodes) expr {
	switch len(body) {
	case 0:
		return constant{textValue("")}
	case 1:
		switch n := body[0].(type) {
		case textNode:
			return constant{textValue(string(n))}
		case *reference:
			if n.prefix == "" {
				return single{n}
			}
		}
	}
	return &interpolated{body}
}

// single is a text with one reference in it and nothing else.
type single struct{ r *reference }

func (e single) eval(st *state) value {
	return textValue(st.text(e.r.eval(st)))
}

func (single) holds(*state) bool { return false }

type interpolated struct{ body nodes }

func (e *interpolated) eval(st *state) value {
	if !st.enter() {
		return nothing()
	}
	defer st.leave()
	start := len(st.out)
	e.body.render(st)
	return textValue(st.cut(start))
}

func (*interpolated) holds(*state) bool { return false }

type listLiteral struct{ items []expr }

func (e *listLiteral) eval(st *state) value {
	st.made(48 * len(e.items))
	l := &listObject{}
	if len(e.items) > 0 {
		l.items = make([]value, len(e.items))
	}
	for i, item := range e.items {
		l.items[i] = item.eval(st)
	}
	return listValue(l)
}

func (*listLiteral) holds(*state) bool { return false }

type mapLiteral struct{ keys, vals []expr }

func (e *mapLiteral) eval(st *state) value {
	st.made(64 * len(e.keys))
	m := &mapObject{}
	for i := range e.keys {
		m.set(st.text(e.keys[i].eval(st)), e.vals[i].eval(st))
	}
	return dictValue(m)
}

func (*mapLiteral) holds(*state) bool { return false }

// rangeLiteral is [first..last], up or down; null unless both are numbers.
type rangeLiteral struct {
	pos         int
	first, last expr
}

func (e *rangeLiteral) eval(st *state) value {
	first, last := e.first.eval(st), e.last.eval(st)
	if !first.isNumber() || !last.isNumber() {
		return value{}
	}
	// Java's intValue keeps the low 32 bits.
	from, to := int64(int32(longOf(first))), int64(int32(longOf(last)))
	n, by := to-from, int64(1)
	if n <= 0 {
		n, by = -n, -1
	}
	if n >= maxItems {
		st.fail(e.pos, "a range has too many elements")
		return value{}
	}
	st.made(48 * int(n+1))
	items := make([]value, n+1)
	for i := range items {
		items[i] = intValue(from + int64(i)*by)
	}
	return listValue(&listObject{items: items})
}

func (*rangeLiteral) holds(*state) bool { return false }
