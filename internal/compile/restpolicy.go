package compile

import (
	"slices"

	"gatehouse/internal/authorize"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// resourcePolicy compiles the policy of a REST API; nil for one that anybody may
// call. A private API without a policy has one that allows nothing.
func (c *Compiler) resourcePolicy(api *definition.RestAPI) (*authorize.ResourcePolicy, error) {
	if value(api.Policy) == "" {
		if !isPrivate(api) {
			return nil, nil
		}
		return &authorize.ResourcePolicy{Document: &policy.Document{}, Clock: c.clock}, nil
	}
	document, err := policy.Parse(policy.Resource, *api.Policy)
	if err != nil {
		return nil, problem("Resource policy of API", value(api.Id), err)
	}
	return &authorize.ResourcePolicy{Document: document, Clock: c.clock}, nil
}

// isPrivate tells whether a REST API is reached over VPC endpoints alone.
func isPrivate(api *definition.RestAPI) bool {
	endpoint := api.EndpointConfiguration
	return endpoint != nil && slices.Contains(endpoint.Types, apigateway.EndpointTypePrivate)
}

// anonymous compiles who may call a method that asks for no authorization: whom
// the API's resource policy lets; nil lets everyone.
func (m *methodBuilder) anonymous() plan.Authorizer {
	if m.policy == nil {
		return nil
	}
	return m.policy
}
