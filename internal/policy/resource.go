package policy

// checkResourcePolicy applies the rules of resources' policies. What else an
// owner wants is its own to ask: Lambda's statement ids have characters that
// IAM's don't, and whether principals can exist CheckPrincipals tells.
func checkResourcePolicy(d *Document) error {
	for _, s := range d.Statements {
		switch {
		case s.Principal == nil && s.NotPrincipal == nil:
			return Error("Missing required field Principal")
		case emptyPrincipal(s.Principal) || emptyPrincipal(s.NotPrincipal):
			return Error("Missing required field Principal cannot be empty!")
		}
		if err := checkScope(s); err != nil {
			return err
		}
	}
	return nil
}

// checkAuthorizer wants of an authorizer's statements what can't be guessed.
// Lists may be empty, and then cover nothing.
//
// UNVERIFIED: which of these AWS finds fault with; that it answers such a policy
// with a configuration error is recorded for malformed ones only.
func checkAuthorizer(d *Document) error {
	for _, s := range d.Statements {
		if s.Action == nil && s.NotAction == nil {
			return Error("Missing required field Action")
		}
		if s.Resource == nil && s.NotResource == nil {
			return Error("Missing required field Resource")
		}
		if err := checkDates(s); err != nil {
			return err
		}
	}
	return nil
}

// checkScope wants actions and resources.
func checkScope(s Statement) error {
	if len(s.Action)+len(s.NotAction) == 0 {
		return Error("Missing required field Action")
	}
	if len(s.Resource)+len(s.NotResource) == 0 {
		return Error("Missing required field Resource")
	}
	return checkDates(s)
}

// CheckPrincipals returns an Error for the first principal that can't name
// anybody. Whether it exists is not known here.
func (d *Document) CheckPrincipals() error {
	for _, s := range d.Statements {
		for _, p := range []*Principal{s.Principal, s.NotPrincipal} {
			if err := checkPrincipal(p); err != nil {
				return err
			}
		}
	}
	return nil
}
