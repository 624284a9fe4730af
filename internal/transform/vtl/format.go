package vtl

import (
	"strconv"
	"strings"
)

// textFormat is String.format(format, ...) for texts, numbers and booleans.
func textFormat(st *state, _ value, args []value) (value, bool) {
	if len(args) == 0 || args[0].k != text {
		return value{}, false
	}
	format, args := args[0].s, args[1:]
	var b []byte
	next := 0
	for {
		before, rest, found := strings.Cut(format, "%")
		b = append(b, before...)
		if !found {
			break
		}
		v, n, ok := readVerb(rest)
		if !ok {
			return st.throws("format", "a format specifier isn't known: %"+shortened(rest))
		}
		format = rest[n:]
		switch v.letter {
		case '%':
			b = append(b, '%')
			continue
		case 'n':
			b = append(b, '\n')
			continue
		}
		at := next
		if v.argument > 0 {
			at = v.argument - 1
		} else {
			next++
		}
		if at >= len(args) {
			return st.throws("format", "there are more format specifiers than arguments")
		}
		formatted, ok := st.formatVerb(v, args[at])
		if !ok {
			return st.throws("format", "%"+string(v.letter)+" can't be used for the argument")
		}
		if b = append(b, formatted...); len(b) > maxOutput {
			break
		}
	}
	if !st.fits(len(b)) {
		return value{}, true
	}
	return textValue(string(b)), true
}

// A verb is one format specifier.
type verb struct {
	argument  int // counted from 1; 0 for the next
	flags     string
	width     int
	precision int // -1 for none
	letter    byte
}

// readVerb reads what follows a %, and how long it is.
func readVerb(s string) (v verb, n int, ok bool) {
	i := 0
	number := func() int {
		start := i
		for i < len(s) && isDigit(s[i]) && i-start < 4 {
			i++
		}
		k, _ := strconv.Atoi(s[start:i]) // at most four digits
		return k
	}
	v.precision = -1
	if k := number(); k > 0 && i < len(s) && s[i] == '$' && s[0] != '0' {
		v.argument = k
		i++
	} else {
		i = 0
	}
	start := i
	for i < len(s) && strings.IndexByte("-0+ ,#(", s[i]) >= 0 {
		i++
	}
	v.flags = s[start:i]
	v.width = number()
	if i < len(s) && s[i] == '.' {
		i++
		v.precision = number()
	}
	if i == len(s) {
		return v, 0, false
	}
	v.letter = s[i]
	return v, i + 1, strings.IndexByte("sSdxXfeEbBc%n", v.letter) >= 0
}

func (st *state) formatVerb(v verb, arg value) (string, bool) {
	var s string
	switch v.letter {
	case 's', 'S', 'b', 'B', 'c':
		s = st.text(arg)
		if v.precision >= 0 && v.precision < unitCount(s) {
			s = cutUnits(s, 0, v.precision)
		}
	case 'd', 'x', 'X':
		if arg.k != integer && arg.k != bigInteger || v.precision >= 0 {
			return "", false
		}
		base := 10
		if v.letter != 'd' {
			base = 16
		}
		s = bigOf(arg).Text(base)
	case 'f', 'e', 'E':
		if arg.k != double {
			return "", false
		}
		precision := v.precision
		if precision < 0 {
			precision = 6
		}
		s = strconv.FormatFloat(arg.float(), v.letter|0x20, precision, 64)
	}
	switch v.letter {
	case 'S', 'X', 'E', 'B':
		s = strings.ToUpper(s)
	case 'd', 'f':
		s = v.signed(s)
	}
	if pad := v.width - unitCount(s); pad > 0 {
		s = v.pad(s, pad)
	}
	return s, true
}

// signed writes the groups and the sign that the flags ask for.
func (v verb) signed(s string) string {
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	if strings.Contains(v.flags, ",") {
		whole, fraction, point := strings.Cut(s, ".")
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
		if s = whole; point {
			s += "." + fraction
		}
	}
	switch {
	case sign != "":
	case strings.Contains(v.flags, "+"):
		sign = "+"
	case strings.Contains(v.flags, " "):
		sign = " "
	}
	return sign + s
}

func (v verb) pad(s string, n int) string {
	switch {
	case strings.Contains(v.flags, "-"):
		return s + strings.Repeat(" ", n)
	case strings.Contains(v.flags, "0") && s[0] >= '0' && s[0] <= '9':
		return strings.Repeat("0", n) + s
	case strings.Contains(v.flags, "0"):
		return s[:1] + strings.Repeat("0", n) + s[1:]
	}
	return strings.Repeat(" ", n) + s
}
