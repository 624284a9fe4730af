package definition

import (
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/store"
)

// The documents of apigatewayv2. Ids begin with the API's id, which is also the
// root of pins: an API's versioned documents as of a revision are a deployment.

// An API is keyed {apiID}.
type API struct {
	apigatewayv2.Api
	// QuickCreate names what a quick create made; nil for other APIs.
	QuickCreate *QuickCreate `json:"_quickCreate,omitzero"`
}

// A QuickCreate names the managed parts of an API made by a quick create.
type QuickCreate struct {
	IntegrationID string `json:"integration"`
	RouteID       string `json:"route"`
}

// APIs is the kind of API.
var APIs = store.Kind[API]{Name: "apigatewayv2/api", Versioned: true, Version: 1}

// A Route is keyed {apiID, routeID}.
type Route struct{ apigatewayv2.Route }

// Routes is the kind of Route.
var Routes = store.Kind[Route]{Name: "apigatewayv2/route", Versioned: true, Version: 1}

// An Integration is keyed {apiID, integrationID}.
type Integration struct{ apigatewayv2.Integration }

// Integrations is the kind of Integration.
var Integrations = store.Kind[Integration]{Name: "apigatewayv2/integration", Versioned: true, Version: 1}

// An Authorizer is keyed {apiID, authorizerID}.
type Authorizer struct{ apigatewayv2.Authorizer }

// Authorizers is the kind of Authorizer.
var Authorizers = store.Kind[Authorizer]{Name: "apigatewayv2/authorizer", Versioned: true, Version: 1}

// A Model is keyed {apiID, modelID}.
type Model struct{ apigatewayv2.Model }

// Models is the kind of Model.
var Models = store.Kind[Model]{Name: "apigatewayv2/model", Versioned: true, Version: 1}

// A RouteResponse is keyed {apiID, routeID, routeResponseID}.
type RouteResponse struct{ apigatewayv2.RouteResponse }

// RouteResponses is the kind of RouteResponse.
var RouteResponses = store.Kind[RouteResponse]{Name: "apigatewayv2/route-response", Versioned: true, Version: 1}

// An IntegrationResponse is keyed {apiID, integrationID, integrationResponseID}.
type IntegrationResponse struct {
	apigatewayv2.IntegrationResponse
}

// IntegrationResponses is the kind of IntegrationResponse.
var IntegrationResponses = store.Kind[IntegrationResponse]{Name: "apigatewayv2/integration-response", Versioned: true, Version: 1}

// A Stage is keyed {apiID, stageName}.
type Stage struct {
	apigatewayv2.Stage
	// Superseded are the ids of the deployments that auto-deploy made for this
	// stage and has moved on from, oldest first.
	Superseded []string `json:"_superseded,omitzero"`
}

// Stages is the kind of Stage.
var Stages = store.Kind[Stage]{Name: "apigatewayv2/stage", Version: 1}

// A Deployment is keyed {apiID, deploymentID}.
type Deployment struct {
	apigatewayv2.Deployment
	// Revision is the store revision whose versioned documents this deployment
	// is; it is pinned as long as the deployment exists. Zero for a failed one,
	// which has nothing to serve.
	Revision int64 `json:"_revision,omitzero"`
}

// Deployments is the kind of Deployment.
var Deployments = store.Kind[Deployment]{Name: "apigatewayv2/deployment", Version: 1}

// A Reference is an entry of an index: what matters is its key.
type Reference struct {
	ID string `json:"id,omitzero"`
}

// RouteKeys is an index keyed {apiID, routeKey} that names the route: a route
// key is unique in its API.
var RouteKeys = store.Kind[Reference]{Name: "apigatewayv2/route-key", Version: 1}

// RouteTargets is an index keyed {apiID, integrationID, routeID}: an
// integration that a route uses can't be deleted.
var RouteTargets = store.Kind[Reference]{Name: "apigatewayv2/route-target", Version: 1}

// RouteAuthorizers is an index keyed {apiID, authorizerID, routeID}: an
// authorizer that a route uses can't be deleted.
var RouteAuthorizers = store.Kind[Reference]{Name: "apigatewayv2/route-authorizer", Version: 1}

// APIOwners is an index keyed {apiID} in no scope: whose API has an id, over
// all accounts, regions and API types.
var APIOwners = store.Kind[Reference]{Name: "execute-api/id", Version: 1}
