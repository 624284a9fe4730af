package rest

const upperHex = "0123456789ABCDEF"

// A place in a URL where text is to be escaped.
type place uint8

const (
	inQuery place = iota
	// inPath leaves slashes: a greedy variable's value has several segments.
	inPath
)

// appendEscaped appends text percent encoded.
func appendEscaped(dst []byte, text string, p place) []byte {
	for i := range len(text) {
		c := text[i]
		if unreserved(c) || p == inPath && (c == '/' || c == ':' || c == '@' || c == ',' || c == '+' || c == '=' || c == '&' || c == '$') {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
	}
	return dst
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~'
}
