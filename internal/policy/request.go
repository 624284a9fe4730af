package policy

// A Request is what somebody wants to do, as policies are asked about it.
type Request struct {
	// Action is as in "execute-api:Invoke", Resource the ARN of what it is done to.
	Action, Resource string
	// Begins tells that Resource is only how an ARN begins, and the request is about
	// everything it may be: what denies any of it denies the request, and what allows
	// has to allow it all.
	Begins bool
	Caller Caller
	// Keys are the condition keys; nil has none.
	Keys Keys
}

// A Caller is who asks; all members are empty for somebody anonymous.
type Caller struct {
	// Account is the twelve digits of the account the caller belongs to.
	Account string
	// ARN is the user's, the session's or the account root's; RoleARN that of the
	// role behind a session, or of the user behind a federated one. UserID is the
	// unique id, "<role id>:<session name>" of a session.
	ARN, RoleARN, UserID string
	// Service is set when an AWS service asks, as in "apigateway.amazonaws.com".
	Service string
	// Federated is the provider that vouches for somebody who has no AWS identity
	// yet, as in a trust policy's "Federated"; Canonical is an account's canonical
	// user id, where it is known.
	Federated, Canonical string
	// Root tells that the caller is the account itself, whom no policy of its own
	// binds.
	Root bool
}

// Anonymous tells that nobody is known to ask.
func (c *Caller) Anonymous() bool { return c.ARN == "" && c.Service == "" && c.Federated == "" }

// Keys are the condition keys of a request.
type Keys interface {
	// Lookup returns the values of a key, whose name is in lower case, as in
	// "aws:sourceip". A key with one value has a list of one; ok is false for a
	// key that the request doesn't have. The list isn't kept. Binary values are
	// given as they are, not in base64.
	Lookup(key string) (values []string, ok bool)
}

// A KeyMap has keys by name in lower case.
type KeyMap map[string][]string

// Lookup implements Keys.
func (m KeyMap) Lookup(key string) ([]string, bool) {
	values, ok := m[key]
	return values, ok
}

func (r *Request) lookup(key string) ([]string, bool) {
	if r.Keys == nil {
		return nil, false
	}
	return r.Keys.Lookup(key)
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
	decision, _ := d.decide(r, false)
	return decision
}

// decide is Decide that also tells how closely the caller is named by what
// allows it.
func (d *Document) decide(r *Request, bounded bool) (Decision, grant) {
	closest := nobody
	for i := range d.Statements {
		s := &d.Statements[i]
		if !s.Deny && closest == toCaller {
			continue
		}
		g := s.covers(r, bounded)
		if g == nobody {
			continue
		}
		if s.Deny {
			return Denied, nobody
		}
		closest = max(closest, g)
	}
	if closest == nobody {
		return Silent, nobody
	}
	return Allowed, closest
}
