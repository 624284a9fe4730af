package vtl

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utilMethod are the methods of $util, which there are six of.
func utilMethod(name string) method {
	switch name {
	case "escapeJavaScript":
		return textFunction(escapeJavaScript)
	case "urlEncode":
		return textFunction(urlEncode)
	case "urlDecode":
		return textFunction(urlDecode)
	case "base64Encode":
		return textFunction(func(s string) (string, string) {
			return base64.StdEncoding.EncodeToString([]byte(s)), ""
		})
	case "base64Decode":
		return textFunction(base64Decode)
	case "parseJson":
		return parseJSON
	}
	return nil
}

// textFunction makes a method of a function of one text, which returns what
// is wrong with the text if it can't take it.
func textFunction(f func(string) (result, wrong string)) method {
	return func(st *state, _ value, args []value) (value, bool) {
		if len(args) != 1 {
			return value{}, false
		}
		s := st.text(args[0])
		// The longest thing that any of them makes of a byte has six.
		if !st.fits(len(s)) {
			return value{}, false
		}
		s, wrong := f(s)
		if wrong != "" {
			st.fail(st.pos, wrong)
		}
		return textValue(s), st.fits(len(s))
	}
}

// parseJSON is $util.parseJson: null for nothing, a failure for what isn't JSON.
func parseJSON(st *state, _ value, args []value) (value, bool) {
	if len(args) != 1 {
		return value{}, false
	}
	if args[0].k == dict || args[0].k == list {
		return args[0], true // what is parsed already
	}
	s := st.text(args[0])
	if strings.TrimSpace(s) == "" {
		return value{}, true
	}
	v, ok := st.readJSON(s)
	if !ok {
		st.fail(st.pos, "parseJson was given what isn't JSON")
	}
	return v, ok
}

// escapeJavaScript escapes quotes of both kinds, backslashes, slashes, control
// characters and all that isn't ASCII.
func escapeJavaScript(s string) (result, wrong string) {
	first := 0
	for first < len(s) && !escapedInJavaScript(s[first]) {
		first++
	}
	if first == len(s) {
		return s, ""
	}
	b := append(make([]byte, 0, len(s)+16), s[:first]...)
	for _, r := range s[first:] {
		switch {
		case r == '"', r == '\'', r == '\\', r == '/':
			b = append(b, '\\', byte(r))
		case r == '\b':
			b = append(b, `\b`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\f':
			b = append(b, `\f`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r >= ' ' && r <= 0x7f:
			b = append(b, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = appendUnicode(appendUnicode(b, high), low)
		default:
			b = appendUnicode(b, r)
		}
	}
	return string(b), ""
}

func escapedInJavaScript(c byte) bool {
	return c < ' ' || c > 0x7f || c == '"' || c == '\'' || c == '\\' || c == '/'
}

func appendUnicode(b []byte, r rune) []byte {
	return append(b, '\\', 'u', upperHex[r>>12&15], upperHex[r>>8&15], upperHex[r>>4&15], upperHex[r&15])
}

// urlEncode encodes as Java's URLEncoder: a blank is +, and letters, digits and
// .-*_ stay.
func urlEncode(s string) (result, wrong string) {
	b := make([]byte, 0, len(s)+len(s)/2)
	for i := range len(s) {
		switch c := s[i]; {
		case isLetter(c), isDigit(c), c == '.', c == '-', c == '*', c == '_':
			b = append(b, c)
		case c == ' ':
			b = append(b, '+')
		default:
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b), ""
}

// urlDecode decodes as Java's URLDecoder, which fails on a % without two digits.
func urlDecode(s string) (result, wrong string) {
	if !strings.ContainsAny(s, "%+") {
		return s, ""
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			b = append(b, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", "urlDecode was given a % without two digits"
			}
			high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
			if high < 0 || low < 0 {
				return "", "urlDecode was given a % without two digits"
			}
			b = append(b, byte(high<<4|low))
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return strings.ToValidUTF8(string(b), string(utf8.RuneError)), ""
}

func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// base64Decode takes both alphabets and leaves out what is in neither, as
// commons-codec does; that also ends at the first padding.
// UNVERIFIED: that AWS is as lenient.
func base64Decode(s string) (result, wrong string) {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s) && s[i] != '='; i++ {
		switch c := s[i]; {
		case isLetter(c), isDigit(c), c == '+', c == '/':
			b = append(b, c)
		case c == '-':
			b = append(b, '+')
		case c == '_':
			b = append(b, '/')
		}
	}
	if len(b)%4 == 1 {
		b = b[:len(b)-1]
	}
	decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(b)))
	if _, err := base64.RawStdEncoding.Decode(decoded, b); err != nil {
		return "", "base64Decode was given what isn't base64"
	}
	return strings.ToValidUTF8(string(decoded), string(utf8.RuneError)), ""
}
