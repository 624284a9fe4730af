package iam

import (
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// PutGroupPolicy adds or replaces an inline policy.
func (s *Service) PutGroupPolicy(c *awswire.Call, in *api.PutGroupPolicyRequest) error {
	return s.changeGroup(c, in.GroupName, func(_ *store.Tx, d *groupDoc) error {
		return d.Grants.put(d.owner(), in.PolicyName, in.PolicyDocument)
	})
}

// GetGroupPolicy returns an inline policy.
func (s *Service) GetGroupPolicy(c *awswire.Call, in *api.GetGroupPolicyRequest) (*api.GetGroupPolicyResponse, error) {
	out := &api.GetGroupPolicyResponse{PolicyName: in.PolicyName}
	err := s.group(c, in.GroupName, func(_ *store.Tx, d *groupDoc) (err error) {
		out.GroupName = d.Group.GroupName
		out.PolicyDocument, err = d.Grants.get(d.owner(), in.PolicyName)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteGroupPolicy deletes an inline policy.
func (s *Service) DeleteGroupPolicy(c *awswire.Call, in *api.DeleteGroupPolicyRequest) error {
	return s.changeGroup(c, in.GroupName, func(_ *store.Tx, d *groupDoc) error {
		return d.Grants.remove(d.owner(), in.PolicyName)
	})
}

// ListGroupPolicies lists the names of the inline policies.
func (s *Service) ListGroupPolicies(c *awswire.Call, in *api.ListGroupPoliciesRequest) (*api.ListGroupPoliciesResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListGroupPoliciesResponse{}
	err = s.group(c, in.GroupName, func(_ *store.Tx, d *groupDoc) error {
		out.PolicyNames = d.Grants.names(p)
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// AttachGroupPolicy gives the group a managed policy.
func (s *Service) AttachGroupPolicy(c *awswire.Call, in *api.AttachGroupPolicyRequest) error {
	return s.changeGroup(c, in.GroupName, func(tx *store.Tx, d *groupDoc) error {
		return s.attach(tx, scopeOf(c), &d.Grants, in.PolicyArn)
	})
}

// DetachGroupPolicy takes a managed policy from the group.
func (s *Service) DetachGroupPolicy(c *awswire.Call, in *api.DetachGroupPolicyRequest) error {
	return s.changeGroup(c, in.GroupName, func(tx *store.Tx, d *groupDoc) error {
		return s.detach(tx, scopeOf(c), &d.Grants, in.PolicyArn)
	})
}

// ListAttachedGroupPolicies lists the managed policies of the group.
func (s *Service) ListAttachedGroupPolicies(c *awswire.Call, in *api.ListAttachedGroupPoliciesRequest) (*api.ListAttachedGroupPoliciesResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListAttachedGroupPoliciesResponse{}
	err = s.group(c, in.GroupName, func(_ *store.Tx, d *groupDoc) error {
		out.AttachedPolicies = d.Grants.attached(p, in.PathPrefix)
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}
