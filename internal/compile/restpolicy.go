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
	p := &authorize.ResourcePolicy{Document: &policy.Document{}, Clock: c.clock}
	if endpoint := api.EndpointConfiguration; endpoint != nil {
		p.Private = slices.Contains(endpoint.Types, apigateway.EndpointTypePrivate)
	}
	if value(api.Policy) == "" {
		if p.Private {
			return p, nil
		}
		return nil, nil
	}
	var err error
	if p.Document, err = policy.Parse(policy.Resource, *api.Policy); err != nil {
		return nil, problem("Resource policy of API", value(api.Id), err)
	}
	return p, nil
}

// anonymous compiles who may call a method that asks for no authorization: whom
// the API's resource policy lets; nil lets everyone.
func (m *methodBuilder) anonymous() plan.Authorizer {
	if m.policy == nil {
		return nil
	}
	return m.policy
}
