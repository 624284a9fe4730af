package policy

import (
	"strconv"
	"strings"
	"time"
)

// baseOperator strips what an operator may be wrapped in: the set prefixes and
// the suffix IfExists.
func baseOperator(operator string) (base string, forAll, forAny, ifExists bool) {
	base, forAll = strings.CutPrefix(operator, "ForAllValues:")
	if !forAll {
		base, forAny = strings.CutPrefix(base, "ForAnyValue:")
	}
	base, ifExists = strings.CutSuffix(base, "IfExists")
	return base, forAll, forAny, ifExists
}

func knownOperator(operator string) bool {
	base, _, _, _ := baseOperator(operator)
	switch base {
	case "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null":
		return true
	}
	return false
}

// validDate tells whether a value of a date operator is a date of ISO 8601, as
// short as a year and a month, or seconds since the epoch.
func validDate(s string) bool {
	if strings.Contains(s, "${") {
		return true
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n >= 0
	}
	s = strings.ToUpper(s)
	for _, layout := range [...]string{
		"2006-01", "2006-01-02", "2006-01-02T15", "2006-01-02T15:04", "2006-01-02T15:04Z07:00",
		"2006-01-02T15:04:05", time.RFC3339,
	} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}
