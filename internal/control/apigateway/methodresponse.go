package apigateway

import (
	"maps"
	"regexp"
	"slices"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// noResponse is what AWS says of unknown responses of methods and of
// integrations.
const noResponse = "Invalid Response status code specified"

// methodResponseRules are what can be patched of a method response.
var methodResponseRules = patchRules[apigateway.MethodResponse]{refuse: refuseNaming, rules: []patchRule[apigateway.MethodResponse]{
	{path: "/responseParameters/{name}", ops: opEdit, noKey: noParameter, noReplace: noParameter},
	{path: "/responseModels/{type}", ops: opEdit, noKey: noMediaType, noReplace: noMediaType},
}}

// PutMethodResponse adds a response to a method.
func (s *Service) PutMethodResponse(c *awswire.Call, in *apigateway.PutMethodResponseRequest) (*apigateway.MethodResponse, error) {
	response := apigateway.MethodResponse{StatusCode: in.StatusCode, ResponseParameters: in.ResponseParameters, ResponseModels: in.ResponseModels}
	_, err := s.editMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod),
		func(tx *store.Tx, _ *definition.Resource, method *apigateway.Method) error {
			if err := checkMethodResponse(tx, c, value(in.RestApiId), &response); err != nil {
				return err
			}
			if _, taken := method.MethodResponses[*in.StatusCode]; taken {
				return conflict("Response already exists for this resource")
			}
			setMethodResponse(method, response)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return &response, nil
}

// GetMethodResponse returns one response of a method.
func (s *Service) GetMethodResponse(c *awswire.Call, in *apigateway.GetMethodResponseRequest) (*apigateway.MethodResponse, error) {
	method, err := s.readMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod))
	if err != nil {
		return nil, err
	}
	return methodResponseOf(method, value(in.StatusCode))
}

// UpdateMethodResponse does patch operations.
func (s *Service) UpdateMethodResponse(c *awswire.Call, in *apigateway.UpdateMethodResponseRequest) (*apigateway.MethodResponse, error) {
	var response *apigateway.MethodResponse
	_, err := s.editMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod),
		func(tx *store.Tx, _ *definition.Resource, method *apigateway.Method) (err error) {
			if response, err = methodResponseOf(method, value(in.StatusCode)); err != nil {
				return err
			}
			if err := methodResponseRules.apply(response, in.PatchOperations); err != nil {
				return err
			}
			if err := checkMethodResponse(tx, c, value(in.RestApiId), response); err != nil {
				return err
			}
			setMethodResponse(method, *response)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return response, nil
}

// DeleteMethodResponse removes one response of a method.
func (s *Service) DeleteMethodResponse(c *awswire.Call, in *apigateway.DeleteMethodResponseRequest) error {
	_, err := s.editMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod),
		func(_ *store.Tx, _ *definition.Resource, method *apigateway.Method) error {
			if _, err := methodResponseOf(method, value(in.StatusCode)); err != nil {
				return err
			}
			responses := maps.Clone(method.MethodResponses)
			delete(responses, *in.StatusCode)
			method.MethodResponses = nonEmptyMap(responses)
			return nil
		})
	return err
}

func methodResponseOf(method *apigateway.Method, status string) (*apigateway.MethodResponse, error) {
	response, ok := method.MethodResponses[status]
	if !ok {
		return nil, notFound(noResponse)
	}
	return &response, nil
}

func setMethodResponse(method *apigateway.Method, response apigateway.MethodResponse) {
	responses := maps.Clone(method.MethodResponses)
	if responses == nil {
		responses = map[string]apigateway.MethodResponse{}
	}
	responses[*response.StatusCode] = response
	method.MethodResponses = responses
}

var responseParameter = regexp.MustCompile(`^method\.response\.header\.[^\s]+$`)

// checkMethodResponse refuses what a method response can't have.
func checkMethodResponse(tx *store.Tx, c *awswire.Call, apiID string, response *apigateway.MethodResponse) error {
	for _, name := range slices.Sorted(maps.Keys(response.ResponseParameters)) {
		if !responseParameter.MatchString(name) {
			return invalidParameter(name)
		}
	}
	return checkModels(tx, c, apiID, response.ResponseModels)
}
