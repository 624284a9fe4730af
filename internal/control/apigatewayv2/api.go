package apigatewayv2

import (
	"errors"
	"reflect"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const (
	apiKeySelection    = "$request.header.x-api-key"
	httpRouteSelection = "$request.method $request.path"
)

// quickMembers are those of a quick create, which only HTTP APIs have.
var quickMembers = []string{"Target", "RouteKey", "CredentialsArn"}

// CreateApi makes an HTTP or WebSocket API and, given a target, what an HTTP API
// needs to answer.
func (s *Service) CreateApi(c *awswire.Call, in *apigatewayv2.CreateApiRequest) (*apigatewayv2.CreateApiResponse, error) {
	if name := present(in, quickMembers...); name != "" && value(in.ProtocolType) == apigatewayv2.ProtocolTypeWebsocket {
		// UNVERIFIED: the words, which are nearly those about CORS.
		return nil, badRequest("%s is not supported for WEBSOCKET protocolType", name)
	}
	if value(in.Target) == "" && (value(in.RouteKey) != "" || value(in.CredentialsArn) != "") {
		// UNVERIFIED: the words.
		return nil, badRequest("RouteKey and CredentialsArn can only be specified together with Target")
	}
	api := &definition.API{}
	apply(&api.Api, in, "Tags")
	if err := s.checkAPI(api); err != nil {
		return nil, err
	}
	if err := setTags(&api.Tags, in.Tags); err != nil {
		return nil, err
	}
	setDefaults(c, api)
	err := s.store.Update(c, func(tx *store.Tx) error {
		id, err := s.claimID(tx, c, in.Tags[apiid.CustomTag])
		if err != nil {
			return err
		}
		api.ApiId = &id
		if value(in.Target) != "" {
			if err := s.quickCreate(tx, c, api, in); err != nil {
				return err
			}
		}
		return definition.APIs.Put(tx, scope(c), api, id)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.CreateApiResponse](s.apiView(api)), nil
}

// setDefaults fills in what a new API has that its maker didn't say.
func setDefaults(c *awswire.Call, api *definition.API) {
	api.ProtocolType = orDefault(api.ProtocolType, apigatewayv2.ProtocolTypeHTTP)
	api.ApiKeySelectionExpression = orDefault(api.ApiKeySelectionExpression, apiKeySelection)
	if isHTTP(api) {
		api.RouteSelectionExpression = new(httpRouteSelection)
	}
	api.DisableExecuteApiEndpoint = orDefault(api.DisableExecuteApiEndpoint, false)
	api.IpAddressType = orDefault(api.IpAddressType, apigatewayv2.IpAddressTypeIpv4)
	api.CreatedDate = now(c)
}

// GetApi returns one API.
func (s *Service) GetApi(c *awswire.Call, in *apigatewayv2.GetApiRequest) (*apigatewayv2.GetApiResponse, error) {
	var api *definition.API
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		api, err = getAPI(tx, c, value(in.ApiId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetApiResponse](s.apiView(api)), nil
}

// GetApis lists the APIs of the account and region.
func (s *Service) GetApis(c *awswire.Call, in *apigatewayv2.GetApisRequest) (out *apigatewayv2.GetApisResponse, err error) {
	out = &apigatewayv2.GetApisResponse{}
	err = s.store.View(c, func(tx *store.Tx) (err error) {
		out.Items, out.NextToken, err = list(tx, scope(c), definition.APIs, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.API]) apigatewayv2.Api { return *s.apiView(e.Doc) })
		return err
	})
	return out, err
}

// UpdateApi sets what is present; target, route key and credentials are those
// of a quick create's integration and route.
func (s *Service) UpdateApi(c *awswire.Call, in *apigatewayv2.UpdateApiRequest) (*apigatewayv2.UpdateApiResponse, error) {
	var api *definition.API
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		if api, err = getAPI(tx, c, value(in.ApiId)); err != nil {
			return err
		}
		old := *api
		apply(&api.Api, in, "ApiId")
		api.ApiKeySelectionExpression = orDefault(api.ApiKeySelectionExpression, apiKeySelection)
		if isHTTP(api) {
			api.RouteSelectionExpression = orDefault(api.RouteSelectionExpression, httpRouteSelection)
		} else if name := present(in, quickMembers...); name != "" {
			// UNVERIFIED: the words.
			return badRequest("%s is not supported for WEBSOCKET protocolType", name)
		}
		api.IpAddressType = orDefault(api.IpAddressType, apigatewayv2.IpAddressTypeIpv4)
		if err := s.checkAPI(api); err != nil {
			return err
		}
		if isHTTP(api) {
			api.RouteSelectionExpression = old.RouteSelectionExpression
		}
		return s.replaceAPI(tx, c, &old, api, in)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateApiResponse](s.apiView(api)), nil
}

// replaceAPI stores an API that was changed, and deploys it where that is
// automatic and the change is one that deployments freeze. in is the request
// that may change a quick create's parts, too; nil without one.
func (s *Service) replaceAPI(tx *store.Tx, c *awswire.Call, old, api *definition.API, in *apigatewayv2.UpdateApiRequest) error {
	deploy := value(old.DisableExecuteApiEndpoint) != value(api.DisableExecuteApiEndpoint) ||
		value(old.RouteSelectionExpression) != value(api.RouteSelectionExpression) ||
		value(old.ApiKeySelectionExpression) != value(api.ApiKeySelectionExpression) ||
		value(old.DisableSchemaValidation) != value(api.DisableSchemaValidation) ||
		!reflect.DeepEqual(old.CorsConfiguration, api.CorsConfiguration)
	if err := definition.APIs.Put(tx, scope(c), api, *api.ApiId); err != nil {
		return err
	}
	if in != nil {
		quick, err := s.quickUpdate(tx, c, api, in)
		if err != nil {
			return err
		}
		deploy = deploy || quick
	}
	if !deploy {
		return nil
	}
	return s.autoDeploy(tx, c, *api.ApiId)
}

// DeleteApi removes the API and everything in it.
func (s *Service) DeleteApi(c *awswire.Call, in *apigatewayv2.DeleteApiRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		id := value(in.ApiId)
		if _, err := getAPI(tx, c, id); err != nil {
			return err
		}
		if err := unmapped(tx, c, id, ""); err != nil {
			return err
		}
		at := scope(c)
		// First, or every version would be kept once more on its way out.
		if err := tx.UnpinAll(at, id); err != nil {
			return err
		}
		for _, deleteAll := range []func(*store.Tx, store.Scope, ...string) (int, error){
			definition.Stages.DeleteAll, definition.Deployments.DeleteAll,
			definition.Routes.DeleteAll, definition.RouteKeys.DeleteAll, definition.RouteTargets.DeleteAll,
			definition.Integrations.DeleteAll, definition.Authorizers.DeleteAll, definition.RouteAuthorizers.DeleteAll,
			definition.Models.DeleteAll, definition.RouteResponses.DeleteAll, definition.IntegrationResponses.DeleteAll,
		} {
			if _, err := deleteAll(tx, at, id); err != nil {
				return err
			}
		}
		if err := definition.DropFromUsagePlans(tx, at, id, ""); err != nil {
			return err
		}
		if err := definition.APIs.Delete(tx, at, id); err != nil {
			return err
		}
		if err := definition.APIOwners.Delete(tx, store.Scope{}, id); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return nil
	})
}

// DeleteCorsConfiguration leaves cross-origin requests to the backends.
func (s *Service) DeleteCorsConfiguration(c *awswire.Call, in *apigatewayv2.DeleteCorsConfigurationRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		old := *api
		api.CorsConfiguration = nil
		return s.replaceAPI(tx, c, &old, api, nil)
	})
}

// getAPI reads an API of the caller's account and region.
func getAPI(tx *store.Tx, c *awswire.Call, id string) (*definition.API, error) {
	api, err := definition.APIs.Get(tx, scope(c), id)
	return api, missing(err, "Invalid API identifier specified %s:%s", c.Account, id)
}

// isHTTP tells whether an API is an HTTP API, which has less than the service's
// shapes: its integrations are proxies. Any other is a WebSocket API.
func isHTTP(api *definition.API) bool {
	return value(api.ProtocolType) == apigatewayv2.ProtocolTypeHTTP
}

// checkAPI refuses what an API can't be.
func (s *Service) checkAPI(api *definition.API) error {
	if value(api.Name) == "" {
		return badRequest("Invalid API name specified")
	}
	if err := checkLength("name", api.Name, 128); err != nil {
		return err
	}
	if err := checkLength("description", api.Description, 1024); err != nil {
		return err
	}
	if err := checkLength("version", api.Version, 64); err != nil {
		return err
	}
	if value(api.ProtocolType) == apigatewayv2.ProtocolTypeWebsocket {
		if err := s.checkSocketAPI(api); err != nil {
			return err
		}
	} else if err := checkHTTPAPI(api); err != nil {
		return err
	}
	switch value(api.ApiKeySelectionExpression) {
	case "", apiKeySelection, "$context.authorizer.usageIdentifierKey":
	default:
		// UNVERIFIED: the words.
		return badRequest("Invalid API key selection expression specified: %s", *api.ApiKeySelectionExpression)
	}
	return nil
}

func checkHTTPAPI(api *definition.API) error {
	switch value(api.RouteSelectionExpression) {
	case "", httpRouteSelection, "${request.method} ${request.path}":
	default:
		return badRequest(`Route selection expression is currently limited to "${request.method} ${request.path}"`)
	}
	if value(api.DisableSchemaValidation) {
		// UNVERIFIED: the words.
		return badRequest("Disabling schema validation is only supported for WebSocket APIs")
	}
	return checkCORS(api.CorsConfiguration)
}

// apiView is the shape with what is computed when it is read.
func (s *Service) apiView(api *definition.API) *apigatewayv2.Api {
	view := api.Api
	view.ApiEndpoint = new(s.endpoint.URL(value(api.ApiId)))
	if !isHTTP(api) {
		view.ApiEndpoint = new(s.endpoint.SocketURL(value(api.ApiId)))
	}
	view.Tags = orEmpty(api.Tags)
	return &view
}

// orDefault returns p, or a pointer to the default when it is nil.
func orDefault[T any](p *T, d T) *T {
	if p == nil {
		return &d
	}
	return p
}

// orEmpty returns a map that is written even when it is empty.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}
