package cognitoidp

import (
	"errors"
	"slices"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// maxGroups is how many groups one user can be in.
const maxGroups = 100

func group(tx *store.Tx, c *awswire.Call, poolID, name *string) (*groupDoc, error) {
	d, err := groups.Get(tx, scopeOf(c), value(poolID), value(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound("Group not found.")
	}
	return d, err
}

// CreateGroup makes a group.
func (s *Service) CreateGroup(c *awswire.Call, in *api.CreateGroupRequest) (*api.CreateGroupResponse, error) {
	d := &groupDoc{Group: api.GroupType{
		GroupName: in.GroupName, UserPoolId: in.UserPoolId, Description: in.Description, RoleArn: in.RoleArn, Precedence: in.Precedence,
		CreationDate: now(c), LastModifiedDate: now(c),
	}}
	err := s.inPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		exists, err := groups.Exists(tx, scopeOf(c), *in.UserPoolId, *in.GroupName)
		if err != nil {
			return err
		}
		if exists {
			return api.NewGroupExistsException("A group with the name already exists.")
		}
		return groups.Put(tx, scopeOf(c), d, *in.UserPoolId, *in.GroupName)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateGroupResponse{Group: &d.Group}, nil
}

// GetGroup tells about a group.
func (s *Service) GetGroup(c *awswire.Call, in *api.GetGroupRequest) (*api.GetGroupResponse, error) {
	out := &api.GetGroupResponse{}
	err := s.viewPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		d, err := group(tx, c, in.UserPoolId, in.GroupName)
		if err != nil {
			return err
		}
		out.Group = &d.Group
		return nil
	})
	return out, err
}

// UpdateGroup changes what of a group the call names.
func (s *Service) UpdateGroup(c *awswire.Call, in *api.UpdateGroupRequest) (*api.UpdateGroupResponse, error) {
	out := &api.UpdateGroupResponse{}
	err := s.inPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		d, err := group(tx, c, in.UserPoolId, in.GroupName)
		if err != nil {
			return err
		}
		if in.Description != nil {
			d.Group.Description = in.Description
		}
		if in.RoleArn != nil {
			d.Group.RoleArn = in.RoleArn
		}
		if in.Precedence != nil {
			d.Group.Precedence = in.Precedence
		}
		d.Group.LastModifiedDate = now(c)
		out.Group = &d.Group
		return groups.Put(tx, scopeOf(c), d, *in.UserPoolId, *in.GroupName)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteGroup deletes a group; its users stay.
func (s *Service) DeleteGroup(c *awswire.Call, in *api.DeleteGroupRequest) error {
	return s.inPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		if _, err := group(tx, c, in.UserPoolId, in.GroupName); err != nil {
			return err
		}
		for e, err := range members.All(tx, scopeOf(c), *in.UserPoolId, *in.GroupName) {
			if err != nil {
				return err
			}
			u, err := users.Get(tx, scopeOf(c), *in.UserPoolId, e.ID[2])
			if err != nil {
				return err
			}
			u.Groups = slices.DeleteFunc(u.Groups, func(g string) bool { return g == *in.GroupName })
			if err := users.Put(tx, scopeOf(c), u, *in.UserPoolId, e.ID[2]); err != nil {
				return err
			}
		}
		if _, err := members.DeleteAll(tx, scopeOf(c), *in.UserPoolId, *in.GroupName); err != nil {
			return err
		}
		return groups.Delete(tx, scopeOf(c), *in.UserPoolId, *in.GroupName)
	})
}

// ListGroups lists a pool's groups by name.
func (s *Service) ListGroups(c *awswire.Call, in *api.ListGroupsRequest) (*api.ListGroupsResponse, error) {
	out := &api.ListGroupsResponse{Groups: []api.GroupType{}}
	err := s.viewPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		page, next, err := groups.ListToken(tx, scopeOf(c), value(in.NextToken), pageSize(in.Limit, maxPage), *in.UserPoolId)
		if err != nil {
			return badToken(err)
		}
		for _, e := range page {
			out.Groups = append(out.Groups, e.Doc.Group)
		}
		out.NextToken = some(next)
		return nil
	})
	return out, err
}

// AdminAddUserToGroup succeeds, too, when the user is in the group already.
func (s *Service) AdminAddUserToGroup(c *awswire.Call, in *api.AdminAddUserToGroupRequest) error {
	return s.member(c, in.UserPoolId, in.GroupName, in.Username, func(tx *store.Tx, u *user) error {
		if slices.Contains(u.Groups, *in.GroupName) {
			return nil
		}
		if len(u.Groups) == maxGroups {
			return limitExceeded("A user can be in at most 100 groups.") // UNVERIFIED wording
		}
		u.Groups = append(u.Groups, *in.GroupName)
		return members.Put(tx, scopeOf(c), &memberDoc{}, *in.UserPoolId, *in.GroupName, u.key)
	})
}

// AdminRemoveUserFromGroup succeeds, too, when the user isn't in the group.
func (s *Service) AdminRemoveUserFromGroup(c *awswire.Call, in *api.AdminRemoveUserFromGroupRequest) error {
	return s.member(c, in.UserPoolId, in.GroupName, in.Username, func(tx *store.Tx, u *user) error {
		at := slices.Index(u.Groups, *in.GroupName)
		if at < 0 {
			return nil
		}
		u.Groups = slices.Delete(u.Groups, at, at+1)
		return members.Delete(tx, scopeOf(c), *in.UserPoolId, *in.GroupName, u.key)
	})
}

func (s *Service) member(c *awswire.Call, poolID, groupName, name *string, fn func(tx *store.Tx, u *user) error) error {
	return s.changeUser(c, poolID, name, func(tx *store.Tx, u *user) error {
		if _, err := group(tx, c, poolID, groupName); err != nil {
			return err
		}
		return fn(tx, u)
	})
}

// AdminListGroupsForUser lists the groups a user is in, by name.
func (s *Service) AdminListGroupsForUser(c *awswire.Call, in *api.AdminListGroupsForUserRequest) (*api.AdminListGroupsForUserResponse, error) {
	out := &api.AdminListGroupsForUserResponse{Groups: []api.GroupType{}}
	err := s.viewUser(c, in.UserPoolId, in.Username, func(tx *store.Tx, u *user) error {
		names, next, err := pageOf(slices.Sorted(slices.Values(u.Groups)), in.NextToken, pageSize(in.Limit, maxPage))
		if err != nil {
			return err
		}
		for _, name := range names {
			d, err := group(tx, c, in.UserPoolId, &name)
			if err != nil {
				return err
			}
			out.Groups = append(out.Groups, d.Group)
		}
		out.NextToken = next
		return nil
	})
	return out, err
}

// ListUsersInGroup lists the users in a group.
func (s *Service) ListUsersInGroup(c *awswire.Call, in *api.ListUsersInGroupRequest) (*api.ListUsersInGroupResponse, error) {
	out := &api.ListUsersInGroupResponse{Users: []api.UserType{}}
	err := s.viewPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		if _, err := group(tx, c, in.UserPoolId, in.GroupName); err != nil {
			return err
		}
		page, next, err := members.ListToken(tx, scopeOf(c), value(in.NextToken), pageSize(in.Limit, maxPage), *in.UserPoolId, *in.GroupName)
		if err != nil {
			return badToken(err)
		}
		for _, e := range page {
			u, err := users.Get(tx, scopeOf(c), *in.UserPoolId, e.ID[2])
			if err != nil {
				return err
			}
			out.Users = append(out.Users, u.shown())
		}
		out.NextToken = some(next)
		return nil
	})
	return out, err
}
