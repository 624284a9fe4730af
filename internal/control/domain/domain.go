package domain

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// Options are what Names work with.
type Options struct {
	// Reserved tells that the gateway itself is called by a name, or by one that
	// a name with a star stands for. nil reserves none.
	Reserved func(name string) bool
	// Truststore reads whom clients' certificates have to be of, keeps a copy and
	// names it, and says what is wrong with some of it; its errors are for who
	// asked, but for a Failure. nil refuses mutual TLS.
	Truststore func(ctx context.Context, uri, version string) (copied string, warnings []string, err error)
	// Rand yields the randomness of ids.
	Rand io.Reader
}

// Names are the operations on custom domain names. They work within the
// transactions of the face that was called; errors are *Error or the store's.
type Names struct {
	reserved   func(name string) bool
	truststore func(ctx context.Context, uri, version string) (string, []string, error)
	rand       io.Reader
}

// New makes Names.
func New(o Options) *Names {
	return &Names{reserved: o.Reserved, truststore: o.Truststore, rand: o.Rand}
}

func scope(c *awswire.Call) store.Scope { return store.Scope{Account: c.Account, Region: c.Region} }

// has tells whether a domain has an endpoint type.
func has(d *definition.Domain, endpointType string) bool {
	return d.EndpointConfiguration != nil && slices.Contains(d.EndpointConfiguration.Types, endpointType)
}

// IsPrivate tells whether a domain is a private one.
func IsPrivate(d *definition.Domain) bool { return has(d, apigateway.EndpointTypePrivate) }

// A Truststore is what was read of one: before the transaction, which doesn't wait
// for a store of other people's.
type Truststore struct {
	uri, version, copied string
	warnings             []string
}

// Read reads the truststore of a domain where it isn't the one it had; old is nil
// for a new domain.
func (n *Names) Read(c *awswire.Call, old, d *definition.Domain) (Truststore, error) {
	mutual := d.MutualTlsAuthentication
	if mutual == nil || value(mutual.TruststoreUri) == "" {
		return Truststore{}, nil
	}
	read := Truststore{uri: *mutual.TruststoreUri, version: value(mutual.TruststoreVersion)}
	if kept, ok := truststoreOf(old); ok && kept.uri == read.uri && kept.version == read.version {
		return kept, nil
	}
	if n.truststore == nil {
		return Truststore{}, awswire.NotImplemented("apigateway", "a domain name with mutual TLS")
	}
	if err := requireCertificates(c, "AddCertificateToDomain", old); err != nil {
		return Truststore{}, err
	}
	var err error
	read.copied, read.warnings, err = n.truststore(c, read.uri, read.version)
	switch _, failed := errors.AsType[*Failure](err); {
	case failed:
		return Truststore{}, err
	case err != nil:
		return Truststore{}, badRequest("%s", err.Error())
	}
	return read, nil
}

// requireCertificates asks whether the caller may give a domain other clients, by one
// of the two actions beside those of its method that API Gateway has for this. d is
// the domain as it was, nil for a new one.
// UNVERIFIED: that a truststore which takes the place of another one is only added.
func requireCertificates(c *awswire.Call, action string, d *definition.Domain) error {
	a := arn.ARN{Partition: arn.Partition(c.Region), Service: "apigateway", Region: c.Region, Resource: "/domainnames"}
	if d != nil {
		a.Resource += "/" + Name(d)
	}
	return c.Require("apigateway:"+action, a.String())
}

func truststoreOf(d *definition.Domain) (Truststore, bool) {
	if d == nil || d.MutualTlsAuthentication == nil {
		return Truststore{}, false
	}
	mutual := d.MutualTlsAuthentication
	return Truststore{value(mutual.TruststoreUri), value(mutual.TruststoreVersion), d.Truststore, mutual.TruststoreWarnings}, true
}

// Create stores a new domain of what its maker says, and fills in the rest. read
// is the domain's truststore.
func (n *Names) Create(tx *store.Tx, c *awswire.Call, d *definition.Domain, read Truststore) error {
	name := Lower(Name(d))
	if err := n.checkName(name); err != nil {
		return err
	}
	d.DomainName.DomainName = &name
	if err := n.complete(tx, c, nil, d, read); err != nil {
		return err
	}
	if taken, err := definition.Domains.Exists(tx, scope(c), name); err != nil {
		return err
	} else if taken {
		return badRequest("The domain name you provided already exists.")
	}
	if !IsPrivate(d) {
		if err := claim(tx, scope(c), name); err != nil {
			return err
		}
	}
	if err := indexCertificates(tx, nil, d); err != nil {
		return err
	}
	return definition.Domains.Put(tx, scope(c), d, name)
}

// Get reads a domain. id is that of a private one, which isn't found without it.
func (n *Names) Get(tx *store.Tx, c *awswire.Call, name string, id *string) (*definition.Domain, error) {
	d, err := definition.Domains.Get(tx, scope(c), Lower(name))
	if err != nil {
		return nil, missing(err, unknownDomain)
	}
	if value(d.DomainNameId) != value(id) {
		return nil, notFound(unknownDomain)
	}
	return d, nil
}

// Update stores what became of a domain; read is its truststore.
func (n *Names) Update(tx *store.Tx, c *awswire.Call, old, d *definition.Domain, read Truststore) error {
	if old.MutualTlsAuthentication != nil && d.MutualTlsAuthentication == nil {
		if err := requireCertificates(c, "RemoveCertificateFromDomain", old); err != nil {
			return err
		}
	}
	if err := n.complete(tx, c, old, d, read); err != nil {
		return err
	}
	if err := n.checkTargets(tx, c, d); err != nil {
		return err
	}
	if err := indexCertificates(tx, old, d); err != nil {
		return err
	}
	return definition.Domains.Put(tx, scope(c), d, Name(d))
}

// Delete removes a domain and what it leads to: its mappings and rules.
func (n *Names) Delete(tx *store.Tx, c *awswire.Call, name string, id *string) error {
	d, err := n.Get(tx, c, name, id)
	if err != nil {
		return err
	}
	if d.MutualTlsAuthentication != nil {
		if err := requireCertificates(c, "RemoveCertificateFromDomain", d); err != nil {
			return err
		}
	}
	at, name := scope(c), Name(d)
	for m, err := range definition.DomainMappings.All(tx, at, name) {
		if err != nil {
			return err
		}
		if err := dropTarget(tx, at, value(m.Doc.ApiId), name, m.ID[1]); err != nil {
			return err
		}
	}
	for r, err := range definition.RoutingRules.All(tx, at, name) {
		if err != nil {
			return err
		}
		if err := dropTarget(tx, at, ruleTarget(r.Doc), name, r.ID[1]); err != nil {
			return err
		}
	}
	if _, err := definition.DomainMappings.DeleteAll(tx, at, name); err != nil {
		return err
	}
	if _, err := definition.RoutingRules.DeleteAll(tx, at, name); err != nil {
		return err
	}
	if err := indexCertificates(tx, d, nil); err != nil {
		return err
	}
	if !IsPrivate(d) {
		if err := release(tx, name); err != nil {
			return err
		}
	}
	return definition.Domains.Delete(tx, at, name)
}

// complete checks a domain and fills in what is the service's to say. old is what
// it was, nil for a new one.
func (n *Names) complete(tx *store.Tx, c *awswire.Call, old, d *definition.Domain, read Truststore) error {
	if d.EndpointConfiguration == nil {
		d.EndpointConfiguration = &apigateway.EndpointConfiguration{}
	}
	endpoint := *d.EndpointConfiguration
	if len(endpoint.Types) == 0 {
		endpoint.Types = []string{apigateway.EndpointTypeEdge}
	}
	d.EndpointConfiguration = &endpoint
	if err := checkEndpoint(old, d); err != nil {
		return err
	}
	if d.SecurityPolicy == nil {
		d.SecurityPolicy = new(apigateway.SecurityPolicyTLS12)
	}
	if value(d.EndpointAccessMode) == "" {
		d.EndpointAccessMode = nil
	}
	if err := checkPolicy(d); err != nil {
		return err
	}
	if d.RoutingMode == nil {
		d.RoutingMode = new(apigateway.RoutingModeBasePathMappingOnly)
	}
	if err := checkCertificates(tx, scope(c), old, d); err != nil {
		return err
	}
	if err := checkMutualTLS(d, read); err != nil {
		return err
	}
	return n.describe(c, old, d)
}

// checkEndpoint refuses endpoint types that can't be, or can't become.
func checkEndpoint(old, d *definition.Domain) error {
	endpoint := d.EndpointConfiguration
	private := IsPrivate(d)
	// UNVERIFIED: the words of these errors.
	switch {
	case private && len(endpoint.Types) > 1:
		return badRequest("A private domain name can't have another endpoint type.")
	case old != nil && private != IsPrivate(old):
		return badRequest("The endpoint type of a domain name can't be changed to or from PRIVATE.")
	case old != nil && value(old.EndpointAccessMode) == apigateway.EndpointAccessModeStrict && !slices.Equal(old.EndpointConfiguration.Types, endpoint.Types):
		return badRequest("Unable to update EndpointType. The endpoint access mode must be BASIC for EndpointType update.")
	case old != nil && len(old.EndpointConfiguration.Types) > 1 && value(old.SecurityPolicy) != value(d.SecurityPolicy):
		// That it is refused, the developer guide says, which changes the policy in the
		// call that adds the second type.
		return badRequest("The security policy of a domain name with several endpoint types can't be updated.")
	case len(endpoint.VpcEndpointIds) > 0:
		return badRequest("VPC endpoint IDs can only be specified for Private APIs.")
	case private && value(endpoint.IpAddressType) == apigateway.IpAddressTypeIpv4:
		return badRequest("Only dualstack ipAddressType is supported for private domain names.")
	case private && strings.HasPrefix(Name(d), "*."):
		return badRequest("Wildcard domain names are not supported for the endpoint type PRIVATE.")
	case !private && (d.Policy != nil || d.ManagementPolicy != nil):
		return badRequest("A policy can only be specified for private domain names.")
	}
	if endpoint.IpAddressType == nil {
		endpoint.IpAddressType = new(apigateway.IpAddressTypeIpv4)
		if private {
			endpoint.IpAddressType = new(apigateway.IpAddressTypeDualstack)
		}
	}
	return nil
}

// IsEnhanced tells that a security policy is one of those of 2025.
func IsEnhanced(policy string) bool { return strings.HasPrefix(policy, "SecurityPolicy_") }

// ModeRequired is AWS's answer to an enhanced security policy without an endpoint
// access mode, as REST APIs have been seen to give it.
const ModeRequired = "Endpoint access mode is required for the specified security policy"

// checkPolicy refuses a security policy that an endpoint type hasn't.
// UNVERIFIED: the words of these errors, but for ModeRequired.
func checkPolicy(d *definition.Domain) error {
	policy := *d.SecurityPolicy
	enhanced, edge := IsEnhanced(policy), strings.HasSuffix(policy, "_EDGE")
	switch {
	case d.MutualTlsAuthentication != nil && value(d.EndpointAccessMode) != "":
		// As AWS words it when a domain is changed; it goes before what is wrong with
		// the policy.
		return badRequest("/endpointAccessMode Invalid request input")
	case enhanced && value(d.EndpointAccessMode) == "":
		return badRequest(ModeRequired)
	case !enhanced && value(d.EndpointAccessMode) != "":
		return badRequest("Endpoint access mode is not supported for the specified security policy")
	case enhanced && edge && !has(d, apigateway.EndpointTypeEdge), enhanced && !edge && len(d.EndpointConfiguration.Types) == 1 && has(d, apigateway.EndpointTypeEdge):
		// Of two types one has it: the developer guide moves such domains.
		return badRequest("The security policy %s is not supported for the endpoint type %s.", policy, strings.Join(d.EndpointConfiguration.Types, ","))
	case IsPrivate(d) && policy == apigateway.SecurityPolicyTLS10:
		return badRequest("The security policy TLS_1_0 is not supported for private domain names.")
	}
	return nil
}

// checkMutualTLS refuses mutual TLS where it can't be, and notes what is wrong with
// the truststore.
func checkMutualTLS(d *definition.Domain, read Truststore) error {
	if d.MutualTlsAuthentication == nil {
		d.Truststore = ""
		return nil
	}
	mutual := *d.MutualTlsAuthentication
	// UNVERIFIED: the words of these errors.
	switch {
	case value(mutual.TruststoreUri) == "":
		return badRequest("truststoreUri is required for mutual TLS authentication.")
	case !has(d, apigateway.EndpointTypeRegional) || len(d.EndpointConfiguration.Types) > 1:
		return badRequest("Mutual TLS authentication is only supported for REGIONAL domain names.")
	case *d.SecurityPolicy != apigateway.SecurityPolicyTLS12:
		return badRequest("Mutual TLS authentication is only supported with the security policy TLS_1_2.")
	case read.uri != *mutual.TruststoreUri || read.version != value(mutual.TruststoreVersion):
		return conflict("The domain name was changed at the same time. Please try again later.")
	}
	mutual.TruststoreWarnings = read.warnings
	d.MutualTlsAuthentication, d.Truststore = &mutual, read.copied
	return nil
}

// describe fills in the members that the service alone writes. A domain can be
// used at once, so that it is AVAILABLE.
func (n *Names) describe(c *awswire.Call, old, d *definition.Domain) error {
	name := Name(d)
	a := arn.ARN{Partition: arn.Partition(c.Region), Service: "apigateway", Region: c.Region, Resource: "/domainnames/" + name}
	if IsPrivate(d) {
		if d.DomainNameId == nil {
			id, err := apiid.New(n.rand, apiid.APILength)
			if err != nil {
				return err
			}
			d.DomainNameId = &id
		}
		a.Account, a.Resource = c.Account, a.Resource+"+"+*d.DomainNameId
	}
	d.DomainNameArn = new(a.String())
	d.DomainNameStatus = new(apigateway.DomainNameStatusAvailable)
	if old == nil || !slices.Equal(certificatesOf(old), certificatesOf(d)) {
		d.CertificateUploadDate = new(c.Time.UTC().Truncate(time.Second))
	}
	if has(d, apigateway.EndpointTypeRegional) {
		if d.RegionalDomainName == nil {
			id, err := apiid.New(n.rand, apiid.APILength)
			if err != nil {
				return err
			}
			// UNVERIFIED: the domain of other partitions than aws and aws-cn.
			host := "d-" + id + ".execute-api." + c.Region + ".amazonaws.com"
			if strings.HasPrefix(c.Region, "cn-") {
				host += ".cn"
			}
			d.RegionalDomainName = &host
		}
		d.RegionalHostedZoneId = new(regionalZone(c.Region))
	} else {
		d.RegionalDomainName, d.RegionalHostedZoneId = nil, nil
	}
	if has(d, apigateway.EndpointTypeEdge) {
		if d.DistributionDomainName == nil {
			id, err := apiid.New(n.rand, 13)
			if err != nil {
				return err
			}
			d.DistributionDomainName = new("d" + id + ".cloudfront.net")
		}
		d.DistributionHostedZoneId = new(edgeZone)
	} else {
		d.DistributionDomainName, d.DistributionHostedZoneId = nil, nil
	}
	return nil
}
