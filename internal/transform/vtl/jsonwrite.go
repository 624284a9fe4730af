package vtl

// appendJSON appends a value as compact JSON, as Jackson writes it.
func (st *state) appendJSON(dst []byte, v value) []byte {
	if !st.enter() {
		return dst
	}
	defer st.leave()
	st.charge(1)
	switch v.k {
	case null:
		return append(dst, "null"...)
	case text:
		return appendQuoted(dst, v.s)
	case double:
		f := v.float()
		if f-f != 0 { // an infinity or not a number, which Jackson quotes
			return append(appendDouble(append(dst, '"'), f), '"')
		}
		return appendDouble(dst, f)
	case boolean, integer, bigInteger:
		return appendScalar(dst, v)
	case list:
		dst = append(dst, '[')
		for i, item := range v.list().items {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst = st.appendJSON(dst, item); st.tooLong(dst) {
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
			dst = append(appendQuoted(dst, key), ':')
			if dst = st.appendJSON(dst, m.vals[i]); st.tooLong(dst) {
				return dst
			}
		}
		return append(dst, '}')
	case entry:
		e := v.o.(*entryObject)
		dst = append(appendQuoted(append(dst, '{'), e.key), ':')
		return append(st.appendJSON(dst, e.of.get(st, e.key)), '}')
	case block:
		return appendQuoted(dst, st.blockText(v.o.(*blockObject)))
	}
	return append(dst, `""`...)
}

const upperHex = "0123456789ABCDEF"

// appendQuoted appends a text in quotes with the escapes that JSON demands and
// no others.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	plain := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[plain:i]...)
		plain = i + 1
		switch c {
		case '"', '\\':
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
			dst = append(dst, '\\', 'u', '0', '0', upperHex[c>>4], upperHex[c&15])
		}
	}
	return append(append(dst, s[plain:]...), '"')
}
