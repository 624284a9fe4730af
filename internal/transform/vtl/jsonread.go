package vtl

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A jsonReader makes values of JSON text. Texts without escapes are parts of
// the text read; lists and the members of maps come from slabs that grow with
// the document, so that a document costs few allocations.
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

// readJSON reads one value and what is behind it must be white space, except
// after an object or list, where the rest isn't looked at.
func (st *state) readJSON(text string) (value, bool) {
	r := &st.reader
	*r = jsonReader{st: st, text: text, vals: r.vals[:0], keys: r.keys[:0], slab: min(max(len(text)/16, 4), 256)}
	v, ok := r.value()
	if ok && v.k != dict && v.k != list {
		r.space()
		ok = r.i == len(r.text)
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

func (r *jsonReader) word(w string, v value) (value, bool) {
	if !strings.HasPrefix(r.text[r.i:], w) {
		return value{}, false
	}
	r.i += len(w)
	return v, true
}

func (r *jsonReader) value() (value, bool) {
	r.space()
	if r.i == len(r.text) {
		return value{}, false
	}
	switch c := r.text[r.i]; c {
	case '{':
		return r.object()
	case '[':
		return r.list()
	case '"':
		s, ok := r.str()
		return textValue(s), ok
	case 't':
		return r.word("true", boolValue(true))
	case 'f':
		return r.word("false", boolValue(false))
	case 'n':
		return r.word("null", value{})
	}
	return r.number()
}

func (r *jsonReader) open() bool {
	r.i++
	r.depth++
	return r.depth <= maxJSONDepth
}

func (r *jsonReader) object() (value, bool) {
	if !r.open() {
		return value{}, false
	}
	firstKey, firstVal := len(r.keys), len(r.vals)
	r.space()
	for more := !r.take('}'); more; {
		r.space()
		if r.i == len(r.text) || r.text[r.i] != '"' {
			return value{}, false
		}
		key, ok := r.str()
		if !ok {
			return value{}, false
		}
		r.space()
		if !r.take(':') {
			return value{}, false
		}
		v, ok := r.value()
		if !ok {
			return value{}, false
		}
		r.keys, r.vals = append(r.keys, key), append(r.vals, v)
		r.space()
		if more = r.take(','); !more && !r.take('}') {
			return value{}, false
		}
	}
	r.depth--
	m := r.makeMap(r.keys[firstKey:], r.vals[firstVal:])
	r.keys, r.vals = r.keys[:firstKey], r.vals[:firstVal]
	return dictValue(m), r.st.err == nil
}

func (r *jsonReader) list() (value, bool) {
	if !r.open() {
		return value{}, false
	}
	first := len(r.vals)
	r.space()
	for more := !r.take(']'); more; {
		v, ok := r.value()
		if !ok {
			return value{}, false
		}
		r.vals = append(r.vals, v)
		r.space()
		if more = r.take(','); !more && !r.take(']') {
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
	r.st.made(48 * n)
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
	r.st.made(16 * n)
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
	start := r.i + 1
	for i := start; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			r.i = i + 1
			return r.text[start:i], true
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

// escaped reads on a text whose first escape is at i.
func (r *jsonReader) escaped(start, i int) (string, bool) {
	b := append(make([]byte, 0, 2*(i-start)+32), r.text[start:i]...)
	for i < len(r.text) {
		c := r.text[i]
		switch {
		case c == '"':
			r.i = i + 1
			r.st.made(len(b))
			return string(b), true
		case c < ' ':
			return "", false
		case c != '\\':
			b = append(b, c)
			i++
			continue
		}
		if i+1 == len(r.text) {
			return "", false
		}
		c = r.text[i+1]
		i += 2
		switch c {
		case '"', '\\', '/':
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
			return "", false
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

func (r *jsonReader) digits() bool {
	start := r.i
	for r.i < len(r.text) && '0' <= r.text[r.i] && r.text[r.i] <= '9' {
		r.i++
	}
	return r.i > start
}

func (r *jsonReader) number() (value, bool) {
	start := r.i
	r.take('-')
	if !r.take('0') && !r.digits() {
		return value{}, false
	}
	whole := true
	if r.take('.') {
		whole = false
		if !r.digits() {
			return value{}, false
		}
	}
	if r.take('e') || r.take('E') {
		whole = false
		if !r.take('-') {
			r.take('+')
		}
		if !r.digits() {
			return value{}, false
		}
	}
	if whole {
		return integerText(r.text[start:r.i])
	}
	// What is out of range is infinite, as it is for Java.
	f, _ := strconv.ParseFloat(r.text[start:r.i], 64)
	return doubleValue(f), true
}
