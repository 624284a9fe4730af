package model

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"strconv"
)

// A decimal is a number as it is written. One of few digits is small × 10^-scale,
// fits tells so. Others are 0.digits × 10^exponent, without zeros at either end
// of the digits; zero has none.
type decimal struct {
	small int64
	scale int
	fits  bool

	negative bool
	digits   []byte
	exponent int
}

const (
	// fewDigits always fit an int64.
	fewDigits = 18
	// maxExponent stands for every exponent beyond it.
	maxExponent = 1 << 30
)

// parseDecimal reads a number that is one of JSON's.
func parseDecimal(text []byte) decimal {
	if len(text) <= fewDigits {
		if d, ok := parseFew(text); ok {
			return d
		}
	}
	var d decimal
	if text[0] == '-' {
		d.negative, text = true, text[1:]
	}
	mantissa := text
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		exponent, err := strconv.Atoi(string(text[i+1:]))
		if err != nil {
			exponent = maxExponent
			if text[i+1] == '-' {
				exponent = -maxExponent
			}
		}
		d.exponent = min(max(exponent, -maxExponent), maxExponent)
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	d.digits = append(append(make([]byte, 0, len(mantissa)), whole...), fraction...)
	d.exponent += len(whole)
	d.trim()
	return d
}

// parseFew reads a number of few digits without an exponent.
func parseFew(text []byte) (d decimal, ok bool) {
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	}
	for i, c := range text {
		switch {
		case '0' <= c && c <= '9':
			d.small = 10*d.small + int64(c-'0')
		case c == '.':
			d.scale = len(text) - i - 1
		default:
			return decimal{}, false
		}
	}
	if negative {
		d.small = -d.small
	}
	d.fits = true
	return d, true
}

// trim takes the zeros off the digits.
func (d *decimal) trim() {
	for len(d.digits) > 0 && d.digits[0] == '0' {
		d.digits = d.digits[1:]
		d.exponent--
	}
	d.digits = bytes.TrimRight(d.digits, "0")
	if len(d.digits) == 0 {
		d.exponent, d.negative = 0, false
	}
}

// spread is the number in digits, whatever it was parsed into.
func (d decimal) spread() decimal {
	if !d.fits {
		return d
	}
	text := strconv.AppendInt(nil, d.small, 10)
	s := decimal{negative: text[0] == '-'}
	if s.negative {
		text = text[1:]
	}
	s.digits, s.exponent = text, len(text)-d.scale
	s.trim()
	return s
}

// align makes the scales of two numbers the same, if both still fit.
func align(d, e decimal) (a, b int64, ok bool) {
	if !d.fits || !e.fits {
		return 0, 0, false
	}
	a, b = d.small, e.small
	for scale := d.scale; scale < e.scale; scale++ {
		if a > math.MaxInt64/10 || a < math.MinInt64/10 {
			return 0, 0, false
		}
		a *= 10
	}
	for scale := e.scale; scale < d.scale; scale++ {
		if b > math.MaxInt64/10 || b < math.MinInt64/10 {
			return 0, 0, false
		}
		b *= 10
	}
	return a, b, true
}

// compare returns -1, 0 or 1.
func (d decimal) compare(e decimal) int {
	if a, b, ok := align(d, e); ok {
		return cmp.Compare(a, b)
	}
	d, e = d.spread(), e.spread()
	switch {
	case len(d.digits) == 0 && len(e.digits) == 0:
		return 0
	case len(d.digits) == 0:
		return e.sign(-1)
	case len(e.digits) == 0, d.negative != e.negative:
		return d.sign(1)
	case d.exponent != e.exponent:
		return d.sign(cmp.Compare(d.exponent, e.exponent))
	}
	return d.sign(bytes.Compare(d.digits, e.digits))
}

// sign turns the result of comparing magnitudes around for negative numbers.
func (d decimal) sign(magnitude int) int {
	if d.negative {
		return -magnitude
	}
	return magnitude
}

// multipleOf tells whether the number is a multiple of another, which isn't 0.
func (d decimal) multipleOf(of decimal) bool {
	if a, b, ok := align(d, of); ok {
		return a%b == 0
	}
	d, of = d.spread(), of.spread()
	if len(d.digits) == 0 {
		return true
	}
	// As integers times powers of ten: n·10^shift is to be a multiple of m.
	n, m := integer(d.digits), integer(of.digits)
	shift := (d.exponent - len(d.digits)) - (of.exponent - len(of.digits))
	if shift < 0 {
		if -shift > len(d.digits) {
			return false // n has no such factor of ten
		}
		m.Mul(m, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-shift)), nil))
		return n.Mod(n, m).Sign() == 0
	}
	// The power is taken within m, so that a large exponent costs nothing.
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(shift)), m)
	return n.Mod(n.Mul(n, power), m).Sign() == 0
}

func integer(digits []byte) *big.Int {
	n, _ := new(big.Int).SetString(string(digits), 10) // only digits
	return n
}
