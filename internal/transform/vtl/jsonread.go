package vtl

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A jsonReader makes values of JSON text, as leniently as json-smart, which is
// below Jayway's paths and which AWS's way to print lists is that of: quotes may
// be single or left out, commas stand where none should, numbers start with
// zeros, and what follows the first value isn't looked at.
//
// Texts without escapes are parts of the text read; lists and the members of
// maps come from slabs that grow with the document, so that a document costs few
// allocations.
type jsonReader struct {
	st    *state
	text  string
	i     int
	depth int
	// vals and keys hold what is read of open lists and maps.
	vals []value
	keys []string

	// slab is how many values are made room for at once.
	slab     int
	valSlab  []value
	keySlab  []string
	mapSlab  []mapObject
	listSlab []listObject
}

// readJSON reads a value. A text that starts as no other value is itself one, to
// its end.
func (st *state) readJSON(text string) (value, bool) {
	r := &st.reader
	*r = jsonReader{st: st, text: text, vals: r.vals[:0], keys: r.keys[:0], slab: min(max(len(text)/16, 4), 256)}
	r.space()
	v, ok := textValue(""), true
	if r.i < len(text) {
		v, ok = r.value("")
	}
	clear(r.vals[:cap(r.vals)])
	clear(r.keys[:cap(r.keys)])
	r.text, r.valSlab, r.keySlab, r.mapSlab, r.listSlab = "", nil, nil, nil, nil
	return v, ok && st.err == nil
}

func (r *jsonReader) space() {
	for r.i < len(r.text) {
		switch r.text[r.i] {
		case ' ', '\t', '\n', '\r':
			r.i++
		default:
			return
		}
	}
}

func (r *jsonReader) take(c byte) bool {
	if r.i < len(r.text) && r.text[r.i] == c {
		r.i++
		return true
	}
	return false
}

// value reads a value. Without quotes it ends before one of the bytes of stop,
// or with the text if there are none.
func (r *jsonReader) value(stop string) (value, bool) {
	r.space()
	if r.i == len(r.text) {
		return value{}, false
	}
	switch r.text[r.i] {
	case '{':
		return r.object()
	case '[':
		return r.list()
	case '"', '\'':
		s, ok := r.str()
		return textValue(s), ok
	case ':', '}', ']':
		return value{}, false
	}
	start := r.i
	if stop == "" {
		r.i = len(r.text)
	} else if n := strings.IndexAny(r.text[r.i:], stop); n >= 0 {
		r.i += n
	} else {
		return value{}, false
	}
	return bareValue(trim(r.text[start:r.i]))
}

// bareValue is a value without quotes: a number, true, false, null or else a
// text.
func bareValue(s string) (value, bool) {
	switch s {
	case "true", "false":
		return boolValue(s == "true"), true
	case "null":
		return value{}, true
	case "NaN":
		return doubleValue(math.NaN()), true
	}
	if v, ok := numberText(s); ok {
		return v, true
	}
	return textValue(s), true
}

// numberText is the number that a text is. One with a fraction that a double
// can't hold keeps its digits.
func numberText(s string) (value, bool) {
	if s == "" || s[0] != '-' && !isDigit(s[0]) {
		return value{}, false
	}
	whole := true
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case isDigit(c):
		case c == '.', c == 'e', c == 'E', c == '+', c == '-':
			whole = false
		default:
			return value{}, false
		}
	}
	if whole {
		return integerText(s)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return value{}, false
	}
	v := doubleValue(f)
	const surelyExact = 18
	if len(s) > surelyExact && string(appendDouble(nil, f)) != s {
		v.s = s
	}
	return v, true
}

// valueSize and keySize are what a value and a key take in memory, in bytes.
const valueSize, keySize = 48, 16

// push adds a value to what is open. It fails as soon as there are more than
// their list or map may hold: a text of ten megabytes could name five million
// before it closes one.
func (r *jsonReader) push(v value) bool {
	r.vals = append(r.vals, v)
	if read := valueSize*len(r.vals) + keySize*len(r.keys); r.st.memory+read > maxMade {
		r.st.made(read)
		return false
	}
	return true
}

func (r *jsonReader) open() bool {
	r.i++
	r.depth++
	return r.depth <= maxJSONDepth
}

// next skips white space and commas and tells the byte that is there, 0 at the
// end.
func (r *jsonReader) next() byte {
	for r.i < len(r.text) {
		switch c := r.text[r.i]; c {
		case ' ', '\t', '\n', '\r', ',':
			r.i++
		default:
			return c
		}
	}
	return 0
}

func (r *jsonReader) object() (value, bool) {
	if !r.open() {
		return value{}, false
	}
	firstKey, firstVal := len(r.keys), len(r.vals)
	for {
		if r.next() == '}' {
			r.i++
			break
		}
		key, ok := r.key()
		if !ok {
			return value{}, false
		}
		v, ok := r.value(",}")
		if !ok {
			return value{}, false
		}
		r.keys = append(r.keys, key)
		if !r.push(v) {
			return value{}, false
		}
		r.space()
		if r.i == len(r.text) || r.text[r.i] != ',' && r.text[r.i] != '}' {
			return value{}, false
		}
	}
	r.depth--
	m := r.makeMap(r.keys[firstKey:], r.vals[firstVal:])
	r.keys, r.vals = r.keys[:firstKey], r.vals[:firstVal]
	return dictValue(m), r.st.err == nil
}

// key reads a member's name and its colon.
func (r *jsonReader) key() (string, bool) {
	if r.i == len(r.text) {
		return "", false
	}
	switch r.text[r.i] {
	case ':', ']', '[', '{':
		return "", false
	case '"', '\'':
		key, ok := r.str()
		if !ok {
			return "", false
		}
		r.space()
		return key, r.take(':')
	}
	n := strings.IndexByte(r.text[r.i:], ':')
	if n < 0 {
		return "", false
	}
	key := trim(r.text[r.i : r.i+n])
	r.i += n + 1
	return key, true
}

func (r *jsonReader) list() (value, bool) {
	if !r.open() {
		return value{}, false
	}
	first := len(r.vals)
	for {
		if r.next() == ']' {
			r.i++
			break
		}
		v, ok := r.value(",]")
		if !ok {
			return value{}, false
		}
		if !r.push(v) {
			return value{}, false
		}
	}
	r.depth--
	if len(r.listSlab) == 0 {
		r.listSlab = make([]listObject, max(r.slab/8, 1))
	}
	l := &r.listSlab[0]
	r.listSlab = r.listSlab[1:]
	l.json = true
	l.items = r.keepVals(r.vals[first:])
	r.vals = r.vals[:first]
	return listValue(l), r.st.err == nil
}

// makeMap makes a map of members. Of members with one name the last counts, in
// the place of the first.
func (r *jsonReader) makeMap(keys []string, vals []value) *mapObject {
	if len(r.mapSlab) == 0 {
		r.mapSlab = make([]mapObject, max(r.slab/4, 1))
	}
	m := &r.mapSlab[0]
	r.mapSlab = r.mapSlab[1:]
	if unique(keys) {
		m.keys, m.vals = r.keepKeys(keys), r.keepVals(vals)
		return m
	}
	for i, key := range keys {
		m.set(key, vals[i])
	}
	r.st.made(64 * len(keys))
	return m
}

func unique(keys []string) bool {
	// Up to here comparing each with each is faster than a map.
	const few = 24
	if len(keys) > few {
		seen := make(map[string]struct{}, len(keys))
		for _, k := range keys {
			seen[k] = struct{}{}
		}
		return len(seen) == len(keys)
	}
	for i, k := range keys {
		for _, other := range keys[:i] {
			if k == other {
				return false
			}
		}
	}
	return true
}

func (r *jsonReader) keepVals(vals []value) []value {
	n := len(vals)
	if n == 0 {
		return nil
	}
	r.st.made(valueSize * n)
	if len(r.valSlab) < n {
		r.valSlab = make([]value, max(n, r.slab))
	}
	kept := r.valSlab[:n:n]
	r.valSlab = r.valSlab[n:]
	copy(kept, vals)
	return kept
}

func (r *jsonReader) keepKeys(keys []string) []string {
	n := len(keys)
	if n == 0 {
		return nil
	}
	r.st.made(keySize * n)
	if len(r.keySlab) < n {
		r.keySlab = make([]string, max(n, r.slab))
	}
	kept := r.keySlab[:n:n]
	r.keySlab = r.keySlab[n:]
	copy(kept, keys)
	return kept
}

// str reads a text, at whose first quote the reader stands.
func (r *jsonReader) str() (string, bool) {
	quote := r.text[r.i]
	start := r.i + 1
	for i := start; i < len(r.text); i++ {
		switch r.text[i] {
		case quote:
			r.i = i + 1
			return r.text[start:i], true
		case '\\':
			return r.escaped(start, quote)
		}
	}
	return "", false
}

// escaped reads a text that has escapes in it. Control characters, and escapes
// that aren't known, are left out of such a text.
func (r *jsonReader) escaped(i int, quote byte) (string, bool) {
	b := make([]byte, 0, 64)
	for i < len(r.text) {
		c := r.text[i]
		switch {
		case c == quote:
			r.i = i + 1
			r.st.made(len(b))
			return string(b), true
		case c != '\\':
			if c >= ' ' {
				b = append(b, c)
			}
			i++
			continue
		}
		if i+1 == len(r.text) {
			return "", false
		}
		c = r.text[i+1]
		i += 2
		switch c {
		case '"', '\'', '\\', '/':
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			char, n := hexRune(r.text[i:])
			if n == 0 {
				return "", false
			}
			b = utf8.AppendRune(b, char)
			i += n
			continue
		default:
			continue
		}
		b = append(b, c)
	}
	return "", false
}

// hexRune reads the digits behind a "\u", and the second half of a pair if they
// are the first, and tells how many bytes these were; none if they aren't digits.
func hexRune(s string) (rune, int) {
	high, ok := hex4(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(high) {
		return high, 4
	}
	if len(s) >= 10 && s[4] == '\\' && s[5] == 'u' {
		low, ok := hex4(s[6:])
		if joined := utf16.DecodeRune(high, low); ok && joined != utf8.RuneError {
			return joined, 10
		}
	}
	return utf8.RuneError, 4
}

func hex4(s string) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:4], 16, 16)
	return rune(n), err == nil && s[0] != '+' && s[0] != '-'
}
