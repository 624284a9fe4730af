package apigatewayv2

import (
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/openapi"
	"gatehouse/internal/store"
)

// What exports can be asked for, by AWS's names.
const (
	exportSpecification = "OAS30"
	exportVersion       = "1.0"
	exportJSON          = "JSON"
	exportYAML          = "YAML"
)

// ExportApi writes an API as an OpenAPI document: what a stage serves, or the
// API as it is now.
func (s *Service) ExportApi(c *awswire.Call, in *apigatewayv2.ExportApiRequest) (*apigatewayv2.ExportApiResponse, error) {
	// UNVERIFIED: the words of these errors.
	if value(in.Specification) != exportSpecification {
		return nil, badRequest("Invalid specification specified: %s. Must be %s", value(in.Specification), exportSpecification)
	}
	if version := value(in.ExportVersion); version != "" && version != exportVersion {
		return nil, badRequest("Invalid export version specified: %s. Must be %s", version, exportVersion)
	}
	if kind := value(in.OutputType); kind != exportJSON && kind != exportYAML {
		return nil, badRequest("Invalid output type specified: %s. Must be one of [%s, %s]", kind, exportJSON, exportYAML)
	}
	o := openapi.WriteOptions{YAML: value(in.OutputType) == exportYAML, NoExtensions: in.IncludeExtensions != nil && !*in.IncludeExtensions}
	var doc *openapi.Document
	err := s.store.View(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		if !isHTTP(api) {
			// UNVERIFIED: the words.
			return badRequest("Exporting an API definition is only supported for HTTP APIs")
		}
		if name := value(in.StageName); name != "" {
			if tx, err = deployed(tx, c, *api.ApiId, name); err != nil {
				return err
			}
			if name != defaultStage {
				o.BasePath = name
			}
		}
		doc, err = s.describe(tx, c, *api.ApiId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.ExportApiResponse{Body: openapi.Write(doc, o)}, nil
}

// deployed returns a view of what a stage serves.
func deployed(tx *store.Tx, c *awswire.Call, apiID, name string) (*store.Tx, error) {
	stage, err := getStage(tx, c, apiID, name)
	if err != nil {
		return nil, err
	}
	if stage.DeploymentId == nil {
		// UNVERIFIED: the words and the kind of error.
		return nil, badRequest("Stage %s has no deployment to export", name)
	}
	deployment, err := getDeployment(tx, c, apiID, *stage.DeploymentId)
	if err != nil {
		return nil, err
	}
	return tx.AsOf(deployment.Revision), nil
}

// describe gathers an API and what it has.
func (s *Service) describe(tx *store.Tx, c *awswire.Call, apiID string) (*openapi.Document, error) {
	at := scope(c)
	api, err := definition.APIs.Get(tx, at, apiID)
	if err != nil {
		return nil, err
	}
	doc := &openapi.Document{API: *s.apiView(api)}
	authorizers := map[string]*openapi.Authorizer{}
	for e, err := range definition.Authorizers.All(tx, at, apiID) {
		if err != nil {
			return nil, err
		}
		authorizer := &openapi.Authorizer{Authorizer: e.Doc.Authorizer}
		authorizers[e.ID[1]] = authorizer
		doc.Authorizers = append(doc.Authorizers, authorizer)
	}
	integrations := map[string]*openapi.Integration{}
	for e, err := range definition.Integrations.All(tx, at, apiID) {
		if err != nil {
			return nil, err
		}
		integration := &openapi.Integration{Integration: e.Doc.Integration}
		integrations[e.ID[1]] = integration
		doc.Integrations = append(doc.Integrations, integration)
	}
	for e, err := range definition.Routes.All(tx, at, apiID) {
		if err != nil {
			return nil, err
		}
		doc.Routes = append(doc.Routes, &openapi.Route{
			Route:       e.Doc.Route,
			Integration: integrations[integrationID(e.Doc.Target)],
			Authorizer:  authorizers[value(e.Doc.AuthorizerId)],
		})
	}
	return doc, nil
}
