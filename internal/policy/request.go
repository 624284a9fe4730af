package policy

import (
	"slices"
	"strings"

	"gatehouse/internal/arn"
)

// A Request is what somebody wants to do, as policies are asked about it.
type Request struct {
	// Action is as in "execute-api:Invoke", Resource the ARN of what it is done to.
	Action, Resource string
	Caller           Caller
	// Keys are the condition keys; nil has none.
	Keys Keys
}

// A Caller is who asks; all members are empty for somebody anonymous.
type Caller struct {
	// Account is the twelve digits of the account the caller belongs to.
	Account string
	// ARN is the user's, the session's or the account root's; RoleARN that of the
	// role behind a session. UserID is the unique id, "<role id>:<session name>"
	// of a session.
	ARN, RoleARN, UserID string
	// Service is set when an AWS service asks, as in "apigateway.amazonaws.com".
	Service string
	// Root tells that the caller is the account itself, whom no policy of its own
	// binds.
	Root bool
}

// Anonymous tells that nobody is known to ask.
func (c *Caller) Anonymous() bool { return c.ARN == "" && c.Service == "" }

// Keys are the condition keys of a request.
type Keys interface {
	// Lookup returns the values of a key, whose name is in lower case, as in
	// "aws:sourceip". A key with one value has a list of one; ok is false for a
	// key that the request doesn't have. The list isn't kept.
	Lookup(key string) (values []string, ok bool)
}

// A Decision is what policies say of a request.
type Decision uint8

const (
	// Silent: no statement speaks of the request.
	Silent Decision = iota
	// Allowed: a statement allows it and none denies.
	Allowed
	// Denied: a statement denies it.
	Denied
)

// Decide tells what the statements of a document say of a request: one that
// denies outranks all that allow. Statements without a principal, as those of
// identity policies, speak of every caller.
func (d *Document) Decide(r *Request) Decision {
	decision := Silent
	for i := range d.Statements {
		s := &d.Statements[i]
		if !s.covers(r) {
			continue
		}
		if s.Deny {
			return Denied
		}
		decision = Allowed
	}
	return decision
}

func (s *Statement) covers(r *Request) bool {
	action := func(pattern string) bool {
		return arn.Glob(strings.ToLower(pattern), strings.ToLower(r.Action))
	}
	resource := func(pattern string) bool { return arn.Glob(pattern, r.Resource) }
	return (s.Action == nil || slices.ContainsFunc(s.Action, action)) &&
		(s.NotAction == nil || !slices.ContainsFunc(s.NotAction, action)) &&
		(s.Resource == nil || slices.ContainsFunc(s.Resource, resource)) &&
		(s.NotResource == nil || !slices.ContainsFunc(s.NotResource, resource)) &&
		(len(s.Conditions) == 0 || s.Deny)
}

// A Subject is what bounds a caller's own rights.
type Subject struct {
	// Identity are the caller's policies, inline and managed, its groups' included.
	Identity []*Document
	// Boundary is the permissions boundary, nil for none.
	Boundary *Document
	// Session are a session's policies, of which one has to allow what the session
	// does; nil for none.
	Session []*Document
}

// A Source is whose word a decision is.
type Source uint8

// The kinds of policies, as AWS's messages tell them apart.
const (
	IdentityBased Source = iota + 1
	PermissionsBoundary
	SessionPolicy
	ResourceBased
)

// String is the kind as AWS's messages have it.
func (s Source) String() string {
	switch s {
	case IdentityBased:
		return "identity-based policy"
	case PermissionsBoundary:
		return "permissions boundary"
	case SessionPolicy:
		return "session policy"
	case ResourceBased:
		return "resource-based policy"
	}
	return ""
}

// A Verdict is a decision and the kind of policy that it comes from: that which
// denies, or that of which none allows.
type Verdict struct {
	Decision Decision
	Source   Source
}

// Decide tells what the caller's own policies say of a request: identity
// policies have to allow it, and boundary and session policies, where there are
// any, too.
func (s *Subject) Decide(r *Request) Verdict {
	identity, session := Silent, Silent
	for _, d := range s.Identity {
		identity = max(identity, d.Decide(r))
	}
	boundary := Allowed
	if s.Boundary != nil {
		boundary = s.Boundary.Decide(r)
	}
	if s.Session == nil {
		session = Allowed
	}
	for _, d := range s.Session {
		session = max(session, d.Decide(r))
	}
	parts := [...]Verdict{{identity, IdentityBased}, {boundary, PermissionsBoundary}, {session, SessionPolicy}}
	for _, wanted := range [...]Decision{Denied, Silent} {
		for _, v := range parts {
			if v.Decision == wanted {
				return v
			}
		}
	}
	return Verdict{Allowed, IdentityBased}
}
