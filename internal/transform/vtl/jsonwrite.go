package vtl

import "unicode/utf8"

// A jsonStyle is what JSON escapes beside what it must.
type jsonStyle bool

const (
	// forJSON is that of $input.json: nothing more.
	// UNVERIFIED: json-smart would escape some of what forText does.
	forJSON jsonStyle = false
	// forText is how json-smart prints a list: with slashes escaped, and the
	// characters from U+007F to U+009F and from U+2000 to U+20FF.
	forText jsonStyle = true
)

// appendJSON appends a value as compact JSON.
func (st *state) appendJSON(dst []byte, v value, style jsonStyle) []byte {
	if !st.enter() {
		return dst
	}
	defer st.leave()
	st.charge(1)
	switch v.k {
	case null:
		return append(dst, "null"...)
	case text:
		return appendQuoted(dst, v.s, style)
	case double:
		f := v.float()
		if f-f != 0 && v.s == "" { // an infinity or not a number
			return append(appendDouble(append(dst, '"'), f), '"')
		}
		return appendScalar(dst, v)
	case boolean, integer, bigInteger:
		return appendScalar(dst, v)
	case list:
		dst = append(dst, '[')
		for i, item := range v.list().items {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst = st.appendJSON(dst, item, style); st.tooLong(dst) {
				return dst
			}
		}
		return append(dst, ']')
	case dict:
		m := v.dict()
		m.load(st)
		dst = append(dst, '{')
		for i, key := range m.keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, key, style), ':')
			if dst = st.appendJSON(dst, m.vals[i], style); st.tooLong(dst) {
				return dst
			}
		}
		return append(dst, '}')
	case entry:
		e := v.o.(*entryObject)
		dst = append(appendQuoted(append(dst, '{'), e.key, style), ':')
		return append(st.appendJSON(dst, e.of.get(st, e.key), style), '}')
	case block:
		return appendQuoted(dst, st.blockText(v.o.(*blockObject)), style)
	}
	return append(dst, `""`...)
}

const upperHex = "0123456789ABCDEF"

// appendQuoted appends a text in quotes.
func appendQuoted(dst []byte, s string, style jsonStyle) []byte {
	dst = append(dst, '"')
	plain := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && (style == forJSON || c != '/' && c < 0x7f) {
			continue
		}
		size := 1
		r := rune(c)
		if c >= 0x80 {
			r, size = utf8.DecodeRuneInString(s[i:])
			if (r < 0x80 || r > 0x9f) && (r < 0x2000 || r > 0x20ff) {
				i += size - 1
				continue
			}
		}
		dst = append(dst, s[plain:i]...)
		i += size - 1
		plain = i + 1
		switch r {
		case '"', '\\', '/':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = appendUnicode(dst, r)
		}
	}
	return append(append(dst, s[plain:]...), '"')
}
