package rest

import (
	"strings"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

// RouteOptions is what an integration request of a WebSocket API's route has
// beside that of a method: expressions begin with "route.request.", a message
// selects its template, and what comes of the handshake has to be declared.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
type RouteOptions struct {
	// Select makes the key of the template; nil selects that of "$default", which
	// also stands in for a key that there isn't.
	Select plan.Selector
	// Parameters are those that the route declares, by names as in
	// "route.request.header.x". Others have no value.
	Parameters map[string]bool
}

const (
	methodPrefix = "method.request."
	routePrefix  = "route.request."
)

// declared is a parameter, or nothing if a route doesn't declare it. One that is
// declared may be mapped with all its values.
func (o *RequestOptions) declared(kind, name string, from source) source {
	if o.Route == nil {
		return from
	}
	if _, declared := o.Route.Parameters[routePrefix+strings.TrimPrefix(kind, "multivalue")+"."+name]; !declared {
		return nothing{}
	}
	return from
}

// prefix is what expressions of request parameters begin with.
func (o *RequestOptions) prefix() string {
	if o.Route != nil {
		return routePrefix
	}
	return methodPrefix
}

func (o *RequestOptions) lookup() lookup { return lookupOf(o.Route != nil) }

// lookupOf finds the variables of $context of WebSocket APIs or of REST APIs.
func lookupOf(socket bool) lookup {
	if socket {
		return contextvar.LookupWebSocket
	}
	return contextvar.LookupREST
}
