package definition

import (
	"errors"
	"strings"

	"gatehouse/internal/store"
)

// DomainNameTaken tells whether an account can't have a public name because a custom
// domain name is in the way: that name itself, in whatever account and region, and
// what one with a star stands for if that is another account's. Else a name would
// take what another account's star gets, or a star what it leaves. Whether a user
// pool has the name, UserPoolDomains tells.
//
// UNVERIFIED: AWS documents that a star is refused beside names of other accounts.
// That a name is refused below another account's star isn't said; CloudFront, which
// serves edge-optimized domains, refuses it.
func DomainNameTaken(tx *store.Tx, account, name string) (bool, error) {
	taken, err := DomainOwners.Exists(tx, store.Scope{}, name)
	if err != nil || taken {
		return taken, err
	}
	others := func(owner *Reference) bool { return !strings.HasPrefix(owner.ID, account+"/") }
	first, parent, _ := strings.Cut(name, ".")
	if first != "*" {
		star, err := DomainOwners.Get(tx, store.Scope{}, "*."+parent)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		return err == nil && others(star), err
	}
	for e, err := range DomainOwners.All(tx, store.Scope{}) {
		if err != nil {
			return false, err
		}
		if _, above, _ := strings.Cut(e.ID[0], "."); above == parent && others(e.Doc) {
			return true, nil
		}
	}
	return false, nil
}
