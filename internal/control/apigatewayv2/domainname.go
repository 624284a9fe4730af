package apigatewayv2

import (
	"errors"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// basePathSelection is the only expression that finds a mapping.
const basePathSelection = "$request.basepath"

// oneConfiguration is AWS's word for another number of configurations.
const oneConfiguration = "Invalid input. Expected one domain name configuration"

// domainError words what package domain refuses as this service does.
func domainError(err error) error {
	var refused *domain.Error
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Kind {
	case domain.NotFound:
		return apigatewayv2.NewNotFoundException(refused.Message)
	case domain.Conflict:
		return conflict("%s", refused.Message)
	default:
		return badRequest("%s", refused.Message)
	}
}

// inDomain runs a transaction on a domain.
func (s *Service) inDomain(c *awswire.Call, name string, do func(tx *store.Tx, d *definition.Domain) error) error {
	return s.inAnyDomain(c, name, nil, do)
}

// inAnyDomain is inDomain where id may name a private one.
func (s *Service) inAnyDomain(c *awswire.Call, name string, id *string, do func(tx *store.Tx, d *definition.Domain) error) error {
	return domainError(s.store.Update(c, func(tx *store.Tx) error {
		d, err := s.domains.Get(tx, c, name, id)
		if err != nil {
			return err
		}
		return do(tx, d)
	}))
}

// viewDomain reads from a domain; id may name a private one.
func (s *Service) viewDomain(c *awswire.Call, name string, id *string, do func(tx *store.Tx, d *definition.Domain) error) error {
	return domainError(s.store.View(c, func(tx *store.Tx) error {
		d, err := s.domains.Get(tx, c, name, id)
		if err != nil {
			return err
		}
		return do(tx, d)
	}))
}

// CreateDomainName makes a regional custom domain name.
func (s *Service) CreateDomainName(c *awswire.Call, in *apigatewayv2.CreateDomainNameRequest) (*apigatewayv2.CreateDomainNameResponse, error) {
	d := &definition.Domain{}
	d.DomainName.DomainName = in.DomainName
	if err := setTags(&d.Tags, in.Tags); err != nil {
		return nil, err
	}
	if len(in.DomainNameConfigurations) != 1 {
		return nil, badRequest(oneConfiguration)
	}
	if err := configure(d, &in.DomainNameConfigurations[0]); err != nil {
		return nil, err
	}
	setMutualTLS(d, in.MutualTlsAuthentication)
	d.RoutingMode = v1RoutingMode(in.RoutingMode)
	read, err := s.domains.Read(c, nil, d)
	if err != nil {
		return nil, domainError(err)
	}
	err = s.store.Update(c, func(tx *store.Tx) error { return s.domains.Create(tx, c, d, read) })
	if err != nil {
		return nil, domainError(err)
	}
	return answer[apigatewayv2.CreateDomainNameResponse](domainView(d)), nil
}

// GetDomainName returns one domain.
func (s *Service) GetDomainName(c *awswire.Call, in *apigatewayv2.GetDomainNameRequest) (*apigatewayv2.GetDomainNameResponse, error) {
	var view *apigatewayv2.DomainName
	err := s.viewDomain(c, value(in.DomainName), nil, func(_ *store.Tx, d *definition.Domain) error {
		view = domainView(d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetDomainNameResponse](view), nil
}

// GetDomainNames lists the domains of the account and region.
// UNVERIFIED: that private ones are among them.
func (s *Service) GetDomainNames(c *awswire.Call, in *apigatewayv2.GetDomainNamesRequest) (*apigatewayv2.GetDomainNamesResponse, error) {
	out := &apigatewayv2.GetDomainNamesResponse{}
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		out.Items, out.NextToken, err = list(tx, scope(c), definition.Domains, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.Domain]) apigatewayv2.DomainName { return *domainView(e.Doc) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateDomainName sets what is present.
func (s *Service) UpdateDomainName(c *awswire.Call, in *apigatewayv2.UpdateDomainNameRequest) (*apigatewayv2.UpdateDomainNameResponse, error) {
	var before, now *definition.Domain
	edit := func(_ *store.Tx, old *definition.Domain) (err error) {
		before = old
		now, err = s.updatedDomain(old, in)
		return err
	}
	if err := s.viewDomain(c, value(in.DomainName), nil, edit); err != nil {
		return nil, err
	}
	read, err := s.domains.Read(c, before, now)
	if err != nil {
		return nil, domainError(err)
	}
	err = s.inDomain(c, value(in.DomainName), func(tx *store.Tx, old *definition.Domain) error {
		if err := edit(tx, old); err != nil {
			return err
		}
		return s.domains.Update(tx, c, old, now, read)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateDomainNameResponse](domainView(now)), nil
}

// updatedDomain is a domain with what is present in a request.
func (s *Service) updatedDomain(old *definition.Domain, in *apigatewayv2.UpdateDomainNameRequest) (*definition.Domain, error) {
	if err := s.domains.CheckManaged(old); err != nil {
		return nil, err
	}
	d := *old
	switch len(in.DomainNameConfigurations) {
	case 0:
		if in.MutualTlsAuthentication != nil {
			// UNVERIFIED: that a routing mode alone is taken.
			return nil, badRequest(oneConfiguration)
		}
	case 1:
		if err := configure(&d, &in.DomainNameConfigurations[0]); err != nil {
			return nil, err
		}
	default:
		return nil, badRequest(oneConfiguration)
	}
	setMutualTLS(&d, in.MutualTlsAuthentication)
	if in.RoutingMode != nil {
		d.RoutingMode = v1RoutingMode(in.RoutingMode)
	}
	return &d, nil
}

// DeleteDomainName removes a domain with its mappings and routing rules.
func (s *Service) DeleteDomainName(c *awswire.Call, in *apigatewayv2.DeleteDomainNameRequest) error {
	return domainError(s.store.Update(c, func(tx *store.Tx) error {
		return s.domains.Delete(tx, c, value(in.DomainName), nil)
	}))
}

// configure sets what a configuration says of a domain.
func configure(d *definition.Domain, in *apigatewayv2.DomainNameConfiguration) error {
	if value(in.EndpointType) == apigatewayv2.EndpointTypeEdge {
		return badRequest("EDGE endpoint type is not supported for APIGatewayV2 domainName")
	}
	if policy := value(in.SecurityPolicy); policy == apigatewayv2.SecurityPolicyTLS10 {
		return badRequest("%s is not supported for APIGatewayV2 domainName", policy)
	}
	endpoint := apigateway.EndpointConfiguration{}
	if d.EndpointConfiguration != nil {
		endpoint = *d.EndpointConfiguration
	}
	endpoint.Types = []string{apigateway.EndpointTypeRegional}
	if in.IpAddressType != nil {
		endpoint.IpAddressType = in.IpAddressType
	}
	d.EndpointConfiguration = &endpoint
	if in.SecurityPolicy != nil {
		d.SecurityPolicy = in.SecurityPolicy
		d.EndpointAccessMode = nil
	}
	if in.CertificateArn != nil {
		d.RegionalCertificateArn = in.CertificateArn
	}
	if in.CertificateName != nil {
		d.RegionalCertificateName = in.CertificateName
	}
	if in.OwnershipVerificationCertificateArn != nil {
		d.OwnershipVerificationCertificateArn = nonEmpty(in.OwnershipVerificationCertificateArn)
	}
	return nil
}

// setMutualTLS sets the truststore; an empty URI ends mutual TLS.
func setMutualTLS(d *definition.Domain, in *apigatewayv2.MutualTlsAuthenticationInput) {
	if in == nil {
		return
	}
	if in.TruststoreUri != nil && *in.TruststoreUri == "" {
		d.MutualTlsAuthentication = nil
		return
	}
	mutual := apigateway.MutualTlsAuthentication{}
	if d.MutualTlsAuthentication != nil {
		mutual = *d.MutualTlsAuthentication
	}
	if in.TruststoreUri != nil {
		mutual.TruststoreUri = in.TruststoreUri
	}
	if in.TruststoreVersion != nil {
		mutual.TruststoreVersion = nonEmpty(in.TruststoreVersion)
	}
	d.MutualTlsAuthentication = &mutual
}

func nonEmpty(p *string) *string {
	if value(p) == "" {
		return nil
	}
	return p
}

// The faces have different names for two of the routing modes, of which
// apigateway's are stored.
const (
	apiMapping      = "API_MAPPING"
	basePathMapping = "BASE_PATH_MAPPING"
)

func v1RoutingMode(mode *string) *string {
	if mode == nil {
		return nil
	}
	return new(strings.Replace(*mode, apiMapping, basePathMapping, 1))
}

// domainView is a domain as this face shows it. A domain on its way from EDGE to
// REGIONAL has two configurations.
func domainView(d *definition.Domain) *apigatewayv2.DomainName {
	view := &apigatewayv2.DomainName{
		DomainName: new(domain.Name(d)), DomainNameArn: d.DomainNameArn,
		ApiMappingSelectionExpression: new(basePathSelection),
		RoutingMode:                   new(strings.Replace(value(d.RoutingMode), basePathMapping, apiMapping, 1)),
		Tags:                          orEmpty(d.Tags),
	}
	// {} would be a difference for Terraform.
	if mutual := d.MutualTlsAuthentication; mutual != nil {
		view.MutualTlsAuthentication = &apigatewayv2.MutualTlsAuthentication{
			TruststoreUri: mutual.TruststoreUri, TruststoreVersion: mutual.TruststoreVersion, TruststoreWarnings: mutual.TruststoreWarnings,
		}
	}
	if d.EndpointConfiguration == nil {
		return view
	}
	for _, kind := range d.EndpointConfiguration.Types {
		shown := apigatewayv2.DomainNameConfiguration{
			EndpointType: new(kind), IpAddressType: d.EndpointConfiguration.IpAddressType, SecurityPolicy: d.SecurityPolicy,
			DomainNameStatus: d.DomainNameStatus, DomainNameStatusMessage: d.DomainNameStatusMessage,
			CertificateUploadDate: d.CertificateUploadDate, OwnershipVerificationCertificateArn: d.OwnershipVerificationCertificateArn,
			CertificateArn: d.CertificateArn, CertificateName: d.CertificateName,
			ApiGatewayDomainName: d.DistributionDomainName, HostedZoneId: d.DistributionHostedZoneId,
		}
		if kind == apigateway.EndpointTypeRegional {
			shown.CertificateArn, shown.CertificateName = d.RegionalCertificateArn, d.RegionalCertificateName
			shown.ApiGatewayDomainName, shown.HostedZoneId = d.RegionalDomainName, d.RegionalHostedZoneId
		}
		view.DomainNameConfigurations = append(view.DomainNameConfigurations, shown)
	}
	return view
}
