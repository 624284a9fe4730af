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
		if label, ok := strings.CutSuffix(name, ".localhost"); ok && !strings.Contains(label, ".") && label != "*" {
			return badRequest("The domain name %s is reserved: clients call services by such names. With another label in front, as in api.%[1]s, it can be taken", name)
		}
		return badRequest("The domain name %s is reserved: the gateway itself is called by it", name)
	}
	return nil
}

// Lower is a name as it is kept.
func Lower(name string) string { return strings.ToLower(name) }

// Name is that of a domain, "" before it has one.
func Name(d *definition.Domain) string { return value(d.DomainName.DomainName) }

// claim takes a public name for a scope. A name is one domain's, in whatever
// account and region, or a user pool's.
func claim(tx *store.Tx, s store.Scope, name string) error {
	taken, err := definition.DomainNameTaken(tx, s.Account, name)
	if err != nil {
		return err
	}
	if taken {
		// AWS says so with status 400, not as a conflict.
		return badRequest("The domain name you provided already exists.")
	}
	if taken, err = definition.UserPoolDomains.Exists(tx, store.Scope{}, name, ""); err != nil {
		return err
	}
	if taken {
		// A user pool's domain is a distribution of CloudFront.
		// UNVERIFIED: that AWS says so of regional domain names, too.
		return badRequest("The domain name you provided is already associated with an existing CloudFront distribution. Remove the domain name from the existing CloudFront distribution or use a different domain name. If you own this domain name and are not using it on an existing CloudFront distribution, please contact support.")
	}
	return definition.DomainOwners.Put(tx, store.Scope{}, &definition.Reference{ID: s.Account + "/" + s.Region}, name)
}

// release gives a name back.
func release(tx *store.Tx, name string) error {
	if err := definition.DomainOwners.Delete(tx, store.Scope{}, name); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}
