package apigatewayv2

import (
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
)

// maxMappingValue is the longest value of a parameter mapping, in bytes.
const maxMappingValue = 512

// removed is the value of a mapping that removes something, whatever was given.
const removed = "''"

// newMappings gives a new integration its parameter mappings. Empty values,
// which take mappings away from an integration that has some, stay to be
// refused; a status code without mappings says nothing.
func newMappings(integration *definition.Integration, in *apigatewayv2.CreateIntegrationRequest) {
	if len(in.RequestParameters) > 0 {
		integration.RequestParameters = in.RequestParameters
	}
	if len(in.RequestTemplates) > 0 {
		// An empty template is one: it passes the body on.
		integration.RequestTemplates = in.RequestTemplates
	}
	for status, mappings := range in.ResponseParameters {
		if len(mappings) == 0 {
			continue
		}
		if integration.ResponseParameters == nil {
			integration.ResponseParameters = map[string]map[string]string{}
		}
		integration.ResponseParameters[status] = mappings
	}
}

// checkMappings refuses parameter mappings that AWS would, and gives those that
// remove something AWS's value.
func (s *Service) checkMappings(in *definition.Integration) error {
	all := []map[string]string{in.RequestParameters}
	for _, status := range slices.Sorted(maps.Keys(in.ResponseParameters)) {
		all = append(all, in.ResponseParameters[status])
	}
	for _, mappings := range all {
		for _, key := range slices.Sorted(maps.Keys(mappings)) {
			value := mappings[key]
			if err := checkLength(key, &value, maxMappingValue); err != nil {
				return err
			}
		}
	}
	err := s.compiler.CheckMapping(in)
	if err != nil && in.IntegrationSubtype != nil {
		return badRequest("%v", err)
	}
	if err != nil {
		return badRequest("Invalid mapping expression specified: Validation Result: warnings : [], errors : [%v]", err)
	}
	for _, mappings := range all {
		for key, value := range mappings {
			if strings.HasPrefix(key, "remove:") && value != removed {
				mappings[key] = removed
			}
		}
	}
	return nil
}
