package apigatewayv2

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/definition"
	"gatehouse/internal/openapi"
	"gatehouse/internal/store"
)

// ImportApi makes an API of an OpenAPI document, without a stage.
func (s *Service) ImportApi(c *awswire.Call, in *apigatewayv2.ImportApiRequest) (*apigatewayv2.ImportApiResponse, error) {
	doc, err := readDocument(c, in.Body, in.Basepath)
	if err != nil {
		return nil, err
	}
	api := &definition.API{Api: doc.API}
	api.Tags = nil
	setDefaults(c, api)
	if err := s.checkAPI(api); err != nil {
		return nil, err
	}
	if err := setTags(&api.Tags, doc.API.Tags); err != nil {
		return nil, err
	}
	i := s.newImport(c, "ImportApi", doc)
	err = s.store.Update(c, func(tx *store.Tx) error {
		id, err := s.claimID(tx, c, api.Tags[apiid.CustomTag])
		if err != nil {
			return err
		}
		api.ApiId = &id
		if err := i.prepare(tx, id, value(in.FailOnWarnings)); err != nil {
			return err
		}
		if err := definition.APIs.Put(tx, scope(c), api, id); err != nil {
			return err
		}
		return i.store(tx)
	})
	if err != nil {
		return nil, err
	}
	out := answer[apigatewayv2.ImportApiResponse](s.apiView(api))
	out.ImportInfo, out.Warnings = doc.Info, i.warnings
	return out, nil
}

// ReimportApi makes an API what an OpenAPI document says, and deploys it where
// that is automatic. What the document doesn't change keeps its ids.
func (s *Service) ReimportApi(c *awswire.Call, in *apigatewayv2.ReimportApiRequest) (*apigatewayv2.ReimportApiResponse, error) {
	doc, err := readDocument(c, in.Body, in.Basepath)
	if err != nil {
		return nil, err
	}
	i := s.newImport(c, "ReimportApi", doc)
	var api *definition.API
	err = s.store.Update(c, func(tx *store.Tx) (err error) {
		if api, err = getAPI(tx, c, value(in.ApiId)); err != nil {
			return err
		}
		if !isHTTP(api) {
			// UNVERIFIED: the words.
			return badRequest("Importing an API definition is only supported for HTTP APIs")
		}
		if err := s.redefine(api, &doc.API); err != nil {
			return err
		}
		if err := i.load(tx, *api.ApiId); err != nil {
			return err
		}
		if err := i.prepare(tx, *api.ApiId, value(in.FailOnWarnings)); err != nil {
			return err
		}
		if quick := api.QuickCreate; quick != nil && !(i.keepsRoute(quick.RouteID) && i.keepsIntegration(quick.IntegrationID)) {
			api.QuickCreate = nil
		}
		if err := definition.APIs.Put(tx, scope(c), api, *api.ApiId); err != nil {
			return err
		}
		if err := i.store(tx); err != nil || len(tx.Changes()) == 0 {
			return err
		}
		return s.autoDeploy(tx, c, *api.ApiId)
	})
	if err != nil {
		return nil, err
	}
	out := answer[apigatewayv2.ReimportApiResponse](s.apiView(api))
	out.ImportInfo, out.Warnings = doc.Info, i.warnings
	return out, nil
}

// redefine gives an API what a document says of it. A document without a title,
// tags or a server that closes the endpoint leaves these as they are, which for
// the last two is UNVERIFIED; what else it doesn't say goes.
func (s *Service) redefine(api *definition.API, document *apigatewayv2.Api) error {
	api.Description, api.Version, api.CorsConfiguration = document.Description, document.Version, document.CorsConfiguration
	if document.Name != nil {
		api.Name = document.Name
	}
	if document.DisableExecuteApiEndpoint != nil {
		api.DisableExecuteApiEndpoint = document.DisableExecuteApiEndpoint
	}
	if document.Tags != nil {
		api.Tags = nil
	}
	if err := setTags(&api.Tags, document.Tags); err != nil {
		return err
	}
	return s.checkAPI(api)
}

// readDocument reads the document of an import.
func readDocument(c *awswire.Call, body, basePath *string) (*openapi.Document, error) {
	switch value(basePath) {
	case "", openapi.BasePathIgnore, openapi.BasePathPrepend, openapi.BasePathSplit:
	default:
		// UNVERIFIED: the words.
		return nil, badRequest("Invalid value for basepath: %s. Must be one of [ignore, prepend, split]", *basePath)
	}
	doc, err := openapi.Read(value(body), openapi.Options{
		BasePath: value(basePath), Partition: arn.Partition(c.Region), Region: c.Region, Account: c.Account,
	})
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return doc, nil
}

// An importation makes an API's authorizers, integrations and routes those of a
// document: load reads what is there, prepare checks and gives ids, store
// writes. What a create would refuse is left out with a warning, as AWS does; a
// route whose authorizer was left out is left out, too.
type importation struct {
	service   *Service
	call      *awswire.Call
	operation string
	apiID     string
	doc       *openapi.Document
	warnings  []string

	// What is there: authorizers by name, integrations by id, routes by key.
	oldAuthorizers  map[string]*definition.Authorizer
	oldIntegrations map[string]*definition.Integration
	oldRoutes       map[string]*definition.Route

	// What is to be there.
	authorizers  map[*openapi.Authorizer]*definition.Authorizer
	integrations map[*openapi.Integration]*definition.Integration
	routes       []*definition.Route
	// ids are those taken, of any kind.
	ids map[string]bool
}

func (s *Service) newImport(c *awswire.Call, operation string, doc *openapi.Document) *importation {
	return &importation{
		service: s, call: c, operation: operation, doc: doc, warnings: doc.Warnings,
		oldAuthorizers: map[string]*definition.Authorizer{}, oldIntegrations: map[string]*definition.Integration{}, oldRoutes: map[string]*definition.Route{},
		authorizers: map[*openapi.Authorizer]*definition.Authorizer{}, integrations: map[*openapi.Integration]*definition.Integration{},
		ids: map[string]bool{},
	}
}

// load reads what the API has.
func (i *importation) load(tx *store.Tx, apiID string) error {
	at := scope(i.call)
	for e, err := range definition.Authorizers.All(tx, at, apiID) {
		if err != nil {
			return err
		}
		i.oldAuthorizers[*e.Doc.Name] = e.Doc
		i.ids[e.ID[1]] = true
	}
	for e, err := range definition.Integrations.All(tx, at, apiID) {
		if err != nil {
			return err
		}
		i.oldIntegrations[e.ID[1]] = e.Doc
		i.ids[e.ID[1]] = true
	}
	for e, err := range definition.Routes.All(tx, at, apiID) {
		if err != nil {
			return err
		}
		i.oldRoutes[*e.Doc.RouteKey] = e.Doc
		i.ids[e.ID[1]] = true
	}
	return nil
}

// prepare decides what is to be there. It writes nothing.
func (i *importation) prepare(tx *store.Tx, apiID string, failOnWarnings bool) error {
	i.apiID = apiID
	for _, a := range i.doc.Authorizers {
		if err := i.prepareAuthorizer(a); err != nil {
			return err
		}
	}
	for _, integration := range i.doc.Integrations {
		if err := i.prepareIntegration(tx, integration); err != nil {
			return err
		}
	}
	i.keepIntegrations()
	for _, in := range i.doc.Integrations {
		if integration := i.integrations[in]; integration != nil && integration.IntegrationId == nil {
			if err := i.newID(&integration.IntegrationId, childIDLength); err != nil {
				return err
			}
		}
	}
	keys := make(map[string]bool, len(i.doc.Routes))
	for _, route := range i.doc.Routes {
		if err := i.prepareRoute(route, keys); err != nil {
			return err
		}
	}
	if failOnWarnings && len(i.warnings) > 0 {
		return badRequest("Warnings found during import:\n\t%s", strings.Join(i.warnings, "\n\t"))
	}
	return nil
}

func (i *importation) prepareAuthorizer(a *openapi.Authorizer) error {
	authorizer := &definition.Authorizer{Authorizer: a.Authorizer}
	if left, err := i.leaveOut(i.service.checkAuthorizer(authorizer), a); left || err != nil {
		return err
	}
	if old := i.oldAuthorizers[*a.Name]; old != nil {
		authorizer.AuthorizerId = old.AuthorizerId
	} else if err := i.newID(&authorizer.AuthorizerId, authorizerIDLength); err != nil {
		return err
	}
	i.authorizers[a] = authorizer
	return nil
}

func (i *importation) prepareIntegration(tx *store.Tx, in *openapi.Integration) error {
	integration := &definition.Integration{Integration: in.Integration}
	err := refuse(i.operation, &integration.Integration, integrationLater...)
	if err == nil {
		err = i.service.checkIntegration(tx, i.call, i.operation, integration)
	}
	if left, err := i.leaveOut(err, in); left || err != nil {
		return err
	}
	i.integrations[in] = integration
	return nil
}

// keepIntegrations finds, for integrations of the document, the ones that are
// there in their place: the one whose id an export has noted, the one that the
// same route has now, or one that is just the same.
// UNVERIFIED: whether AWS keeps any ids.
func (i *importation) keepIntegrations() {
	if len(i.oldIntegrations) == 0 {
		return
	}
	left := maps.Clone(i.oldIntegrations)
	keep := func(in *openapi.Integration, id string) {
		integration, old := i.integrations[in], left[id]
		if integration == nil || integration.IntegrationId != nil || old == nil {
			return
		}
		integration.IntegrationId, integration.ApiGatewayManaged = old.IntegrationId, old.ApiGatewayManaged
		delete(left, id)
	}
	for _, in := range i.doc.Integrations {
		keep(in, in.ExportedID)
	}
	for _, route := range i.doc.Routes {
		if old := i.oldRoutes[*route.RouteKey]; old != nil {
			keep(route.Integration, integrationID(old.Target))
		}
	}
	same := map[string]string{}
	for id, old := range left {
		same[fingerprint(old)] = id
	}
	for _, in := range i.doc.Integrations {
		if integration := i.integrations[in]; integration != nil && len(left) > 0 {
			keep(in, same[fingerprint(integration)])
		}
	}
}

// fingerprint is the same for integrations that differ in nothing but the id.
func fingerprint(integration *definition.Integration) string {
	anonymous := *integration
	anonymous.IntegrationId, anonymous.ApiGatewayManaged = nil, nil
	text, err := json.Marshal(anonymous)
	if err != nil {
		panic(err) // what is stored can be encoded
	}
	return string(text)
}

func (i *importation) prepareRoute(r *openapi.Route, keys map[string]bool) error {
	route := &definition.Route{Route: r.Route}
	if integration := i.integrations[r.Integration]; integration != nil {
		route.Target = new(targetPrefix + *integration.IntegrationId)
	}
	if r.Authorizer != nil {
		authorizer := i.authorizers[r.Authorizer]
		if authorizer == nil {
			i.warnings = append(i.warnings, r.Refused(openapi.NoAuthorizer(*r.AuthorizationType)))
			return nil
		}
		route.AuthorizerId = authorizer.AuthorizerId
	}
	err := checkRoute(route)
	if err == nil && keys[*route.RouteKey] {
		err = badRequest("Route with key %s already exists for this API", *route.RouteKey)
	}
	if left, err := i.leaveOut(err, r); left || err != nil {
		return err
	}
	keys[*route.RouteKey] = true
	if old := i.oldRoutes[*route.RouteKey]; old != nil {
		route.RouteId, route.ApiGatewayManaged = old.RouteId, old.ApiGatewayManaged
	} else if err := i.newID(&route.RouteId, childIDLength); err != nil {
		return err
	}
	i.routes = append(i.routes, route)
	return nil
}

// leaveOut turns what a create would refuse into a warning and tells whether
// there was one. What the gateway doesn't do yet ends the import.
func (i *importation) leaveOut(err error, what interface{ Refused(reason string) string }) (bool, error) {
	var refused *awswire.Error
	switch {
	case !errors.As(err, &refused):
		return false, err
	case refused.Status == http.StatusBadRequest:
		i.warnings = append(i.warnings, what.Refused(refused.Message))
		return true, nil
	}
	where := *refused
	where.Message = strings.TrimSuffix(what.Refused(strings.TrimSuffix(refused.Message, ".")), " Ignoring.")
	return false, &where
}

// newID makes an id that nothing of the API has.
func (i *importation) newID(id **string, length int) error {
	made, err := i.service.freeID(length, func(id string) (bool, error) { return i.ids[id], nil })
	if err != nil {
		return err
	}
	i.ids[made] = true
	*id = &made
	return nil
}

func (i *importation) keepsRoute(id string) bool {
	return slices.ContainsFunc(i.routes, func(r *definition.Route) bool { return *r.RouteId == id })
}

func (i *importation) keepsIntegration(id string) bool {
	for _, integration := range i.integrations {
		if *integration.IntegrationId == id {
			return true
		}
	}
	return false
}

// store writes what prepare decided, in an order in which every reference leads
// somewhere at any time.
func (i *importation) store(tx *store.Tx) error {
	at, kept := scope(i.call), map[string]bool{}
	for _, a := range i.doc.Authorizers {
		if authorizer := i.authorizers[a]; authorizer != nil {
			kept[*authorizer.AuthorizerId] = true
			if err := definition.Authorizers.Put(tx, at, authorizer, i.apiID, *authorizer.AuthorizerId); err != nil {
				return err
			}
		}
	}
	for _, in := range i.doc.Integrations {
		if integration := i.integrations[in]; integration != nil {
			kept[*integration.IntegrationId] = true
			if err := definition.Integrations.Put(tx, at, integration, i.apiID, *integration.IntegrationId); err != nil {
				return err
			}
		}
	}
	for _, route := range i.routes {
		kept[*route.RouteId] = true
		if err := i.service.putRoute(tx, i.call, i.apiID, i.oldRoutes[*route.RouteKey], route); err != nil {
			return err
		}
	}
	for _, old := range i.oldRoutes {
		if !kept[*old.RouteId] {
			if err := i.service.putRoute(tx, i.call, i.apiID, old, nil); err != nil {
				return err
			}
		}
	}
	for id := range i.oldIntegrations {
		if !kept[id] {
			if err := definition.Integrations.Delete(tx, at, i.apiID, id); err != nil {
				return err
			}
		}
	}
	for _, old := range i.oldAuthorizers {
		if !kept[*old.AuthorizerId] {
			if err := definition.Authorizers.Delete(tx, at, i.apiID, *old.AuthorizerId); err != nil {
				return err
			}
		}
	}
	return nil
}
