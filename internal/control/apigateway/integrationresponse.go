package apigateway

import (
	"maps"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// integrationResponseRules are what can be patched of an integration response.
var integrationResponseRules = patchRules[apigateway.IntegrationResponse]{refuse: refuseNaming, rules: []patchRule[apigateway.IntegrationResponse]{
	{path: "/selectionPattern", ops: opReplace, set: setSelectionPattern},
	{path: "/contentHandling", ops: opReplace, check: checkContentHandling[apigateway.IntegrationResponse]},
	{path: "/responseParameters/{name}", ops: opEdit, noKey: noParameter},
	{path: "/responseTemplates/{type}", ops: opEdit, noKey: noMediaType},
}}

// setSelectionPattern keeps the empty pattern, which AWS shows.
func setSelectionPattern(response *apigateway.IntegrationResponse, o patchOp) error {
	response.SelectionPattern = o.Value
	return nil
}

// PutIntegrationResponse says what becomes of an integration's answers, in
// place of what was said for that status before.
func (s *Service) PutIntegrationResponse(c *awswire.Call, in *apigateway.PutIntegrationResponseRequest) (*apigateway.IntegrationResponse, error) {
	response := &apigateway.IntegrationResponse{
		StatusCode:         in.StatusCode,
		SelectionPattern:   in.SelectionPattern,
		ResponseParameters: in.ResponseParameters,
		ResponseTemplates:  in.ResponseTemplates,
		ContentHandling:    nonEmpty(in.ContentHandling),
	}
	_, err := s.editMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod),
		func(_ *store.Tx, _ *definition.Resource, method *apigateway.Method) error {
			return s.setIntegrationResponse(method, response, nil)
		})
	if err != nil {
		return nil, err
	}
	return response, nil
}

// GetIntegrationResponse returns one response of an integration.
func (s *Service) GetIntegrationResponse(c *awswire.Call, in *apigateway.GetIntegrationResponseRequest) (*apigateway.IntegrationResponse, error) {
	method, err := s.readMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod))
	if err != nil {
		return nil, err
	}
	return integrationResponseOf(method, value(in.StatusCode))
}

// UpdateIntegrationResponse does patch operations.
func (s *Service) UpdateIntegrationResponse(c *awswire.Call, in *apigateway.UpdateIntegrationResponseRequest) (*apigateway.IntegrationResponse, error) {
	var response *apigateway.IntegrationResponse
	_, err := s.editMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod),
		func(_ *store.Tx, _ *definition.Resource, method *apigateway.Method) (err error) {
			if response, err = integrationResponseOf(method, value(in.StatusCode)); err != nil {
				return err
			}
			old := response.ResponseParameters
			if err := integrationResponseRules.apply(response, in.PatchOperations); err != nil {
				return err
			}
			return s.setIntegrationResponse(method, response, old)
		})
	if err != nil {
		return nil, err
	}
	return response, nil
}

// DeleteIntegrationResponse removes one response of an integration. Unlike the
// other operations it says of an unknown method what it says of a method
// without an integration.
func (s *Service) DeleteIntegrationResponse(c *awswire.Call, in *apigateway.DeleteIntegrationResponseRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		resource, err := getResource(tx, c, apiID, value(in.ResourceId))
		if err != nil {
			return err
		}
		method, err := methodOf(resource, value(in.HttpMethod))
		if err != nil {
			return notFound(noIntegration)
		}
		if _, err := integrationResponseOf(method, value(in.StatusCode)); err != nil {
			return err
		}
		integration := *method.MethodIntegration
		responses := maps.Clone(integration.IntegrationResponses)
		delete(responses, *in.StatusCode)
		integration.IntegrationResponses = nonEmptyMap(responses)
		method.MethodIntegration = &integration
		return putMethod(tx, c, apiID, resource, method)
	})
}

func integrationResponseOf(method *apigateway.Method, status string) (*apigateway.IntegrationResponse, error) {
	integration, err := integrationOf(method)
	if err != nil {
		return nil, err
	}
	response, ok := integration.IntegrationResponses[status]
	if !ok {
		return nil, notFound(noResponse)
	}
	return &response, nil
}

// setIntegrationResponse checks a response and gives it to a method's
// integration. old are the mappings it had before.
func (s *Service) setIntegrationResponse(method *apigateway.Method, response *apigateway.IntegrationResponse, old map[string]string) error {
	integration, err := integrationOf(method)
	if err != nil {
		return err
	}
	if err := checkResponseMappings(method, *response.StatusCode, response.ResponseParameters, old); err != nil {
		return err
	}
	if err := checkMediaTypes(response.ResponseTemplates); err != nil {
		return err
	}
	responses := maps.Clone(integration.IntegrationResponses)
	if responses == nil {
		responses = map[string]apigateway.IntegrationResponse{}
	}
	responses[*response.StatusCode] = *response
	integration.IntegrationResponses = responses
	method.MethodIntegration = integration
	return s.checkCompiles(integration)
}
