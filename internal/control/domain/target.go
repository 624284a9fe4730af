package domain

import (
	"errors"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A Protocol is the type of an API that a domain leads to.
type Protocol uint8

// The protocols; none is for an API that isn't there.
const (
	none Protocol = iota
	REST
	HTTP
	WebSocket
)

// protocolOf finds an API of the scope.
func protocolOf(tx *store.Tx, s store.Scope, apiID string) (Protocol, error) {
	if apiID == "" {
		return none, nil
	}
	found, err := definition.RestAPIs.Exists(tx, s, apiID)
	if err != nil {
		return none, err
	}
	if found {
		return REST, nil
	}
	api, err := definition.APIs.Get(tx, s, apiID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return none, nil
	case err != nil:
		return none, err
	case value(api.ProtocolType) == apigatewayv2.ProtocolTypeWebsocket:
		return WebSocket, nil
	}
	return HTTP, nil
}

// stageExists tells whether an API has a stage.
func stageExists(tx *store.Tx, s store.Scope, p Protocol, apiID, stage string) (bool, error) {
	if p == REST {
		return definition.RestStages.Exists(tx, s, apiID, stage)
	}
	return definition.Stages.Exists(tx, s, apiID, stage)
}

// protocolsOf are those of the APIs that the mappings of a domain lead to, but
// for one mapping.
func protocolsOf(tx *store.Tx, s store.Scope, name, except string) ([]Protocol, error) {
	var list []Protocol
	seen := map[string]bool{} // APIs: many mappings may lead to one
	for e, err := range definition.DomainMappings.All(tx, s, name) {
		if err != nil {
			return nil, err
		}
		if e.ID[1] == except || seen[value(e.Doc.ApiId)] {
			continue
		}
		seen[value(e.Doc.ApiId)] = true
		p, err := protocolOf(tx, s, value(e.Doc.ApiId))
		if err != nil {
			return nil, err
		}
		if p != none && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list, nil
}

// checkTargets refuses a domain whose mappings it couldn't have got as it is.
// UNVERIFIED: that AWS refuses it, and the words.
func (n *Names) checkTargets(tx *store.Tx, c *awswire.Call, d *definition.Domain) error {
	protocols, err := protocolsOf(tx, scope(c), Name(d), "")
	if err != nil {
		return err
	}
	for _, p := range protocols {
		if p == REST {
			continue
		}
		if err := checkManaged(d); err != nil {
			return err
		}
		if IsEnhanced(*d.SecurityPolicy) {
			return badRequest("The security policy %s is only supported for REST APIs.", *d.SecurityPolicy)
		}
	}
	if usesRules(d) && slices.Contains(protocols, REST) && slices.Contains(protocols, HTTP) {
		return badRequest("Routing rules aren't supported for a domain name that is mapped to both REST APIs and HTTP APIs.")
	}
	return nil
}

func usesRules(d *definition.Domain) bool {
	return value(d.RoutingMode) != "" && *d.RoutingMode != apigateway.RoutingModeBasePathMappingOnly
}

// checkManaged refuses what apigatewayv2 has no part in.
func checkManaged(d *definition.Domain) error {
	if !has(d, apigateway.EndpointTypeRegional) {
		return badRequest("Only REGIONAL domain names can be managed through the API Gateway V2 API. For EDGE domain names, please use the API Gateway V1 API. Also note that only REST APIs can be attached to EDGE domain names.")
	}
	if value(d.SecurityPolicy) == apigateway.SecurityPolicyTLS10 {
		return badRequest("Only REGIONAL domain names with a security policy of TLS 1.2 can be managed through the API Gateway V2 API. For TLS 1.0 domain names, please use the API Gateway V1 API to upgrade your security policy to TLS 1.2. Currently, only REST APIs can be attached to a domain name with a security policy of TLS 1.0.")
	}
	return nil
}

// CheckManaged refuses a domain that apigatewayv2 can show, but not change.
func (n *Names) CheckManaged(d *definition.Domain) error { return checkManaged(d) }

func putTarget(tx *store.Tx, s store.Scope, apiID, stage, domain, id string) error {
	return definition.DomainTargets.Put(tx, s, &definition.Reference{ID: stage}, apiID, domain, id)
}

func dropTarget(tx *store.Tx, s store.Scope, apiID, domain, id string) error {
	if err := definition.DomainTargets.Delete(tx, s, apiID, domain, id); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// LeadTo returns the domains that lead to an API, or to one stage of it, sorted.
func LeadTo(tx *store.Tx, s store.Scope, apiID, stage string) ([]string, error) {
	var names []string
	for e, err := range definition.DomainTargets.All(tx, s, apiID) {
		if err != nil {
			return nil, err
		}
		if name := e.ID[1]; (stage == "" || e.Doc.ID == stage) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names, nil
}
