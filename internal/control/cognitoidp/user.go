package cognitoidp

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

// maxPage is how many users or groups a page has at most.
const maxPage = 60

// pageSize is how long a page is to be: most, unless the call says otherwise.
func pageSize(asked *int32, most int32) int {
	if value(asked) <= 0 {
		return int(most)
	}
	return int(*asked)
}

// A user is a stored user in its pool.
type user struct {
	*userDoc
	scope store.Scope
	pool  *api.UserPoolType
	// key is what the user is stored under, in the pool.
	key string
	// known are the aliases that the stored user has.
	known []alias
}

// An alias is another name that a user is found by.
type alias struct{ attribute, value string }

func noUser() error { return api.NewUserNotFoundException("User does not exist.") }

// findUser finds a user by its name, its sub or an alias.
func findUser(tx *store.Tx, scope store.Scope, p *api.UserPoolType, name string) (*user, error) {
	key := fold(p, name)
	d, err := users.Get(tx, scope, *p.Id, key)
	if err == nil {
		return newUser(scope, p, key, d), nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	for _, attribute := range [...]string{"sub", "email", "phone_number", "preferred_username"} {
		a, err := aliases.Get(tx, scope, *p.Id, attribute, key)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if d, err = users.Get(tx, scope, *p.Id, a.User); err != nil {
			return nil, err
		}
		return newUser(scope, p, a.User, d), nil
	}
	return nil, noUser()
}

func newUser(scope store.Scope, p *api.UserPoolType, key string, d *userDoc) *user {
	u := &user{userDoc: d, scope: scope, pool: p, key: key}
	u.known = u.aliases()
	return u
}

// aliases are the names by which the user can be found as it is now. A user's
// own addresses count where they stand in for names, or once they are verified.
func (u *user) aliases() []alias {
	list := []alias{{"sub", u.Sub}}
	for _, attribute := range [...]string{"email", "phone_number", "preferred_username"} {
		text, ok := u.attribute(attribute)
		if !ok || text == "" {
			continue
		}
		verified, _ := u.attribute(attribute + "_verified")
		named := slices.Contains(u.pool.AliasAttributes, attribute) && (verified == "true" || attribute == "preferred_username")
		if named || signsInBy(u.pool, attribute) {
			list = append(list, alias{attribute, fold(u.pool, text)})
		}
	}
	return list
}

func (u *user) attribute(name string) (string, bool) {
	for _, a := range u.Attributes {
		if *a.Name == name {
			return value(a.Value), true
		}
	}
	return "", false
}

func (u *user) set(name, text string) {
	for i, a := range u.Attributes {
		if *a.Name == name {
			u.Attributes[i].Value = &text
			return
		}
	}
	u.Attributes = append(u.Attributes, api.AttributeType{Name: &name, Value: &text})
}

func (u *user) unset(name string) {
	u.Attributes = slices.DeleteFunc(u.Attributes, func(a api.AttributeType) bool { return *a.Name == name })
}

// all are the attributes as answers carry them.
func (u *user) all() []api.AttributeType { return u.userDoc.all() }

func (d *userDoc) all() []api.AttributeType {
	return append([]api.AttributeType{{Name: new("sub"), Value: &d.Sub}}, d.Attributes...)
}

// shown is the user as lists carry it.
func (d *userDoc) shown() api.UserType {
	return api.UserType{
		Username: &d.Username, Attributes: d.all(), UserCreateDate: &d.Created, UserLastModifiedDate: &d.Modified,
		Enabled: new(!d.Disabled), UserStatus: &d.Status,
	}
}

// put stores the user and keeps its aliases true. An alias that another user has
// is refused, or with force taken from it.
func (u *user) put(tx *store.Tx, force bool) error {
	now := u.aliases()
	for _, old := range u.known {
		if !slices.Contains(now, old) {
			if err := aliases.Delete(tx, u.scope, *u.pool.Id, old.attribute, old.value); err != nil {
				return err
			}
		}
	}
	for _, a := range now {
		if slices.Contains(u.known, a) {
			continue
		}
		if err := u.claim(tx, a, force); err != nil {
			return err
		}
	}
	u.known = now
	return users.Put(tx, u.scope, u.userDoc, *u.pool.Id, u.key)
}

func (u *user) claim(tx *store.Tx, a alias, force bool) error {
	taken, err := aliases.Get(tx, u.scope, *u.pool.Id, a.attribute, a.value)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return aliases.Put(tx, u.scope, &aliasDoc{u.key}, *u.pool.Id, a.attribute, a.value)
	case err != nil:
		return err
	case !force || signsInBy(u.pool, a.attribute):
		return api.NewAliasExistsException("An account with the given " + a.attribute + " already exists.")
	}
	d, err := users.Get(tx, u.scope, *u.pool.Id, taken.User)
	if err != nil {
		return err
	}
	other := newUser(u.scope, u.pool, taken.User, d)
	if a.attribute == "preferred_username" {
		other.unset(a.attribute)
	} else {
		other.set(a.attribute+"_verified", "false")
	}
	if err := other.put(tx, false); err != nil {
		return err
	}
	return aliases.Put(tx, u.scope, &aliasDoc{u.key}, *u.pool.Id, a.attribute, a.value)
}

// remove deletes the user and what hangs on it.
func (u *user) remove(tx *store.Tx) error {
	for _, a := range u.known {
		if err := aliases.Delete(tx, u.scope, *u.pool.Id, a.attribute, a.value); err != nil {
			return err
		}
	}
	for _, g := range u.Groups {
		if err := members.Delete(tx, u.scope, *u.pool.Id, g, u.key); err != nil {
			return err
		}
	}
	return errors.Join(count(tx, u.scope, *u.pool.Id, -1), users.Delete(tx, u.scope, *u.pool.Id, u.key))
}

// count keeps the number of a pool's users.
func count(tx *store.Tx, scope store.Scope, poolID string, by int32) error {
	d, err := userCounts.Get(tx, scope, poolID)
	if errors.Is(err, store.ErrNotFound) {
		d, err = &countDoc{}, nil
	}
	if err != nil {
		return err
	}
	d.Users += by
	return userCounts.Put(tx, scope, d, poolID)
}

// viewUser reads a user of a pool of the caller's.
func (s *Service) viewUser(c *awswire.Call, poolID, name *string, fn func(tx *store.Tx, u *user) error) error {
	return s.viewPool(c, poolID, func(tx *store.Tx, p *poolDoc) error {
		u, err := findUser(tx, scopeOf(c), &p.Pool, value(name))
		if err != nil {
			return err
		}
		return fn(tx, u)
	})
}

// changeUser changes a user of a pool of the caller's.
func (s *Service) changeUser(c *awswire.Call, poolID, name *string, fn func(tx *store.Tx, u *user) error) error {
	return s.inPool(c, poolID, func(tx *store.Tx, p *poolDoc) error {
		u, err := findUser(tx, scopeOf(c), &p.Pool, value(name))
		if err != nil {
			return err
		}
		return u.change(tx, c.Time, fn)
	})
}

func (u *user) change(tx *store.Tx, at time.Time, fn func(tx *store.Tx, u *user) error) error {
	if err := fn(tx, u); err != nil {
		return err
	}
	u.Modified = at.UTC().Truncate(time.Millisecond)
	return u.put(tx, false)
}

// readUser reads a user for somebody who named a client, not an account.
func (s *Service) readUser(ctx context.Context, p *Pool, name string) (u *user, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		u, err = findUser(tx, p.Scope, p.Settings, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// writeUser changes a user that was read before, if it is still the same one.
func (s *Service) writeUser(ctx context.Context, at time.Time, u *user, fn func(tx *store.Tx, u *user) error) (now *user, err error) {
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		p, err := pools.Get(tx, u.scope, *u.pool.Id)
		if errors.Is(err, store.ErrNotFound) {
			return noPool(u.pool.Id)
		}
		if err != nil {
			return err
		}
		d, err := users.Get(tx, u.scope, *u.pool.Id, u.key)
		if errors.Is(err, store.ErrNotFound) || err == nil && d.Sub != u.Sub {
			return noUser()
		}
		if err != nil {
			return err
		}
		now = newUser(u.scope, &p.Pool, u.key, d)
		return now.change(tx, at, fn)
	})
	if err != nil {
		return nil, err
	}
	return now, nil
}

// pageOf cuts a page out of sorted names.
func pageOf(names []string, token *string, limit int) (page []string, next *string, err error) {
	after, err := paging.Decode(value(token))
	if err != nil || len(after) > 1 {
		return nil, nil, invalid("Invalid token.")
	}
	if len(after) == 1 {
		at, found := slices.BinarySearch(names, after[0])
		if found {
			at++
		}
		names = names[at:]
	}
	if len(names) <= limit {
		return names, nil, nil
	}
	return names[:limit], new(paging.Encode(names[limit-1])), nil
}

// masked is an address as strangers may see it.
func masked(attribute, address string) string {
	if attribute == "phone_number" {
		return "+" + strings.Repeat("*", max(0, len(address)-5)) + address[max(0, len(address)-4):]
	}
	local, domain, _ := strings.Cut(address, "@")
	return local[:min(1, len(local))] + "***@" + domain[:min(1, len(domain))] + "***"
}
