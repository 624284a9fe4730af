package policy

import (
	"slices"
	"strings"

	"gatehouse/internal/arn"
)

// A grant is how closely a statement names its caller, which decides what may
// still stand in the way of what it allows.
type grant uint8

const (
	// nobody: the statement speaks of others.
	nobody grant = iota
	// toAccount leaves it to the caller's account to allow.
	toAccount
	// toRole names the role behind a session, or the user behind a federated one;
	// permissions boundaries and session policies still bound it.
	toRole
	// toCaller names the caller itself, or everybody.
	toCaller
)

// who is a Principal, prepared.
type who struct {
	// any is "*"; anyAWS is the same for all but services.
	any, anyAWS bool
	accounts    []string
	// names are ARNs and unique ids.
	names                          []string
	services, federated, canonical []string
}

func compilePrincipal(p *Principal) *who {
	if p == nil {
		return nil
	}
	w := &who{any: p.Any, services: p.Service, federated: p.Federated, canonical: p.Canonical}
	for _, name := range p.AWS {
		a, err := arn.Parse(name)
		switch {
		case name == "*":
			w.anyAWS = true
		case accountID(name):
			w.accounts = append(w.accounts, name)
		case err == nil && a.Service == "iam" && a.Resource == "root":
			w.accounts = append(w.accounts, a.Account)
		case name != "":
			w.names = append(w.names, name)
		}
	}
	return w
}

// grants tells how closely the caller is meant.
func (w *who) grants(c *Caller) grant {
	switch {
	case w.any:
		return toCaller
	case c.Service != "":
		return w.one(slices.Contains(w.services, c.Service))
	case w.anyAWS:
		return toCaller
	case c.Federated != "" && slices.Contains(w.federated, c.Federated), c.Canonical != "" && slices.Contains(w.canonical, c.Canonical):
		return toCaller
	}
	g := nobody
	if c.ARN != "" && slices.Contains(w.accounts, c.Account) {
		g = toAccount
	}
	for _, name := range w.names {
		switch {
		case name == c.ARN, name == c.UserID:
			return toCaller
		case name == c.RoleARN, roleID(c.UserID) == name:
			g = toRole
		}
	}
	return g
}

func (w *who) one(found bool) grant {
	if found {
		return toCaller
	}
	return nobody
}

// exempts tells whether a NotPrincipal spares the caller from a Deny. AWS asks
// first for the account, then for the role, then for the session, and every one
// has to be on the list.
func (w *who) exempts(c *Caller) bool {
	if w.any || w.anyAWS || c.ARN == "" {
		return w.grants(c) == toCaller
	}
	if !slices.Contains(w.accounts, c.Account) {
		return false
	}
	self := c.Root || slices.Contains(w.names, c.ARN) || slices.Contains(w.names, c.UserID)
	role := c.RoleARN == "" || slices.Contains(w.names, c.RoleARN) || slices.Contains(w.names, roleID(c.UserID))
	return self && role
}

// roleID is the unique id of the role in a session's, or empty.
func roleID(userID string) string {
	id, _, ok := strings.Cut(userID, ":")
	if !ok {
		return ""
	}
	return id
}
