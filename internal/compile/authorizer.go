package compile

import (
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
)

// authorizer compiles who may use a route; nil lets everyone.
func authorizer(doc *definition.Route) plan.Authorizer {
	switch kind := value(doc.AuthorizationType); kind {
	case "", apigatewayv2.AuthorizationTypeNone:
		return nil
	default:
		// TODO(#6): the authorizers of each kind. Until then nobody may.
		return closed("route " + value(doc.RouteKey) + " asks for " + kind + " authorization, which this gateway doesn't have yet")
	}
}

// A closed authorizer lets nobody pass and says why.
type closed string

// Authorize refuses.
func (c closed) Authorize(*plan.Exchange) error {
	return &plan.Fault{Kind: plan.NotImplemented, Reason: string(c)}
}
