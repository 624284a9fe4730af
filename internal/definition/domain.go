package definition

import (
	"slices"
	"strings"

	"gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/store"
)

// Custom domain names belong to no API: both faces of API Gateway show the same
// ones, apigateway with base path mappings and apigatewayv2 with API mappings,
// which are one thing, too.

// A Domain is keyed {name}, in lower case; the name of a private one others may have,
// too. Its shape is apigateway's, which has
// every member that apigatewayv2's has under other names.
type Domain struct {
	apigateway.DomainName
	// Truststore names the copy of the truststore that was read for the domain, ""
	// in what an older release stored.
	Truststore string `json:"_truststore,omitzero"`
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

// DomainTargets is an index keyed {apiID, domain, id} of what leads to an API: id
// is that of a mapping or of a routing rule, and the Reference the stage, "" for
// any.
var DomainTargets = store.Kind[Reference]{Name: "apigateway/domain-target", Version: 1}

// DomainCertificates is an index keyed {certificateARN, name} in no account of
// the domains that use a certificate; the Reference is the domain's ARN.
var DomainCertificates = store.Kind[Reference]{Name: "apigateway/domain-certificate", Version: 1}

// CertificateUses returns the ARNs of the custom domain names that use a
// certificate.
func CertificateUses(tx *store.Tx, certificateARN string) ([]string, error) {
	var arns []string
	for e, err := range DomainCertificates.All(tx, store.Scope{}, certificateARN) {
		if err != nil {
			return nil, err
		}
		arns = append(arns, e.Doc.ID)
	}
	return arns, nil
}

// An AccessAssociation lets a VPC endpoint reach a private domain. It is keyed
// {id}, the last part of its ARN.
type AccessAssociation struct {
	apigateway.DomainNameAccessAssociation
}

// AccessAssociations is the kind of AccessAssociation.
var AccessAssociations = store.Kind[AccessAssociation]{Name: "apigateway/domain-access-association", Version: 1}

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
	// Exported is set once its private key was handed out.
	Exported bool `json:"_exported,omitzero"`
}

// Covers tells whether a certificate is for a domain name in lower case, which may
// begin with a star: such a name needs a certificate with the same. The star of a
// certificate is one label.
func (c *Certificate) Covers(name string) bool {
	first, parent, _ := strings.Cut(name, ".")
	covers := func(covering string) bool {
		covering = strings.ToLower(covering)
		return covering == name || first != "*" && parent != "" && covering == "*."+parent
	}
	return c.DomainName != nil && covers(*c.DomainName) || slices.ContainsFunc(c.SubjectAlternativeNames, covers)
}

// Certificates is the kind of Certificate.
var Certificates = store.Kind[Certificate]{Name: "acm/certificate", Sealed: true, Version: 1}
