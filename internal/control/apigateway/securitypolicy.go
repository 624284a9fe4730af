package apigateway

import (
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/control/domain"
)

// The security policies of REST APIs.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html

// checkSecurity refuses a security policy and an endpoint access mode that an API
// can't have. old is the API as it was, nil for a new one.
//
// UNVERIFIED: the words, but for those of domain.ModeRequired.
func checkSecurity(old, api *apigateway.RestApi) error {
	policy, mode, types := value(api.SecurityPolicy), value(api.EndpointAccessMode), api.EndpointConfiguration.Types
	if policy != "" && !slices.Contains(securityPolicies[:], policy) {
		return badRequest("Invalid security policy specified: %s", policy)
	}
	if err := checkAccessMode(nil, patchOp{Value: &mode}); err != nil {
		return err
	}
	enhanced := domain.IsEnhanced(policy)
	switch {
	case enhanced && mode == "":
		return badRequest(domain.ModeRequired)
	case !enhanced && mode != "":
		return badRequest("Endpoint access mode is not supported for the specified security policy")
	case enhanced && strings.HasSuffix(policy, "_EDGE") != slices.Contains(types, apigateway.EndpointTypeEdge),
		policy == apigateway.SecurityPolicyTLS10 && isPrivate(api.EndpointConfiguration):
		return badRequest("The security policy %s is not supported for the endpoint type %s.", policy, strings.Join(types, ","))
	case old == nil:
		return nil
	case value(old.EndpointAccessMode) == apigateway.EndpointAccessModeStrict && !slices.Equal(old.EndpointConfiguration.Types, types):
		return badRequest("Unable to update EndpointType. The endpoint access mode must be BASIC for EndpointType update.")
	case policy == apigateway.SecurityPolicyTLS12 && policyOf(old) == apigateway.SecurityPolicyTLS10 && !isPrivate(api.EndpointConfiguration):
		return badRequest("Unable to update the security policy from TLS_1_0 to TLS_1_2.")
	}
	return nil
}

// policyOf is the security policy that an API has on AWS, which gives each one.
func policyOf(api *apigateway.RestApi) string {
	if policy := value(api.SecurityPolicy); policy != "" {
		return policy
	}
	if isPrivate(api.EndpointConfiguration) {
		return apigateway.SecurityPolicyTLS12
	}
	return apigateway.SecurityPolicyTLS10
}

// checkTypePatch refuses operations that change the endpoint type of an API with an
// enhanced security policy, which is one of its type, and name none for the new
// one.
func checkTypePatch(old, api *apigateway.RestApi, ops []apigateway.PatchOperation) error {
	if !domain.IsEnhanced(value(api.SecurityPolicy)) || slices.Equal(old.EndpointConfiguration.Types, api.EndpointConfiguration.Types) {
		return nil
	}
	if slices.ContainsFunc(ops, func(o apigateway.PatchOperation) bool { return value(o.Path) == "/securityPolicy" }) {
		return nil
	}
	return badRequest("Unable to update EndpointType. SecurityPolicy is required for EndpointType update.")
}
