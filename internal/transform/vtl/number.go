package vtl

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
)

// maxBigBits bounds integers that outgrow 64 bits.
const maxBigBits = 4096

// appendDouble writes a double as Java's Double.toString: plain between 10⁻³
// and 10⁷, else with an exponent, and always with a digit behind the point.
func appendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0 && math.Signbit(f):
		return append(dst, "-0.0"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-3 || a >= 1e7) {
		var room [32]byte
		digits := strconv.AppendFloat(room[:0], f, 'e', -1, 64)
		mantissa, exponent, _ := bytes.Cut(digits, []byte("e"))
		dst = append(dst, mantissa...)
		if bytes.IndexByte(mantissa, '.') < 0 {
			dst = append(dst, ".0"...)
		}
		n, _ := strconv.Atoi(string(exponent)) // what AppendFloat wrote
		return strconv.AppendInt(append(dst, 'E'), int64(n), 10)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}

// integerText is the integer that text spells, of whatever size.
func integerText(s string) (value, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return intValue(n), true
	}
	if len(s) > maxBigBits/4 {
		return value{}, false
	}
	n, ok := new(big.Int).SetString(s, 10)
	return value{k: bigInteger, o: n}, ok
}

func bigOf(v value) *big.Int {
	if v.k == bigInteger {
		return v.big()
	}
	return big.NewInt(v.n)
}

func floatOf(v value) float64 {
	switch v.k {
	case double:
		return v.float()
	case bigInteger:
		f, _ := new(big.Float).SetInt(v.big()).Float64()
		return f
	}
	return float64(v.n)
}

// compareNumbers orders two numbers; NaN is as large as any.
func compareNumbers(a, b value) int {
	switch {
	case a.k == integer && b.k == integer:
		switch {
		case a.n < b.n:
			return -1
		case a.n > b.n:
			return 1
		}
		return 0
	case a.k == double || b.k == double:
		x, y := floatOf(a), floatOf(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	return bigOf(a).Cmp(bigOf(b))
}

// arithmetic is what + - * / % make of two numbers. Integers that overflow grow;
// a division by zero is null.
func arithmetic(op byte, a, b value) value {
	if a.k == double || b.k == double {
		return doubleArithmetic(op, floatOf(a), floatOf(b))
	}
	if a.k == integer && b.k == integer {
		if v, ok := longArithmetic(op, a.n, b.n); ok {
			return v
		}
	}
	return bigArithmetic(op, bigOf(a), bigOf(b))
}

func doubleArithmetic(op byte, x, y float64) value {
	switch op {
	case '+':
		return doubleValue(x + y)
	case '-':
		return doubleValue(x - y)
	case '*':
		return doubleValue(x * y)
	}
	if y == 0 {
		return value{}
	}
	if op == '/' {
		return doubleValue(x / y)
	}
	return doubleValue(math.Mod(x, y))
}

// longArithmetic is not ok when the result has more than 64 bits.
func longArithmetic(op byte, x, y int64) (value, bool) {
	switch op {
	case '+':
		r := x + y
		return intValue(r), (r^x)&(r^y) >= 0
	case '-':
		r := x - y
		return intValue(r), (x^y)&(x^r) >= 0
	case '*':
		if x == 0 || y == 0 {
			return intValue(0), true
		}
		r := x * y
		return intValue(r), r/y == x && !(x == -1 && y == math.MinInt64) && !(y == -1 && x == math.MinInt64)
	}
	if y == 0 {
		return value{}, true
	}
	if x == math.MinInt64 && y == -1 {
		return value{}, false
	}
	if op == '/' {
		return intValue(x / y), true
	}
	return intValue(x % y), true
}

func bigArithmetic(op byte, x, y *big.Int) value {
	r := new(big.Int)
	switch op {
	case '+':
		r.Add(x, y)
	case '-':
		r.Sub(x, y)
	case '*':
		r.Mul(x, y)
	default:
		if y.Sign() == 0 {
			return value{}
		}
		if op == '/' {
			r.Quo(x, y)
		} else {
			r.Rem(x, y)
		}
	}
	if r.BitLen() > maxBigBits {
		return value{}
	}
	return value{k: bigInteger, o: r}
}

// longOf is a number as Java's longValue has it.
func longOf(v value) int64 {
	switch v.k {
	case double:
		f := v.float()
		switch {
		case math.IsNaN(f):
			return 0
		case f >= math.MaxInt64:
			return math.MaxInt64
		case f <= math.MinInt64:
			return math.MinInt64
		}
		return int64(f)
	case bigInteger:
		var low big.Int
		low.And(v.big(), new(big.Int).SetUint64(math.MaxUint64))
		return int64(low.Uint64())
	}
	return v.n
}
