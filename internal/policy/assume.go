package policy

import (
	"slices"
	"strings"

	"gatehouse/internal/arn"
)

// An AssumeRequest is somebody asking to become a role.
type AssumeRequest struct {
	// Action is "sts:AssumeRole" or one of its siblings.
	Action string
	// Account and PrincipalARN are the caller's; both are empty for a service.
	// PrincipalARN is the role behind a session, SessionARN the session itself.
	Account, PrincipalARN, SessionARN string
	// Service is set when an AWS service asks, as in "lambda.amazonaws.com".
	Service string
	// Context holds condition keys in lower case, as in "sts:externalid".
	Context map[string]string
}

// Trusts tells whether a trust policy lets the caller in: at least one Allow
// and no Deny speaks of it. Of the condition operators it knows those on text,
// ARNs, booleans and presence; one it doesn't know never allows and always
// denies.
func (d *Document) Trusts(r AssumeRequest) bool {
	allowed := false
	for _, s := range d.Statements {
		if !s.speaksOf(r) {
			continue
		}
		if s.Deny {
			return false
		}
		allowed = true
	}
	return allowed
}

func (s *Statement) speaksOf(r AssumeRequest) bool {
	action := func(pattern string) bool {
		return arn.Glob(strings.ToLower(pattern), strings.ToLower(r.Action))
	}
	if s.Action != nil && !slices.ContainsFunc(s.Action, action) || s.NotAction != nil && slices.ContainsFunc(s.NotAction, action) {
		return false
	}
	if s.Principal != nil && !s.Principal.includes(r) || s.NotPrincipal != nil && s.NotPrincipal.includes(r) {
		return false
	}
	return !slices.ContainsFunc(s.Conditions, func(c Condition) bool { return !c.holds(r.Context, s.Deny) })
}

func (p *Principal) includes(r AssumeRequest) bool {
	if p.Any {
		return true
	}
	if r.Service != "" {
		return slices.Contains(p.Service, r.Service)
	}
	return slices.ContainsFunc(p.AWS, func(name string) bool {
		if name == "*" || name == r.Account || name == r.PrincipalARN || name == r.SessionARN {
			return true
		}
		a, err := arn.Parse(name)
		return err == nil && a.Service == "iam" && a.Resource == "root" && a.Account == r.Account
	})
}

// holds tells whether c is met; unknown is the answer for an operator that
// isn't known here.
func (c Condition) holds(context map[string]string, unknown bool) bool {
	value, present := context[strings.ToLower(c.Key)]
	base, forAll, forAny, ifExists := baseOperator(c.Operator)
	if base == "Null" {
		return slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, "true") == !present })
	}
	var fits func(pattern string) bool
	negated := false
	switch base {
	case "StringEquals", "StringNotEquals":
		fits = func(p string) bool { return p == value }
		negated = base != "StringEquals"
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "Bool":
		fits = func(p string) bool { return strings.EqualFold(p, value) }
		negated = base == "StringNotEqualsIgnoreCase"
	case "StringLike", "StringNotLike":
		fits = func(p string) bool { return arn.Glob(p, value) }
		negated = base != "StringLike"
	case "ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals":
		fits = func(p string) bool { return arn.Match(p, value) }
		negated = strings.HasPrefix(base, "ArnNot")
	default:
		return unknown
	}
	if !present {
		return ifExists || forAll || negated && !forAny
	}
	return slices.ContainsFunc(c.Values, fits) != negated
}
