package vtl

import (
	"math"
	"slices"
)

// find is what the path leads to: one value or null for a definite path, a list
// for others.
func (p *jsonPath) find(st *state, doc value) value {
	if p.bad != "" {
		st.fail(st.pos, p.bad)
		return value{}
	}
	v := p.values(st, doc, doc)
	if p.function != "" {
		return p.apply(st, v)
	}
	return v
}

// values is find without the function. The document is what $ means in filters.
func (p *jsonPath) values(st *state, doc, from value) value {
	if !p.indefinite {
		for i := range p.tokens {
			st.charge(1)
			if from = p.tokens[i].one(from); from.k == null {
				return value{}
			}
		}
		return from
	}
	found := []value{from}
	for i := range p.tokens {
		t := &p.tokens[i]
		var next []value
		for _, v := range found {
			if st.err != nil {
				return value{}
			}
			if t.scan {
				next = t.everywhere(st, doc, next, v)
			} else {
				next = t.append(st, doc, next, v)
			}
		}
		st.made(48 * len(next))
		found = next
	}
	return listValue(&listObject{items: found, json: true})
}

// one is what a token of a definite path leads to.
func (t *pathToken) one(v value) value {
	switch {
	case t.kind == indexToken && v.k == list:
		items := v.list().items
		i := t.numbers[0]
		if i < 0 {
			i += len(items)
		}
		if i >= 0 && i < len(items) {
			return items[i]
		}
	case t.kind == namesToken && v.k == dict:
		m := v.dict()
		if len(t.names) > 1 {
			return pick(m, t.names)
		}
		if i, ok := m.find(t.names[0]); ok {
			return m.vals[i]
		}
	}
	return value{}
}

// pick is a map of some members of another.
func pick(m *mapObject, names []string) value {
	picked := &mapObject{}
	for _, name := range names {
		if i, ok := m.find(name); ok {
			picked.set(name, m.vals[i])
		}
	}
	return dictValue(picked)
}

func (m *mapObject) hasAll(names []string) bool {
	for _, name := range names {
		if _, ok := m.find(name); !ok {
			return false
		}
	}
	return true
}

// append appends what a token leads to from a value, which may be nothing.
func (t *pathToken) append(st *state, doc value, found []value, v value) []value {
	st.charge(1)
	switch t.kind {
	case namesToken:
		if v.k != dict {
			return found
		}
		if len(t.names) > 1 && t.last {
			if t.scan && !v.dict().hasAll(t.names) {
				return found
			}
			return append(found, pick(v.dict(), t.names))
		}
		for _, name := range t.names {
			if i, ok := v.dict().find(name); ok {
				found = append(found, v.dict().vals[i])
			}
		}
	case wildcardToken:
		children := st.children(v)
		st.charge(len(children))
		found = append(found, children...)
	case indexToken:
		if v.k != list {
			return found
		}
		items := v.list().items
		for _, i := range t.numbers {
			if i < 0 {
				i += len(items)
			}
			if i >= 0 && i < len(items) {
				found = append(found, items[i])
			}
		}
	case sliceToken:
		if v.k == list {
			found = t.slice(st, found, v.list().items)
		}
	case filterToken:
		found = t.filtered(st, doc, found, v)
	}
	return found
}

// children are the elements of a list and the values of a map.
func (st *state) children(v value) []value {
	switch v.k {
	case list:
		return v.list().items
	case dict:
		v.dict().load(st)
		return v.dict().vals
	}
	return nil
}

// slice appends a part of a list. With both a start and an end, negative ones
// don't become offsets from the list's end before they are compared: that is
// Jayway's way, in which [1:-1] is nothing and [-2:1] the last two and the first.
func (t *pathToken) slice(st *state, found, items []value) []value {
	n := len(items)
	from, to := 0, n
	if t.set[0] {
		from = t.numbers[0]
	}
	if t.set[1] {
		to = min(t.numbers[1], n)
	}
	if from < 0 && !t.set[1] {
		from = max(from+n, 0)
	}
	if to < 0 && !t.set[0] {
		to += n
	}
	for i := max(from, -n); i < to; i++ {
		st.charge(1)
		at := i
		if at < 0 {
			at += n
		}
		found = append(found, items[at])
	}
	return found
}

// filtered appends the elements of a list that a filter lets pass, or a map if
// it does.
func (t *pathToken) filtered(st *state, doc value, found []value, v value) []value {
	if v.k == dict {
		if t.filter.holds(st, doc, v) {
			found = append(found, v)
		}
		return found
	}
	if v.k != list {
		return found
	}
	for _, item := range v.list().items {
		st.charge(1)
		if st.err != nil {
			return found
		}
		if t.filter.holds(st, doc, item) {
			found = append(found, item)
		}
	}
	return found
}

// everywhere appends what a token leads to from a value and all within it, the
// outer before the inner.
func (t *pathToken) everywhere(st *state, doc value, found []value, v value) []value {
	if v.k != dict && v.k != list || !st.enter() {
		return found
	}
	defer st.leave()
	// Of lists those are filtered that pass the filter themselves.
	if t.kind != filterToken || t.filter.holds(st, doc, v) {
		found = t.append(st, doc, found, v)
	}
	if len(found) > maxItems {
		st.fail(st.pos, "a path leads to too many values")
	}
	for _, child := range st.children(v) {
		found = t.everywhere(st, doc, found, child)
		if st.err != nil {
			break
		}
	}
	return found
}

// apply is what the path's function makes of a value; null of what it can't take.
func (p *jsonPath) apply(st *state, v value) value {
	items := st.children(v)
	switch p.function {
	case "length", "size":
		if v.k != list && v.k != dict {
			return value{}
		}
		return intValue(int64(len(items)))
	case "keys":
		if v.k != dict {
			return value{}
		}
		keys := v.dict().keySet(st)
		keys.list().json = true
		return keys
	case "first":
		return element(items, 0)
	case "last":
		return element(items, -1)
	case "index":
		if len(p.arguments) != 1 || p.arguments[0].k != integer {
			return value{}
		}
		return element(items, int(p.arguments[0].n))
	case "append":
		if v.k != list {
			return value{}
		}
		return listValue(&listObject{items: slices.Concat(items, p.arguments), json: true})
	case "concat":
		return st.concat(v, items, p.arguments)
	}
	return aggregate(p.function, items)
}

func element(items []value, i int) value {
	if i < 0 {
		i += len(items)
	}
	if i < 0 || i >= len(items) {
		return value{}
	}
	return items[i]
}

func (st *state) concat(v value, items, arguments []value) value {
	if v.k == text {
		items = []value{v}
	}
	var b []byte
	for _, list := range [...][]value{items, arguments} {
		for _, item := range list {
			if item.k == text && st.err == nil {
				b = append(b, item.s...)
				st.fits(len(item.s))
			}
		}
	}
	return textValue(string(b))
}

// aggregate is the minimum, maximum, average, sum or standard deviation of the
// numbers among values, always as a double; null if there are none.
func aggregate(function string, items []value) value {
	n, sum, squares := 0.0, 0.0, 0.0
	low, high := math.Inf(1), math.Inf(-1)
	for _, item := range items {
		if !item.isNumber() {
			continue
		}
		f := floatOf(item)
		n++
		sum += f
		squares += f * f
		low, high = min(low, f), max(high, f)
	}
	if n == 0 {
		return value{}
	}
	switch function {
	case "min":
		return doubleValue(low)
	case "max":
		return doubleValue(high)
	case "avg":
		return doubleValue(sum / n)
	case "sum":
		return doubleValue(sum)
	}
	return doubleValue(math.Sqrt(max(squares/n-(sum/n)*(sum/n), 0)))
}
