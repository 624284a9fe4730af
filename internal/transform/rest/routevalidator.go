package rest

import (
	"gatehouse/internal/plan"
	"gatehouse/internal/transform/model"
)

// RouteValidatorOptions is what a route of a WebSocket API asks of messages, or
// of the handshake.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
type RouteValidatorOptions struct {
	// Parameters are the route's: "route.request.{header|querystring}.NAME" to
	// whether it is required.
	Parameters map[string]bool
	// Models are the names of the models by key; "$default" is for all others.
	Models map[string]string
	// Select makes the key of the model; nil selects that of "$default".
	Select plan.Selector
	// Library has the API's models.
	Library *Library
}

// NewRouteValidator compiles what is checked; nil when that is nothing. The error
// says which parameter or model is wrong.
func NewRouteValidator(o RouteValidatorOptions) (plan.Validator, error) {
	v := &routeValidator{selects: o.Select, models: map[string]*model.Model{}}
	if err := v.addParameters(o.Parameters, routePrefix, nil); err != nil {
		return nil, err
	}
	for _, key := range sortedKeys(o.Models) {
		m, err := o.Library.model(o.Models[key])
		if err != nil {
			return nil, err
		}
		if key == defaultTemplate {
			v.fallback = m
			continue
		}
		v.models[key] = m
	}
	if len(v.required) == 0 && len(v.models) == 0 && v.fallback == nil {
		return nil, nil
	}
	return v, nil
}

// A routeValidator checks the messages of one route. The models of the validator
// in it aren't used: no message has a content type.
type routeValidator struct {
	validator
	selects plan.Selector
	models  map[string]*model.Model
}

// Validate implements plan.Validator.
func (v *routeValidator) Validate(x *plan.Exchange) error {
	if err := v.parameters(x); err != nil {
		return err
	}
	if len(v.models) == 0 && v.fallback == nil {
		return nil
	}
	m := v.fallback
	if v.selects != nil {
		if selected, found := v.models[v.selects.Select(x)]; found {
			m = selected
		}
	}
	if m == nil {
		return invalidBody(x, "[No model matches the request]")
	}
	if problems, ok := m.Validate(x.Request.Body); !ok {
		return invalidBody(x, problems)
	}
	return nil
}

// invalidBody is the fault of a message that isn't as a model says, or that none
// is for.
// UNVERIFIED: what is said of the latter.
func invalidBody(x *plan.Exchange, problems string) error {
	if x.Trace != nil {
		x.Trace.Error("Request body does not match model schema: %s", problems)
	}
	return &plan.Fault{Kind: plan.BadRequestBody, Reason: "the message doesn't match the model: " + problems, Validation: problems}
}
