package compile

import (
	"errors"
	"fmt"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
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

// guards compile who may use the routes of a stage of an HTTP API or a
// WebSocket API: a method for each kind of authorization, in a file of its own.
type guards struct {
	c     *Compiler
	key   apiKey
	view  *store.Tx
	stage *plan.Stage
	// read are the authorizers that were read, by id; nil is one that is gone.
	read map[string]*definition.Authorizer
	// lambdas are the Lambda authorizers that were compiled, by id.
	lambdas map[string]plan.Authorizer
}

func newGuards(c *Compiler, key apiKey, view *store.Tx, stage *plan.Stage) *guards {
	return &guards{c: c, key: key, view: view, stage: stage, read: map[string]*definition.Authorizer{}, lambdas: map[string]plan.Authorizer{}}
}

// authorizer compiles who may use a route; nil lets everyone.
func (g *guards) authorizer(route *definition.Route) (plan.Authorizer, error) {
	kind := value(route.AuthorizationType)
	switch kind {
	case "", apigatewayv2.AuthorizationTypeNone:
		return nil, nil
	case apigatewayv2.AuthorizationTypeAWSIAM:
		return g.iam()
	}
	doc, err := g.find(value(route.AuthorizerId))
	if err != nil {
		return nil, err
	}
	if doc == nil {
		return closed{plan.AuthorizerMisconfigured, "the route's authorizer " + value(route.AuthorizerId) + " is gone"}, nil
	}
	switch kind {
	case apigatewayv2.AuthorizationTypeJWT:
		return g.jwt(doc, route.AuthorizationScopes)
	case apigatewayv2.AuthorizationTypeCustom:
		return g.lambda(doc)
	}
	return nil, fmt.Errorf("there is no authorization of type %q", kind)
}

// find returns the authorizer of an id, nil when there is none.
func (g *guards) find(id string) (*definition.Authorizer, error) {
	if doc, ok := g.read[id]; ok {
		return doc, nil
	}
	doc, err := definition.Authorizers.Get(g.view, g.key.Scope, g.key.id, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("compile: authorizer %s of API %s: %w", id, g.key.id, err)
	}
	g.read[id] = doc
	return doc, nil
}

// A closed authorizer lets nobody pass and says why.
type closed struct {
	kind   plan.FaultKind
	reason string
}

// Authorize refuses.
func (c closed) Authorize(*plan.Exchange) error {
	return &plan.Fault{Kind: c.kind, Reason: c.reason}
}
