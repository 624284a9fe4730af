package apigatewayv2

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
)

// The keys of the routes that API Gateway itself calls.
const (
	connectRouteKey    = "$connect"
	disconnectRouteKey = "$disconnect"
)

// routeParameter is the name of a parameter that a route can declare.
var routeParameter = regexp.MustCompile(`^route\.request\.(header|querystring)\.[a-zA-Z0-9._$-]+$`)

// checkSocketRoute is checkRouteOf a WebSocket API.
func (s *Service) checkSocketRoute(route *definition.Route) error {
	setRouteDefaults(route)
	if err := checkSocketRouteKey(value(route.RouteKey)); err != nil {
		return err
	}
	if err := checkSocketAuthorization(route); err != nil {
		return err
	}
	if err := checkLength("operationName", route.OperationName, 64); err != nil {
		return err
	}
	// UNVERIFIED: the words of the errors below.
	if expression := value(route.RouteResponseSelectionExpression); expression != "" && expression != defaultRouteKey {
		return badRequest("Invalid route response selection expression specified: %s. Only $default is supported", expression)
	}
	if expression := value(route.ModelSelectionExpression); expression != "" && s.compiler.CheckSelection(expression) != nil {
		return badRequest("Invalid model selection expression specified: %s", expression)
	}
	for _, name := range slices.Sorted(maps.Keys(route.RequestParameters)) {
		if !routeParameter.MatchString(name) {
			return badRequest("Invalid mapping expression parameter specified: %s", name)
		}
	}
	return checkTarget(route)
}

// checkSocketRouteKey refuses a route key that a WebSocket API can't have: what
// begins with "$" is API Gateway's own.
func checkSocketRouteKey(key string) error {
	switch key {
	case "":
		return badRequest("Route key is required")
	case connectRouteKey, disconnectRouteKey, defaultRouteKey:
		return nil
	}
	if strings.HasPrefix(key, "$") {
		return badRequest("The provided route key is not formatted properly")
	}
	// UNVERIFIED: that keys are no longer than this.
	return checkLength("routeKey", &key, 128)
}

// checkSocketAuthorization refuses authorization of anything but a handshake,
// which covers the connection.
func checkSocketAuthorization(route *definition.Route) error {
	kind := *route.AuthorizationType
	if kind != apigatewayv2.AuthorizationTypeNone && *route.RouteKey != connectRouteKey {
		return badRequest("Currently, authorization is restricted to the $connect route only")
	}
	if kind == apigatewayv2.AuthorizationTypeJWT {
		// UNVERIFIED: the words, which are those about an authorizer of this type.
		return badRequest("Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis.")
	}
	return checkAuthorization(route)
}
