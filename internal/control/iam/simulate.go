package iam

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// SimulateCustomPolicy tells what the policies given would say.
func (s *Service) SimulateCustomPolicy(c *awswire.Call, in *api.SimulateCustomPolicyRequest) (*api.SimulatePolicyResponse, error) {
	if len(in.OrderedOrganizationPolicyInputList) > 0 {
		return nil, invalidInput("gatehouse has no organizations; leave OrderedOrganizationPolicyInputList out.")
	}
	m := &simulation{account: c.Account, keys: clockKeys(c)}
	if err := m.addInputs(in.PolicyInputList); err != nil {
		return nil, err
	}
	return m.answer(question{
		actions: in.ActionNames, resources: in.ResourceArns, boundary: in.PermissionsBoundaryPolicyInputList, resourcePolicy: in.ResourcePolicy,
		owner: in.ResourceOwner, caller: in.CallerArn, context: in.ContextEntries, marker: in.Marker, maxItems: in.MaxItems,
	})
}

// SimulatePrincipalPolicy tells what the policies of a user, with those of its
// groups, a group or a role say, together with further ones.
func (s *Service) SimulatePrincipalPolicy(c *awswire.Call, in *api.SimulatePrincipalPolicyRequest) (*api.SimulatePolicyResponse, error) {
	if len(in.PolicyExclusionList) > 0 {
		return nil, invalidInput("gatehouse doesn't leave policies out of a simulation; leave PolicyExclusionList out.")
	}
	m := &simulation{account: c.Account, keys: clockKeys(c)}
	if err := s.addPrincipal(c, m, *in.PolicySourceArn); err != nil {
		return nil, err
	}
	if err := m.addInputs(in.PolicyInputList); err != nil {
		return nil, err
	}
	return m.answer(question{
		actions: in.ActionNames, resources: in.ResourceArns, boundary: in.PermissionsBoundaryPolicyInputList, resourcePolicy: in.ResourcePolicy,
		owner: in.ResourceOwner, caller: in.CallerArn, context: in.ContextEntries, marker: in.Marker, maxItems: in.MaxItems,
	})
}

// GetContextKeysForCustomPolicy lists the condition keys that policies speak of.
func (s *Service) GetContextKeysForCustomPolicy(c *awswire.Call, in *api.GetContextKeysForCustomPolicyRequest) (*api.GetContextKeysForPolicyResponse, error) {
	m := &simulation{account: c.Account}
	if err := m.addInputs(in.PolicyInputList); err != nil {
		return nil, err
	}
	return &api.GetContextKeysForPolicyResponse{ContextKeyNames: m.contextKeys()}, nil
}

// GetContextKeysForPrincipalPolicy is the same of the policies that a
// simulation of a principal starts from.
func (s *Service) GetContextKeysForPrincipalPolicy(c *awswire.Call, in *api.GetContextKeysForPrincipalPolicyRequest) (*api.GetContextKeysForPolicyResponse, error) {
	m := &simulation{account: c.Account, keys: policy.KeyMap{}}
	if err := s.addPrincipal(c, m, *in.PolicySourceArn); err != nil {
		return nil, err
	}
	if err := m.addInputs(in.PolicyInputList); err != nil {
		return nil, err
	}
	return &api.GetContextKeysForPolicyResponse{ContextKeyNames: m.contextKeys()}, nil
}

// clockKeys are the keys that a simulation fills in itself.
func clockKeys(c *awswire.Call) policy.KeyMap {
	return policy.KeyMap{
		"aws:currenttime": {c.Time.UTC().Format(time.RFC3339)},
		"aws:epochtime":   {strconv.FormatInt(c.Time.Unix(), 10)},
	}
}

// addInputs adds the policies of a request.
func (m *simulation) addInputs(texts []string) error {
	for i, text := range texts {
		p, err := newSimulated(policy.Inline, "PolicyInputList."+strconv.Itoa(i+1), identityPolicy, text)
		if err != nil {
			return err
		}
		m.policies = append(m.policies, p)
	}
	return nil
}

// addPrincipal adds the policies of a user, a group or a role.
func (s *Service) addPrincipal(c *awswire.Call, m *simulation, text string) error {
	a, err := arn.Parse(text)
	kind, _, _ := strings.Cut(a.Resource, "/")
	if err != nil || a.Service != "iam" || kind != "user" && kind != "group" && kind != "role" {
		return invalidInput("Invalid Entity Arn: " + text + " does not clearly define entity type and name.")
	}
	missing := fmt.Sprintf("The %s with name %s cannot be found.", kind, a.Name())
	if a.Account != c.Account {
		return noSuchEntity(missing)
	}
	return orNoSuch(s.store.View(c, func(tx *store.Tx) error {
		name := id(new(a.Name()))
		var own, boundary = grants{}, (*api.AttachedPermissionsBoundary)(nil)
		switch kind {
		case "user":
			d, err := users.Get(tx, scopeOf(c), name)
			if err != nil {
				return err
			}
			own, boundary = d.Grants, d.User.PermissionsBoundary
			for _, group := range d.Groups {
				g, err := groups.Get(tx, scopeOf(c), group)
				if err != nil {
					return err
				}
				if err := s.addGrants(tx, c, m, "group_"+*g.Group.GroupName, g.Grants); err != nil {
					return err
				}
			}
			m.simulateUser(*d.User.Arn, *d.User.UserId, tagKeys(d.User.Tags))
		case "role":
			d, err := roles.Get(tx, scopeOf(c), name)
			if err != nil {
				return err
			}
			own, boundary = d.Grants, d.Role.PermissionsBoundary
			m.simulateRole(*d.Role.Arn, tagKeys(d.Role.Tags))
		default:
			d, err := groups.Get(tx, scopeOf(c), name)
			if err != nil {
				return err
			}
			own = d.Grants
		}
		if boundary != nil {
			p, err := s.managedPolicy(tx, c, *boundary.PermissionsBoundaryArn)
			if err != nil {
				return err
			}
			m.boundary = p
		}
		return s.addGrants(tx, c, m, kind+"_"+a.Name(), own)
	}), missing)
}

// addGrants adds the policies that an identity has itself. prefix begins the
// names of its inline policies.
func (s *Service) addGrants(tx *store.Tx, c *awswire.Call, m *simulation, prefix string, g grants) error {
	names := make([]string, 0, len(g.Inline))
	for name := range g.Inline {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p, err := newSimulated(policy.Inline, prefix+"_"+name, identityPolicy, g.Inline[name])
		if err != nil {
			return err
		}
		m.policies = append(m.policies, p)
	}
	for _, text := range g.Attached {
		p, err := s.managedPolicy(tx, c, text)
		if err != nil {
			return err
		}
		m.policies = append(m.policies, p)
	}
	return nil
}

// managedPolicy is the default version of a managed policy. One of AWS's whose
// text isn't known says nothing, as when calls are decided.
func (s *Service) managedPolicy(tx *store.Tx, c *awswire.Call, text string) (*simulated, error) {
	d, err := s.managed(tx, scopeOf(c), text)
	if errors.Is(err, store.ErrNotFound) {
		return &simulated{document: nothing}, nil
	}
	if err != nil {
		return nil, err
	}
	for _, v := range d.Versions {
		if value(v.VersionId) == value(d.Policy.DefaultVersionId) && v.Document != nil {
			return newSimulated(policy.Managed, *d.Policy.PolicyName, identityPolicy, *v.Document)
		}
	}
	return &simulated{document: nothing}, nil
}
