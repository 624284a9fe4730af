package plan

import "strings"

// Paths are matched as AWS's HTTP APIs see them, decoded, and yet are never
// rewritten: what is compared, handed to integrations and authorised are views
// of the bytes that were received. "%2F" therefore separates segments like "/".

// at returns the decoded byte at path[i] and how many bytes it takes. A "%"
// that isn't followed by two hex digits stands for itself.
func at(path string, i int) (c byte, width int) {
	c = path[i]
	if c != '%' || i+2 >= len(path) {
		return c, 1
	}
	hi, lo := unhex(path[i+1]), unhex(path[i+2])
	if hi > 15 || lo > 15 {
		return c, 1
	}
	return hi<<4 | lo, 3
}

// unhex returns the value of a hex digit, and more than 15 for other bytes.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// segmentEnd returns where the segment that begins at path[i] ends: the index
// of its "/" or "%2F", or len(path).
func segmentEnd(path string, i int) int {
	for i < len(path) {
		c, width := at(path, i)
		if c == '/' {
			return i
		}
		i += width
	}
	return i
}

// AppendDecoded appends text with its percent escapes decoded. Escapes that
// aren't valid stay as they are.
func AppendDecoded(dst []byte, text string) []byte {
	for {
		i := strings.IndexByte(text, '%')
		if i < 0 {
			return append(dst, text...)
		}
		c, width := at(text, i)
		dst = append(append(dst, text[:i]...), c)
		text = text[i+width:]
	}
}

// AppendDecodedQuery appends a name or value of a query decoded: AppendDecoded,
// and "+" is a space.
func AppendDecodedQuery(dst []byte, text string) []byte {
	for {
		piece, rest, more := strings.Cut(text, "+")
		dst = AppendDecoded(dst, piece)
		if !more {
			return dst
		}
		dst = append(dst, ' ')
		text = rest
	}
}

// decoded returns text decoded; it allocates only when there is an escape.
func decoded(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	return string(AppendDecoded(make([]byte, 0, len(text)), text))
}

// CutPath returns the part of an encoded path that API Gateway looks at: an
// encoded "?" ends it, as AWS decodes the path first and then takes what
// follows the "?" away.
func CutPath(path string) string {
	rest := path
	for {
		i := strings.IndexByte(rest, '%')
		if i < 0 {
			return path
		}
		c, width := at(rest, i)
		if width == 3 && c == '?' {
			return path[:len(path)-len(rest)+i]
		}
		rest = rest[i+width:]
	}
}
