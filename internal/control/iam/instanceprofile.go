package iam

import (
	"errors"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

func noProfile(name *string) string {
	return "Instance Profile " + value(name) + " cannot be found."
}

// filled is a profile as answers carry it: with its role.
func filled(tx *store.Tx, scope store.Scope, d *profileDoc) (api.InstanceProfile, error) {
	out := d.Profile
	out.Roles = []api.Role{}
	if d.Role == "" {
		return out, nil
	}
	r, err := roles.Get(tx, scope, d.Role)
	if err != nil {
		return out, err
	}
	out.Roles = append(out.Roles, listed(r.Role))
	return out, nil
}

// CreateInstanceProfile makes a profile without a role.
func (s *Service) CreateInstanceProfile(c *awswire.Call, in *api.CreateInstanceProfileRequest) (*api.CreateInstanceProfileResponse, error) {
	tags, err := merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	unique, err := newID(s.random, profileID, c.Account)
	if err != nil {
		return nil, err
	}
	d := &profileDoc{Profile: api.InstanceProfile{
		Path: path(in.Path), InstanceProfileName: in.InstanceProfileName, InstanceProfileId: &unique, CreateDate: now(c), Tags: tags,
	}}
	d.Profile.Arn = arnOf(c, "instance-profile", d.Profile.Path, d.Profile.InstanceProfileName)
	err = s.store.Update(c, func(tx *store.Tx) error {
		if exists, err := profiles.Exists(tx, scopeOf(c), id(in.InstanceProfileName)); err != nil || exists {
			return errors.Join(err, alreadyExistsIf(exists, "Instance Profile "+*in.InstanceProfileName+" already exists."))
		}
		return profiles.Put(tx, scopeOf(c), d, id(in.InstanceProfileName))
	})
	if err != nil {
		return nil, err
	}
	out := d.Profile
	out.Roles = []api.Role{}
	return &api.CreateInstanceProfileResponse{InstanceProfile: &out}, nil
}

// GetInstanceProfile tells about a profile and its role.
func (s *Service) GetInstanceProfile(c *awswire.Call, in *api.GetInstanceProfileRequest) (*api.GetInstanceProfileResponse, error) {
	var out api.InstanceProfile
	err := s.store.View(c, func(tx *store.Tx) error {
		d, err := profiles.Get(tx, scopeOf(c), id(in.InstanceProfileName))
		if err != nil {
			return orNoSuch(err, noProfile(in.InstanceProfileName))
		}
		out, err = filled(tx, scopeOf(c), d)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.GetInstanceProfileResponse{InstanceProfile: &out}, nil
}

// ListInstanceProfiles lists the profiles by name.
func (s *Service) ListInstanceProfiles(c *awswire.Call, in *api.ListInstanceProfilesRequest) (*api.ListInstanceProfilesResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListInstanceProfilesResponse{}
	err = s.store.View(c, func(tx *store.Tx) error {
		out.InstanceProfiles, err = profilePage(tx, c, p, func(d *profileDoc) bool { return under(in.PathPrefix, d.Profile.Path) })
		return err
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// ListInstanceProfilesForRole lists the profiles a role is in.
func (s *Service) ListInstanceProfilesForRole(c *awswire.Call, in *api.ListInstanceProfilesForRoleRequest) (*api.ListInstanceProfilesForRoleResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListInstanceProfilesForRoleResponse{}
	err = s.role(c, in.RoleName, func(tx *store.Tx, _ *roleDoc) error {
		out.InstanceProfiles, err = profilePage(tx, c, p, func(d *profileDoc) bool { return d.Role == id(in.RoleName) })
		return err
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// profilePage is a page of the profiles that keep holds for, without tags.
func profilePage(tx *store.Tx, c *awswire.Call, p *pager, keep func(*profileDoc) bool) ([]api.InstanceProfile, error) {
	var docs []*profileDoc
	if err := page(p, profiles.All(tx, scopeOf(c)), keep, func(d *profileDoc) { docs = append(docs, d) }); err != nil {
		return nil, err
	}
	out := []api.InstanceProfile{}
	for _, d := range docs {
		profile, err := filled(tx, scopeOf(c), d)
		if err != nil {
			return nil, err
		}
		profile.Tags = nil
		out = append(out, profile)
	}
	return out, nil
}

func (s *Service) changeProfile(c *awswire.Call, name *string, fn func(tx *store.Tx, d *profileDoc) error) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := profiles.Get(tx, scopeOf(c), id(name))
		if err != nil {
			return orNoSuch(err, noProfile(name))
		}
		if err := fn(tx, d); err != nil {
			return err
		}
		return profiles.Put(tx, scopeOf(c), d, id(name))
	})
}

// AddRoleToInstanceProfile puts a role into a profile that has none.
func (s *Service) AddRoleToInstanceProfile(c *awswire.Call, in *api.AddRoleToInstanceProfileRequest) error {
	return s.changeProfile(c, in.InstanceProfileName, func(tx *store.Tx, d *profileDoc) error {
		exists, err := roles.Exists(tx, scopeOf(c), id(in.RoleName))
		switch {
		case err != nil:
			return err
		case !exists:
			return noSuchEntity(noRole(in.RoleName))
		case d.Role != "":
			return limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
		}
		d.Role = id(in.RoleName)
		return nil
	})
}

// RemoveRoleFromInstanceProfile takes the role out of a profile.
func (s *Service) RemoveRoleFromInstanceProfile(c *awswire.Call, in *api.RemoveRoleFromInstanceProfileRequest) error {
	return s.changeProfile(c, in.InstanceProfileName, func(_ *store.Tx, d *profileDoc) error {
		if d.Role != id(in.RoleName) {
			return noSuchEntity("Role " + *in.RoleName + " is not in instance profile " + *in.InstanceProfileName + ".")
		}
		d.Role = ""
		return nil
	})
}

// DeleteInstanceProfile deletes a profile without a role.
func (s *Service) DeleteInstanceProfile(c *awswire.Call, in *api.DeleteInstanceProfileRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := profiles.Get(tx, scopeOf(c), id(in.InstanceProfileName))
		if err != nil {
			return orNoSuch(err, noProfile(in.InstanceProfileName))
		}
		if d.Role != "" {
			return conflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		return profiles.Delete(tx, scopeOf(c), id(in.InstanceProfileName))
	})
}

// TagInstanceProfile adds or replaces tags.
func (s *Service) TagInstanceProfile(c *awswire.Call, in *api.TagInstanceProfileRequest) error {
	return s.changeProfile(c, in.InstanceProfileName, func(_ *store.Tx, d *profileDoc) (err error) {
		d.Profile.Tags, err = merge(d.Profile.Tags, in.Tags)
		return err
	})
}

// UntagInstanceProfile removes tags; keys that aren't there don't matter.
func (s *Service) UntagInstanceProfile(c *awswire.Call, in *api.UntagInstanceProfileRequest) error {
	return s.changeProfile(c, in.InstanceProfileName, func(_ *store.Tx, d *profileDoc) error {
		d.Profile.Tags = without(d.Profile.Tags, in.TagKeys)
		return nil
	})
}

// ListInstanceProfileTags lists the tags by key.
func (s *Service) ListInstanceProfileTags(c *awswire.Call, in *api.ListInstanceProfileTagsRequest) (*api.ListInstanceProfileTagsResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListInstanceProfileTagsResponse{}
	err = s.store.View(c, func(tx *store.Tx) error {
		d, err := profiles.Get(tx, scopeOf(c), id(in.InstanceProfileName))
		if err != nil {
			return orNoSuch(err, noProfile(in.InstanceProfileName))
		}
		out.Tags = tagPage(p, d.Profile.Tags)
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}
