package apigateway

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/openapi/rest"
	"gatehouse/internal/store"
)

// What exports can be asked for, by AWS's names.
const (
	exportOpenAPI = "oas30"
	exportSwagger = "swagger"
	exportJSON    = "application/json"
	exportYAML    = "application/yaml"

	extensionsParameter = "extensions"
)

// GetExport writes what a stage serves as a document.
func (s *Service) GetExport(c *awswire.Call, in *apigateway.GetExportRequest) (*apigateway.ExportResponse, error) {
	o, err := exportOptions(in)
	if err != nil {
		return nil, err
	}
	o.Endpoint, o.Stage = s.endpoint(value(in.RestApiId)), value(in.StageName)
	var doc *rest.API
	err = s.store.View(c, func(tx *store.Tx) error {
		stage, err := getStage(tx, c, value(in.RestApiId), value(in.StageName))
		if err != nil {
			return err
		}
		deployment, err := getDeployment(tx, c, *in.RestApiId, value(stage.DeploymentId))
		if err != nil {
			return err
		}
		// Recorded: an API without a version has that of its deployment.
		o.Version = value(deployment.CreatedDate).UTC().Format(time.RFC3339)
		if doc, err = describe(tx.AsOf(deployment.Revision), c, *in.RestApiId); err != nil {
			return err
		}
		if o.Documentation = value(stage.DocumentationVersion) != ""; o.Documentation {
			return describeParts(tx, c, doc, *stage.DocumentationVersion)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	version, ending := o.Version, "json"
	if doc.Version != nil {
		version = *doc.Version
	}
	if o.YAML {
		ending = "yaml"
	}
	return &apigateway.ExportResponse{
		ContentType:        new("application/octet-stream"),
		ContentDisposition: new(fmt.Sprintf(`attachment; filename="%s_%s.%s"`, *in.ExportType, fileName(version), ending)),
		Body:               rest.Write(doc, o),
	}, nil
}

// fileName is a version as it can stand in the name of a file.
func fileName(version string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || strings.ContainsRune(`"\/`, c) {
			return '_'
		}
		return c
	}, version)
}

// exportOptions reads what an export is asked to be.
// UNVERIFIED: the words of its errors, and what AWS adds for Postman: here it is
// what is written without extensions.
func exportOptions(in *apigateway.GetExportRequest) (rest.WriteOptions, error) {
	var o rest.WriteOptions
	switch value(in.ExportType) {
	case exportOpenAPI:
	case exportSwagger:
		o.Swagger = true
	default:
		return o, badRequest("Invalid export type specified: %s. Must be one of [oas30, swagger]", value(in.ExportType))
	}
	switch accepts := value(in.Accepts); {
	case accepts == exportYAML:
		o.YAML = true
	case accepts == "" || accepts == exportJSON || strings.Contains(accepts, "*/*"):
	default:
		return o, badRequest("Invalid Accept header specified: %s. Must be one of [%s, %s]", accepts, exportJSON, exportYAML)
	}
	for extension := range strings.SplitSeq(in.Parameters[extensionsParameter], ",") {
		switch extension {
		case "":
		case "integrations":
			o.Integrations = true
		case "authorizers":
			o.Authorizers = true
		case "apigateway":
			o.All = true
		case "documentation":
			// The parts are written wherever the stage has a documentation version.
		case "postman":
			if !o.Swagger {
				return o, badRequest("The extension postman is only supported for the export type swagger")
			}
		default:
			return o, badRequest("Invalid extensions specified: %s. Must be of [integrations, authorizers, apigateway, postman, documentation]", extension)
		}
	}
	return o, nil
}

// describe gathers an API and what it has, without what AWS gives by default.
func describe(tx *store.Tx, c *awswire.Call, apiID string) (*rest.API, error) {
	api, err := getAPI(tx, c, apiID)
	if err != nil {
		return nil, err
	}
	doc := &rest.API{RestApi: withoutDefaults(api.RestApi)}
	validators, authorizers := map[string]string{}, map[string]string{}
	for e, err := range definition.RequestValidators.All(tx, scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		validators[*e.Doc.Id] = *e.Doc.Name
		doc.Validators = append(doc.Validators, &e.Doc.RequestValidator)
	}
	for e, err := range definition.RestAuthorizers.All(tx, scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		authorizers[*e.Doc.Id] = *e.Doc.Name
		doc.Authorizers = append(doc.Authorizers, &e.Doc.Authorizer)
	}
	for e, err := range definition.RestModels.All(tx, scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		doc.Models = append(doc.Models, &rest.Model{Model: e.Doc.Model})
	}
	for e, err := range definition.GatewayResponses.All(tx, scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		doc.GatewayResponses = append(doc.GatewayResponses, &e.Doc.GatewayResponse)
	}
	// Ids are random, and exports of equal APIs should be the same.
	slices.SortFunc(doc.Validators, func(a, b *apigateway.RequestValidator) int { return strings.Compare(*a.Name, *b.Name) })
	slices.SortFunc(doc.Authorizers, func(a, b *apigateway.Authorizer) int { return strings.Compare(*a.Name, *b.Name) })
	parents := map[string]bool{}
	var resources []*definition.Resource
	for e, err := range definition.Resources.All(tx, scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		parents[value(e.Doc.ParentId)] = true
		resources = append(resources, e.Doc)
	}
	for _, resource := range resources {
		// A resource that is there for those below it is in their paths.
		if len(resource.ResourceMethods) > 0 || !parents[*resource.Id] && resource.ParentId != nil {
			doc.Resources = append(doc.Resources, describeResource(resource, validators, authorizers))
		}
	}
	return doc, nil
}

func describeResource(resource *definition.Resource, validators, authorizers map[string]string) *rest.Resource {
	described := &rest.Resource{Path: *resource.Path}
	for _, method := range resource.ResourceMethods {
		if in := method.MethodIntegration; in != nil {
			integration := integrationWithoutDefaults(*in, *resource.Id)
			method.MethodIntegration = &integration
		}
		described.Methods = append(described.Methods, &rest.Method{
			Method: method, Validator: validators[value(method.RequestValidatorId)], Authorizer: authorizers[value(method.AuthorizerId)],
		})
	}
	return described
}

// describeParts adds the documentation parts of a version.
func describeParts(tx *store.Tx, c *awswire.Call, doc *rest.API, name string) error {
	version, err := getVersion(tx, c, *doc.Id, name)
	if err != nil {
		return err
	}
	doc.DocumentationVersion = name
	for e, err := range definition.DocumentationParts.All(tx.AsOf(version.Revision), scope(c), *doc.Id) {
		if err != nil {
			return err
		}
		doc.Parts = append(doc.Parts, &e.Doc.DocumentationPart)
	}
	slices.SortFunc(doc.Parts, func(a, b *apigateway.DocumentationPart) int {
		return strings.Compare(locationText(a.Location), locationText(b.Location))
	})
	return nil
}

// withoutDefaults leaves out what recorded exports don't have.
// UNVERIFIED: that exports tell the type of an endpoint that isn't EDGE.
func withoutDefaults(api apigateway.RestApi) apigateway.RestApi {
	if value(api.ApiKeySource) == apigateway.ApiKeySourceTypeHeader {
		api.ApiKeySource = nil
	}
	if !value(api.DisableExecuteApiEndpoint) {
		api.DisableExecuteApiEndpoint = nil
	}
	if api.EndpointConfiguration == nil {
		return api
	}
	endpoint := *api.EndpointConfiguration
	if usual := endpointOf(&apigateway.EndpointConfiguration{Types: endpoint.Types}); value(usual.IpAddressType) == value(endpoint.IpAddressType) {
		endpoint.IpAddressType = nil
	}
	if len(endpoint.Types) == 1 && endpoint.Types[0] == apigateway.EndpointTypeEdge {
		endpoint.Types = nil
	}
	api.EndpointConfiguration = &endpoint
	return api
}

// integrationWithoutDefaults is withoutDefaults for an integration.
func integrationWithoutDefaults(in apigateway.Integration, resourceID string) apigateway.Integration {
	if value(in.CacheNamespace) == resourceID {
		in.CacheNamespace = nil
	}
	if value(in.TimeoutInMillis) == maxTimeoutMillis {
		in.TimeoutInMillis = nil
	}
	if value(in.ConnectionType) == apigateway.ConnectionTypeInternet {
		in.ConnectionType = nil
	}
	return in
}
