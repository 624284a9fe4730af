package iam

import (
	"context"
	"errors"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// defaultMaxSession is how long a role's sessions may last unless it says
// otherwise, in seconds.
const defaultMaxSession = 3600

func noRole(name *string) string {
	return "The role with name " + value(name) + " cannot be found."
}

func (d *roleDoc) owner() owner { return owner{"role", *d.Role.RoleName} }

// role reads one role.
func (s *Service) role(c *awswire.Call, name *string, fn func(tx *store.Tx, d *roleDoc) error) error {
	return s.store.View(c, func(tx *store.Tx) error {
		d, err := roles.Get(tx, scopeOf(c), id(name))
		if err != nil {
			return orNoSuch(err, noRole(name))
		}
		return fn(tx, d)
	})
}

// changeRole changes one role. Those that belong to a service only change when
// linked says so.
func (s *Service) changeRole(c *awswire.Call, name *string, linked bool, fn func(tx *store.Tx, d *roleDoc) error) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := roles.Get(tx, scopeOf(c), id(name))
		if err != nil {
			return orNoSuch(err, noRole(name))
		}
		if !linked && d.serviceLinked() {
			return protected(d)
		}
		if err := fn(tx, d); err != nil {
			return err
		}
		return roles.Put(tx, scopeOf(c), d, id(name))
	})
}

// CreateRole answers without MaxSessionDuration, which GetRole tells.
func (s *Service) CreateRole(c *awswire.Call, in *api.CreateRoleRequest) (*api.CreateRoleResponse, error) {
	if strings.HasPrefix(value(in.Path), linkedPath) {
		return nil, invalid("Path must not begin with " + linkedPath)
	}
	trust, err := policy.Parse(policy.Trust, *in.AssumeRolePolicyDocument)
	if err != nil {
		return nil, malformed(err)
	}
	tags, err := merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	unique, err := newID(s.random, roleID, c.Account)
	if err != nil {
		return nil, err
	}
	d := &roleDoc{Role: api.Role{
		Path: path(in.Path), RoleName: in.RoleName, RoleId: &unique, CreateDate: now(c), Tags: tags,
		AssumeRolePolicyDocument: in.AssumeRolePolicyDocument, Description: some(in.Description),
		MaxSessionDuration: new(int32(defaultMaxSession)),
	}}
	if in.MaxSessionDuration != nil {
		d.Role.MaxSessionDuration = in.MaxSessionDuration
	}
	d.Role.Arn = arnOf(c, "role", d.Role.Path, d.Role.RoleName)
	err = s.store.Update(c, func(tx *store.Tx) error {
		if exists, err := roles.Exists(tx, scopeOf(c), id(in.RoleName)); err != nil || exists {
			return errors.Join(err, alreadyExistsIf(exists, "Role with name "+*in.RoleName+" already exists."))
		}
		if err := principalsExist(tx, scopeOf(c), trust); err != nil {
			return err
		}
		if err := s.bound(tx, scopeOf(c), &d.Role.PermissionsBoundary, in.PermissionsBoundary); err != nil {
			return err
		}
		return roles.Put(tx, scopeOf(c), d, id(in.RoleName))
	})
	if err != nil {
		return nil, err
	}
	out := d.Role
	out.AssumeRolePolicyDocument = encoded(out.AssumeRolePolicyDocument)
	out.MaxSessionDuration = nil
	return &api.CreateRoleResponse{Role: &out}, nil
}

func alreadyExistsIf(exists bool, message string) error {
	if !exists {
		return nil
	}
	return alreadyExists(message)
}

// principalsExist refuses a trust policy that names a user or role of its own
// account that isn't there. Other accounts can't be looked into.
func principalsExist(tx *store.Tx, scope store.Scope, trust *policy.Document) error {
	for _, name := range trust.Principals() {
		a, err := arn.Parse(name)
		if err != nil || a.Service != "iam" || a.Account != scope.Account {
			continue
		}
		found := ""
		id := strings.ToLower(a.Name())
		switch kind, _, _ := strings.Cut(a.Resource, "/"); kind {
		case "role":
			var d *roleDoc
			if d, err = roles.Get(tx, scope, id); err == nil {
				found = *d.Role.Arn
			}
		case "user":
			var d *userDoc
			if d, err = users.Get(tx, scope, id); err == nil {
				found = *d.User.Arn
			}
		default:
			continue
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if found != name {
			return malformed(policy.InvalidPrincipal("AWS", name))
		}
	}
	return nil
}

// GetRole tells everything about a role.
func (s *Service) GetRole(c *awswire.Call, in *api.GetRoleRequest) (*api.GetRoleResponse, error) {
	var out api.Role
	err := s.role(c, in.RoleName, func(_ *store.Tx, d *roleDoc) error {
		out = d.Role
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.AssumeRolePolicyDocument = encoded(out.AssumeRolePolicyDocument)
	out.RoleLastUsed = s.directory.roleLastUsed(*out.RoleId)
	return &api.GetRoleResponse{Role: &out}, nil
}

// listed is a role as lists show it: without tags and boundary.
func listed(r api.Role) api.Role {
	r.AssumeRolePolicyDocument = encoded(r.AssumeRolePolicyDocument)
	r.Tags, r.PermissionsBoundary = nil, nil
	return r
}

// ListRoles lists the roles by name.
func (s *Service) ListRoles(c *awswire.Call, in *api.ListRolesRequest) (*api.ListRolesResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListRolesResponse{Roles: []api.Role{}}
	err = s.store.View(c, func(tx *store.Tx) error {
		return page(p, roles.All(tx, scopeOf(c)),
			func(d *roleDoc) bool { return under(in.PathPrefix, d.Role.Path) },
			func(d *roleDoc) { out.Roles = append(out.Roles, listed(d.Role)) })
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// UpdateRole changes what is given and leaves the rest.
func (s *Service) UpdateRole(c *awswire.Call, in *api.UpdateRoleRequest) (*api.UpdateRoleResponse, error) {
	err := s.changeRole(c, in.RoleName, false, func(_ *store.Tx, d *roleDoc) error {
		if in.Description != nil {
			d.Role.Description = some(in.Description)
		}
		if in.MaxSessionDuration != nil {
			d.Role.MaxSessionDuration = in.MaxSessionDuration
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateRoleResponse{}, nil
}

// UpdateRoleDescription is the older form of UpdateRole. It is also how the
// description of a service-linked role changes.
func (s *Service) UpdateRoleDescription(c *awswire.Call, in *api.UpdateRoleDescriptionRequest) (*api.UpdateRoleDescriptionResponse, error) {
	var out api.Role
	err := s.changeRole(c, in.RoleName, true, func(_ *store.Tx, d *roleDoc) error {
		d.Role.Description = some(in.Description)
		out = d.Role
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.AssumeRolePolicyDocument = encoded(out.AssumeRolePolicyDocument)
	return &api.UpdateRoleDescriptionResponse{Role: &out}, nil
}

// UpdateAssumeRolePolicy replaces the trust policy.
func (s *Service) UpdateAssumeRolePolicy(c *awswire.Call, in *api.UpdateAssumeRolePolicyRequest) error {
	trust, err := policy.Parse(policy.Trust, *in.PolicyDocument)
	if err != nil {
		return malformed(err)
	}
	return s.changeRole(c, in.RoleName, false, func(tx *store.Tx, d *roleDoc) error {
		d.Role.AssumeRolePolicyDocument = in.PolicyDocument
		return principalsExist(tx, scopeOf(c), trust)
	})
}

// DeleteRole deletes a role that nothing hangs on.
func (s *Service) DeleteRole(c *awswire.Call, in *api.DeleteRoleRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := roles.Get(tx, scopeOf(c), id(in.RoleName))
		if err != nil {
			return orNoSuch(err, noRole(in.RoleName))
		}
		if d.serviceLinked() {
			return protected(d)
		}
		for e, err := range profiles.All(tx, scopeOf(c)) {
			if err != nil {
				return err
			}
			if e.Doc.Role == id(in.RoleName) {
				return conflict("Cannot delete entity, must remove roles from instance profile first.")
			}
		}
		if err := d.Grants.deletable(); err != nil {
			return err
		}
		if err := s.bound(tx, scopeOf(c), &d.Role.PermissionsBoundary, nil); err != nil {
			return err
		}
		return roles.Delete(tx, scopeOf(c), id(in.RoleName))
	})
}

// PutRolePermissionsBoundary sets the policy that bounds the role's.
func (s *Service) PutRolePermissionsBoundary(c *awswire.Call, in *api.PutRolePermissionsBoundaryRequest) error {
	return s.changeRole(c, in.RoleName, false, func(tx *store.Tx, d *roleDoc) error {
		return s.bound(tx, scopeOf(c), &d.Role.PermissionsBoundary, in.PermissionsBoundary)
	})
}

// DeleteRolePermissionsBoundary succeeds whether or not there is one.
func (s *Service) DeleteRolePermissionsBoundary(c *awswire.Call, in *api.DeleteRolePermissionsBoundaryRequest) error {
	return s.changeRole(c, in.RoleName, false, func(tx *store.Tx, d *roleDoc) error {
		return s.bound(tx, scopeOf(c), &d.Role.PermissionsBoundary, nil)
	})
}

// TagRole adds or replaces tags.
func (s *Service) TagRole(c *awswire.Call, in *api.TagRoleRequest) error {
	return s.changeRole(c, in.RoleName, true, func(_ *store.Tx, d *roleDoc) (err error) {
		d.Role.Tags, err = merge(d.Role.Tags, in.Tags)
		return err
	})
}

// UntagRole removes tags; keys that aren't there don't matter.
func (s *Service) UntagRole(c *awswire.Call, in *api.UntagRoleRequest) error {
	return s.changeRole(c, in.RoleName, true, func(_ *store.Tx, d *roleDoc) error {
		d.Role.Tags = without(d.Role.Tags, in.TagKeys)
		return nil
	})
}

// ListRoleTags lists the tags by key.
func (s *Service) ListRoleTags(c *awswire.Call, in *api.ListRoleTagsRequest) (*api.ListRoleTagsResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListRoleTagsResponse{}
	err = s.role(c, in.RoleName, func(_ *store.Tx, d *roleDoc) error {
		out.Tags = tagPage(p, d.Role.Tags)
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// A Role is what others need to know of a role.
type Role struct {
	// Account, Name, ID and ARN name it.
	Account, Name, ID, ARN string
	// Trust tells who may assume it.
	Trust *policy.Document
	// MaxSession is how long its sessions may last, in seconds.
	MaxSession int
	// Tags are its tags, by key in lower case.
	Tags map[string]string
}

// ErrNoRole is returned by Service.Role for a role that isn't there.
var ErrNoRole = errors.New("iam: no such role")

// Role returns the role with the ARN, or ErrNoRole.
func (s *Service) Role(ctx context.Context, text string) (*Role, error) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/") {
		return nil, ErrNoRole
	}
	var d *roleDoc
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		d, err = roles.Get(tx, store.Scope{Account: a.Account}, strings.ToLower(a.Name()))
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && *d.Role.Arn != text {
		return nil, ErrNoRole
	}
	if err != nil {
		return nil, err
	}
	r := &Role{
		Account: a.Account, Name: *d.Role.RoleName, ID: *d.Role.RoleId, ARN: text,
		MaxSession: int(*d.Role.MaxSessionDuration), Tags: map[string]string{},
	}
	for _, t := range d.Role.Tags {
		r.Tags[strings.ToLower(*t.Key)] = *t.Value
	}
	if r.Trust, err = policy.Parse(policy.Trust, *d.Role.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	return r, nil
}
