package compile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/authorize"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// isPrivateDomain tells whether a domain is reached over VPC endpoints alone.
func isPrivateDomain(doc *definition.Domain) bool {
	return doc.EndpointConfiguration != nil && slices.Contains(doc.EndpointConfiguration.Types, apigateway.EndpointTypePrivate)
}

// addPrivate adds the private domains of an account and region to those that are
// compiled again: which one an association was with isn't known once it is gone.
func (c *Compiler) addPrivate(list []domainKey, s store.Scope) []domainKey {
	for key := range c.privates {
		if key.Scope == s && !slices.Contains(list, key) {
			list = append(list, key)
		}
	}
	return list
}

// preparePrivate is prepareDomain for a private domain. One that no VPC endpoint is
// associated with is reached by nobody, and isn't in the plan.
func (c *Compiler) preparePrivate(tx *store.Tx, next *plan.Plan, key domainKey, doc *definition.Domain, within domainParts) (*plan.Plan, func(), error) {
	compiled, state, err := c.compileDomain(next, key, doc, within)
	if err == nil {
		compiled.Policy, err = c.domainPolicy(key, doc)
	}
	var p *Problem
	if errors.As(err, &p) {
		c.log.Error("a private domain name doesn't compile and serves what it served before", "domain", key.name, "reason", p.Error())
		return next, func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	compiled.ARN, state.arn = value(doc.DomainNameArn), value(doc.DomainNameArn)
	for e, err := range definition.AccessAssociations.All(tx, key.Scope) {
		if err != nil {
			return nil, nil, fmt.Errorf("compile: access associations of %s: %w", key.name, err)
		}
		if value(e.Doc.DomainNameArn) == compiled.ARN {
			compiled.VPCEndpoints = append(compiled.VPCEndpoints, value(e.Doc.AccessAssociationSource))
		}
	}
	slices.Sort(compiled.VPCEndpoints)
	next = next.WithoutPrivateDomain(key.name, c.privates[key].arn)
	if len(compiled.VPCEndpoints) > 0 {
		next = next.WithPrivateDomain(compiled)
	}
	return next, func() { c.privates[key] = state }, nil
}

// domainPolicy compiles who may use a private domain: nobody without a policy, as the
// one that AWS gives such a domain denies all.
//
// UNVERIFIED: that the short form of resources, which the developer guide has in
// policies of domains, too, stands for all of the account's.
func (c *Compiler) domainPolicy(key domainKey, doc *definition.Domain) (plan.Authorizer, error) {
	resource := arn.ARN{
		Partition: arn.Partition(key.Region), Service: "execute-api", Region: key.Region, Account: key.Account,
		Resource: "/domainnames/" + key.name + "+" + value(doc.DomainNameId),
	}
	p := &authorize.DomainPolicy{Document: &policy.Document{}, Resource: resource.String(), Clock: c.clock}
	if value(doc.Policy) == "" {
		return p, nil
	}
	resource.Resource = "/"
	var err error
	if p.Document, err = policy.Parse(policy.Resource, strings.ReplaceAll(*doc.Policy, `"execute-api:/`, `"`+resource.String())); err != nil {
		return nil, problem("Policy of domain", key.name, err)
	}
	return p, nil
}
