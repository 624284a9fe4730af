package apigatewayv2

import (
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// maxTemplate is how many characters a template and a schema can have.
const maxTemplate = 32 << 10

// CreateIntegrationResponse says what becomes of the responses of an
// integration that aren't simply passed on, which those of HTTP APIs are.
func (s *Service) CreateIntegrationResponse(c *awswire.Call, in *apigatewayv2.CreateIntegrationResponseRequest) (*apigatewayv2.CreateIntegrationResponseResponse, error) {
	response := &definition.IntegrationResponse{}
	apply(&response.IntegrationResponse, in, "ResponseTemplates")
	if len(in.ResponseTemplates) > 0 {
		// An empty template is one: it passes the body on.
		response.ResponseTemplates = in.ResponseTemplates
	}
	err := s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		if isHTTP(api) {
			return badRequest("IntegrationResponses are currently not supported for this API protocol type. This is because the API may only be configured with proxy integration at this time.")
		}
		integration, err := getIntegration(tx, c, *api.ApiId, value(in.IntegrationId))
		if err != nil {
			return err
		}
		id, err := s.freeID(childIDLength, func(id string) (bool, error) {
			return definition.IntegrationResponses.Exists(tx, scope(c), *api.ApiId, *integration.IntegrationId, id)
		})
		if err != nil {
			return err
		}
		response.IntegrationResponseId = &id
		if err := s.putIntegrationResponse(tx, c, *api.ApiId, *integration.IntegrationId, response); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, *api.ApiId)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.CreateIntegrationResponseResponse](&response.IntegrationResponse), nil
}

// GetIntegrationResponse returns one response of an integration.
func (s *Service) GetIntegrationResponse(c *awswire.Call, in *apigatewayv2.GetIntegrationResponseRequest) (*apigatewayv2.GetIntegrationResponseResponse, error) {
	var response *definition.IntegrationResponse
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		response, err = getIntegrationResponse(tx, c, value(in.ApiId), value(in.IntegrationId), value(in.IntegrationResponseId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetIntegrationResponseResponse](&response.IntegrationResponse), nil
}

// GetIntegrationResponses lists an integration's responses.
func (s *Service) GetIntegrationResponses(c *awswire.Call, in *apigatewayv2.GetIntegrationResponsesRequest) (*apigatewayv2.GetIntegrationResponsesResponse, error) {
	out := &apigatewayv2.GetIntegrationResponsesResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		apiID := value(in.ApiId)
		integration, err := getIntegration(tx, c, apiID, value(in.IntegrationId))
		if err != nil {
			return err
		}
		out.Items, out.NextToken, err = list(tx, scope(c), definition.IntegrationResponses, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.IntegrationResponse]) apigatewayv2.IntegrationResponse {
				return e.Doc.IntegrationResponse
			}, apiID, *integration.IntegrationId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateIntegrationResponse sets what is present.
func (s *Service) UpdateIntegrationResponse(c *awswire.Call, in *apigatewayv2.UpdateIntegrationResponseRequest) (*apigatewayv2.UpdateIntegrationResponseResponse, error) {
	var response *definition.IntegrationResponse
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID, integrationID := value(in.ApiId), value(in.IntegrationId)
		if response, err = getIntegrationResponse(tx, c, apiID, integrationID, value(in.IntegrationResponseId)); err != nil {
			return err
		}
		apply(&response.IntegrationResponse, in, "IntegrationResponseId")
		if err := s.putIntegrationResponse(tx, c, apiID, integrationID, response); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateIntegrationResponseResponse](&response.IntegrationResponse), nil
}

// DeleteIntegrationResponse removes a response of an integration.
func (s *Service) DeleteIntegrationResponse(c *awswire.Call, in *apigatewayv2.DeleteIntegrationResponseRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, integrationID, id := value(in.ApiId), value(in.IntegrationId), value(in.IntegrationResponseId)
		if _, err := getIntegrationResponse(tx, c, apiID, integrationID, id); err != nil {
			return err
		}
		if err := definition.IntegrationResponses.Delete(tx, scope(c), apiID, integrationID, id); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
}

// putIntegrationResponse stores a response, whose key no other of the
// integration may have.
func (s *Service) putIntegrationResponse(tx *store.Tx, c *awswire.Call, apiID, integrationID string, response *definition.IntegrationResponse) error {
	if err := s.checkIntegrationResponse(response); err != nil {
		return err
	}
	for other, err := range definition.IntegrationResponses.All(tx, scope(c), apiID, integrationID) {
		if err != nil {
			return err
		}
		if *other.Doc.IntegrationResponseKey == *response.IntegrationResponseKey && *other.Doc.IntegrationResponseId != *response.IntegrationResponseId {
			// UNVERIFIED: the words.
			return conflict("IntegrationResponse with key %s already exists for this Integration", *response.IntegrationResponseKey)
		}
	}
	return definition.IntegrationResponses.Put(tx, scope(c), response, apiID, integrationID, *response.IntegrationResponseId)
}

func getIntegrationResponse(tx *store.Tx, c *awswire.Call, apiID, integrationID, id string) (*definition.IntegrationResponse, error) {
	if _, err := getIntegration(tx, c, apiID, integrationID); err != nil {
		return nil, err
	}
	response, err := definition.IntegrationResponses.Get(tx, scope(c), apiID, integrationID, id)
	// UNVERIFIED: the words.
	return response, missing(err, "Invalid IntegrationResponse identifier specified")
}

// checkIntegrationResponse refuses what an integration's response can't be.
func (s *Service) checkIntegrationResponse(response *definition.IntegrationResponse) error {
	key := value(response.IntegrationResponseKey)
	if key != defaultRouteKey && !(len(key) > 2 && strings.HasPrefix(key, "/") && strings.HasSuffix(key, "/")) {
		// UNVERIFIED: the words.
		return badRequest("Invalid integration response key specified: %s. It must be $default or a regular expression between slashes", key)
	}
	for _, template := range response.ResponseTemplates {
		if err := checkLength("responseTemplates", &template, maxTemplate); err != nil {
			return err
		}
	}
	if err := s.compiler.CheckIntegrationResponse(response); err != nil {
		// UNVERIFIED: the words of what isn't a mapping expression.
		return badRequest("Invalid integration response specified: %v", err)
	}
	return nil
}
