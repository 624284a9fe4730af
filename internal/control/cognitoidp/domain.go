package cognitoidp

import (
	"errors"
	"regexp"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/acm"
	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// customDomain is a host name of two labels or more in lower case, the last of which
// isn't a number.
var customDomain = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

const maxDomain = 253

var domainPrefix = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// domainID is where a domain is stored: a prefix belongs to its region.
func domainID(c *awswire.Call, name *string) []string {
	if strings.Contains(value(name), ".") {
		return []string{value(name), ""}
	}
	return []string{value(name), c.Region}
}

// domainVersion is that of a domain's pages, which AWS numbers by their date.
const domainVersion = "20260101000000"

// CreateUserPoolDomain gives a pool's pages a host name.
func (s *Service) CreateUserPoolDomain(c *awswire.Call, in *api.CreateUserPoolDomainRequest) (*api.CreateUserPoolDomainResponse, error) {
	custom := in.CustomDomainConfig != nil
	if err := s.checkDomain(*in.Domain, custom); err != nil {
		return nil, err
	}
	d := &definition.UserPoolDomain{Account: c.Account, Region: c.Region, Domain: api.DomainDescriptionType{
		UserPoolId: in.UserPoolId, AWSAccountId: &c.Account, Domain: in.Domain, Status: new(api.DomainStatusTypeActive),
		S3Bucket: new("aws-cognito-prod-" + c.Region + "-assets"), Version: new(domainVersion),
		CloudFrontDistribution: new(strings.ReplaceAll(*in.Domain, ".", "-") + ".cloudfront.net"),
		CustomDomainConfig:     in.CustomDomainConfig, ManagedLoginVersion: or(in.ManagedLoginVersion, 1), Routing: in.Routing,
	}}
	if !custom {
		d.Domain.CustomDomainConfig = &api.CustomDomainConfigType{}
	}
	err := s.changePool(c, in.UserPoolId, func(tx *store.Tx, p *poolDoc) error {
		taken, err := domains.Exists(tx, store.Scope{}, domainID(c, in.Domain)...)
		if err != nil {
			return err
		}
		inUse := false
		if custom {
			if inUse, err = definition.DomainNameTaken(tx, c.Account, *in.Domain); err != nil {
				return err
			}
		}
		own := &p.Pool.Domain
		if custom {
			own = &p.Pool.CustomDomain
		}
		switch {
		case *own != nil:
			return invalid("User pool already has a domain configured.")
		case taken:
			return invalid("Domain already associated with another user pool.")
		case inUse:
			// UNVERIFIED: the words, which are CloudFront's.
			return invalid("One or more of the CNAMEs you provided are already associated with a different resource.")
		}
		*own = in.Domain
		if err := useCertificate(tx, c, *in.Domain, nil, in.CustomDomainConfig); err != nil {
			return err
		}
		return domains.Put(tx, store.Scope{}, d, domainID(c, in.Domain)...)
	})
	if err != nil {
		return nil, err
	}
	out := &api.CreateUserPoolDomainResponse{ManagedLoginVersion: d.Domain.ManagedLoginVersion, Routing: in.Routing}
	if custom {
		out.CloudFrontDomain = d.Domain.CloudFrontDistribution
	}
	return out, nil
}

func (s *Service) checkDomain(name string, custom bool) error {
	if custom {
		// UNVERIFIED: the second half of either, which is about a parent domain that
		// can't be resolved on AWS.
		if len(name) > maxDomain || !customDomain.MatchString(name) {
			return invalid("Custom domain is not a valid subdomain: " + name)
		}
		if s.reserved != nil && s.reserved(name) {
			return invalid("Custom domain is not a valid subdomain: the gateway itself is called by " + name)
		}
		return nil
	}
	if !domainPrefix.MatchString(name) {
		return invalid("The domain name contains an invalid character. Domain names can only contain lower-case letters, numbers, and hyphens. " +
			"Please enter a different name that follows this format: ^[a-z0-9](?:[a-z0-9\\-]{0,61}[a-z0-9])?$")
	}
	for _, word := range [...]string{"aws", "amazon", "cognito"} {
		if strings.Contains(name, word) {
			return invalid("Domain cannot contain reserved word: " + word)
		}
	}
	return nil
}

// DescribeUserPoolDomain tells about a domain; of one that isn't there it tells
// nothing, without an error.
func (s *Service) DescribeUserPoolDomain(c *awswire.Call, in *api.DescribeUserPoolDomainRequest) (*api.DescribeUserPoolDomainResponse, error) {
	out := &api.DescribeUserPoolDomainResponse{DomainDescription: &api.DomainDescriptionType{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		d, err := domains.Get(tx, store.Scope{}, domainID(c, in.Domain)...)
		if errors.Is(err, store.ErrNotFound) || err == nil && d.Account != c.Account {
			return nil
		}
		if err != nil {
			return err
		}
		out.DomainDescription = &d.Domain
		return nil
	})
	return out, err
}

// changeDomain changes a pool's domain.
func (s *Service) changeDomain(c *awswire.Call, poolID, name *string, fn func(tx *store.Tx, p *poolDoc, d *definition.UserPoolDomain) error) error {
	return s.changePool(c, poolID, func(tx *store.Tx, p *poolDoc) error {
		d, err := domains.Get(tx, store.Scope{}, domainID(c, name)...)
		if errors.Is(err, store.ErrNotFound) || err == nil && *d.Domain.UserPoolId != *poolID {
			return invalid("No such domain or user pool exists.")
		}
		if err != nil {
			return err
		}
		return fn(tx, p, d)
	})
}

// UpdateUserPoolDomain gives a custom domain another certificate, or a domain
// other pages.
func (s *Service) UpdateUserPoolDomain(c *awswire.Call, in *api.UpdateUserPoolDomainRequest) (*api.UpdateUserPoolDomainResponse, error) {
	out := &api.UpdateUserPoolDomainResponse{}
	err := s.changeDomain(c, in.UserPoolId, in.Domain, func(tx *store.Tx, p *poolDoc, d *definition.UserPoolDomain) error {
		if custom := p.Pool.CustomDomain; in.CustomDomainConfig != nil {
			if custom == nil || *custom != *in.Domain {
				return invalid("A prefix domain has no certificate.") // UNVERIFIED wording
			}
			if err := useCertificate(tx, c, *in.Domain, d.Domain.CustomDomainConfig, in.CustomDomainConfig); err != nil {
				return err
			}
			d.Domain.CustomDomainConfig, out.CloudFrontDomain = in.CustomDomainConfig, d.Domain.CloudFrontDistribution
		}
		d.Domain.ManagedLoginVersion = or(in.ManagedLoginVersion, *d.Domain.ManagedLoginVersion)
		if in.Routing != nil {
			d.Domain.Routing = in.Routing
		}
		out.ManagedLoginVersion, out.Routing = d.Domain.ManagedLoginVersion, d.Domain.Routing
		return domains.Put(tx, store.Scope{}, d, domainID(c, in.Domain)...)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteUserPoolDomain takes the host name of a pool's pages away.
func (s *Service) DeleteUserPoolDomain(c *awswire.Call, in *api.DeleteUserPoolDomainRequest) (*api.DeleteUserPoolDomainResponse, error) {
	err := s.changeDomain(c, in.UserPoolId, in.Domain, func(tx *store.Tx, p *poolDoc, d *definition.UserPoolDomain) error {
		if p.Pool.CustomDomain != nil && *p.Pool.CustomDomain == *in.Domain {
			p.Pool.CustomDomain = nil
			if err := useCertificate(tx, c, *in.Domain, d.Domain.CustomDomainConfig, nil); err != nil {
				return err
			}
		} else {
			p.Pool.Domain = nil
		}
		return domains.Delete(tx, store.Scope{}, domainID(c, in.Domain)...)
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteUserPoolDomainResponse{}, nil
}

// useCertificate notes which certificate a custom domain uses from now on, and which
// it did: what is in use can't be deleted. Another account's is nobody's to use.
func useCertificate(tx *store.Tx, c *awswire.Call, name string, old, now *api.CustomDomainConfigType) error {
	was, is := certificateOf(c, old), ""
	if now != nil {
		is = value(now.CertificateArn)
		if is == was {
			return nil // also if it has expired meanwhile
		}
		if err := checkCertificate(tx, c, name, is); err != nil {
			return err
		}
	}
	if was != "" {
		if err := definition.DomainCertificates.Delete(tx, store.Scope{}, was, name); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if is == "" {
		return nil
	}
	// UNVERIFIED: the id of the distribution, which is what uses it on AWS.
	use := arn.ARN{Partition: arn.Partition(c.Region), Service: "cloudfront", Account: c.Account, Resource: "distribution/" + name}
	return definition.DomainCertificates.Put(tx, store.Scope{}, &definition.Reference{ID: use.String()}, is, name)
}

// badCertificate is what CloudFront says, which has the pages on AWS.
// https://github.com/aws-amplify/amplify-hosting/issues/2278
const badCertificate = "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid certificate chain. " +
	"(Service: AmazonCloudFront; Status Code: 400; Error Code: InvalidViewerCertificate; Proxy: null)"

// checkCertificate refuses a certificate for a custom domain that isn't the
// account's, isn't in CloudFront's region, isn't issued or isn't for the name.
func checkCertificate(tx *store.Tx, c *awswire.Call, name, text string) error {
	a, err := arn.Parse(text)
	id, ok := strings.CutPrefix(a.Resource, "certificate/")
	if err != nil || !ok || a.Service != "acm" || a.Region != "us-east-1" || a.Account != c.Account {
		return invalid(badCertificate)
	}
	certificate, err := definition.Certificates.Get(tx, store.Scope{Account: a.Account, Region: a.Region}, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return invalid(badCertificate)
	case err != nil:
		return err
	case value(certificate.Status) != acm.CertificateStatusIssued || !certificate.Covers(name):
		// UNVERIFIED: that these words are of a certificate for other names, too.
		return invalid(badCertificate)
	}
	return nil
}

// certificateOf is the certificate that a custom domain names, "" for none of the
// caller's account.
func certificateOf(c *awswire.Call, config *api.CustomDomainConfigType) string {
	if config == nil || config.CertificateArn == nil {
		return ""
	}
	if a, err := arn.Parse(*config.CertificateArn); err != nil || a.Service != "acm" || a.Account != c.Account {
		return ""
	}
	return *config.CertificateArn
}
