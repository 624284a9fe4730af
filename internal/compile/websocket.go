package compile

import (
	"fmt"

	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
	"gatehouse/internal/transform/rest"
	"gatehouse/internal/transform/websocket"
)

// A socketBuilder compiles what a stage of a WebSocket API runs.
type socketBuilder struct {
	*draft
	api          *definition.API
	models       *rest.Library
	integrations map[string]*socketIntegration
	// answered are the routes that have a route response.
	answered map[string]bool
}

// buildSocket compiles a WebSocket API in a view of the store.
func (d *draft) buildSocket(view *store.Tx) error {
	b := socketBuilder{draft: d, integrations: map[string]*socketIntegration{}, answered: map[string]bool{}}
	if err := b.read(view); err != nil {
		return err
	}
	selects, err := websocket.NewRequestSelector(value(b.api.RouteSelectionExpression))
	if err != nil {
		return problem("Route selection of API", d.key.id, err)
	}
	d.plan.Socket = &plan.SocketStage{
		Select: selects, Keys: map[string]*plan.Route{},
		ExecutionLog: d.c.parts.executionLog(d.plan.API, d.plan.Name),
	}
	for e, err := range definition.Routes.All(view, d.key.Scope, d.key.id) {
		if err != nil {
			return fmt.Errorf("compile: routes of API %s: %w", d.key.id, err)
		}
		route, err := b.route(e.ID[1], e.Doc)
		if err != nil {
			return problem("Route", value(e.Doc.RouteKey), err)
		}
		b.placeSocket(route)
	}
	return nil
}

// read reads what routes refer to.
func (b *socketBuilder) read(view *store.Tx) error {
	at, id := b.key.Scope, b.key.id
	var err error
	if b.api, err = definition.APIs.Get(view, at, id); err != nil {
		return fmt.Errorf("compile: API %s: %w", id, err)
	}
	schemas := map[string]string{}
	for e, err := range definition.Models.All(view, at, id) {
		if err != nil {
			return fmt.Errorf("compile: models of API %s: %w", id, err)
		}
		schemas[value(e.Doc.Name)] = value(e.Doc.Schema)
	}
	b.models = rest.NewLibrary(id, func(name string) (string, bool) { s, ok := schemas[name]; return s, ok })
	for e, err := range definition.Integrations.All(view, at, id) {
		if err != nil {
			return fmt.Errorf("compile: integrations of API %s: %w", id, err)
		}
		b.integrations[e.ID[1]] = &socketIntegration{doc: e.Doc}
	}
	for e, err := range definition.IntegrationResponses.All(view, at, id) {
		if err != nil {
			return fmt.Errorf("compile: integration responses of API %s: %w", id, err)
		}
		if in := b.integrations[e.ID[1]]; in != nil {
			in.responses = append(in.responses, e.Doc)
		}
	}
	for e, err := range definition.RouteResponses.All(view, at, id) {
		if err != nil {
			return fmt.Errorf("compile: route responses of API %s: %w", id, err)
		}
		b.answered[e.ID[1]] = true
	}
	return nil
}

// placeSocket puts a route where it is found.
func (b *socketBuilder) placeSocket(route *plan.Route) {
	switch route.Key {
	case plan.ConnectRouteKey:
		b.plan.Socket.Connect = route
	case plan.DisconnectRouteKey:
		b.plan.Socket.Disconnect = route
	case defaultRouteKey:
		b.plan.Default = route
	default:
		b.plan.Socket.Keys[route.Key] = route
	}
}
