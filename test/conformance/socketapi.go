package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
)

// A SocketAPI is a WebSocket API with its parts, which are made in the order
// of the fields.
type SocketAPI struct {
	// Members are those of CreateApi; name, protocolType and
	// routeSelectionExpression, which is $request.body.action, needn't be there.
	Members Members `yaml:",inline"`
	// Models and Authorizers are members of CreateModel and CreateAuthorizer
	// under their names. The schema of a model may be the document itself, its
	// content type is application/json by default.
	Models       map[string]Members           `yaml:"models"`
	Authorizers  map[string]Members           `yaml:"authorizers"`
	Integrations map[string]SocketIntegration `yaml:"integrations"`
	// Routes are by their keys.
	Routes map[string]SocketRoute `yaml:"routes"`
	// Undeployed leaves out the deployment and so all stages.
	Undeployed bool `yaml:"undeployed"`
	// Stages are members of CreateStage under their names, all of one
	// deployment; by default there is one called test.
	Stages map[string]Members `yaml:"stages"`
}

// A SocketIntegration is an integration of a WebSocket API.
type SocketIntegration struct {
	// Members are those of CreateIntegration.
	Members Members `yaml:",inline"`
	// Responses are members of CreateIntegrationResponse under their keys.
	Responses map[string]Members `yaml:"responses"`
}

// A SocketRoute is a route of a WebSocket API.
type SocketRoute struct {
	// Members are those of CreateRoute.
	Members Members `yaml:",inline"`
	// TwoWay is a routeResponseSelectionExpression of $default with a route
	// response of that key.
	TwoWay bool `yaml:"twoWay"`
	// Responses are members of CreateRouteResponse under their keys.
	Responses map[string]Members `yaml:"responses"`
}

// makeSocketAPI makes a WebSocket API and its parts.
func (s *scene) makeSocketAPI(name string) (*madeAPI, error) {
	ctx := context.Background()
	spec := s.setup.SocketAPIs[name]
	b := builder{scene: s, api: &madeAPI{parts: map[string]string{}}, idMember: "apiId"}
	with := Members{"name": s.title + " " + name, "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"}
	maps.Copy(with, spec.Members)
	var api struct{ APIID, APIEndpoint string }
	if err := b.make(ctx, "CreateApi", with, &api); err != nil {
		return nil, err
	}
	s.world.later("DeleteApi", Members{"apiId": api.APIID})
	b.api.id = api.APIID
	b.api.parts["api"] = api.APIID
	var err error
	if b.api.endpoint, err = url.Parse(api.APIEndpoint); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context, SocketAPI) error{b.socketParts, b.socketIntegrations, b.socketRoutes, b.socketStages} {
		if err := step(ctx, spec); err != nil {
			return nil, err
		}
	}
	return b.api, nil
}

// socketParts makes what routes and integrations can name.
func (b builder) socketParts(ctx context.Context, spec SocketAPI) error {
	for _, name := range sortedKeys(spec.Models) {
		with := Members{"name": name, "contentType": "application/json"}
		maps.Copy(with, spec.Models[name])
		if _, text := with["schema"].(string); !text {
			schema, err := json.Marshal(with["schema"])
			if err != nil {
				return err
			}
			with["schema"] = string(schema)
		}
		if _, err := b.id(ctx, "CreateModel", with); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(spec.Authorizers) {
		with := Members{"name": name}
		maps.Copy(with, spec.Authorizers[name])
		id, err := b.id(ctx, "CreateAuthorizer", with)
		if err != nil {
			return err
		}
		b.api.parts["authorizers."+name] = id
	}
	return nil
}

func (b builder) socketIntegrations(ctx context.Context, spec SocketAPI) error {
	for _, name := range sortedKeys(spec.Integrations) {
		i := spec.Integrations[name]
		id, err := b.id(ctx, "CreateIntegration", i.Members)
		if err != nil {
			return err
		}
		b.api.parts["integrations."+name] = "integrations/" + id
		for _, key := range sortedKeys(i.Responses) {
			at := Members{"integrationId": id, "integrationResponseKey": key}
			if err := b.put(ctx, "CreateIntegrationResponse", at, i.Responses[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b builder) socketRoutes(ctx context.Context, spec SocketAPI) error {
	for _, key := range sortedKeys(spec.Routes) {
		route := spec.Routes[key]
		with := Members{"routeKey": key}
		responses := maps.Clone(route.Responses)
		if route.TwoWay {
			with["routeResponseSelectionExpression"] = "$default"
			responses = map[string]Members{"$default": {}}
		}
		maps.Copy(with, route.Members)
		id, err := b.id(ctx, "CreateRoute", with)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		b.api.parts["routes."+key] = id
		for _, response := range sortedKeys(responses) {
			at := Members{"routeId": id, "routeResponseKey": response}
			if err := b.put(ctx, "CreateRouteResponse", at, responses[response]); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	return nil
}

// socketStages deploys the API.
func (b builder) socketStages(ctx context.Context, spec SocketAPI) error {
	if spec.Undeployed {
		return nil
	}
	id, err := b.id(ctx, "CreateDeployment", Members{})
	if err != nil {
		return err
	}
	b.api.parts["deployment"] = id
	stages := spec.Stages
	if stages == nil {
		stages = map[string]Members{"test": {}}
	}
	for _, name := range sortedKeys(stages) {
		if err := b.put(ctx, "CreateStage", Members{"stageName": name, "deploymentId": id}, stages[name]); err != nil {
			return err
		}
	}
	return nil
}

// id makes a part and returns its id, whichever of them it has.
func (b builder) id(ctx context.Context, call string, with Members) (string, error) {
	var made struct{ ModelID, AuthorizerID, IntegrationID, RouteID, DeploymentID string }
	err := b.make(ctx, call, with, &made)
	return made.ModelID + made.AuthorizerID + made.IntegrationID + made.RouteID + made.DeploymentID, err
}
