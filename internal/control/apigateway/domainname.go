package apigateway

import (
	"errors"
	"slices"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/definition"
	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// domainError words what package domain refuses as this service does.
func domainError(err error) error {
	var refused *domain.Error
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Kind {
	case domain.NotFound:
		return notFound("%s", refused.Message)
	case domain.Conflict:
		return conflict("%s", refused.Message)
	default:
		return badRequest("%s", refused.Message)
	}
}

// inDomain runs a transaction on a domain; id names a private one.
func (s *Service) inDomain(c *awswire.Call, name, id *string, do func(tx *store.Tx, d *definition.Domain) error) error {
	return domainError(s.store.Update(c, func(tx *store.Tx) error {
		d, err := s.domains.Get(tx, c, value(name), id)
		if err != nil {
			return err
		}
		return do(tx, d)
	}))
}

// viewDomain reads from a domain; id names a private one.
func (s *Service) viewDomain(c *awswire.Call, name, id *string, do func(tx *store.Tx, d *definition.Domain) error) error {
	return domainError(s.store.View(c, func(tx *store.Tx) error {
		d, err := s.domains.Get(tx, c, value(name), id)
		if err != nil {
			return err
		}
		return do(tx, d)
	}))
}

// domainRules are what can be patched of a domain.
// AWS's table of operations has only replace for the four of certificates; its guide
// to moving a domain to another endpoint type adds and removes them.
// UNVERIFIED: what can be beyond these and what Terraform does.
var domainRules = patchRules[apigateway.DomainName]{refuse: refuseListing, rules: []patchRule[apigateway.DomainName]{
	{path: "/certificateName", ops: opEdit},
	{path: "/certificateArn", ops: opEdit},
	{path: "/regionalCertificateName", ops: opEdit},
	{path: "/regionalCertificateArn", ops: opEdit},
	{path: "/securityPolicy", ops: opReplace, check: checkDomainPolicy},
	{path: "/endpointAccessMode", ops: opReplace, check: checkAccessMode},
	{path: "/endpointConfiguration/types", ops: opAdd | opRemove, check: checkDomainType, set: listDomainType},
	{path: "/endpointConfiguration/types/{type}", ops: opEdit, set: setDomainType},
	{path: "/endpointConfiguration/ipAddressType", ops: opReplace, check: checkDomainAddresses},
	{path: "/mutualTlsAuthentication/truststoreUri", ops: opAdd | opReplace, set: setTruststore},
	{path: "/mutualTlsAuthentication/truststoreVersion", ops: opAdd | opReplace | opRemove},
	{path: "/mutualTlsAuthentication", ops: opRemove},
	{path: "/ownershipVerificationCertificateArn", ops: opAdd | opReplace | opRemove},
	{path: "/policy", ops: opAdd | opReplace | opRemove},
	{path: "/managementPolicy", ops: opAdd | opReplace | opRemove},
	{path: "/routingMode", ops: opReplace, check: checkRoutingMode},
}}

// CreateDomainName makes a custom domain name.
func (s *Service) CreateDomainName(c *awswire.Call, in *apigateway.CreateDomainNameRequest) (*apigateway.DomainName, error) {
	if in.CertificateBody != nil || in.CertificatePrivateKey != nil || in.CertificateChain != nil {
		// AWS keeps these as server certificates of IAM, from before ACM.
		return nil, awswire.NotImplemented("apigateway", "CreateDomainName with certificateBody; import the certificate into ACM")
	}
	d := &definition.Domain{}
	d.DomainName = apigateway.DomainName{
		DomainName: in.DomainName, CertificateName: nonEmpty(in.CertificateName), CertificateArn: nonEmpty(in.CertificateArn),
		RegionalCertificateName: nonEmpty(in.RegionalCertificateName), RegionalCertificateArn: nonEmpty(in.RegionalCertificateArn),
		EndpointConfiguration: in.EndpointConfiguration, SecurityPolicy: nonEmpty(in.SecurityPolicy), EndpointAccessMode: nonEmpty(in.EndpointAccessMode),
		OwnershipVerificationCertificateArn: nonEmpty(in.OwnershipVerificationCertificateArn), Policy: nonEmpty(in.Policy), RoutingMode: nonEmpty(in.RoutingMode),
	}
	if mutual := in.MutualTlsAuthentication; mutual != nil {
		d.MutualTlsAuthentication = &apigateway.MutualTlsAuthentication{TruststoreUri: mutual.TruststoreUri, TruststoreVersion: nonEmpty(mutual.TruststoreVersion)}
	}
	if err := setTags(&d.Tags, in.Tags); err != nil {
		return nil, err
	}
	if err := checkDomainTypes(d.EndpointConfiguration); err != nil {
		return nil, err
	}
	if err := checkDomainDocuments(d); err != nil {
		return nil, err
	}
	read, err := s.domains.Read(c, nil, d)
	if err != nil {
		return nil, domainError(err)
	}
	if err := s.store.Update(c, func(tx *store.Tx) error { return s.domains.Create(tx, c, d, read) }); err != nil {
		return nil, domainError(err)
	}
	return &d.DomainName, nil
}

// GetDomainName returns one domain.
func (s *Service) GetDomainName(c *awswire.Call, in *apigateway.GetDomainNameRequest) (*apigateway.DomainName, error) {
	var d *definition.Domain
	err := s.viewDomain(c, in.DomainName, in.DomainNameId, func(_ *store.Tx, found *definition.Domain) error {
		d = found
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &d.DomainName, nil
}

// GetDomainNames lists the domains of the account and region. What other accounts
// share isn't known here.
func (s *Service) GetDomainNames(c *awswire.Call, in *apigateway.GetDomainNamesRequest) (*apigateway.DomainNames, error) {
	out := &apigateway.DomainNames{}
	if value(in.ResourceOwner) == apigateway.ResourceOwnerOtherAccounts {
		return out, nil
	}
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		out.Items, out.Position, err = list(tx, scope(c), definition.Domains, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.Domain]) apigateway.DomainName { return e.Doc.DomainName })
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateDomainName does patch operations.
func (s *Service) UpdateDomainName(c *awswire.Call, in *apigateway.UpdateDomainNameRequest) (*apigateway.DomainName, error) {
	var before *definition.Domain
	var now definition.Domain
	edit := func(_ *store.Tx, old *definition.Domain) error {
		before, now = old, *old
		if err := domainRules.apply(&now.DomainName, in.PatchOperations); err != nil {
			return err
		}
		return checkDomainDocuments(&now)
	}
	if err := s.viewDomain(c, in.DomainName, in.DomainNameId, edit); err != nil {
		return nil, err
	}
	read, err := s.domains.Read(c, before, &now)
	if err != nil {
		return nil, domainError(err)
	}
	err = s.inDomain(c, in.DomainName, in.DomainNameId, func(tx *store.Tx, old *definition.Domain) error {
		if err := edit(tx, old); err != nil {
			return err
		}
		return s.domains.Update(tx, c, old, &now, read)
	})
	if err != nil {
		return nil, err
	}
	return &now.DomainName, nil
}

// DeleteDomainName removes a domain with its mappings and routing rules.
func (s *Service) DeleteDomainName(c *awswire.Call, in *apigateway.DeleteDomainNameRequest) error {
	return s.inDomain(c, in.DomainName, in.DomainNameId, func(tx *store.Tx, d *definition.Domain) error {
		if domain.IsPrivate(d) {
			if err := dropAssociations(tx, c, value(d.DomainNameArn)); err != nil {
				return err
			}
		}
		return s.domains.Delete(tx, c, domain.Name(d), d.DomainNameId)
	})
}

// checkDomainDocuments refuses policies that aren't any.
func checkDomainDocuments(d *definition.Domain) error {
	for _, text := range [...]*string{d.Policy, d.ManagementPolicy} {
		if value(text) == "" {
			continue
		}
		if document, err := policy.Parse(policy.Resource, *text); err != nil || document.CheckPrincipals() != nil {
			return badRequest(invalidPolicy)
		}
	}
	return nil
}

func checkDomainTypes(endpoint *apigateway.EndpointConfiguration) error {
	if endpoint == nil {
		return nil
	}
	for _, kind := range endpoint.Types {
		if !isEndpointType(kind) {
			return badRequest(invalidEndpointType)
		}
	}
	return nil
}

func checkDomainType(_ *apigateway.DomainName, o patchOp) error {
	if !isEndpointType(value(o.Value)) {
		return badRequest(invalidEndpointType)
	}
	return nil
}

// listDomainType adds or removes the endpoint type that is the operation's value.
func listDomainType(d *apigateway.DomainName, o patchOp) error {
	o.Args = []string{value(o.Value)}
	return setDomainType(d, o)
}

// setDomainType edits the list of a domain's endpoint types by an index or by
// itself. A domain has one for good, and two while it is moved.
func setDomainType(d *apigateway.DomainName, o patchOp) error {
	endpoint := apigateway.EndpointConfiguration{}
	if d.EndpointConfiguration != nil {
		endpoint = *d.EndpointConfiguration
	}
	types := slices.Clone(endpoint.Types)
	named := o.Args[0]
	at := slices.Index(types, named)
	if at < 0 && len(named) == 1 && named[0] >= '0' && int(named[0]-'0') < len(types) {
		at = int(named[0] - '0')
	}
	kind := value(o.Value)
	switch o.Op {
	case apigateway.OpRemove:
		if at < 0 {
			return refusePath(refused{patchOp: o})
		}
		types = slices.Delete(types, at, at+1)
	case apigateway.OpAdd:
		if kind == "" {
			kind = named
		}
		if !isEndpointType(kind) {
			return badRequest(invalidEndpointType)
		}
		if !slices.Contains(types, kind) {
			types = append(types, kind)
		}
	default:
		if !isEndpointType(kind) {
			return badRequest(invalidEndpointType)
		}
		if at < 0 {
			return refusePath(refused{patchOp: o})
		}
		types[at] = kind
	}
	endpoint.Types = types
	d.EndpointConfiguration = &endpoint
	// Certificates stay those of the types that the domain still has: a client that
	// moves a domain names the other one, and the old one goes.
	if !slices.Contains(types, apigateway.EndpointTypeRegional) {
		d.RegionalCertificateArn, d.RegionalCertificateName = nil, nil
	}
	if !slices.Contains(types, apigateway.EndpointTypeEdge) && !slices.Contains(types, apigateway.EndpointTypePrivate) {
		d.CertificateArn, d.CertificateName = nil, nil
	}
	return nil
}

func checkDomainAddresses(_ *apigateway.DomainName, o patchOp) error {
	return checkIPAddressType(nil, o)
}

// setTruststore sets whom clients have to be certified by; "" ends it.
func setTruststore(d *apigateway.DomainName, o patchOp) error {
	if value(o.Value) == "" {
		d.MutualTlsAuthentication = nil
		return nil
	}
	mutual := apigateway.MutualTlsAuthentication{}
	if d.MutualTlsAuthentication != nil {
		mutual = *d.MutualTlsAuthentication
	}
	mutual.TruststoreUri = o.Value
	d.MutualTlsAuthentication = &mutual
	return nil
}

// UNVERIFIED: the words of the next three.
func checkDomainPolicy(_ *apigateway.DomainName, o patchOp) error {
	if slices.Contains(securityPolicies[:], value(o.Value)) {
		return nil
	}
	return badRequest("Invalid security policy specified: %s", value(o.Value))
}

func checkAccessMode(_ *apigateway.DomainName, o patchOp) error {
	switch value(o.Value) {
	case "", apigateway.EndpointAccessModeBasic, apigateway.EndpointAccessModeStrict:
		return nil
	}
	return badRequest("Invalid endpoint access mode specified. Valid options are BASIC,STRICT")
}

func checkRoutingMode(_ *apigateway.DomainName, o patchOp) error {
	switch value(o.Value) {
	case apigateway.RoutingModeBasePathMappingOnly, apigateway.RoutingModeRoutingRuleOnly, apigateway.RoutingModeRoutingRuleThenBasePathMapping:
		return nil
	}
	return badRequest("Invalid routing mode specified. Valid options are BASE_PATH_MAPPING_ONLY,ROUTING_RULE_ONLY,ROUTING_RULE_THEN_BASE_PATH_MAPPING")
}

// securityPolicies are those that a domain may have; a request that makes one is
// held against the model.
var securityPolicies = [...]string{
	apigateway.SecurityPolicyTLS10, apigateway.SecurityPolicyTLS12,
	apigateway.SecurityPolicySecurityPolicyTls1313202509, apigateway.SecurityPolicySecurityPolicyTls1313Fips202509,
	apigateway.SecurityPolicySecurityPolicyTls1312202106,
	apigateway.SecurityPolicySecurityPolicyTls1312Pq202509, apigateway.SecurityPolicySecurityPolicyTls1312PfsPq202509,
	apigateway.SecurityPolicySecurityPolicyTls1312FipsPq202509, apigateway.SecurityPolicySecurityPolicyTls1312FipsPfsPq202509,
	apigateway.SecurityPolicySecurityPolicyTls1312Ext2Pq202509, apigateway.SecurityPolicySecurityPolicyTls1312Ext2FipsPq202509,
	apigateway.SecurityPolicySecurityPolicyTls122018Edge, apigateway.SecurityPolicySecurityPolicyTls12Pfs2025Edge,
	apigateway.SecurityPolicySecurityPolicyTls132025Edge,
}
