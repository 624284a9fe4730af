package vtl

import (
	"math"
	"strconv"
	"strings"
)

// numberMethod are the methods of Java's numbers, with the static ones of their
// classes: templates call $n.parseInt('3') on any number they have.
func numberMethod(name string) method {
	switch name {
	case "intValue":
		return converted(func(v value) value { return intValue(int64(int32(clampInt(v)))) })
	case "longValue":
		return converted(func(v value) value { return intValue(longOf(v)) })
	case "doubleValue", "floatValue":
		return converted(func(v value) value { return doubleValue(floatOf(v)) })
	case "isNaN":
		return converted(func(v value) value { return boolValue(math.IsNaN(floatOf(v))) })
	case "parseInt", "parseLong":
		return func(st *state, _ value, args []value) (value, bool) { return st.parseInt(name, args) }
	case "parseDouble", "parseFloat":
		return func(st *state, _ value, args []value) (value, bool) { return st.parseDouble(name, args) }
	case "valueOf":
		return func(st *state, on value, args []value) (value, bool) {
			if len(args) == 1 && args[0].isNumber() {
				return args[0], true
			}
			if on.k == double {
				return st.parseDouble(name, args)
			}
			return st.parseInt(name, args)
		}
	case "compareTo", "compare":
		return compareMethod
	case "max", "min", "sum":
		return func(_ *state, _ value, args []value) (value, bool) { return ofTwo(name, args) }
	case "toHexString", "toBinaryString", "toOctalString":
		return func(_ *state, _ value, args []value) (value, bool) { return inBase(name, args) }
	case "toString":
		return func(st *state, on value, args []value) (value, bool) {
			switch len(args) {
			case 0:
				return textValue(st.text(on)), true
			case 1:
				return textValue(st.text(args[0])), true
			}
			return value{}, false
		}
	}
	return nil
}

func converted(f func(value) value) method {
	return func(_ *state, on value, args []value) (value, bool) { return f(on), len(args) == 0 }
}

// clampInt is a number before its low 32 bits are taken: doubles stop at the
// ends of an int.
func clampInt(v value) int64 {
	if v.k == double {
		return min(max(longOf(v), math.MinInt32), math.MaxInt32)
	}
	return longOf(v)
}

func (st *state) parseInt(name string, args []value) (value, bool) {
	base, bits := int64(10), 32
	if name == "parseLong" {
		bits = 64
	}
	if len(args) == 2 && args[1].k == integer {
		base = args[1].n
	} else if len(args) != 1 {
		return value{}, false
	}
	if args[0].k != text {
		return value{}, false
	}
	if base < 2 || base > 36 {
		return st.throws(name, "the radix is out of range")
	}
	n, err := strconv.ParseInt(args[0].s, int(base), bits)
	if err != nil {
		return st.throws(name, "not a number: "+strconv.Quote(shortened(args[0].s)))
	}
	return intValue(n), true
}

func (st *state) parseDouble(name string, args []value) (value, bool) {
	if len(args) != 1 || args[0].k != text {
		return value{}, false
	}
	s := trim(args[0].s)
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(s, "xX_pP") {
		return st.throws(name, "not a number: "+strconv.Quote(shortened(args[0].s)))
	}
	return doubleValue(f), true
}

// shortened is the start of a text that failures quote.
func shortened(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func compareMethod(_ *state, on value, args []value) (value, bool) {
	switch {
	case len(args) == 1 && args[0].isNumber():
		return intValue(int64(compareNumbers(on, args[0]))), true
	case len(args) == 2 && args[0].isNumber() && args[1].isNumber():
		return intValue(int64(compareNumbers(args[0], args[1]))), true
	}
	return value{}, false
}

func ofTwo(name string, args []value) (value, bool) {
	if len(args) != 2 || !args[0].isNumber() || !args[1].isNumber() {
		return value{}, false
	}
	a, b := args[0], args[1]
	if name == "sum" {
		return arithmetic('+', a, b), true
	}
	if (compareNumbers(a, b) < 0) == (name == "min") {
		return a, true
	}
	return b, true
}

func inBase(name string, args []value) (value, bool) {
	if len(args) != 1 || args[0].k != integer {
		return value{}, false
	}
	n := uint64(args[0].n)
	if args[0].n < 0 && args[0].n >= math.MinInt32 {
		n = uint64(uint32(args[0].n))
	}
	base := 16
	switch name {
	case "toBinaryString":
		base = 2
	case "toOctalString":
		base = 8
	}
	return textValue(strconv.FormatUint(n, base)), true
}
