package nameserver

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// A ValueError says what is wrong with a value of a record, in Route 53's words.
type ValueError string

func (e ValueError) Error() string { return string(e) }

// maxValue is the longest value of a record.
const maxValue = 4000

// CheckValue tells whether a text is a value of records of a type. The error is
// a ValueError.
func CheckValue(rrtype, value string) error {
	// UNVERIFIED: the words for types other than A, AAAA, CNAME and TXT.
	problem := func(words string) error {
		return ValueError("FATAL problem: " + words + " encountered with '" + value + "'")
	}
	switch {
	case value == "":
		return ValueError("FATAL problem: InvalidRecordData (Value is empty) encountered with ''")
	case len(value) > maxValue:
		return ValueError("FATAL problem: ValueTooLong (Value is too long) encountered")
	case strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
		return problem("UnsupportedCharacter (Value contains unsupported characters)")
	}
	addr, err := netip.ParseAddr(value)
	switch rrtype {
	case "A":
		if err != nil || !addr.Is4() {
			return problem("ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)")
		}
		return nil
	case "AAAA":
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return problem("AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)")
		}
		return nil
	case "TXT", "SPF":
		if !strings.HasPrefix(value, `"`) {
			return problem("InvalidCharacterString (Value should be enclosed in quotation marks)")
		}
		if longestString(value) > maxString {
			return problem("CharacterStringTooLong (Value is too long)")
		}
	}
	if _, err := parseValue(rrtype, value); err != nil {
		return problem(rrtype + "RRDATANotParseable (Value is not valid for its type)")
	}
	return nil
}

// maxString is the longest of the strings that a text record is made of. The parser
// below would divide a longer one.
const maxString = 255

// longestString is the length of the longest string of a text record's value, where an
// escaped character is one.
func longestString(value string) int {
	longest, now, quoted := 0, 0, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"':
			quoted, now = !quoted, 0
			continue
		case !quoted && (c == ' ' || c == '\t'):
			now = 0
			continue
		case c == '\\' && i+1 < len(value):
			if i++; value[i] >= '0' && value[i] <= '9' {
				i += 2
			}
		}
		now++
		longest = max(longest, now)
	}
	return longest
}

// parseValue reads the value of a record whose owner and TTL are still to be set.
func parseValue(rrtype, value string) (dns.RR, error) {
	text, ok := decimal(value)
	if !ok {
		return nil, ValueError("a code that isn't one")
	}
	p := dns.NewZoneParser(strings.NewReader(". 0 IN "+rrtype+" "+text+"\n"), ".", "")
	rr, ok := p.Next()
	if err := p.Err(); err != nil {
		return nil, err
	}
	if !ok || rr.Header().Rrtype != dns.StringToType[rrtype] {
		return nil, ValueError("no record")
	}
	if _, more := p.Next(); more || p.Err() != nil {
		return nil, ValueError("more than a record")
	}
	if !fits(rr) {
		return nil, ValueError("a record that can't be sent")
	}
	return rr, nil
}

// decimal is a value with the codes of its characters, which are octal in Route
// 53, as zone files have them; ok is false where a code isn't one.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html
func decimal(value string) (text string, ok bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(value, `\`)
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		b.WriteByte('\\')
		switch {
		case after == "":
			return "", false
		case after[0] < '0' || after[0] > '9':
			b.WriteByte(after[0]) // the character itself
			value = after[1:]
			continue
		}
		code, err := strconv.ParseUint(after[:min(3, len(after))], 8, 8)
		if err != nil || len(after) < 3 {
			return "", false
		}
		fmt.Fprintf(&b, "%03d", code)
		value = after[3:]
	}
}

// fits tells that a record can be put in a message.
func fits(rr dns.RR) bool {
	_, err := dns.PackRR(rr, make([]byte, dns.MaxMsgSize), 0, nil, false)
	return err == nil
}
