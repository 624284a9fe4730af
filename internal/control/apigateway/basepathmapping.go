package apigateway

import (
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// noBasePath is how the empty base path is written.
const noBasePath = "(none)"

// mappingKey is a base path as it is stored.
func mappingKey(basePath string) string {
	if basePath == noBasePath {
		return ""
	}
	return basePath
}

// mappingView is a mapping as this face shows it.
func mappingView(m *definition.DomainMapping) *apigateway.BasePathMapping {
	view := &apigateway.BasePathMapping{BasePath: m.ApiMappingKey, RestApiId: m.ApiId, Stage: nonEmpty(m.Stage)}
	if value(view.BasePath) == "" {
		view.BasePath = new(noBasePath)
	}
	return view
}

// mappingRules are what can be patched of a mapping.
var mappingRules = patchRules[apigateway.BasePathMapping]{refuse: refuseListing, rules: []patchRule[apigateway.BasePathMapping]{
	{path: "/basePath", ops: opReplace},
	{path: "/restapiId", ops: opReplace, set: setMappedAPI},
	{path: "/restApiId", ops: opReplace},
	{path: "/stage", ops: opReplace},
}}

// setMappedAPI is for the path that AWS has, which isn't the member's name.
func setMappedAPI(m *apigateway.BasePathMapping, o patchOp) error {
	m.RestApiId = nonEmpty(o.Value)
	return nil
}

// CreateBasePathMapping leads a base path of a domain to an API. Without a stage
// the segment behind the base path names it.
func (s *Service) CreateBasePathMapping(c *awswire.Call, in *apigateway.CreateBasePathMappingRequest) (*apigateway.BasePathMapping, error) {
	m := &definition.DomainMapping{}
	m.ApiId, m.Stage, m.ApiMappingKey = in.RestApiId, nonEmpty(in.Stage), new(mappingKey(value(in.BasePath)))
	err := s.inDomain(c, in.DomainName, in.DomainNameId, func(tx *store.Tx, d *definition.Domain) error {
		return s.domains.PutMapping(tx, c, domain.V1, d, m)
	})
	if err != nil {
		return nil, err
	}
	return mappingView(m), nil
}

// GetBasePathMapping returns one mapping.
func (s *Service) GetBasePathMapping(c *awswire.Call, in *apigateway.GetBasePathMappingRequest) (*apigateway.BasePathMapping, error) {
	var m *definition.DomainMapping
	err := s.viewDomain(c, in.DomainName, in.DomainNameId, func(tx *store.Tx, d *definition.Domain) (err error) {
		m, err = s.domains.MappingByKey(tx, c, d, mappingKey(value(in.BasePath)))
		return err
	})
	if err != nil {
		return nil, err
	}
	return mappingView(m), nil
}

// GetBasePathMappings lists the mappings of a domain.
func (s *Service) GetBasePathMappings(c *awswire.Call, in *apigateway.GetBasePathMappingsRequest) (*apigateway.BasePathMappings, error) {
	out := &apigateway.BasePathMappings{}
	err := s.viewDomain(c, in.DomainName, in.DomainNameId, func(tx *store.Tx, d *definition.Domain) (err error) {
		out.Items, out.Position, err = list(tx, scope(c), definition.DomainMappings, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.DomainMapping]) apigateway.BasePathMapping { return *mappingView(e.Doc) }, domain.Name(d))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateBasePathMapping does patch operations.
func (s *Service) UpdateBasePathMapping(c *awswire.Call, in *apigateway.UpdateBasePathMappingRequest) (*apigateway.BasePathMapping, error) {
	var m definition.DomainMapping
	err := s.inDomain(c, in.DomainName, in.DomainNameId, func(tx *store.Tx, d *definition.Domain) error {
		old, err := s.domains.MappingByKey(tx, c, d, mappingKey(value(in.BasePath)))
		if err != nil {
			return err
		}
		view := mappingView(old)
		if err := mappingRules.apply(view, in.PatchOperations); err != nil {
			return err
		}
		m = *old
		m.ApiId, m.Stage, m.ApiMappingKey = view.RestApiId, view.Stage, new(mappingKey(value(view.BasePath)))
		return s.domains.PutMapping(tx, c, domain.V1, d, &m)
	})
	if err != nil {
		return nil, err
	}
	return mappingView(&m), nil
}

// DeleteBasePathMapping removes a mapping.
func (s *Service) DeleteBasePathMapping(c *awswire.Call, in *apigateway.DeleteBasePathMappingRequest) error {
	return s.inDomain(c, in.DomainName, in.DomainNameId, func(tx *store.Tx, d *definition.Domain) error {
		m, err := s.domains.MappingByKey(tx, c, d, mappingKey(value(in.BasePath)))
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
	domains := strings.Join(names, ", ")
	if stage == "" {
		return badRequest("Deleting RestApi %s failed. Please remove all base path mappings related to the RestApi in your domains: %s", apiID, domains)
	}
	return badRequest("Deleting stage %s failed. Please remove all base path mappings related to the stage in your domains: %s", stage, domains)
}
