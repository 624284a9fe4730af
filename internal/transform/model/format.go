package model

import (
	"net/netip"
	"regexp/syntax"
	"strings"
	"time"
)

// A format is one of the formats of strings that are checked. Others have no
// effect.
// UNVERIFIED: which ones AWS checks; these are those of draft 4 in the validator
// it uses, and uuid.
type format uint8

const (
	noFormat format = iota
	dateTimeFormat
	emailFormat
	hostnameFormat
	ipv4Format
	ipv6Format
	regexFormat
	uriFormat
	uuidFormat
)

func parseFormat(name string) format {
	switch name {
	case "date-time":
		return dateTimeFormat
	case "email":
		return emailFormat
	case "hostname":
		return hostnameFormat
	case "ipv4":
		return ipv4Format
	case "ipv6":
		return ipv6Format
	case "regex":
		return regexFormat
	case "uri":
		return uriFormat
	case "uuid":
		return uuidFormat
	}
	return noFormat
}

// holds tells whether text is of the format.
func (f format) holds(text string) bool {
	switch f {
	case dateTimeFormat:
		return isDateTime(text)
	case emailFormat:
		return isEmail(text)
	case hostnameFormat:
		return isHostname(text)
	case ipv4Format:
		a, err := netip.ParseAddr(text)
		return err == nil && a.Is4()
	case ipv6Format:
		a, err := netip.ParseAddr(text)
		return err == nil && a.Is6() && a.Zone() == ""
	case regexFormat:
		return isRegexp(text)
	case uriFormat:
		return isURI(text)
	case uuidFormat:
		return isUUID(text)
	}
	return true
}

// complaint is what is said of text that isn't of the format.
func (f format) complaint(text string) string {
	quoted := `"` + text + `"`
	switch f {
	case dateTimeFormat:
		return "string " + quoted + ` is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]`
	case emailFormat:
		return "string " + quoted + " is not a valid email address"
	case hostnameFormat:
		return "string " + quoted + " is not a valid hostname"
	case ipv4Format:
		return "string " + quoted + " is not a valid IPv4 address"
	case ipv6Format:
		return "string " + quoted + " is not a valid IPv6 address"
	case regexFormat:
		return "string " + quoted + " is not a valid ECMA 262 regular expression"
	case uriFormat:
		return "string " + quoted + " is not a valid URI"
	default:
		return "input string " + quoted + " is not a valid UUID"
	}
}

// maxFormatted is the longest text that a format is looked for in.
const maxFormatted = 4096

// maxPatternText is the same for regular expressions, which take longer.
const maxPatternText = 512

func isDateTime(text string) bool {
	if len(text) > 64 {
		return false
	}
	if i := strings.IndexByte(text, '.'); i >= 0 {
		end := i + 1
		for end < len(text) && '0' <= text[end] && text[end] <= '9' {
			end++
		}
		if n := end - i - 1; n < 1 || n > 12 {
			return false
		}
		text = text[:i] + text[end:]
	}
	for _, layout := range [...]string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

// isEmail asks for local@domain.
// UNVERIFIED: what else AWS takes, as quoted names and comments.
func isEmail(text string) bool {
	at := strings.LastIndexByte(text, '@')
	if at <= 0 || at == len(text)-1 || len(text) > maxFormatted {
		return false
	}
	local, domain := text[:at], text[at+1:]
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return false
	}
	for i := range len(local) {
		if c := local[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>,;:\"[]@`, c) >= 0 {
			return false
		}
	}
	for label := range strings.SplitSeq(domain, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		if c := label[i]; c < 0x80 && c != '-' && c != '_' && !isLetter(c) && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isHostname(text string) bool {
	text = strings.TrimSuffix(text, ".")
	if len(text) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(text, ".") {
		if !isLabel(label) {
			return false
		}
		last = label
	}
	return last[0] < '0' || last[0] > '9'
}

func isRegexp(text string) bool {
	t := translator{in: text}
	if len(text) > maxPatternText || t.run() != nil {
		return false
	}
	_, err := syntax.Parse(t.out.String(), syntax.Perl)
	return err == nil
}

// isURI asks for the characters of a URI, relative ones included, and for
// escapes that are some.
func isURI(text string) bool {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '%':
			if _, ok := hex4([]byte("00" + text[i+1:min(i+3, len(text))])); !ok {
				return false
			}
		case c <= ' ' || c == 0x7f || strings.IndexByte("<>\"{}|\\^`", c) >= 0:
			return false
		}
	}
	return text == "" || text[0] != ':'
}

func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
			continue
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
