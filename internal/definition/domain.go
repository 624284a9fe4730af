package definition

import (
	"gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/store"
)

// Custom domain names belong to no API: both faces of API Gateway show the same
// ones, apigateway with base path mappings and apigatewayv2 with API mappings,
// which are one thing, too.

// A Domain is keyed {name}, in lower case. Its shape is apigateway's, which has
// every member that apigatewayv2's has under other names.
type Domain struct {
	apigateway.DomainName
}

// Domains is the kind of Domain.
var Domains = store.Kind[Domain]{Name: "apigateway/domain", Version: 1}

// DomainOwners is an index keyed {name} in no account: a name is one domain's,
// whichever account or region that is in.
var DomainOwners = store.Kind[Reference]{Name: "execute-api/domain", Version: 1}

// A DomainMapping is keyed {domain, mappingID}. Its key is "" for the empty one.
type DomainMapping struct{ apigatewayv2.ApiMapping }

// DomainMappings is the kind of DomainMapping.
var DomainMappings = store.Kind[DomainMapping]{Name: "apigateway/domain-mapping", Version: 1}

// A RoutingRule is keyed {domain, ruleID}.
type RoutingRule struct{ apigatewayv2.RoutingRule }

// RoutingRules is the kind of RoutingRule.
var RoutingRules = store.Kind[RoutingRule]{Name: "apigateway/routing-rule", Version: 1}

// A Certificate is keyed {certificateID}, the last part of its ARN. InUseBy is
// computed when it is shown.
type Certificate struct {
	acm.CertificateDetail
	// Body, Chain and PrivateKey are PEM; "" until the certificate is issued.
	Body       string            `json:"_body,omitzero"`
	Chain      string            `json:"_chain,omitzero"`
	PrivateKey string            `json:"_privateKey,omitzero"`
	Tags       map[string]string `json:"_tags,omitzero"`
}

// Certificates is the kind of Certificate.
var Certificates = store.Kind[Certificate]{Name: "acm/certificate", Sealed: true, Version: 1}
