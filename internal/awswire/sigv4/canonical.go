package sigv4

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

const upperhex = "0123456789ABCDEF"

// unreserved are the characters that are never percent-encoded.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

// escape appends s percent-encoded; slashes stay when keepSlash says so.
func escape(b []byte, s string, keepSlash bool) []byte {
	for i := range len(s) {
		if keepSlash && s[i] == '/' {
			b = append(b, '/')
			continue
		}
		b = escapeByte(b, s[i])
	}
	return b
}

func escapeByte(b []byte, c byte) []byte {
	if unreserved(c) {
		return append(b, c)
	}
	return append(b, '%', upperhex[c>>4], upperhex[c&15])
}

// unescape decodes percent-encoding once, leaving what isn't well formed. A
// plus sign is a plus sign: signers encode a space as %20.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, ok := unhex(s[i+1], s[i+2]); ok {
				b = append(b, v)
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// A PathRule says how a service canonicalises paths.
type PathRule uint8

const (
	// EncodeTwice is every service's rule but S3's: dot segments are resolved
	// and the path, encoded as it was sent, is encoded once more.
	EncodeTwice PathRule = iota
	// EncodeOnce is S3's rule: the path is encoded once and nothing is resolved.
	EncodeOnce
	// AsSent encodes what was sent once more but keeps dots and double slashes,
	// for signers told not to normalise.
	AsSent
)

func canonicalPath(b []byte, path string, rule PathRule) []byte {
	if path == "" {
		return append(b, '/')
	}
	switch rule {
	case EncodeOnce:
		return escape(b, unescape(path), true)
	case EncodeTwice:
		path = clean(path)
	}
	return escape(b, path, true)
}

// clean resolves dot segments and empty segments, keeping a trailing slash.
func clean(path string) string {
	if !strings.Contains(path, "//") && !strings.Contains(path, "/.") {
		return path
	}
	var out []string
	for seg := range strings.SplitSeq(path, "/") {
		switch seg {
		case "", ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, seg)
		}
	}
	cleaned := "/" + strings.Join(out, "/")
	if len(out) > 0 && (strings.HasSuffix(path, "/") || strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..")) {
		cleaned += "/"
	}
	return cleaned
}

// A queryWriter writes canonical queries and keeps its memory.
type queryWriter struct {
	text  []byte
	pairs []queryPair
}

// A queryPair is where an encoded name and value stand in the text.
type queryPair struct{ name, equals, end int }

// append appends the parameters sorted by encoded name, then value. That which
// has the signature of a presigned request isn't signed itself.
func (w *queryWriter) append(b []byte, query string, presigned bool) []byte {
	w.text, w.pairs = w.text[:0], w.pairs[:0]
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		if pair == "" || presigned && name == "X-Amz-Signature" {
			continue
		}
		p := queryPair{name: len(w.text)}
		w.text = escapeQuery(w.text, name)
		p.equals = len(w.text)
		w.text = escapeQuery(w.text, value)
		p.end = len(w.text)
		w.pairs = append(w.pairs, p)
	}
	slices.SortFunc(w.pairs, func(x, y queryPair) int {
		if c := bytes.Compare(w.text[x.name:x.equals], w.text[y.name:y.equals]); c != 0 {
			return c
		}
		return bytes.Compare(w.text[x.equals:x.end], w.text[y.equals:y.end])
	})
	for i, p := range w.pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, w.text[p.name:p.equals]...)
		b = append(b, '=')
		b = append(b, w.text[p.equals:p.end]...)
	}
	return b
}

// escapeQuery appends a part of a query, encoded as it should have been. A plus
// sign in it is a space.
func escapeQuery(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(s):
			if v, ok := unhex(s[i+1], s[i+2]); ok {
				c = v
				i += 2
			}
		}
		b = escapeByte(b, c)
	}
	return b
}

// unhex is the byte of two hex digits.
func unhex(hi, lo byte) (byte, bool) {
	var digits [2]byte
	for i, c := range [...]byte{hi, lo} {
		switch {
		case '0' <= c && c <= '9':
			digits[i] = c - '0'
		case 'a' <= c && c <= 'f':
			digits[i] = c - 'a' + 10
		case 'A' <= c && c <= 'F':
			digits[i] = c - 'A' + 10
		default:
			return 0, false
		}
	}
	return digits[0]<<4 | digits[1], true
}

// canonicalHeaders appends the signed headers; ok is false if one is absent.
func canonicalHeaders(b []byte, r *Request, names []string) (_ []byte, absent string) {
	for _, name := range names {
		b = append(b, name...)
		b = append(b, ':')
		values := r.Header(name)
		if len(values) == 0 {
			switch name {
			case "host":
				b = trim(b, r.Host)
				b = append(b, '\n')
				continue
			case "content-length":
				b = strconv.AppendInt(b, max(r.ContentLength, 0), 10)
				b = append(b, '\n')
				continue
			}
			return b, name
		}
		for i, v := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = trim(b, v)
		}
		b = append(b, '\n')
	}
	return b, ""
}

// trim appends a header value without outer spaces and with inner runs of
// spaces made one.
func trim(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	space := false
	for i := range len(v) {
		if v[i] == ' ' {
			if !space {
				b = append(b, ' ')
			}
			space = true
			continue
		}
		space = false
		b = append(b, v[i])
	}
	return b
}
