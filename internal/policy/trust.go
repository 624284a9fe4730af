package policy

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/arn"
)

// checkTrust applies the rules of a role's trust policy. Whether the principals
// it names exist is the caller's to find out: see Principals.
func checkTrust(d *Document) error {
	for _, s := range d.Statements {
		switch {
		case s.Resource != nil:
			return Error("Has prohibited field Resource")
		case s.NotResource != nil:
			return Error("Has prohibited field NotResource")
		case s.Principal == nil && s.NotPrincipal == nil:
			return Error("Missing required field Principal")
		case emptyPrincipal(s.Principal) || emptyPrincipal(s.NotPrincipal):
			return Error("Missing required field Principal cannot be empty!")
		case s.Action == nil && s.NotAction == nil:
			return Error("Missing required field Action")
		case len(s.Action)+len(s.NotAction) == 0:
			return Error("Missing required field Action cannot be empty!")
		}
		for _, a := range slices.Concat(s.Action, s.NotAction) {
			if len(a) < 5 || !strings.EqualFold(a[:4], "sts:") {
				return Error("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
		if err := checkDates(s); err != nil {
			return err
		}
	}
	if err := d.CheckPrincipals(); err != nil {
		return err
	}
	return checkSids(d)
}

func emptyPrincipal(p *Principal) bool {
	return p != nil && !p.Any && len(p.AWS)+len(p.Service)+len(p.Federated)+len(p.Canonical) == 0
}

// checkPrincipal refuses what can't name anybody.
func checkPrincipal(p *Principal) error {
	if p == nil || p.Any {
		return nil
	}
	for _, s := range p.Service {
		if !strings.HasSuffix(s, ".amazonaws.com") && !strings.HasSuffix(s, ".amazonaws.com.cn") && !strings.HasSuffix(s, ".amazon.com") {
			return InvalidPrincipal("SERVICE", s)
		}
	}
	for _, s := range p.AWS {
		if !awsPrincipal(s) {
			return InvalidPrincipal("AWS", s)
		}
	}
	for _, s := range p.Federated {
		if s == "" {
			return InvalidPrincipal("FEDERATED", s)
		}
	}
	for _, s := range p.Canonical {
		return InvalidPrincipal("CANONICAL_USER", s)
	}
	return nil
}

// InvalidPrincipal is the error for a principal of the given kind ("AWS",
// "SERVICE", ...) that doesn't exist. Clients wait for this text to pass.
func InvalidPrincipal(kind, name string) error {
	return Error(fmt.Sprintf(`Invalid principal in policy: "%s":"%s"`, kind, name))
}

// awsPrincipal tells whether s has one of the forms of an AWS principal: "*",
// an account, a unique id, or the ARN of an account, user, role or session.
func awsPrincipal(s string) bool {
	if s == "*" || accountID(s) || uniqueID(s) {
		return true
	}
	a, err := arn.Parse(s)
	if err != nil || a.Region != "" || !accountID(a.Account) {
		return false
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch a.Service + ":" + kind {
	case "iam:root":
		return true
	case "iam:user", "iam:role", "sts:assumed-role", "sts:federated-user":
		return name != "" && !strings.ContainsAny(name, "*?")
	}
	return false
}

func accountID(s string) bool {
	return len(s) == 12 && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// uniqueID tells whether s is what a deleted user or role leaves behind in
// policies: its id.
func uniqueID(s string) bool {
	return len(s) >= 16 && (strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA"))
}

// Principals are the names of all AWS principals the document speaks of.
func (d *Document) Principals() []string {
	var names []string
	for _, s := range d.Statements {
		for _, p := range []*Principal{s.Principal, s.NotPrincipal} {
			if p != nil {
				names = append(names, p.AWS...)
			}
		}
	}
	return names
}
