package iam

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

func noUser(name *string) string {
	return "The user with name " + value(name) + " cannot be found."
}

func (d *userDoc) owner() owner { return owner{"user", *d.User.UserName} }

// user reads one user.
func (s *Service) user(c *awswire.Call, name *string, fn func(tx *store.Tx, d *userDoc) error) error {
	return s.store.View(c, func(tx *store.Tx) error {
		d, err := users.Get(tx, scopeOf(c), id(name))
		if err != nil {
			return orNoSuch(err, noUser(name))
		}
		return fn(tx, d)
	})
}

// changeUser changes one user.
func (s *Service) changeUser(c *awswire.Call, name *string, fn func(tx *store.Tx, d *userDoc) error) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := users.Get(tx, scopeOf(c), id(name))
		if err != nil {
			return orNoSuch(err, noUser(name))
		}
		if err := fn(tx, d); err != nil {
			return err
		}
		return users.Put(tx, scopeOf(c), d, id(name))
	})
}

// callerName is the user that calls, for operations that leave out a name.
func callerName(c *awswire.Call) (*string, bool) {
	a, err := arn.Parse(c.Principal.ARN)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "user/") {
		return nil, false
	}
	return new(a.Name()), true
}

// nameOrCaller is the name given, or the caller's own.
func nameOrCaller(c *awswire.Call, name *string) (*string, error) {
	if name != nil {
		return name, nil
	}
	if own, ok := callerName(c); ok {
		return own, nil
	}
	return nil, invalid("Must specify userName when calling with non-User credentials")
}

// CreateUser makes a user.
func (s *Service) CreateUser(c *awswire.Call, in *api.CreateUserRequest) (*api.CreateUserResponse, error) {
	tags, err := merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	unique, err := newID(s.random, userID, c.Account)
	if err != nil {
		return nil, err
	}
	d := &userDoc{User: api.User{Path: path(in.Path), UserName: in.UserName, UserId: &unique, CreateDate: now(c), Tags: tags}}
	d.User.Arn = arnOf(c, "user", d.User.Path, d.User.UserName)
	err = s.store.Update(c, func(tx *store.Tx) error {
		if exists, err := users.Exists(tx, scopeOf(c), id(in.UserName)); err != nil || exists {
			return errors.Join(err, alreadyExistsIf(exists, "User with name "+*in.UserName+" already exists."))
		}
		if err := s.bound(tx, scopeOf(c), &d.User.PermissionsBoundary, in.PermissionsBoundary); err != nil {
			return err
		}
		return users.Put(tx, scopeOf(c), d, id(in.UserName))
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateUserResponse{User: &d.User}, nil
}

// GetUser tells everything about a user; without a name, about the caller, who
// may be the account's root.
func (s *Service) GetUser(c *awswire.Call, in *api.GetUserRequest) (*api.GetUserResponse, error) {
	if in.UserName == nil && c.Principal.Root {
		return &api.GetUserResponse{User: &api.User{
			// AWS, too, shows the account where a user has its id and no path or name.
			UserId: &c.Account, Arn: new("arn:" + partition(c) + ":iam::" + c.Account + ":root"), CreateDate: now(c),
		}}, nil
	}
	name, err := nameOrCaller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	out := &api.GetUserResponse{}
	err = s.user(c, name, func(_ *store.Tx, d *userDoc) error {
		out.User = &d.User
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListUsers lists the users by name, without tags and boundaries.
func (s *Service) ListUsers(c *awswire.Call, in *api.ListUsersRequest) (*api.ListUsersResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListUsersResponse{Users: []api.User{}}
	err = s.store.View(c, func(tx *store.Tx) error {
		return page(p, users.All(tx, scopeOf(c)),
			func(d *userDoc) bool { return under(in.PathPrefix, d.User.Path) },
			func(d *userDoc) { out.Users = append(out.Users, listedUser(d.User)) })
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

func listedUser(u api.User) api.User {
	u.Tags, u.PermissionsBoundary = nil, nil
	return u
}

// UpdateUser renames or moves a user; what hangs on it comes along.
func (s *Service) UpdateUser(c *awswire.Call, in *api.UpdateUserRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := users.Get(tx, scopeOf(c), id(in.UserName))
		if err != nil {
			return orNoSuch(err, noUser(in.UserName))
		}
		d.User.UserName = cmp.Or(in.NewUserName, d.User.UserName)
		d.User.Path = cmp.Or(in.NewPath, d.User.Path)
		d.User.Arn = arnOf(c, "user", d.User.Path, d.User.UserName)
		from, to := id(in.UserName), id(d.User.UserName)
		if to != from {
			if exists, err := users.Exists(tx, scopeOf(c), to); err != nil || exists {
				return errors.Join(err, alreadyExistsIf(exists, "User with name "+*d.User.UserName+" already exists."))
			}
			if err := users.Delete(tx, scopeOf(c), from); err != nil {
				return err
			}
		}
		for _, key := range d.AccessKeys {
			k, err := accessKeys.Get(tx, scopeOf(c), key)
			if err != nil {
				return err
			}
			k.User, k.Key.UserName = to, d.User.UserName
			if err := accessKeys.Put(tx, scopeOf(c), k, key); err != nil {
				return err
			}
		}
		return users.Put(tx, scopeOf(c), d, to)
	})
}

// DeleteUser deletes a user that nothing hangs on.
func (s *Service) DeleteUser(c *awswire.Call, in *api.DeleteUserRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := users.Get(tx, scopeOf(c), id(in.UserName))
		if err != nil {
			return orNoSuch(err, noUser(in.UserName))
		}
		switch {
		case len(d.AccessKeys) > 0:
			return conflict("Cannot delete entity, must delete access keys first.")
		case len(d.Groups) > 0:
			return conflict("Cannot delete entity, must remove user from group first.")
		}
		if err := d.Grants.deletable(); err != nil {
			return err
		}
		if err := s.bound(tx, scopeOf(c), &d.User.PermissionsBoundary, nil); err != nil {
			return err
		}
		return users.Delete(tx, scopeOf(c), id(in.UserName))
	})
}

// PutUserPermissionsBoundary sets the policy that bounds the user's.
func (s *Service) PutUserPermissionsBoundary(c *awswire.Call, in *api.PutUserPermissionsBoundaryRequest) error {
	return s.changeUser(c, in.UserName, func(tx *store.Tx, d *userDoc) error {
		return s.bound(tx, scopeOf(c), &d.User.PermissionsBoundary, in.PermissionsBoundary)
	})
}

// DeleteUserPermissionsBoundary succeeds whether or not there is one.
func (s *Service) DeleteUserPermissionsBoundary(c *awswire.Call, in *api.DeleteUserPermissionsBoundaryRequest) error {
	return s.changeUser(c, in.UserName, func(tx *store.Tx, d *userDoc) error {
		return s.bound(tx, scopeOf(c), &d.User.PermissionsBoundary, nil)
	})
}

// TagUser adds or replaces tags.
func (s *Service) TagUser(c *awswire.Call, in *api.TagUserRequest) error {
	return s.changeUser(c, in.UserName, func(_ *store.Tx, d *userDoc) (err error) {
		d.User.Tags, err = merge(d.User.Tags, in.Tags)
		return err
	})
}

// UntagUser removes tags; keys that aren't there don't matter.
func (s *Service) UntagUser(c *awswire.Call, in *api.UntagUserRequest) error {
	return s.changeUser(c, in.UserName, func(_ *store.Tx, d *userDoc) error {
		d.User.Tags = without(d.User.Tags, in.TagKeys)
		return nil
	})
}

// ListUserTags lists the tags by key.
func (s *Service) ListUserTags(c *awswire.Call, in *api.ListUserTagsRequest) (*api.ListUserTagsResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListUserTagsResponse{}
	err = s.user(c, in.UserName, func(_ *store.Tx, d *userDoc) error {
		out.Tags = tagPage(p, d.User.Tags)
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// ListGroupsForUser lists the groups a user is in.
func (s *Service) ListGroupsForUser(c *awswire.Call, in *api.ListGroupsForUserRequest) (*api.ListGroupsForUserResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListGroupsForUserResponse{Groups: []api.Group{}}
	err = s.user(c, in.UserName, func(tx *store.Tx, d *userDoc) error {
		var ids []string
		pageOf(p, slices.Sorted(slices.Values(d.Groups)), func(id string) { ids = append(ids, id) })
		for _, id := range ids {
			g, err := groups.Get(tx, scopeOf(c), id)
			if err != nil {
				return err
			}
			out.Groups = append(out.Groups, g.Group)
		}
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}
