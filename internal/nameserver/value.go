package nameserver

import (
	"net/netip"
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
	}
	if _, err := parseValue(rrtype, value); err != nil {
		return problem(rrtype + "RRDATANotParseable (Value is not valid for its type)")
	}
	return nil
}

// parseValue reads the value of a record whose owner and TTL are still to be set.
func parseValue(rrtype, value string) (dns.RR, error) {
	p := dns.NewZoneParser(strings.NewReader(". 0 IN "+rrtype+" "+value+"\n"), ".", "")
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

// fits tells that a record can be put in a message.
func fits(rr dns.RR) bool {
	_, err := dns.PackRR(rr, make([]byte, dns.MaxMsgSize), 0, nil, false)
	return err == nil
}
