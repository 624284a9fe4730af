package observe

import "unicode/utf8"

// What clients send stands in lines that people and programs read. A line must
// stay one line, UTF-8, and without a word to a terminal.

// appendEscaped appends text so that it stays inside a line and inside double
// quotes, as JSON wants it.
func appendEscaped(dst []byte, text string) []byte {
	start := 0
	for i := 0; i < len(text); {
		if c := text[i]; ' ' <= c && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		r, size := runeAt(text, i)
		if r >= utf8.RuneSelf && !isControl(r) && !isBroken(r, size) {
			i += size
			continue
		}
		dst = append(dst, text[start:i]...)
		i += size
		start = i
		switch {
		case r == '"', r == '\\':
			dst = append(dst, '\\', byte(r))
		case isBroken(r, size):
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', hex[r>>12], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		}
	}
	return append(dst, text[start:]...)
}

// appendXML appends text so that it stays inside a line, an element and an
// attribute.
func appendXML(dst []byte, text string) []byte {
	for i := 0; i < len(text); {
		r, size := runeAt(text, i)
		switch {
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '"':
			dst = append(dst, "&quot;"...)
		case r == '\'':
			dst = append(dst, "&apos;"...)
		case isControl(r), r == '\ufffe', r == '\uffff': // the last two are no characters of XML
			dst = append(dst, ' ')
		case isBroken(r, size):
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = append(dst, text[i:i+size]...)
		}
		i += size
	}
	return dst
}

// runeAt returns the character at text[i] and its size.
func runeAt(text string, i int) (r rune, size int) {
	if c := text[i]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRuneInString(text[i:])
}

// isControl tells whether a character controls a terminal or ends a line
// somewhere: the C0 and C1 sets, and Unicode's own separators.
func isControl(r rune) bool {
	return r < ' ' || 0x7f <= r && r < 0xa0 || r == '\u2028' || r == '\u2029'
}

// isBroken tells whether what runeAt returned isn't UTF-8.
func isBroken(r rune, size int) bool { return r == utf8.RuneError && size == 1 }
