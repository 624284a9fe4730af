package iam

import (
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// PutUserPolicy adds or replaces an inline policy.
func (s *Service) PutUserPolicy(c *awswire.Call, in *api.PutUserPolicyRequest) error {
	return s.changeUser(c, in.UserName, func(_ *store.Tx, d *userDoc) error {
		return d.Grants.put(d.owner(), in.PolicyName, in.PolicyDocument)
	})
}

// GetUserPolicy returns an inline policy.
func (s *Service) GetUserPolicy(c *awswire.Call, in *api.GetUserPolicyRequest) (*api.GetUserPolicyResponse, error) {
	out := &api.GetUserPolicyResponse{PolicyName: in.PolicyName}
	err := s.user(c, in.UserName, func(_ *store.Tx, d *userDoc) (err error) {
		out.UserName = d.User.UserName
		out.PolicyDocument, err = d.Grants.get(d.owner(), in.PolicyName)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteUserPolicy deletes an inline policy.
func (s *Service) DeleteUserPolicy(c *awswire.Call, in *api.DeleteUserPolicyRequest) error {
	return s.changeUser(c, in.UserName, func(_ *store.Tx, d *userDoc) error {
		return d.Grants.remove(d.owner(), in.PolicyName)
	})
}

// ListUserPolicies lists the names of the inline policies.
func (s *Service) ListUserPolicies(c *awswire.Call, in *api.ListUserPoliciesRequest) (*api.ListUserPoliciesResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListUserPoliciesResponse{}
	err = s.user(c, in.UserName, func(_ *store.Tx, d *userDoc) error {
		out.PolicyNames = d.Grants.names(p)
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// AttachUserPolicy gives the user a managed policy.
func (s *Service) AttachUserPolicy(c *awswire.Call, in *api.AttachUserPolicyRequest) error {
	return s.changeUser(c, in.UserName, func(tx *store.Tx, d *userDoc) error {
		return s.attach(tx, scopeOf(c), &d.Grants, in.PolicyArn)
	})
}

// DetachUserPolicy takes a managed policy from the user.
func (s *Service) DetachUserPolicy(c *awswire.Call, in *api.DetachUserPolicyRequest) error {
	return s.changeUser(c, in.UserName, func(tx *store.Tx, d *userDoc) error {
		return s.detach(tx, scopeOf(c), &d.Grants, in.PolicyArn)
	})
}

// ListAttachedUserPolicies lists the managed policies of the user.
func (s *Service) ListAttachedUserPolicies(c *awswire.Call, in *api.ListAttachedUserPoliciesRequest) (*api.ListAttachedUserPoliciesResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListAttachedUserPoliciesResponse{}
	err = s.user(c, in.UserName, func(_ *store.Tx, d *userDoc) error {
		out.AttachedPolicies = d.Grants.attached(p, in.PathPrefix)
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}
