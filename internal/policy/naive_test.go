package policy_test

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/policy"
)

// naiveDecide decides as Document.Decide does, from the statements as they were
// written: with regular expressions, and nothing prepared.
func naiveDecide(d *policy.Document, r *policy.Request) policy.Decision {
	decision := policy.Silent
	for i := range d.Statements {
		s := &d.Statements[i]
		if !naiveCovers(d, s, r) {
			continue
		}
		if s.Deny {
			return policy.Denied
		}
		decision = policy.Allowed
	}
	return decision
}

func naiveCovers(d *policy.Document, s *policy.Statement, r *policy.Request) bool {
	actions := func(list []string) bool {
		return slices.ContainsFunc(list, func(a string) bool { return naiveRegexp(naiveLower(a), naiveWild).MatchString(naiveLower(r.Action)) })
	}
	if s.Action != nil && !actions(s.Action) || s.NotAction != nil && actions(s.NotAction) {
		return false
	}
	if s.Resource != nil && !naiveResources(d, s.Resource, r) {
		return false
	}
	if s.NotResource != nil {
		if naiveResources(d, s.NotResource, r) {
			return false
		}
		for _, p := range s.NotResource {
			if _, ok := naiveExpand(d, p, r, naiveSegmented, false); !ok && !s.Deny {
				return false
			}
		}
	}
	c := &r.Caller
	if s.Principal != nil && !naiveNamed(s.Principal, c) {
		return false
	}
	if s.NotPrincipal != nil && (s.Deny && naiveExempt(s.NotPrincipal, c) || !s.Deny && naiveNamed(s.NotPrincipal, c)) {
		return false
	}
	for _, cond := range s.Conditions {
		if !naiveHolds(d, s, &cond, r) {
			return false
		}
	}
	return true
}

func naiveResources(d *policy.Document, list []string, r *policy.Request) bool {
	return slices.ContainsFunc(list, func(p string) bool {
		expr, ok := naiveExpand(d, p, r, naiveSegmented, false)
		return ok && regexp.MustCompile(`(?s)^`+expr+`$`).MatchString(r.Resource)
	})
}

// A naiveSyntax is the regular expression of a wildcard, which may depend on
// what follows it and on how many colons came before.
type naiveSyntax func(wildcard byte, rest string, colons int) string

func naivePlain(w byte, _ string, _ int) string { return regexp.QuoteMeta(string(w)) }

func naiveWild(w byte, _ string, _ int) string {
	if w == '*' {
		return ".*"
	}
	return "."
}

func naiveSegmented(w byte, rest string, colons int) string {
	if colons >= 5 || w == '*' && (rest == "" || rest[0] == ':') {
		return naiveWild(w, rest, colons)
	}
	if w == '*' {
		return "[^:]*"
	}
	return "[^:]"
}

func naiveRegexp(text string, syn naiveSyntax) *regexp.Regexp {
	expr, _ := naiveExpand(&policy.Document{}, text, nil, syn, false)
	return regexp.MustCompile("(?s)^" + expr + "$")
}

// naiveLower leaves letters that aren't ASCII as they are.
func naiveLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

var naiveVariable = regexp.MustCompile(`^\$\{((?:[^}']|'[^']*')*)\}`)

// naiveExpand turns a pattern into a regular expression; false when a variable
// has no value.
// Colons of values count where the parts of an ARN are told apart, which is
// after they are put in.
func naiveExpand(d *policy.Document, text string, r *policy.Request, syn naiveSyntax, arn bool) (string, bool) {
	var expr strings.Builder
	colons, known := 0, true
	for i := 0; i < len(text); i++ {
		if m := naiveVariable.FindStringSubmatch(text[i:]); m != nil && d.Version == "2012-10-17" {
			value, ok := naiveValue(m[1], r)
			known = known && ok
			expr.WriteString(regexp.QuoteMeta(value))
			if arn {
				colons += strings.Count(value, ":")
			}
			i += len(m[0]) - 1
			continue
		}
		switch c := text[i]; c {
		case '*', '?':
			expr.WriteString(syn(c, text[i+1:], colons))
		case ':':
			colons++
			expr.WriteByte(c)
		default:
			n := i + 1
			for n < len(text) && text[n]&0xC0 == 0x80 {
				n++
			}
			expr.WriteString(regexp.QuoteMeta(text[i:n]))
			i = n - 1
		}
	}
	return expr.String(), known
}

func naiveValue(inside string, r *policy.Request) (string, bool) {
	if inside == "*" || inside == "?" || inside == "$" {
		return inside, true
	}
	name, fallback, more := strings.Cut(inside, ",")
	name, fallback = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(fallback)
	if values, ok := naiveLookup(r, name); ok && name != "" {
		if len(values) == 1 {
			return values[0], true
		}
		return "", false
	}
	if more && len(fallback) >= 2 && fallback[0] == '\'' && strings.HasSuffix(fallback, "'") {
		return fallback[1 : len(fallback)-1], true
	}
	return "", false
}

func naiveLookup(r *policy.Request, key string) ([]string, bool) {
	if r.Keys == nil {
		return nil, false
	}
	return r.Keys.Lookup(key)
}

func naiveNamed(p *policy.Principal, c *policy.Caller) bool {
	role, _, isSession := strings.Cut(c.UserID, ":")
	switch {
	case p.Any:
		return true
	case c.Service != "":
		return slices.Contains(p.Service, c.Service)
	case c.Federated != "" && slices.Contains(p.Federated, c.Federated), c.Canonical != "" && slices.Contains(p.Canonical, c.Canonical):
		return true
	}
	for _, name := range p.AWS {
		switch {
		case name == "*", name != "" && (name == c.ARN || name == c.RoleARN || name == c.UserID || isSession && name == role):
			return true
		case c.ARN != "" && naiveAccount(name, c):
			return true
		}
	}
	return false
}

var naiveRoot = regexp.MustCompile(`^arn:[^:]+:iam:[^:]*:([^:]*):root$`)

func naiveAccount(name string, c *policy.Caller) bool {
	if m := naiveRoot.FindStringSubmatch(name); m != nil {
		name = m[1]
	} else if len(name) != 12 {
		return false
	}
	return name == c.Account
}

func naiveExempt(p *policy.Principal, c *policy.Caller) bool {
	if p.Any || c.Service != "" || c.ARN == "" || slices.Contains(p.AWS, "*") {
		return naiveNamed(p, c)
	}
	role, _, isSession := strings.Cut(c.UserID, ":")
	var byAccount, bySelf, byRole bool
	for _, name := range p.AWS {
		byAccount = byAccount || naiveAccount(name, c)
		bySelf = bySelf || name == c.ARN || name == c.UserID && name != ""
		byRole = byRole || name == c.RoleARN || isSession && name == role
	}
	return byAccount && (bySelf || c.Root) && (byRole || c.RoleARN == "")
}

func naiveHolds(d *policy.Document, s *policy.Statement, c *policy.Condition, r *policy.Request) bool {
	op := c.Operator
	set := ""
	for _, q := range []string{"ForAllValues:", "ForAnyValue:"} {
		if strings.HasPrefix(op, q) {
			set, op = q, strings.TrimPrefix(op, q)
		}
	}
	values, ok := naiveLookup(r, strings.ToLower(c.Key))
	empty := !ok || len(values) == 0 || len(values) == 1 && values[0] == ""
	if op == "Null" {
		return slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, map[bool]string{true: "true", false: "false"}[empty]) })
	}
	plain := strings.TrimSuffix(op, "IfExists")
	ifExists := plain != op
	base := strings.Replace(plain, "Not", "", 1)
	negated := base != plain
	if !ok || len(values) == 0 {
		return ifExists || set == "ForAllValues:" || set == "" && negated
	}
	if set != "" && empty {
		return set == "ForAllValues:"
	}
	fits := 0
	for _, v := range values {
		if naiveFits(d, s, c, base, negated, v, r) {
			fits++
		}
	}
	switch {
	case set == "ForAllValues:" && negated:
		return fits == 0
	case set == "ForAllValues:":
		return fits == len(values)
	case set == "ForAnyValue:" && negated:
		return fits < len(values)
	case negated:
		return fits == 0
	}
	return fits > 0
}

func naiveFits(d *policy.Document, s *policy.Statement, c *policy.Condition, base string, negated bool, value string, r *policy.Request) bool {
	for _, want := range c.Values {
		fits := false
		text := func(flags string, syn naiveSyntax) {
			expr, ok := naiveExpand(d, want, r, syn, strings.HasPrefix(base, "Arn"))
			fits = ok && regexp.MustCompile(flags+"(?s)^"+expr+"$").MatchString(value) || !ok && negated && !s.Deny
		}
		switch base {
		case "StringEquals":
			text("", naivePlain)
		case "StringEqualsIgnoreCase", "Bool":
			text("(?i)", naivePlain)
		case "StringLike":
			text("", naiveWild)
		case "ArnEquals", "ArnLike":
			text("", func(w byte, _ string, colons int) string {
				if colons >= 5 {
					return naiveWild(w, "", colons)
				}
				return map[byte]string{'*': "[^:]*", '?': "[^:]"}[w]
			})
		case "BinaryEquals":
			b, err := base64.StdEncoding.DecodeString(want)
			fits = err == nil && string(b) == value
		case "IpAddress":
			fits = naiveContains(want, value)
		default:
			fits = naiveCompare(base, value, want)
		}
		if fits {
			return true
		}
	}
	return false
}

func naiveContains(network, address string) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	a = a.WithZone("").Unmap()
	if !strings.Contains(network, "/") {
		b, err := netip.ParseAddr(network)
		return err == nil && b.Zone() == "" && b.Unmap() == a
	}
	n, err := netip.ParsePrefix(network)
	if err != nil {
		return false
	}
	if n.Addr().Is4In6() && a.Is4() && n.Bits() >= 96 {
		a = netip.AddrFrom16(a.As16())
	}
	return n.Contains(a)
}

var naiveDecimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)

func naiveCompare(base, value, want string) bool {
	order := 0
	switch {
	case strings.HasPrefix(base, "Numeric"):
		if !naiveDecimal.MatchString(value) || !naiveDecimal.MatchString(want) {
			return false
		}
		a, _, aerr := big.ParseFloat(value, 10, 53, big.ToNearestEven)
		b, _, berr := big.ParseFloat(want, 10, 53, big.ToNearestEven)
		if aerr != nil || berr != nil {
			return false
		}
		order = a.Cmp(b)
	default:
		a, aok := naiveDate(value)
		b, bok := naiveDate(want)
		if !aok || !bok {
			return false
		}
		order = a.Compare(b)
	}
	switch strings.TrimPrefix(strings.TrimPrefix(base, "Numeric"), "Date") {
	case "Equals":
		return order == 0
	case "LessThan":
		return order < 0
	case "LessThanEquals":
		return order <= 0
	case "GreaterThan":
		return order > 0
	case "GreaterThanEquals":
		return order >= 0
	}
	return false
}

var naiveEpoch = regexp.MustCompile(`^[+]?[0-9]{1,18}$`)

func naiveDate(s string) (time.Time, bool) {
	if naiveEpoch.MatchString(s) {
		var n int64
		for _, c := range strings.TrimLeft(s, "+-") {
			n = n*10 + int64(c-'0')
		}
		return time.Unix(n, 0), s[0] != '-' || n == 0
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02T15", "2006-01-02", "2006-01"} {
		if t, err := time.Parse(layout, strings.ToUpper(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
