package http1

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"gatehouse/internal/plan"
)

// A SyntaxError says what is wrong with a message. The other side gets a 400
// or is disconnected; the text is for the operator.
type SyntaxError struct{ Reason string }

func (e *SyntaxError) Error() string { return "malformed HTTP message: " + e.Reason }

// Errors about the size of a message.
var (
	ErrHeadTooLarge = errors.New("message head too large")
	ErrBodyTooLarge = errors.New("message body too large")
)

func syntaxf(format string, args ...any) error {
	return &SyntaxError{Reason: fmt.Sprintf(format, args...)}
}

// isToken has the bytes of RFC 9110's token.
var isToken = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

// isHost has the bytes that may stand in a Host header: a registered name, an
// IPv4 or IPv6 literal, a port.
var isHost = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for _, c := range "-._~!$&'()*+,;=%:[]" {
		t[c] = true
	}
	return t
}()

// ValidName tells whether a header name is a token.
func ValidName(name string) bool {
	for i := range len(name) {
		if !isToken[name[i]] {
			return false
		}
	}
	return name != ""
}

// ValidHost tells whether only the bytes of a host are in a Host header, and
// behind the colon of a port only digits.
func ValidHost(host string) bool {
	colon := false // the last one that isn't within brackets
	digits := true // since then
	for i := range len(host) {
		c := host[i]
		if !isHost[c] {
			return false
		}
		switch {
		case c == ':':
			colon, digits = true, true
		case c == ']':
			colon = false
		case c < '0' || c > '9':
			digits = false
		}
	}
	return !colon || digits
}

// ValidValue tells whether a header value has no control character but the tab.
func ValidValue(value string) bool {
	i := 0
	b := unsafe.Slice(unsafe.StringData(value), len(value))
	for ; i+8 <= len(b); i += 8 {
		if hasControl(binary.LittleEndian.Uint64(b[i:])) {
			break
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}

// hasControl tells whether one of eight bytes may be a control character. A
// byte above 0x7f next to one can raise a false alarm, never silence one.
func hasControl(w uint64) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	less := (w - ones*0x20) & ^w & high // a byte below 0x20
	del := w ^ ones*0x7f                // 0x7f becomes zero
	return (less | ((del - ones) & ^del & high)) != 0
}

// view is a string over b's bytes, valid as long as they aren't overwritten.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// HopByHop tells whether a header speaks about one connection only and is
// never passed on. Headers that a Connection header names come on top of it.
func HopByHop(name string) bool {
	switch len(name) {
	case 2:
		return plan.EqualFold(name, "te")
	case 7:
		return plan.EqualFold(name, "trailer") || plan.EqualFold(name, "upgrade")
	case 10:
		return plan.EqualFold(name, "connection") || plan.EqualFold(name, "keep-alive")
	case 16:
		return plan.EqualFold(name, "proxy-connection")
	case 17:
		return plan.EqualFold(name, "transfer-encoding")
	case 18:
		return plan.EqualFold(name, "proxy-authenticate")
	case 19:
		return plan.EqualFold(name, "proxy-authorization")
	}
	return false
}

// KeepAlive is for how many seconds the other side says, in a Keep-Alive header,
// that it keeps an unused connection open.
func KeepAlive(h plan.Headers) (seconds int, ok bool) {
	for i := range h {
		if len(h[i].Name) != 10 || !plan.EqualFold(h[i].Name, "keep-alive") {
			continue
		}
		for list := h[i].Value; list != ""; {
			var item string
			item, list = cutComma(list)
			const name = "timeout="
			if len(item) <= len(name) || !plan.EqualFold(item[:len(name)], name) {
				continue
			}
			if n, ok := parseLength(item[len(name):]); ok {
				return int(min(n, math.MaxInt32)), true
			}
		}
	}
	return 0, false
}

// Named tells whether a Connection header among h lists the name.
func Named(h plan.Headers, name string) bool {
	for i := range h {
		if len(h[i].Name) == 10 && plan.EqualFold(h[i].Name, "connection") && HasToken(h[i].Value, name) {
			return true
		}
	}
	return false
}

// HasToken tells whether a comma-separated list has a token, whatever its case.
func HasToken(list, token string) bool {
	for len(list) > 0 {
		var item string
		item, list = cutComma(list)
		if plan.EqualFold(item, token) {
			return true
		}
	}
	return false
}

func cutComma(list string) (item, rest string) {
	i := 0
	for i < len(list) && list[i] != ',' {
		i++
	}
	item = list[:i]
	if i < len(list) {
		rest = list[i+1:]
	}
	for item != "" && (item[0] == ' ' || item[0] == '\t') {
		item = item[1:]
	}
	for item != "" && (item[len(item)-1] == ' ' || item[len(item)-1] == '\t') {
		item = item[:len(item)-1]
	}
	return item, rest
}
