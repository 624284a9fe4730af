package logs

import (
	"errors"
	"fmt"

	api "gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awswire"
	"gatehouse/internal/paging"
	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// resourcePolicies let services of AWS write into an account's groups. The gateway
// writes its logs without.
var resourcePolicies = store.Kind[api.ResourcePolicy]{Name: "logs/resourcepolicy"}

const (
	// maxResourcePolicies is AWS's quota of an account in a region, which it doesn't
	// raise.
	maxResourcePolicies = 10
	accountScope        = "ACCOUNT"
)

// PutResourcePolicy makes or replaces a policy of the account's.
func (s *Service) PutResourcePolicy(c *awswire.Call, in *api.PutResourcePolicyRequest) (*api.PutResourcePolicyResponse, error) {
	if in.ResourceArn != nil || in.ExpectedRevisionId != nil {
		return nil, policiesOfGroups("PutResourcePolicy")
	}
	// UNVERIFIED: the words of these refusals.
	if in.PolicyName == nil || *in.PolicyName == "" {
		return nil, invalid("Policy name is required.")
	}
	if in.PolicyDocument == nil {
		return nil, invalid("Policy document is required.")
	}
	if _, err := policy.Parse(policy.Resource, *in.PolicyDocument); err != nil {
		return nil, invalid("The specified policy document is invalid: " + err.Error())
	}
	doc := &api.ResourcePolicy{PolicyName: in.PolicyName, PolicyDocument: in.PolicyDocument, LastUpdatedTime: new(s.now().UnixMilli())}
	err := s.store.Update(c, func(tx *store.Tx) error {
		all, err := resourcePolicies.List(tx, scopeOf(c), store.Page{})
		if err != nil {
			return err
		}
		others := 0
		for _, e := range all {
			if *e.Doc.PolicyName != *in.PolicyName {
				others++
			}
		}
		if others >= maxResourcePolicies {
			return api.NewLimitExceededException("Resource limit exceeded.")
		}
		return resourcePolicies.Put(tx, scopeOf(c), doc, *in.PolicyName)
	})
	if err != nil {
		return nil, err
	}
	return &api.PutResourcePolicyResponse{ResourcePolicy: doc}, nil
}

// DescribeResourcePolicies lists the account's policies.
func (s *Service) DescribeResourcePolicies(c *awswire.Call, in *api.DescribeResourcePoliciesRequest) (*api.DescribeResourcePoliciesResponse, error) {
	if in.ResourceArn != nil || in.PolicyScope != nil && *in.PolicyScope != accountScope {
		return nil, policiesOfGroups("DescribeResourcePolicies")
	}
	token := ""
	if in.NextToken != nil {
		token = *in.NextToken
	}
	after, err := paging.Decode(token)
	if err != nil || len(after) > 1 {
		return nil, invalid("The specified nextToken is invalid.")
	}
	limit := describeLimit
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &api.DescribeResourcePoliciesResponse{ResourcePolicies: []api.ResourcePolicy{}}
	err = s.store.View(c, func(tx *store.Tx) error {
		all, err := resourcePolicies.List(tx, scopeOf(c), store.Page{After: after})
		if err != nil {
			return err
		}
		for _, e := range all {
			if len(out.ResourcePolicies) == limit {
				out.NextToken = new(paging.Encode(*out.ResourcePolicies[limit-1].PolicyName))
				break
			}
			out.ResourcePolicies = append(out.ResourcePolicies, *e.Doc)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteResourcePolicy deletes a policy of the account's.
func (s *Service) DeleteResourcePolicy(c *awswire.Call, in *api.DeleteResourcePolicyRequest) error {
	if in.ResourceArn != nil || in.ExpectedRevisionId != nil {
		return policiesOfGroups("DeleteResourcePolicy")
	}
	if in.PolicyName == nil {
		return invalid("Policy name is required.") // UNVERIFIED wording
	}
	err := s.store.Update(c, func(tx *store.Tx) error { return resourcePolicies.Delete(tx, scopeOf(c), *in.PolicyName) })
	if errors.Is(err, store.ErrNotFound) {
		return api.NewResourceNotFoundException(fmt.Sprintf("Policy with name [%s] does not exist.", *in.PolicyName))
	}
	return err
}

// policiesOfGroups refuses what is about the policy of a single group.
func policiesOfGroups(operation string) error {
	return awswire.NotImplemented("logs", operation+" with resourceArn, policyScope RESOURCE or expectedRevisionId")
}
