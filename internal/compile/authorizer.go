package compile

import (
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
)

// CheckAuthorizer says why the function of an authorizer can't be called as
// defined, whatever the variables of a stage hold.
func (c *Compiler) CheckAuthorizer(doc *definition.Authorizer) error {
	// Names of functions may be this.
	uri, err := anyVariables(value(doc.AuthorizerUri), "1")
	if err != nil {
		return err
	}
	if _, err := anyVariables(value(doc.AuthorizerCredentialsArn), "1"); err != nil {
		return err
	}
	_, err = parseFunction(uri)
	return err
}

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
