package iam

import (
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// PutRolePolicy adds or replaces an inline policy.
func (s *Service) PutRolePolicy(c *awswire.Call, in *api.PutRolePolicyRequest) error {
	return s.changeRole(c, in.RoleName, false, func(_ *store.Tx, d *roleDoc) error {
		return d.Grants.put(d.owner(), in.PolicyName, in.PolicyDocument)
	})
}

// GetRolePolicy returns an inline policy.
func (s *Service) GetRolePolicy(c *awswire.Call, in *api.GetRolePolicyRequest) (*api.GetRolePolicyResponse, error) {
	out := &api.GetRolePolicyResponse{PolicyName: in.PolicyName}
	err := s.role(c, in.RoleName, func(_ *store.Tx, d *roleDoc) (err error) {
		out.RoleName = d.Role.RoleName
		out.PolicyDocument, err = d.Grants.get(d.owner(), in.PolicyName)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteRolePolicy deletes an inline policy.
func (s *Service) DeleteRolePolicy(c *awswire.Call, in *api.DeleteRolePolicyRequest) error {
	return s.changeRole(c, in.RoleName, false, func(_ *store.Tx, d *roleDoc) error {
		return d.Grants.remove(d.owner(), in.PolicyName)
	})
}

// ListRolePolicies lists the names of the inline policies.
func (s *Service) ListRolePolicies(c *awswire.Call, in *api.ListRolePoliciesRequest) (*api.ListRolePoliciesResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListRolePoliciesResponse{}
	err = s.role(c, in.RoleName, func(_ *store.Tx, d *roleDoc) error {
		out.PolicyNames = d.Grants.names(p)
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// AttachRolePolicy gives the role a managed policy.
func (s *Service) AttachRolePolicy(c *awswire.Call, in *api.AttachRolePolicyRequest) error {
	return s.changeRole(c, in.RoleName, false, func(tx *store.Tx, d *roleDoc) error {
		return s.attach(tx, scopeOf(c), &d.Grants, in.PolicyArn)
	})
}

// DetachRolePolicy takes a managed policy from the role.
func (s *Service) DetachRolePolicy(c *awswire.Call, in *api.DetachRolePolicyRequest) error {
	return s.changeRole(c, in.RoleName, false, func(tx *store.Tx, d *roleDoc) error {
		return s.detach(tx, scopeOf(c), &d.Grants, in.PolicyArn)
	})
}

// ListAttachedRolePolicies lists the managed policies of the role.
func (s *Service) ListAttachedRolePolicies(c *awswire.Call, in *api.ListAttachedRolePoliciesRequest) (*api.ListAttachedRolePoliciesResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListAttachedRolePoliciesResponse{}
	err = s.role(c, in.RoleName, func(_ *store.Tx, d *roleDoc) error {
		out.AttachedPolicies = d.Grants.attached(p, in.PathPrefix)
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}
