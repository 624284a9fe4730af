package compile

import (
	"errors"

	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/transform/rest"
	"gatehouse/internal/transform/websocket"
)

const (
	defaultRouteKey = "$default"
	// apiKeyHeader selects the API key of a handshake's header; the only other
	// expression takes it from an authorizer.
	apiKeyHeader = "$request.header.x-api-key"
)

// route compiles a route.
func (b *socketBuilder) route(id string, doc *definition.Route) (*plan.Route, error) {
	key := value(doc.RouteKey)
	if key == "" {
		return nil, errors.New("it has no key")
	}
	guard, err := b.guards.authorizer(doc)
	if err != nil {
		return nil, err
	}
	route := &plan.Route{Key: key, ID: id, Authorizer: guard, Socket: &plan.SocketRoute{
		TwoWay: b.answered[id] && value(doc.RouteResponseSelectionExpression) == defaultRouteKey,
		Log:    b.routeSettings.logging(key),
	}}
	route.Limit = b.routeLimit(route)
	if b.routeSettings.detailed(key) {
		route.Metrics = b.c.parts.RouteMetrics(b.plan.API, b.plan.Name, "", key)
	}
	if key == plan.ConnectRouteKey && value(doc.ApiKeyRequired) {
		route.Socket.APIKey = b.apiKeys()
	}
	if route.Socket.Validator, err = b.validator(doc); err != nil {
		return nil, err
	}
	return route, b.integrate(route, doc)
}

// apiKeys is the check of the stage's API keys.
func (b *socketBuilder) apiKeys() plan.APIKeyCheck {
	expression := value(b.api.ApiKeySelectionExpression)
	return b.c.parts.apiKeys(APIKeys{APIID: b.key.id, Stage: b.plan.Name, FromAuthorizer: expression != "" && expression != apiKeyHeader})
}

// validator compiles what a route asks of handshakes or messages; nil for
// nothing.
func (b *socketBuilder) validator(doc *definition.Route) (plan.Validator, error) {
	o := rest.RouteValidatorOptions{Models: doc.RequestModels, Library: b.models}
	if value(doc.RouteKey) == plan.ConnectRouteKey {
		// A handshake has parameters and no body that a model could be of.
		o.Parameters, o.Models = required(doc), nil
	}
	var err error
	if o.Select, err = selector(doc.ModelSelectionExpression, websocket.NewRequestSelector); err != nil {
		return nil, err
	}
	v, err := rest.NewRouteValidator(o)
	if err != nil && value(b.api.DisableSchemaValidation) {
		// UNVERIFIED: that messages of a model which can't be used then pass.
		o.Models = nil
		return rest.NewRouteValidator(o)
	}
	return v, err
}

// required are the parameters that a route declares, and whether it asks for
// them.
func required(doc *definition.Route) map[string]bool {
	parameters := map[string]bool{}
	for name, constraints := range doc.RequestParameters {
		parameters[name] = value(constraints.Required)
	}
	return parameters
}

// selector compiles a selection expression; nil for none.
func selector(text *string, parse func(string) (*websocket.Selector, error)) (plan.Selector, error) {
	if value(text) == "" {
		return nil, nil
	}
	s, err := parse(*text)
	if err != nil {
		return nil, err
	}
	return s, nil
}
