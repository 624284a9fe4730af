package apigateway

import (
	"slices"

	"gatehouse/internal/awsapi/apigateway"
)

const onlyDualstack = "Only dualstack ipAddressType is supported for Private APIs."

// endpointOf is the endpoint configuration of a new API.
func endpointOf(asked *apigateway.EndpointConfiguration) *apigateway.EndpointConfiguration {
	endpoint := apigateway.EndpointConfiguration{}
	if asked != nil {
		endpoint = *asked
	}
	if endpoint.Types == nil {
		endpoint.Types = []string{apigateway.EndpointTypeEdge}
	}
	if endpoint.IpAddressType == nil {
		endpoint.IpAddressType = new(apigateway.IpAddressTypeIpv4)
		if isPrivate(&endpoint) {
			endpoint.IpAddressType = new(apigateway.IpAddressTypeDualstack)
		}
	}
	return &endpoint
}

func isPrivate(endpoint *apigateway.EndpointConfiguration) bool {
	return slices.Contains(endpoint.Types, apigateway.EndpointTypePrivate)
}

func checkEndpoint(endpoint *apigateway.EndpointConfiguration) error {
	switch {
	case len(endpoint.Types) == 0:
		return badRequest("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
	case len(endpoint.Types) > 1:
		return badRequest("Cannot create an api with multiple Endpoint Types.")
	case isPrivate(endpoint) && value(endpoint.IpAddressType) == apigateway.IpAddressTypeIpv4:
		return badRequest(onlyDualstack)
	case !isPrivate(endpoint) && len(endpoint.VpcEndpointIds) > 0:
		// UNVERIFIED: the words.
		return badRequest("VPC endpoint IDs can only be specified for Private APIs.")
	}
	return nil
}

// setEndpointType is a replacement of the API's one endpoint type, which the
// path names by its index or by itself.
func setEndpointType(api *apigateway.RestApi, o patchOp) error {
	if o.Op != apigateway.OpReplace {
		return badRequest("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")
	}
	kind := value(o.Value)
	if !isEndpointType(kind) {
		return badRequest(invalidEndpointType)
	}
	endpoint := *api.EndpointConfiguration
	endpoint.Types = []string{kind}
	if isPrivate(&endpoint) {
		endpoint.IpAddressType = new(apigateway.IpAddressTypeDualstack)
	} else {
		endpoint.VpcEndpointIds = nil
	}
	api.EndpointConfiguration = &endpoint
	return nil
}

const invalidEndpointType = "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"

func isEndpointType(kind string) bool {
	switch kind {
	case apigateway.EndpointTypeEdge, apigateway.EndpointTypeRegional, apigateway.EndpointTypePrivate:
		return true
	}
	return false
}

func checkIPAddressType(_ *apigateway.RestApi, o patchOp) error {
	switch value(o.Value) {
	case apigateway.IpAddressTypeIpv4, apigateway.IpAddressTypeDualstack:
		return nil
	}
	return badRequest("ipAddressType must be either ipv4 or dualstack.")
}
