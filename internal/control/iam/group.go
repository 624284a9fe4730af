package iam

import (
	"cmp"
	"errors"
	"slices"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// maxGroups is how many groups one user can be in.
const maxGroups = 10

func noGroup(name *string) string {
	return "The group with name " + value(name) + " cannot be found."
}

func (d *groupDoc) owner() owner { return owner{"group", *d.Group.GroupName} }

// group reads one group.
func (s *Service) group(c *awswire.Call, name *string, fn func(tx *store.Tx, d *groupDoc) error) error {
	return s.store.View(c, func(tx *store.Tx) error {
		d, err := groups.Get(tx, scopeOf(c), id(name))
		if err != nil {
			return orNoSuch(err, noGroup(name))
		}
		return fn(tx, d)
	})
}

// changeGroup changes one group.
func (s *Service) changeGroup(c *awswire.Call, name *string, fn func(tx *store.Tx, d *groupDoc) error) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := groups.Get(tx, scopeOf(c), id(name))
		if err != nil {
			return orNoSuch(err, noGroup(name))
		}
		if err := fn(tx, d); err != nil {
			return err
		}
		return groups.Put(tx, scopeOf(c), d, id(name))
	})
}

// CreateGroup makes a group.
func (s *Service) CreateGroup(c *awswire.Call, in *api.CreateGroupRequest) (*api.CreateGroupResponse, error) {
	unique, err := newID(s.random, groupID, c.Account)
	if err != nil {
		return nil, err
	}
	d := &groupDoc{Group: api.Group{Path: path(in.Path), GroupName: in.GroupName, GroupId: &unique, CreateDate: now(c)}}
	d.Group.Arn = arnOf(c, "group", d.Group.Path, d.Group.GroupName)
	err = s.store.Update(c, func(tx *store.Tx) error {
		if exists, err := groups.Exists(tx, scopeOf(c), id(in.GroupName)); err != nil || exists {
			return errors.Join(err, alreadyExistsIf(exists, "Group with name "+*in.GroupName+" already exists."))
		}
		return groups.Put(tx, scopeOf(c), d, id(in.GroupName))
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateGroupResponse{Group: &d.Group}, nil
}

// GetGroup tells about a group and lists its users.
func (s *Service) GetGroup(c *awswire.Call, in *api.GetGroupRequest) (*api.GetGroupResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.GetGroupResponse{Users: []api.User{}}
	err = s.group(c, in.GroupName, func(tx *store.Tx, d *groupDoc) error {
		out.Group = &d.Group
		return page(p, users.All(tx, scopeOf(c)),
			func(u *userDoc) bool { return slices.Contains(u.Groups, id(in.GroupName)) },
			func(u *userDoc) { out.Users = append(out.Users, listedUser(u.User)) })
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// ListGroups lists the groups by name.
func (s *Service) ListGroups(c *awswire.Call, in *api.ListGroupsRequest) (*api.ListGroupsResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListGroupsResponse{Groups: []api.Group{}}
	err = s.store.View(c, func(tx *store.Tx) error {
		return page(p, groups.All(tx, scopeOf(c)),
			func(d *groupDoc) bool { return under(in.PathPrefix, d.Group.Path) },
			func(d *groupDoc) { out.Groups = append(out.Groups, d.Group) })
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// UpdateGroup renames or moves a group; its users stay in it.
func (s *Service) UpdateGroup(c *awswire.Call, in *api.UpdateGroupRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := groups.Get(tx, scopeOf(c), id(in.GroupName))
		if err != nil {
			return orNoSuch(err, noGroup(in.GroupName))
		}
		d.Group.GroupName = cmp.Or(in.NewGroupName, d.Group.GroupName)
		d.Group.Path = cmp.Or(in.NewPath, d.Group.Path)
		d.Group.Arn = arnOf(c, "group", d.Group.Path, d.Group.GroupName)
		from, to := id(in.GroupName), id(d.Group.GroupName)
		if to == from {
			return groups.Put(tx, scopeOf(c), d, to)
		}
		if exists, err := groups.Exists(tx, scopeOf(c), to); err != nil || exists {
			return errors.Join(err, alreadyExistsIf(exists, "Group with name "+*d.Group.GroupName+" already exists."))
		}
		for e, err := range users.All(tx, scopeOf(c)) {
			if err != nil {
				return err
			}
			at := slices.Index(e.Doc.Groups, from)
			if at < 0 {
				continue
			}
			e.Doc.Groups[at] = to
			if err := users.Put(tx, scopeOf(c), e.Doc, e.ID...); err != nil {
				return err
			}
		}
		if err := groups.Delete(tx, scopeOf(c), from); err != nil {
			return err
		}
		return groups.Put(tx, scopeOf(c), d, to)
	})
}

// DeleteGroup deletes a group that nothing hangs on.
func (s *Service) DeleteGroup(c *awswire.Call, in *api.DeleteGroupRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := groups.Get(tx, scopeOf(c), id(in.GroupName))
		if err != nil {
			return orNoSuch(err, noGroup(in.GroupName))
		}
		for e, err := range users.All(tx, scopeOf(c)) {
			if err != nil {
				return err
			}
			if slices.Contains(e.Doc.Groups, id(in.GroupName)) {
				return conflict("Cannot delete entity, must remove users from group first.")
			}
		}
		if err := d.Grants.deletable(); err != nil {
			return err
		}
		return groups.Delete(tx, scopeOf(c), id(in.GroupName))
	})
}

// AddUserToGroup succeeds, too, when the user is in the group already.
func (s *Service) AddUserToGroup(c *awswire.Call, in *api.AddUserToGroupRequest) error {
	return s.member(c, in.GroupName, in.UserName, func(d *userDoc, group string) error {
		if slices.Contains(d.Groups, group) {
			return nil
		}
		if len(d.Groups) == maxGroups {
			return limitExceeded("Cannot exceed quota for GroupsPerUser: 10")
		}
		d.Groups = append(d.Groups, group)
		return nil
	})
}

// RemoveUserFromGroup takes a user out of a group.
func (s *Service) RemoveUserFromGroup(c *awswire.Call, in *api.RemoveUserFromGroupRequest) error {
	return s.member(c, in.GroupName, in.UserName, func(d *userDoc, group string) error {
		at := slices.Index(d.Groups, group)
		if at < 0 {
			return noSuchEntity("User " + *in.UserName + " is not in group " + *in.GroupName + ".")
		}
		d.Groups = slices.Delete(d.Groups, at, at+1)
		return nil
	})
}

func (s *Service) member(c *awswire.Call, group, user *string, fn func(d *userDoc, group string) error) error {
	return s.changeUser(c, user, func(tx *store.Tx, d *userDoc) error {
		exists, err := groups.Exists(tx, scopeOf(c), id(group))
		if err != nil {
			return err
		}
		if !exists {
			return noSuchEntity(noGroup(group))
		}
		return fn(d, id(group))
	})
}
