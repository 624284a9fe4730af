package apigatewayv2

import (
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// CreateApiMapping leads a path of a domain to a stage.
func (s *Service) CreateApiMapping(c *awswire.Call, in *apigatewayv2.CreateApiMappingRequest) (*apigatewayv2.CreateApiMappingResponse, error) {
	m := &definition.DomainMapping{}
	m.ApiId, m.Stage, m.ApiMappingKey = in.ApiId, in.Stage, in.ApiMappingKey
	err := s.inDomain(c, value(in.DomainName), func(tx *store.Tx, d *definition.Domain) error {
		return s.domains.PutMapping(tx, c, domain.V2, d, m)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.CreateApiMappingResponse](m.ApiMapping), nil
}

// GetApiMapping returns one mapping.
func (s *Service) GetApiMapping(c *awswire.Call, in *apigatewayv2.GetApiMappingRequest) (*apigatewayv2.GetApiMappingResponse, error) {
	var m *definition.DomainMapping
	err := s.viewDomain(c, value(in.DomainName), nil, func(tx *store.Tx, d *definition.Domain) (err error) {
		m, err = s.domains.Mapping(tx, c, d, value(in.ApiMappingId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetApiMappingResponse](m.ApiMapping), nil
}

// GetApiMappings lists the mappings of a domain.
func (s *Service) GetApiMappings(c *awswire.Call, in *apigatewayv2.GetApiMappingsRequest) (*apigatewayv2.GetApiMappingsResponse, error) {
	out := &apigatewayv2.GetApiMappingsResponse{}
	err := s.viewDomain(c, value(in.DomainName), nil, func(tx *store.Tx, d *definition.Domain) (err error) {
		out.Items, out.NextToken, err = list(tx, scope(c), definition.DomainMappings, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.DomainMapping]) apigatewayv2.ApiMapping { return e.Doc.ApiMapping }, domain.Name(d))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateApiMapping sets what is present. A key of "" is one.
func (s *Service) UpdateApiMapping(c *awswire.Call, in *apigatewayv2.UpdateApiMappingRequest) (*apigatewayv2.UpdateApiMappingResponse, error) {
	var m definition.DomainMapping
	err := s.inDomain(c, value(in.DomainName), func(tx *store.Tx, d *definition.Domain) error {
		old, err := s.domains.Mapping(tx, c, d, value(in.ApiMappingId))
		if err != nil {
			return err
		}
		m = *old
		if value(in.ApiId) != "" {
			m.ApiId = in.ApiId
		}
		if value(in.Stage) != "" {
			m.Stage = in.Stage
		}
		if in.ApiMappingKey != nil {
			m.ApiMappingKey = in.ApiMappingKey
		}
		return s.domains.PutMapping(tx, c, domain.V2, d, &m)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateApiMappingResponse](m.ApiMapping), nil
}

// DeleteApiMapping removes a mapping.
func (s *Service) DeleteApiMapping(c *awswire.Call, in *apigatewayv2.DeleteApiMappingRequest) error {
	return s.inDomain(c, value(in.DomainName), func(tx *store.Tx, d *definition.Domain) error {
		m, err := s.domains.Mapping(tx, c, d, value(in.ApiMappingId))
		if err != nil {
			return err
		}
		return s.domains.DeleteMapping(tx, c, d, m)
	})
}

// unmapped refuses to remove an API, or a stage of it, that a domain leads to.
func unmapped(tx *store.Tx, c *awswire.Call, apiID, stage string) error {
	names, err := domain.LeadTo(tx, scope(c), apiID, stage)
	if err != nil || len(names) == 0 {
		return err
	}
	if stage == "" {
		return badRequest("Deleting API %s failed. Please remove all API mappings for the API from your custom domain names.", apiID)
	}
	// UNVERIFIED: that it is so for stages of HTTP and WebSocket APIs, and the
	// words, which follow those about APIs.
	return badRequest("Deleting stage %s failed. Please remove all API mappings for the stage from your custom domain names.", stage)
}
