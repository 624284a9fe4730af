package apigatewayv2

import (
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// CreateRouteResponse makes a route answer its callers. A route of an HTTP API
// can't have one: its integration's response is the answer.
func (s *Service) CreateRouteResponse(c *awswire.Call, in *apigatewayv2.CreateRouteResponseRequest) (*apigatewayv2.CreateRouteResponseResponse, error) {
	response := &definition.RouteResponse{}
	apply(&response.RouteResponse, in)
	err := s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		if isHTTP(api) {
			return badRequest("RouteResponses are currently not supported for this API protocol type. This is because the API may only be configured with proxy integration at this time.")
		}
		route, err := getRoute(tx, c, *api.ApiId, value(in.RouteId))
		if err != nil {
			return err
		}
		id, err := s.freeID(childIDLength, func(id string) (bool, error) {
			return definition.RouteResponses.Exists(tx, scope(c), *api.ApiId, *route.RouteId, id)
		})
		if err != nil {
			return err
		}
		response.RouteResponseId = &id
		if err := putRouteResponse(tx, c, *api.ApiId, *route.RouteId, response); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, *api.ApiId)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.CreateRouteResponseResponse](&response.RouteResponse), nil
}

// GetRouteResponse returns one response of a route.
func (s *Service) GetRouteResponse(c *awswire.Call, in *apigatewayv2.GetRouteResponseRequest) (*apigatewayv2.GetRouteResponseResponse, error) {
	var response *definition.RouteResponse
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		response, err = getRouteResponse(tx, c, value(in.ApiId), value(in.RouteId), value(in.RouteResponseId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetRouteResponseResponse](&response.RouteResponse), nil
}

// GetRouteResponses lists a route's responses.
func (s *Service) GetRouteResponses(c *awswire.Call, in *apigatewayv2.GetRouteResponsesRequest) (*apigatewayv2.GetRouteResponsesResponse, error) {
	out := &apigatewayv2.GetRouteResponsesResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		apiID := value(in.ApiId)
		route, err := getRoute(tx, c, apiID, value(in.RouteId))
		if err != nil {
			return err
		}
		out.Items, out.NextToken, err = list(tx, scope(c), definition.RouteResponses, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.RouteResponse]) apigatewayv2.RouteResponse { return e.Doc.RouteResponse }, apiID, *route.RouteId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateRouteResponse sets what is present.
func (s *Service) UpdateRouteResponse(c *awswire.Call, in *apigatewayv2.UpdateRouteResponseRequest) (*apigatewayv2.UpdateRouteResponseResponse, error) {
	var response *definition.RouteResponse
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID, routeID := value(in.ApiId), value(in.RouteId)
		if response, err = getRouteResponse(tx, c, apiID, routeID, value(in.RouteResponseId)); err != nil {
			return err
		}
		apply(&response.RouteResponse, in, "RouteResponseId")
		if err := putRouteResponse(tx, c, apiID, routeID, response); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateRouteResponseResponse](&response.RouteResponse), nil
}

// DeleteRouteResponse removes a response of a route.
func (s *Service) DeleteRouteResponse(c *awswire.Call, in *apigatewayv2.DeleteRouteResponseRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, routeID, id := value(in.ApiId), value(in.RouteId), value(in.RouteResponseId)
		if _, err := getRouteResponse(tx, c, apiID, routeID, id); err != nil {
			return err
		}
		if err := definition.RouteResponses.Delete(tx, scope(c), apiID, routeID, id); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
}

// putRouteResponse stores a response, whose key no other of the route may have.
func putRouteResponse(tx *store.Tx, c *awswire.Call, apiID, routeID string, response *definition.RouteResponse) error {
	if value(response.RouteResponseKey) != defaultRouteKey {
		return badRequest("Currently, only $default is supported as a RouteResponseKey. The creation of the RouteResponse with a key of $default will indicate to API Gateway that this Route is intended to handle two-way communication.")
	}
	for other, err := range definition.RouteResponses.All(tx, scope(c), apiID, routeID) {
		if err != nil {
			return err
		}
		if *other.Doc.RouteResponseKey == *response.RouteResponseKey && *other.Doc.RouteResponseId != *response.RouteResponseId {
			// UNVERIFIED: the words.
			return conflict("RouteResponse with key %s already exists for this Route", *response.RouteResponseKey)
		}
	}
	return definition.RouteResponses.Put(tx, scope(c), response, apiID, routeID, *response.RouteResponseId)
}

func getRouteResponse(tx *store.Tx, c *awswire.Call, apiID, routeID, id string) (*definition.RouteResponse, error) {
	if _, err := getRoute(tx, c, apiID, routeID); err != nil {
		return nil, err
	}
	response, err := definition.RouteResponses.Get(tx, scope(c), apiID, routeID, id)
	// UNVERIFIED: the words.
	return response, missing(err, "Invalid RouteResponse identifier specified")
}
