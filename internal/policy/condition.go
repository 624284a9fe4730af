package policy

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"time"
)

// An operator is what a condition does with a value, apart from whether it asks
// for the opposite and of which of several values it speaks.
type operator uint8

const (
	stringEquals operator = iota
	stringEqualsIgnoreCase
	stringLike
	numericEquals
	numericLess
	numericLessEquals
	numericGreater
	numericGreaterEquals
	dateEquals
	dateLess
	dateLessEquals
	dateGreater
	dateGreaterEquals
	boolEquals
	binaryEquals
	ipAddress
	arnLike
	null
)

// quantifiers are of which of a key's values a condition speaks.
type quantifier uint8

const (
	// one is no set operator. Of a key with many values, which AWS leaves open
	// here, one has to fit, or none for a negated operator.
	one quantifier = iota
	forAll
	forAny
)

// A parsedOperator is an operator's name taken apart.
type parsedOperator struct {
	operator   operator
	negated    bool
	quantifier quantifier
	ifExists   bool
}

// parseOperator takes an operator's name apart, as in
// "ForAnyValue:StringNotLikeIfExists".
func parseOperator(name string) (p parsedOperator, ok bool) {
	base, found := strings.CutPrefix(name, "ForAllValues:")
	if found {
		p.quantifier = forAll
	} else if base, found = strings.CutPrefix(name, "ForAnyValue:"); found {
		p.quantifier = forAny
	}
	if base == "Null" {
		p.operator = null
		return p, true
	}
	base, p.ifExists = strings.CutSuffix(base, "IfExists")
	p.operator, p.negated, ok = baseOperator(base)
	return p, ok
}

func baseOperator(name string) (o operator, negated, ok bool) {
	switch name {
	case "StringEquals", "StringNotEquals":
		return stringEquals, name != "StringEquals", true
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		return stringEqualsIgnoreCase, name != "StringEqualsIgnoreCase", true
	case "StringLike", "StringNotLike":
		return stringLike, name != "StringLike", true
	case "NumericEquals", "NumericNotEquals":
		return numericEquals, name != "NumericEquals", true
	case "NumericLessThan":
		return numericLess, false, true
	case "NumericLessThanEquals":
		return numericLessEquals, false, true
	case "NumericGreaterThan":
		return numericGreater, false, true
	case "NumericGreaterThanEquals":
		return numericGreaterEquals, false, true
	case "DateEquals", "DateNotEquals":
		return dateEquals, name != "DateEquals", true
	case "DateLessThan":
		return dateLess, false, true
	case "DateLessThanEquals":
		return dateLessEquals, false, true
	case "DateGreaterThan":
		return dateGreater, false, true
	case "DateGreaterThanEquals":
		return dateGreaterEquals, false, true
	case "Bool":
		return boolEquals, false, true
	case "BinaryEquals":
		return binaryEquals, false, true
	case "IpAddress", "NotIpAddress":
		return ipAddress, name != "IpAddress", true
	case "ArnEquals", "ArnLike":
		return arnLike, false, true
	case "ArnNotEquals", "ArnNotLike":
		return arnLike, true, true
	}
	return 0, false, false
}

// A test is a condition, prepared. Of its lists the operator uses one; values of
// the policy that its operator can't use match nothing.
type test struct {
	parsedOperator
	// key is in lower case.
	key string
	// deny is the effect of the statement.
	deny bool

	patterns []pattern
	numbers  []float64
	dates    []time.Time
	networks []netip.Prefix
	binaries []string
	// absent and present are what Null asks for.
	absent, present bool
}

func compileCondition(c *Condition, deny, variables bool) test {
	t := test{key: strings.ToLower(c.Key), deny: deny}
	t.parsedOperator, _ = parseOperator(c.Operator)
	for _, v := range c.Values {
		switch t.operator {
		case stringEquals, stringEqualsIgnoreCase, boolEquals:
			t.patterns = append(t.patterns, compilePattern(v, plain, variables))
		case stringLike, arnLike:
			t.patterns = append(t.patterns, compilePattern(v, wild, variables))
		case numericEquals, numericLess, numericLessEquals, numericGreater, numericGreaterEquals:
			if n, ok := parseNumber(v); ok {
				t.numbers = append(t.numbers, n)
			}
		case dateEquals, dateLess, dateLessEquals, dateGreater, dateGreaterEquals:
			if d, ok := parseDate(v); ok {
				t.dates = append(t.dates, d)
			}
		case ipAddress:
			if n, ok := parseNetwork(v); ok {
				t.networks = append(t.networks, n)
			}
		case binaryEquals:
			if b, err := base64.StdEncoding.DecodeString(v); err == nil {
				t.binaries = append(t.binaries, string(b))
			}
		case null:
			t.absent = t.absent || strings.EqualFold(v, "true")
			t.present = t.present || strings.EqualFold(v, "false")
		}
	}
	return t
}

// holds tells whether the condition is met.
func (t *test) holds(r *Request) bool {
	values, ok := r.lookup(t.key)
	switch {
	case t.operator == null:
		if !ok || noValues(values) {
			return t.absent
		}
		return t.present
	case !ok || len(values) == 0:
		return t.ifExists || t.quantifier == forAll || t.quantifier == one && t.negated
	case t.quantifier != one && noValues(values):
		return t.quantifier == forAll
	}
	for _, v := range values {
		fits := t.fits(v, r)
		switch {
		case t.quantifier == forAll && fits == t.negated:
			return false
		case t.quantifier == forAny && fits != t.negated:
			return true
		case t.quantifier == one && fits:
			return !t.negated
		}
	}
	return t.quantifier == forAll || t.quantifier == one && t.negated
}

// noValues tells whether a key is there in name only: AWS counts an empty text
// as an empty set.
func noValues(values []string) bool {
	return len(values) == 0 || len(values) == 1 && values[0] == ""
}

// fits tells whether a value of the request is one of the policy's, whatever
// the operator makes of that.
func (t *test) fits(value string, r *Request) bool {
	switch t.operator {
	case stringEquals, stringEqualsIgnoreCase, stringLike, boolEquals, arnLike:
		return t.fitsText(value, r)
	case numericEquals, numericLess, numericLessEquals, numericGreater, numericGreaterEquals:
		return t.fitsNumber(value)
	case dateEquals, dateLess, dateLessEquals, dateGreater, dateGreaterEquals:
		return t.fitsDate(value)
	case ipAddress:
		a, ok := parseAddress(value)
		for i := range t.networks {
			if ok && t.networks[i].Contains(a) {
				return true
			}
		}
	case binaryEquals:
		for _, b := range t.binaries {
			if b == value {
				return true
			}
		}
	case null:
	}
	return false
}

func (t *test) fitsText(value string, r *Request) bool {
	for i := range t.patterns {
		p, ok := t.patterns[i].resolve(r)
		if !ok {
			// A variable without a value fits nothing. AWS calls the statement invalid
			// then, so that "not equal to what isn't known" must not allow.
			// UNVERIFIED: that the same keeps denying.
			if t.negated && !t.deny {
				return true
			}
			continue
		}
		var fits bool
		switch t.operator {
		case stringEqualsIgnoreCase, boolEquals:
			fits = strings.EqualFold(p.text, value)
		case arnLike:
			fits = p.matchARN(value)
		default:
			fits = p.match(value, false)
		}
		if fits {
			return true
		}
	}
	return false
}

func (t *test) fitsNumber(value string) bool {
	v, ok := parseNumber(value)
	if !ok {
		return false
	}
	for _, n := range t.numbers {
		var fits bool
		switch t.operator {
		case numericLess:
			fits = v < n
		case numericLessEquals:
			fits = v <= n
		case numericGreater:
			fits = v > n
		case numericGreaterEquals:
			fits = v >= n
		default:
			fits = v == n
		}
		if fits {
			return true
		}
	}
	return false
}

func (t *test) fitsDate(value string) bool {
	v, ok := parseDate(value)
	if !ok {
		return false
	}
	for _, d := range t.dates {
		var fits bool
		switch order := v.Compare(d); t.operator {
		case dateLess:
			fits = order < 0
		case dateLessEquals:
			fits = order <= 0
		case dateGreater:
			fits = order > 0
		case dateGreaterEquals:
			fits = order >= 0
		default:
			fits = order == 0
		}
		if fits {
			return true
		}
	}
	return false
}
