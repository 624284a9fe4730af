package access

import (
	"strconv"

	v1 "gatehouse/internal/awsapi/apigateway"
	v2 "gatehouse/internal/awsapi/apigatewayv2"
)

// gatewayRequestKeys begin the condition keys about what a request to API Gateway
// sets. Those of custom domain names, routing rules, APIs and methods are known here.
const gatewayRequestKeys = "apigateway:request/"

// gatewayKey are the values of such a key, by its name in lower case.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
func gatewayKey(in any, name string) ([]string, bool) {
	var values []string
	add := func(list ...*string) {
		for _, v := range list {
			if v != nil {
				values = append(values, *v)
			}
		}
	}
	switch in := in.(type) {
	case *v1.CreateDomainNameRequest:
		switch name {
		case "endpointtype":
			if in.EndpointConfiguration != nil {
				values = in.EndpointConfiguration.Types
			}
		case "securitypolicy":
			add(in.SecurityPolicy)
		case "routingmode":
			add(in.RoutingMode)
		case "mtlstruststoreuri":
			add(truststoreV1(in.MutualTlsAuthentication).TruststoreUri)
		case "mtlstruststoreversion":
			add(truststoreV1(in.MutualTlsAuthentication).TruststoreVersion)
		}
	case *v1.UpdateDomainNameRequest:
		if path := domainPaths[name]; path != "" {
			values = patches(in.PatchOperations, path)
		}
	case *v2.CreateDomainNameRequest:
		values = domainKey(name, in.DomainNameConfigurations, in.MutualTlsAuthentication, in.RoutingMode)
	case *v2.UpdateDomainNameRequest:
		values = domainKey(name, in.DomainNameConfigurations, in.MutualTlsAuthentication, in.RoutingMode)
	case *v1.CreateRestApiRequest:
		switch name {
		case "apiname":
			add(in.Name)
		case "endpointtype":
			if in.EndpointConfiguration != nil {
				values = in.EndpointConfiguration.Types
			}
		}
	case *v1.UpdateRestApiRequest:
		switch name {
		case "apiname":
			values = patches(in.PatchOperations, "/name")
		case "endpointtype":
			values = patches(in.PatchOperations, domainPaths[name])
		}
	case *v2.CreateApiRequest:
		if name == "apiname" {
			add(in.Name)
		}
	case *v2.UpdateApiRequest:
		if name == "apiname" {
			add(in.Name)
		}
	case *v1.PutMethodRequest:
		switch name {
		case "routeauthorizationtype":
			add(in.AuthorizationType)
		case "apikeyrequired":
			// UNVERIFIED: that the key is there where the request leaves it out.
			values = []string{strconv.FormatBool(in.ApiKeyRequired != nil && *in.ApiKeyRequired)}
		}
	case *v1.UpdateMethodRequest:
		switch name {
		case "routeauthorizationtype":
			values = patches(in.PatchOperations, "/authorizationType")
		case "apikeyrequired":
			values = patches(in.PatchOperations, "/apiKeyRequired")
		}
	case *v2.CreateRouteRequest:
		if name == "routeauthorizationtype" {
			add(in.AuthorizationType)
		}
	case *v2.UpdateRouteRequest:
		if name == "routeauthorizationtype" {
			add(in.AuthorizationType)
		}
	case *v2.CreateRoutingRuleRequest:
		values = ruleKey(name, in.Priority, in.Conditions)
	case *v2.PutRoutingRuleRequest:
		values = ruleKey(name, in.Priority, in.Conditions)
	}
	return values, len(values) > 0
}

// domainPaths are where a patch sets what a key is about.
var domainPaths = map[string]string{
	"endpointtype": "/endpointConfiguration/types", "securitypolicy": "/securityPolicy", "routingmode": "/routingMode",
	"mtlstruststoreuri": "/mutualTlsAuthentication/truststoreUri", "mtlstruststoreversion": "/mutualTlsAuthentication/truststoreVersion",
}

func truststoreV1(in *v1.MutualTlsAuthenticationInput) v1.MutualTlsAuthenticationInput {
	if in == nil {
		return v1.MutualTlsAuthenticationInput{}
	}
	return *in
}

// domainKey is gatewayKey for the other face's domains.
func domainKey(name string, configurations []v2.DomainNameConfiguration, mutual *v2.MutualTlsAuthenticationInput, mode *string) []string {
	var of []*string
	for i := range configurations {
		switch name {
		case "endpointtype":
			of = append(of, configurations[i].EndpointType)
		case "securitypolicy":
			of = append(of, configurations[i].SecurityPolicy)
		}
	}
	if mutual != nil {
		switch name {
		case "mtlstruststoreuri":
			of = append(of, mutual.TruststoreUri)
		case "mtlstruststoreversion":
			of = append(of, mutual.TruststoreVersion)
		}
	}
	if name == "routingmode" {
		of = append(of, mode)
	}
	var values []string
	for _, v := range of {
		if v != nil {
			values = append(values, *v)
		}
	}
	return values
}

// ruleKey is gatewayKey for routing rules.
func ruleKey(name string, priority *int32, conditions []v2.RoutingRuleCondition) []string {
	var values []string
	switch {
	case name == "priority" && priority != nil:
		values = append(values, strconv.Itoa(int(*priority)))
	case name == "conditionbasepaths":
		for _, c := range conditions {
			if c.MatchBasePaths != nil {
				values = append(values, c.MatchBasePaths.AnyOf...)
			}
		}
	}
	return values
}
