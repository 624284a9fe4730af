package route53

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// errBadName is a text that is no domain name.
var errBadName = errors.New("not a domain name")

// canonical is a name as Route 53 keeps it: in lower case, with a final dot, and
// with all but letters, digits, "-" and "_" as octal codes.
func canonical(name string) (string, error) {
	if name == "" {
		return "", errBadName
	}
	var b strings.Builder
	label, total := 0, 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '.':
			if label == 0 {
				return "", errBadName
			}
			b.WriteByte('.')
			total += label + 1
			label = 0
			continue
		case c == '\\':
			if i+3 >= len(name) || !octal(name[i+1:i+4]) {
				return "", errBadName
			}
			c = (name[i+1]-'0')<<6 | (name[i+2]-'0')<<3 | (name[i+3] - '0')
			i += 3
		}
		if label++; label > 63 {
			return "", errBadName
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if plain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "\\%03o", c)
		}
	}
	if label > 0 {
		b.WriteByte('.')
		total += label + 1
	}
	if total > 255 {
		return "", errBadName
	}
	return b.String(), nil
}

// octal tells three digits that are the code of a byte.
func octal(s string) bool {
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7'
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// reversed has the labels of a canonical name in the opposite order, which is
// that in which Route 53 lists.
func reversed(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// within tells that a name is a zone's or below it.
func within(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

// presented is a canonical name as package nameserver has names: of what DNS
// software escapes in zone files, "$" isn't escaped there.
func presented(name string) string {
	if !strings.Contains(name, `\`) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '\\' {
			b.WriteByte(name[i])
			continue
		}
		c := (name[i+1]-'0')<<6 | (name[i+2]-'0')<<3 | (name[i+3] - '0')
		i += 3
		switch {
		case strings.IndexByte(`."\();@ '`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, "\\%03d", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
