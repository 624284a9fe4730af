package vtl

import (
	"math"
	"math/big"
	"strconv"
)

// A kind is what a value is.
type kind uint8

const (
	null kind = iota
	boolean
	integer // Java's Integer and Long, which no template can tell apart
	double
	bigInteger
	text
	list
	dict
	entry // of a map, what entrySet gives
	block // what #define sets and $bodyContent is
	loop  // $foreach
	inputObject
	utilObject
	class // of a value, by Java's name
)

// A value is what expressions evaluate to. The zero value is null.
type value struct {
	k kind
	// n is an integer, the bits of a double, or a boolean as 0 or 1.
	n int64
	// s is a text, the name of a class, or the digits of a double that has more of them than it can
	// hold.
	s string
	// o is a *big.Int, *listObject, *mapObject, *entryObject, *blockObject or
	// *loopObject.
	o any
}

func textValue(s string) value      { return value{k: text, s: s} }
func intValue(n int64) value        { return value{k: integer, n: n} }
func doubleValue(f float64) value   { return value{k: double, n: int64(math.Float64bits(f))} }
func listValue(l *listObject) value { return value{k: list, o: l} }
func dictValue(m *mapObject) value  { return value{k: dict, o: m} }
func (v value) float() float64      { return math.Float64frombits(uint64(v.n)) }
func (v value) list() *listObject   { return v.o.(*listObject) }
func (v value) dict() *mapObject    { return v.o.(*mapObject) }
func (v value) big() *big.Int       { return v.o.(*big.Int) }
func (v value) isNumber() bool      { return v.k >= integer && v.k <= bigInteger }
func (v value) isTrue() bool        { return v.k == boolean && v.n != 0 }

func boolValue(b bool) value {
	if b {
		return value{k: boolean, n: 1}
	}
	return value{k: boolean}
}

// A listObject is a Java list. JSON's lists print as JSON, those that templates
// make as Java's do.
type listObject struct {
	items []value
	json  bool
}

// An entryObject is one entry of a map.
type entryObject struct {
	of  *mapObject
	key string
}

// appendText appends what a value's toString gives.
func (st *state) appendText(dst []byte, v value) []byte {
	if !st.enter() {
		return dst
	}
	defer st.leave()
	switch v.k {
	case null:
		return append(dst, "null"...)
	case text:
		return append(dst, v.s...)
	case boolean, integer, double, bigInteger:
		return appendScalar(dst, v)
	case list:
		l := v.list()
		if l.json {
			return st.appendJSON(dst, v, forText)
		}
		dst = append(dst, '[')
		for i, item := range l.items {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			if dst = st.appendText(dst, item); st.tooLong(dst) {
				return dst
			}
		}
		return append(dst, ']')
	case dict:
		return st.appendMap(dst, v.dict())
	case entry:
		e := v.o.(*entryObject)
		dst = append(append(dst, e.key...), '=')
		return st.appendText(dst, e.of.get(st, e.key))
	case block:
		return append(dst, st.blockText(v.o.(*blockObject))...)
	case class:
		return append(append(dst, "class "...), v.s...)
	}
	return dst // $foreach, $input and $util have no text worth the name
}

func (st *state) appendMap(dst []byte, m *mapObject) []byte {
	// Maps of $context print as nothing.
	if m.quiet {
		return dst
	}
	m.load(st)
	dst = append(dst, '{')
	for i, key := range m.keys {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(append(dst, key...), '=')
		if dst = st.appendText(dst, m.vals[i]); st.tooLong(dst) {
			return dst
		}
	}
	return append(dst, '}')
}

func appendScalar(dst []byte, v value) []byte {
	switch v.k {
	case boolean:
		return strconv.AppendBool(dst, v.n != 0)
	case integer:
		return strconv.AppendInt(dst, v.n, 10)
	case double:
		if v.s != "" {
			return append(dst, v.s...)
		}
		return appendDouble(dst, v.float())
	case bigInteger:
		return v.big().Append(dst, 10)
	}
	return dst
}

// text is what a value's toString gives, as a string of its own.
func (st *state) text(v value) string {
	switch v.k {
	case text:
		return v.s
	case boolean:
		return strconv.FormatBool(v.n != 0)
	case integer:
		return strconv.FormatInt(v.n, 10)
	}
	start := len(st.out)
	st.out = st.appendText(st.out, v)
	return st.cut(start)
}

// cut takes what was rendered since start back from the output.
func (st *state) cut(start int) string {
	s := string(st.out[start:])
	st.out = st.out[:start]
	st.made(len(s))
	return s
}

// equal is the == of templates: numbers by what they are worth, values of one
// kind as Java's equals has it, all else by their texts.
func (st *state) equal(a, b value) bool {
	switch {
	case a.k == null || b.k == null:
		return a.k == b.k
	case a.isNumber() && b.isNumber():
		return compareNumbers(a, b) == 0
	case a.k == b.k:
		return st.same(a, b)
	}
	return st.text(a) == st.text(b)
}

// same is Java's equals. Numbers in collections compare as == does.
func (st *state) same(a, b value) bool {
	if !st.enter() {
		return false
	}
	defer st.leave()
	st.charge(1)
	if a.isNumber() && b.isNumber() {
		return compareNumbers(a, b) == 0
	}
	if a.k != b.k {
		return false
	}
	switch a.k {
	case text, class:
		st.charge(len(a.s) >> 5)
		return a.s == b.s
	case boolean:
		return a.n == b.n
	case list:
		return st.sameItems(a.list().items, b.list().items)
	case dict:
		return st.sameMaps(a.dict(), b.dict())
	case entry:
		x, y := a.o.(*entryObject), b.o.(*entryObject)
		return x.key == y.key && st.same(x.of.get(st, x.key), y.of.get(st, y.key))
	}
	return a.o == b.o
}

func (st *state) sameItems(a, b []value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !st.same(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (st *state) sameMaps(a, b *mapObject) bool {
	a.load(st)
	b.load(st)
	if len(a.keys) != len(b.keys) {
		return false
	}
	for i, key := range a.keys {
		if other, ok := b.find(key); !ok || !st.same(a.vals[i], b.vals[other]) {
			return false
		}
	}
	return true
}
