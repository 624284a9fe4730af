package policy

// A Subject is what bounds a caller's own rights.
type Subject struct {
	// Identity are the caller's policies, inline and managed, its groups' included.
	Identity []*Document
	// Boundary is the permissions boundary, nil for none.
	Boundary *Document
	// Session are a session's policies, of which one has to allow what the session
	// does; nil for none. A federated user's session that was given none has an
	// empty list: it may do nothing.
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
	RoleTrust
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
	case RoleTrust:
		return "role trust policy"
	}
	return ""
}

// A Verdict is a decision and the kind of policy that it comes from: that which
// denies or allows, or that of which none allows.
type Verdict struct {
	Decision Decision
	Source   Source
}

// Because is how AWS's messages end that refuse an action, with the blank
// before it; empty for what is allowed.
func (v Verdict) Because(action string) string {
	switch {
	case v.Decision == Silent:
		return " because no " + v.Source.String() + " allows the " + action + " action"
	case v.Decision != Denied:
		return ""
	case v.Source == RoleTrust:
		return " with an explicit deny in the " + v.Source.String()
	case v.Source == IdentityBased:
		return " with an explicit deny in an " + v.Source.String()
	}
	return " with an explicit deny in a " + v.Source.String()
}

// Decide tells what the caller's own policies say of a request: identity
// policies have to allow it, and boundary and session policies, where there are
// any, too.
func (s *Subject) Decide(r *Request) Verdict {
	return s.ask(r).verdict()
}

// opinions are what the kinds of a caller's own policies say, each by itself.
// A kind that isn't there allows everything, but for identity policies.
type opinions struct{ identity, boundary, session Decision }

func (s *Subject) ask(r *Request) opinions {
	o := opinions{boundary: Allowed, session: Allowed}
	if s != nil {
		for _, d := range s.Identity {
			o.identity = max(o.identity, d.Decide(r))
		}
		if s.Boundary != nil {
			o.boundary = s.Boundary.Decide(r)
		}
		if s.Session != nil {
			o.session = Silent
		}
		for _, d := range s.Session {
			o.session = max(o.session, d.Decide(r))
		}
	}
	if r.Caller.Root {
		o.identity = max(o.identity, Allowed)
	}
	return o
}

// verdict looks for a Deny first, then for a kind that doesn't allow.
func (o opinions) verdict() Verdict {
	for _, wanted := range [...]Decision{Denied, Silent} {
		switch wanted {
		case o.identity:
			return Verdict{wanted, IdentityBased}
		case o.boundary:
			return Verdict{wanted, PermissionsBoundary}
		case o.session:
			return Verdict{wanted, SessionPolicy}
		}
	}
	return Verdict{Allowed, IdentityBased}
}

// Evaluate puts together what the caller's own policies and the policy of the
// resource say; either may be nil. resourceAccount owns the resource.
//
// Within an account either side may allow; how closely the resource's policy
// names the caller decides what still bounds it: a caller named itself, or as
// everybody, needs nothing else; the role of a session still needs its boundary
// and session policies to allow; an account's name only leaves it to the
// account. Across accounts both sides have to allow. A Deny outranks it all.
//
// Somebody anonymous with a Subject is one whom a Lambda authorizer vouches
// for, with what it returned as the identity policy; API Gateway has its answer
// count as the owner's.
func Evaluate(s *Subject, resource *Document, r *Request, resourceAccount string) Verdict {
	o := s.ask(r)
	own := o.verdict()
	if own.Decision == Denied {
		return own
	}
	theirs, named := Silent, nobody
	if resource != nil {
		theirs, named = resource.decide(r, s != nil && s.Boundary != nil)
	}
	if theirs == Denied {
		return Verdict{Denied, ResourceBased}
	}
	if r.Caller.ARN == "" && s == nil {
		return Verdict{theirs, ResourceBased}
	}
	if r.Caller.ARN != "" && r.Caller.Account != resourceAccount {
		// UNVERIFIED: which side AWS names when neither allows.
		if own.Decision != Allowed {
			return own
		}
		return Verdict{theirs, ResourceBased}
	}
	if named == toCaller {
		return Verdict{Allowed, ResourceBased}
	}
	source := IdentityBased
	if named == toRole && o.identity == Silent {
		o.identity, source = Allowed, ResourceBased
	}
	if v := o.verdict(); v.Decision != Allowed {
		return v
	}
	return Verdict{Allowed, source}
}
