package sigv4

import (
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
		c := s[i]
		if unreserved(c) || keepSlash && c == '/' {
			b = append(b, c)
			continue
		}
		b = append(b, '%', upperhex[c>>4], upperhex[c&15])
	}
	return b
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
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(v))
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

// canonicalQuery appends the parameters sorted by encoded name, then value,
// without the signature of a presigned request.
func canonicalQuery(b []byte, query string) []byte {
	if query == "" {
		return b
	}
	pairs := make([][2]string, 0, strings.Count(query, "&")+1)
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		key = string(escape(nil, unescapeQuery(key), false))
		if key == "X-Amz-Signature" {
			continue
		}
		pairs = append(pairs, [2]string{key, string(escape(nil, unescapeQuery(value), false))})
	}
	slices.SortFunc(pairs, func(x, y [2]string) int {
		if c := strings.Compare(x[0], y[0]); c != 0 {
			return c
		}
		return strings.Compare(x[1], y[1])
	})
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, p[0]...)
		b = append(b, '=')
		b = append(b, p[1]...)
	}
	return b
}

// unescapeQuery decodes a query part, in which a plus sign is a space.
func unescapeQuery(s string) string {
	if strings.Contains(s, "+") {
		s = strings.ReplaceAll(s, "+", " ")
	}
	return unescape(s)
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
