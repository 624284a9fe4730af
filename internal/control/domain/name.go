package domain

import (
	"errors"
	"regexp"
	"strings"

	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// unknownDomain is AWS's word for a name that isn't there.
const unknownDomain = "Invalid domain name identifier specified"

// namePattern is a host name of two labels or more in lower case, the last of
// which isn't a number: an address isn't a name. The leftmost label may be a star.
// Names in other letters are written in Punycode.
var namePattern = regexp.MustCompile(`^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

const maxName = 253

// checkName refuses what can't be a custom domain name, and what the gateway
// itself is called.
// UNVERIFIED: the words.
func (n *Names) checkName(name string) error {
	if len(name) > maxName || !namePattern.MatchString(name) {
		return badRequest("Invalid domain name specified: %s", name)
	}
	if n.reserved != nil && n.reserved(name) {
		return badRequest("The domain name %s is reserved: the gateway itself is called by it", name)
	}
	return nil
}

// Lower is a name as it is kept.
func Lower(name string) string { return strings.ToLower(name) }

// Name is that of a domain, "" before it has one.
func Name(d *definition.Domain) string { return value(d.DomainName.DomainName) }

// claim takes a public name for a scope. A name is one domain's, in whatever
// account and region, and what one with a star stands for is one account's: else a
// name would take what another account's star gets, or a star what it leaves.
//
// UNVERIFIED: AWS documents that a star is refused beside names of other accounts.
// That a name is refused below another account's star isn't said; CloudFront, which
// serves edge-optimized domains, refuses it.
func claim(tx *store.Tx, s store.Scope, name string) error {
	exists, err := definition.DomainOwners.Exists(tx, store.Scope{}, name)
	if err == nil && !exists {
		exists, err = overlaps(tx, s.Account, name)
	}
	if err != nil {
		return err
	}
	if exists {
		// AWS says so with status 400, not as a conflict.
		return badRequest("The domain name you provided already exists.")
	}
	return definition.DomainOwners.Put(tx, store.Scope{}, &definition.Reference{ID: s.Account + "/" + s.Region}, name)
}

// overlaps tells whether another account has a name that one with a star stands
// for, or the star that stands for a name.
func overlaps(tx *store.Tx, account, name string) (bool, error) {
	others := func(owner *definition.Reference) bool { return !strings.HasPrefix(owner.ID, account+"/") }
	first, parent, _ := strings.Cut(name, ".")
	if first != "*" {
		star, err := definition.DomainOwners.Get(tx, store.Scope{}, "*."+parent)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		return err == nil && others(star), err
	}
	for e, err := range definition.DomainOwners.All(tx, store.Scope{}) {
		if err != nil {
			return false, err
		}
		if _, above, _ := strings.Cut(e.ID[0], "."); above == parent && others(e.Doc) {
			return true, nil
		}
	}
	return false, nil
}

// release gives a name back.
func release(tx *store.Tx, name string) error {
	if err := definition.DomainOwners.Delete(tx, store.Scope{}, name); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}
