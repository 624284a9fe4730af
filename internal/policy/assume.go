package policy

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

// Trusts tells whether a trust policy lets the caller in.
func (d *Document) Trusts(r AssumeRequest) bool {
	keys := KeyMap{}
	for k, v := range r.Context {
		keys[k] = []string{v}
	}
	q := Request{Action: r.Action, Caller: Caller{Account: r.Account, ARN: r.SessionARN, Service: r.Service}, Keys: keys}
	if r.PrincipalARN != r.SessionARN {
		q.Caller.RoleARN = r.PrincipalARN
	}
	return d.Decide(&q) == Allowed
}
