package compile

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// securedAPI is a REST API with what its definition says of connections to it.
func (c *Compiler) securedAPI(key apiKey, doc *definition.RestAPI) *plan.API {
	api := newRestAPI(key, doc)
	if isPrivate(doc) {
		api.Private, api.VPCEndpoints = true, doc.EndpointConfiguration.VpcEndpointIds
	}
	api.Strict = value(doc.EndpointAccessMode) == apigateway.EndpointAccessModeStrict
	policy := value(doc.SecurityPolicy)
	if policy == "" {
		return api
	}
	h, err := c.handshaker(policy)
	if err != nil {
		// Operations check before they store: an older release let it pass.
		c.log.Error("an API's security policy isn't known and isn't enforced", "api", key.id, "reason", err.Error())
		return api
	}
	api.SecurityPolicy, api.TLS = policy, h
	return api
}

// handshaker is how connections to the own hosts of APIs with a security policy shake
// hands: one for all of them, so that an API costs nothing and sessions can be
// resumed.
func (c *Compiler) handshaker(policy string) (plan.Handshaker, error) {
	if h, ok := c.handshakers[policy]; ok || c.parts.GatewayTLS == nil {
		return h, nil
	}
	h, err := c.parts.GatewayTLS(policy)
	if err == nil {
		c.handshakers[policy] = h
	}
	return h, err
}

// securedBy adds the domains that lead to an API whose security policy changed to
// those that are compiled again.
func (c *Compiler) securedBy(tx *store.Tx, key apiKey, after *plan.API, domains []domainKey) ([]domainKey, error) {
	var was, is string
	if old := c.rests[key]; old != nil {
		was = old.plan.SecurityPolicy
	}
	if after != nil {
		is = after.SecurityPolicy
	}
	if was == is {
		return domains, nil
	}
	for e, err := range definition.DomainTargets.All(tx, key.Scope, key.id) {
		if err != nil {
			return nil, fmt.Errorf("compile: domains of API %s: %w", key.id, err)
		}
		if d := (domainKey{key.Scope, e.ID[1]}); !slices.Contains(domains, d) {
			domains = append(domains, d)
		}
	}
	return domains, nil
}

// policyOfTargets is the enhanced security policy that all APIs which a domain
// leads to have in common; "" without one. AWS has hands shaken by the API's
// policy where that and the domain's differ.
//
// UNVERIFIED: that TLS_1_0 and TLS_1_2 of APIs don't count so. Every API of AWS's
// has one, TLS_1_0 unless it was chosen, and a domain with TLS_1_2 has always
// refused TLS 1.0. What counts where APIs differ among themselves isn't known
// either: hands are shaken before the path is told, so the domain's does.
func policyOfTargets(p *plan.Plan, mappings []plan.PathMapping, rules []plan.RoutingRule) string {
	common := ""
	agrees := func(apiID string) bool {
		api, ok := p.API(apiID)
		if !ok || !strings.HasPrefix(api.SecurityPolicy, enhancedPrefix) || common != "" && api.SecurityPolicy != common {
			return false
		}
		common = api.SecurityPolicy
		return true
	}
	for i := range mappings {
		if !agrees(mappings[i].APIID) {
			return ""
		}
	}
	for i := range rules {
		if !agrees(rules[i].APIID) {
			return ""
		}
	}
	return common
}

// enhancedPrefix begins the names of the security policies of 2025.
const enhancedPrefix = "SecurityPolicy_"
