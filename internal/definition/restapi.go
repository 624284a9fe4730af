package definition

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/store"
)

// The documents of apigateway, which are those of REST APIs. Ids begin with the
// API's id, which is also the root of pins: the versioned documents of an API as
// of a revision are a deployment.

// A RestAPI is keyed {apiID}.
type RestAPI struct {
	apigateway.RestApi
	// EndpointDisabled is DisableExecuteApiEndpoint as of the latest deployment:
	// that, of whatever stage, puts it in force for all stages.
	EndpointDisabled bool `json:"_endpointDisabled,omitzero"`
}

// RestAPIs is the kind of RestAPI.
var RestAPIs = store.Kind[RestAPI]{Name: "apigateway/restapi", Versioned: true, Version: 1}

// A Resource is keyed {apiID, resourceID}. It holds its methods whole, with
// their integrations and responses: there are eight at most, and they are
// compiled together.
type Resource struct{ apigateway.Resource }

// Resources is the kind of Resource.
var Resources = store.Kind[Resource]{Name: "apigateway/resource", Versioned: true, Version: 1}

// ResourceNames is an index keyed {apiID, parentID, pathPart} that names the
// resource: path parts are unique among siblings.
var ResourceNames = store.Kind[Reference]{Name: "apigateway/resource-name", Version: 1}

// A RestModel is keyed {apiID, name}.
type RestModel struct{ apigateway.Model }

// RestModels is the kind of RestModel.
var RestModels = store.Kind[RestModel]{Name: "apigateway/model", Versioned: true, Version: 1}

// A RequestValidator is keyed {apiID, validatorID}.
type RequestValidator struct{ apigateway.RequestValidator }

// RequestValidators is the kind of RequestValidator.
var RequestValidators = store.Kind[RequestValidator]{Name: "apigateway/request-validator", Versioned: true, Version: 1}

// A RestAuthorizer is keyed {apiID, authorizerID}.
type RestAuthorizer struct{ apigateway.Authorizer }

// RestAuthorizers is the kind of RestAuthorizer.
var RestAuthorizers = store.Kind[RestAuthorizer]{Name: "apigateway/authorizer", Versioned: true, Version: 1}

// A GatewayResponse is keyed {apiID, responseType}; only those that were put
// are stored.
type GatewayResponse struct{ apigateway.GatewayResponse }

// GatewayResponses is the kind of GatewayResponse.
var GatewayResponses = store.Kind[GatewayResponse]{Name: "apigateway/gateway-response", Versioned: true, Version: 1}

// A DocumentationPart is keyed {apiID, partID}.
type DocumentationPart struct{ apigateway.DocumentationPart }

// DocumentationParts is the kind of DocumentationPart.
var DocumentationParts = store.Kind[DocumentationPart]{Name: "apigateway/documentation-part", Versioned: true, Version: 1}

// A DocumentationVersion is keyed {apiID, version}.
type DocumentationVersion struct {
	apigateway.DocumentationVersion
	// Revision is the store revision whose documentation parts this version is;
	// it is pinned as long as the version exists.
	Revision int64 `json:"_revision,omitzero"`
}

// DocumentationVersions is the kind of DocumentationVersion.
var DocumentationVersions = store.Kind[DocumentationVersion]{Name: "apigateway/documentation-version", Version: 1}

// A RestDeployment is keyed {apiID, deploymentID}.
type RestDeployment struct {
	apigateway.Deployment
	// Revision is the store revision whose versioned documents this deployment
	// is; it is pinned as long as the deployment exists.
	Revision int64 `json:"_revision,omitzero"`
}

// RestDeployments is the kind of RestDeployment.
var RestDeployments = store.Kind[RestDeployment]{Name: "apigateway/deployment", Version: 1}

// A RestStage is keyed {apiID, stageName}.
type RestStage struct {
	apigateway.Stage
	// CacheSince is the store revision in which the stage got its cache, as it has
	// it now: with another size, or after it had none, it is another one.
	CacheSince int64 `json:"_cacheSince,omitzero"`
}

// RestStages is the kind of RestStage.
var RestStages = store.Kind[RestStage]{Name: "apigateway/stage", Version: 1}

// An Account has no key of its own: there is one in an account and region.
type Account struct{ apigateway.Account }

// Accounts is the kind of Account, keyed {AccountKey}.
var Accounts = store.Kind[Account]{Name: "apigateway/account", Version: 1}

// AccountKey is the key of the one Account.
const AccountKey = "account"

// An APIKey is keyed {keyID}.
type APIKey struct{ apigateway.ApiKey }

// APIKeys is the kind of APIKey; a key's value is a secret.
var APIKeys = store.Kind[APIKey]{Name: "apigateway/api-key", Sealed: true, Version: 1}

// A ClientCertificate is keyed {certificateID}.
type ClientCertificate struct {
	apigateway.ClientCertificate
	// PrivateKey is the PEM of the key, with which the gateway shows itself to
	// backends.
	PrivateKey string `json:"_privateKey,omitzero"`
}

// ClientCertificates is the kind of ClientCertificate.
var ClientCertificates = store.Kind[ClientCertificate]{Name: "apigateway/client-certificate", Sealed: true, Version: 1}
