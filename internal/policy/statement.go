package policy

import (
	"slices"
	"strings"
)

// A rule is a statement, prepared: nothing of it is parsed again when it is
// asked.
type rule struct {
	actions, resources       []pattern
	notActions, notResources bool
	// anyResource tells that the statement has none to ask for, as in trust policies.
	anyResource bool
	who, notWho *who
	conditions  []test
}

// compile prepares the statement. Variables are known to resources and
// conditions of the newer version only.
func (s *Statement) compile(variables bool) {
	r := &s.run
	r.notActions, r.notResources = s.NotAction != nil, s.NotResource != nil
	for _, a := range slices.Concat(s.Action, s.NotAction) {
		r.actions = append(r.actions, compilePattern(lower(a), wild, false))
	}
	for _, a := range slices.Concat(s.Resource, s.NotResource) {
		r.resources = append(r.resources, compilePattern(a, segmented, variables))
	}
	r.anyResource = s.Resource == nil && s.NotResource == nil
	r.who, r.notWho = compilePrincipal(s.Principal), compilePrincipal(s.NotPrincipal)
	for i := range s.Conditions {
		r.conditions = append(r.conditions, compileCondition(&s.Conditions[i], s.Deny, variables))
	}
}

// covers tells whether the statement speaks of the request, and how closely it
// names the caller. bounded is a caller with a permissions boundary.
func (s *Statement) covers(r *Request, bounded bool) grant {
	if !s.coversAction(r) || !s.coversResource(r) {
		return nobody
	}
	g := s.coversCaller(&r.Caller, bounded)
	if g == nobody {
		return nobody
	}
	for i := range s.run.conditions {
		if !s.run.conditions[i].holds(r) {
			return nobody
		}
	}
	return g
}

func (s *Statement) coversAction(r *Request) bool {
	for i := range s.run.actions {
		if s.run.actions[i].match(r.Action, true) {
			return !s.run.notActions
		}
	}
	return s.run.notActions
}

func (s *Statement) coversResource(r *Request) bool {
	if s.run.anyResource {
		return true
	}
	for i := range s.run.resources {
		p, ok := s.run.resources[i].resolve(r)
		if !ok && s.run.notResources && !s.Deny {
			// "All but what isn't known" must not allow.
			return false
		}
		if ok && s.fits(p, r) {
			return !s.run.notResources
		}
	}
	return s.run.notResources
}

// fits tells whether one of the statement's resources is what a request is about.
func (s *Statement) fits(p *pattern, r *Request) bool {
	switch {
	case !r.Begins:
		return p.match(r.Resource, false)
	case s.Deny == s.run.notResources:
		return p.fitsAll(r.Resource)
	}
	return p.fitsSome(r.Resource)
}

func (s *Statement) coversCaller(c *Caller, bounded bool) grant {
	switch {
	case s.run.who != nil:
		return s.run.who.grants(c)
	case s.run.notWho == nil:
		return toCaller
	case s.Deny:
		// Whoever has a permissions boundary is denied by every such statement.
		if !bounded && s.run.notWho.exempts(c) {
			return nobody
		}
	case s.run.notWho.grants(c) != nobody:
		return nobody
	}
	return toCaller
}

// lower is s with ASCII's capitals made small: actions have no other letters.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
