package transform

import "slices"

// An encoding turns text that stands at the end of b, from start on, into what
// its place in a message takes. It returns b with the result.
type encoding func(b []byte, start int) []byte

// text returns text encoded.
func (e encoding) text(text string) string { return string(e([]byte(text), 0)) }

// inHeader drops what would end a header line or mustn't stand in one: control
// characters other than the tab.
// UNVERIFIED: what AWS makes of them. None may get through.
func inHeader(b []byte, start int) []byte {
	kept := b[:start]
	for _, c := range b[start:] {
		if (c >= ' ' || c == '\t') && c != 0x7f {
			kept = append(kept, c)
		}
	}
	return kept
}

// inQuery escapes what isn't plain in the name or value of a parameter.
func inQuery(b []byte, start int) []byte { return escape(b, start, &plainInQuery) }

// inPath escapes what isn't plain in a path, whose slashes stay.
func inPath(b []byte, start int) []byte { return escape(b, start, &plainInPath) }

// asIs is for what is read and not sent.
func asIs(b []byte, _ int) []byte { return b }

// The bytes that need no escape: RFC 3986's unreserved ones, and those of the
// others that have no meaning in the place.
var (
	plainInQuery = makeSet("-._~!$'()*,/:?@")
	plainInPath  = makeSet("-._~!$&'()*+,;=:@/")
)

const hexDigits = "0123456789ABCDEF"

// escape percent-encodes the bytes of b from start on that aren't plain.
func escape(b []byte, start int, plain *[256]bool) []byte {
	grown := len(b)
	for _, c := range b[start:] {
		if !plain[c] {
			grown += 2
		}
	}
	read := len(b)
	b = slices.Grow(b, grown-read)[:grown]
	// From the end, so that nothing is written over before it was read.
	for write := grown; write > read; {
		read--
		write--
		c := b[read]
		if plain[c] {
			b[write] = c
			continue
		}
		write -= 2
		b[write], b[write+1], b[write+2] = '%', hexDigits[c>>4], hexDigits[c&15]
	}
	return b
}

// inPathWritten is inPath for what stands in the mapping itself: what is
// escaped there stays.
func inPathWritten(b []byte, start int) []byte {
	text := string(b[start:])
	b = b[:start]
	for i := range len(text) {
		end := len(b)
		b = append(b, text[i])
		if text[i] != '%' || i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2]) {
			b = inPath(b, end)
		}
	}
	return b
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
