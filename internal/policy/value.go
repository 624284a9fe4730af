package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// parseDate reads a date of ISO 8601, as short as a year and a month, or seconds
// since the epoch.
func parseDate(s string) (time.Time, bool) {
	if digits := strings.TrimPrefix(s, "+"); digits != "" && !strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.ParseInt(digits, 10, 64)
		return time.Unix(n, 0), err == nil
	}
	s = strings.ToUpper(s)
	for _, layout := range [...]string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02", "2006-01", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02T15",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseNumber reads a decimal number. The words and bases that Go would take
// too are none.
func parseNumber(s string) (float64, bool) {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' && r != 'e' && r != 'E'
	}) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// parseNetwork reads an address or a range of them. An address is a range of
// one: AWS says /32, and means IPv6's /128 where the address is one.
func parseNetwork(s string) (netip.Prefix, bool) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, false
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	if a := n.Addr(); a.Is4In6() && n.Bits() >= 96 {
		n = netip.PrefixFrom(a.Unmap(), n.Bits()-96)
	}
	return n.Masked(), true
}

// parseAddress reads the address of a request, however it is written.
func parseAddress(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return a, false
	}
	return a.Unmap().WithZone(""), true
}
