package vtl

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unitCount is how many UTF-16 units a text has: Java's length.
func unitCount(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			i++
			n++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		n += unitsOf(r)
	}
	return n
}

func unitsOf(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// byteOffset is where the n-th unit starts; for the second half of a pair that
// is behind it.
func byteOffset(s string, n int) int {
	for i, r := range s {
		if n <= 0 {
			return i
		}
		n -= unitsOf(r)
	}
	return len(s)
}

// cutUnits is the text from one unit to before another. Half a pair becomes
// U+FFFD.
func cutUnits(s string, from, to int) string {
	start := byteOffset(s, from)
	end := start + byteOffset(s[start:], to-from)
	cut := s[start:end]
	if unitCount(cut) == to-from && unitCount(s[:start]) == from {
		return cut
	}
	return string(utf16.Decode(utf16.Encode([]rune(s))[from:to]))
}

// compareUnits is Java's compareTo: the difference of the first units that
// differ, or of the lengths.
func compareUnits(a, b string) int64 {
	common := 0
	for common < len(a) && common < len(b) && a[common] == b[common] {
		common++
	}
	for common > 0 && (common < len(a) && !utf8.RuneStart(a[common]) || common < len(b) && !utf8.RuneStart(b[common])) {
		common--
	}
	a, b = a[common:], b[common:]
	if a == "" || b == "" {
		return int64(unitCount(a) - unitCount(b))
	}
	x, y := utf16.Encode([]rune(firstCharacter(a))), utf16.Encode([]rune(firstCharacter(b)))
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return int64(x[i]) - int64(y[i])
		}
	}
	return int64(unitCount(a) - unitCount(b))
}

// firstCharacter is the first character of a text.
func firstCharacter(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return strings.ToValidUTF8(s[:size], string(utf8.RuneError))
}
