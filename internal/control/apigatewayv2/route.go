package apigatewayv2

import (
	"errors"
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// What only routes of WebSocket APIs can have.
var routeWebSocketOnly = []string{
	"ModelSelectionExpression", "RequestModels", "RequestParameters", "RouteResponseSelectionExpression",
}

// CreateRoute adds a route to an API.
func (s *Service) CreateRoute(c *awswire.Call, in *apigatewayv2.CreateRouteRequest) (*apigatewayv2.CreateRouteResult, error) {
	route := &definition.Route{}
	apply(&route.Route, in)
	err := s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		if err := s.checkRouteOf(api, route); err != nil {
			return err
		}
		if err := s.addRoute(tx, c, *api.ApiId, route); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, *api.ApiId)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.CreateRouteResult](&route.Route), nil
}

// GetRoute returns one route.
func (s *Service) GetRoute(c *awswire.Call, in *apigatewayv2.GetRouteRequest) (*apigatewayv2.GetRouteResult, error) {
	var route *definition.Route
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		route, err = getRoute(tx, c, value(in.ApiId), value(in.RouteId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetRouteResult](&route.Route), nil
}

// GetRoutes lists an API's routes.
func (s *Service) GetRoutes(c *awswire.Call, in *apigatewayv2.GetRoutesRequest) (*apigatewayv2.GetRoutesResponse, error) {
	out := &apigatewayv2.GetRoutesResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		out.Items, out.NextToken, err = list(tx, scope(c), definition.Routes, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.Route]) apigatewayv2.Route { return e.Doc.Route }, *api.ApiId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateRoute sets what is present.
func (s *Service) UpdateRoute(c *awswire.Call, in *apigatewayv2.UpdateRouteRequest) (*apigatewayv2.UpdateRouteResult, error) {
	var route *definition.Route
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID := value(in.ApiId)
		api, err := getAPI(tx, c, apiID)
		if err != nil {
			return err
		}
		if route, err = getRoute(tx, c, apiID, value(in.RouteId)); err != nil {
			return err
		}
		old := *route
		unsetAuthorization(route, in)
		apply(&route.Route, in, "RouteId")
		if err := s.checkRouteOf(api, route); err != nil {
			return err
		}
		if value(old.ApiGatewayManaged) && *route.RouteKey != *old.RouteKey {
			// UNVERIFIED: the words.
			return badRequest("The route key of a route that is managed by API Gateway cannot be changed")
		}
		if err := s.putRoute(tx, c, apiID, &old, route); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateRouteResult](&route.Route), nil
}

// DeleteRoute removes a route.
func (s *Service) DeleteRoute(c *awswire.Call, in *apigatewayv2.DeleteRouteRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.ApiId)
		route, err := getRoute(tx, c, apiID, value(in.RouteId))
		if err != nil {
			return err
		}
		if err := s.putRoute(tx, c, apiID, route, nil); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
}

// DeleteRouteRequestParameter removes one of a route's request parameters, of
// which a route of an HTTP API has none.
func (s *Service) DeleteRouteRequestParameter(c *awswire.Call, in *apigatewayv2.DeleteRouteRequestParameterRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, key := value(in.ApiId), value(in.RequestParameterKey)
		route, err := getRoute(tx, c, apiID, value(in.RouteId))
		if err != nil {
			return err
		}
		if _, ok := route.RequestParameters[key]; !ok {
			// UNVERIFIED: the words.
			return apigatewayv2.NewNotFoundException("Unable to find request parameter " + key)
		}
		delete(route.RequestParameters, key)
		if err := definition.Routes.Put(tx, scope(c), route, apiID, *route.RouteId); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
}

// addRoute stores a new route under an id of its own.
func (s *Service) addRoute(tx *store.Tx, c *awswire.Call, apiID string, route *definition.Route) error {
	id, err := s.freeID(childIDLength, func(id string) (bool, error) {
		return definition.Routes.Exists(tx, scope(c), apiID, id)
	})
	if err != nil {
		return err
	}
	route.RouteId = &id
	return s.putRoute(tx, c, apiID, nil, route)
}

// putRoute replaces a route and keeps the indexes true; without an old route it
// is new, without a new one it goes.
func (s *Service) putRoute(tx *store.Tx, c *awswire.Call, apiID string, old, route *definition.Route) error {
	at := scope(c)
	if err := moveRouteKey(tx, at, apiID, old, route); err != nil {
		return err
	}
	if err := moveTarget(tx, at, apiID, old, route); err != nil {
		return err
	}
	if err := moveAuthorizer(tx, at, apiID, old, route); err != nil {
		return err
	}
	if route == nil {
		if _, err := definition.RouteResponses.DeleteAll(tx, at, apiID, *old.RouteId); err != nil {
			return err
		}
		return definition.Routes.Delete(tx, at, apiID, *old.RouteId)
	}
	return definition.Routes.Put(tx, at, route, apiID, *route.RouteId)
}

// moveRouteKey frees the old route's key and claims the new one's.
func moveRouteKey(tx *store.Tx, at store.Scope, apiID string, old, route *definition.Route) error {
	if old != nil && (route == nil || *old.RouteKey != *route.RouteKey) {
		if err := definition.RouteKeys.Delete(tx, at, apiID, *old.RouteKey); err != nil {
			return err
		}
	}
	if route == nil {
		return nil
	}
	holder, err := definition.RouteKeys.Get(tx, at, apiID, *route.RouteKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return definition.RouteKeys.Put(tx, at, &definition.Reference{ID: *route.RouteId}, apiID, *route.RouteKey)
	case err != nil:
		return err
	case holder.ID != *route.RouteId:
		return conflict("Route with key %s already exists for this API", *route.RouteKey)
	}
	return nil
}

// moveTarget keeps which integration a route uses, which must be there.
func moveTarget(tx *store.Tx, at store.Scope, apiID string, old, route *definition.Route) error {
	if old != nil && old.Target != nil && (route == nil || value(old.Target) != value(route.Target)) {
		if err := definition.RouteTargets.Delete(tx, at, apiID, integrationID(old.Target), *old.RouteId); err != nil {
			return err
		}
	}
	if route == nil || route.Target == nil {
		return nil
	}
	target := integrationID(route.Target)
	if found, err := definition.Integrations.Exists(tx, at, apiID, target); err != nil {
		return err
	} else if !found {
		// UNVERIFIED: the words and the kind of error.
		return badRequest("Invalid Integration identifier specified")
	}
	return definition.RouteTargets.Put(tx, at, &definition.Reference{}, apiID, target, *route.RouteId)
}

func getRoute(tx *store.Tx, c *awswire.Call, apiID, id string) (*definition.Route, error) {
	if _, err := getAPI(tx, c, apiID); err != nil {
		return nil, err
	}
	route, err := definition.Routes.Get(tx, scope(c), apiID, id)
	// UNVERIFIED: the words.
	return route, missing(err, "Invalid Route identifier specified")
}

// checkRouteOf fills in AWS's defaults and refuses what a route of the API can't
// be.
func (s *Service) checkRouteOf(api *definition.API, route *definition.Route) error {
	if isHTTP(api) {
		return checkRoute(route)
	}
	return s.checkSocketRoute(route)
}

func setRouteDefaults(route *definition.Route) {
	route.AuthorizationType = orDefault(route.AuthorizationType, apigatewayv2.AuthorizationTypeNone)
	route.ApiKeyRequired = orDefault(route.ApiKeyRequired, false)
}

// checkRoute is checkRouteOf an HTTP API.
func checkRoute(route *definition.Route) error {
	setRouteDefaults(route)
	if *route.ApiKeyRequired {
		return badRequest("ApiKeyRequired is not currently supported for HTTP APIs. Please set ApiKeyRequired to false for route %s", routeID(route))
	}
	if name := present(&route.Route, routeWebSocketOnly...); name != "" {
		// UNVERIFIED: that it is refused, and the words, which are those above.
		return badRequest("%s is not currently supported for HTTP APIs.", name)
	}
	if err := checkAuthorization(route); err != nil {
		return err
	}
	if err := checkLength("operationName", route.OperationName, 64); err != nil {
		return err
	}
	if err := checkRouteKey(value(route.RouteKey)); err != nil {
		return err
	}
	return checkTarget(route)
}

func checkTarget(route *definition.Route) error {
	if route.Target == nil {
		return nil
	}
	id, ok := strings.CutPrefix(*route.Target, targetPrefix)
	if !ok || id == "" || strings.Contains(id, "/") {
		return badRequest("Unexpected or malformed target in route %s. Correct format should be integrations/<integration_id>.", routeID(route))
	}
	return nil
}

// routeID is how AWS names a route that has no id yet.
func routeID(route *definition.Route) string {
	if route.RouteId == nil {
		return "null"
	}
	return *route.RouteId
}

const targetPrefix = "integrations/"

func integrationID(target *string) string { return strings.TrimPrefix(value(target), targetPrefix) }
