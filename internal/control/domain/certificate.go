package domain

import (
	"errors"
	"slices"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// edgeRegion is where certificates of edge-optimized domains are.
const edgeRegion = "us-east-1"

// checkCertificates refuses a domain without a certificate for each of its
// endpoint types, and certificates for others. old is what it was, nil for a new one.
func checkCertificates(tx *store.Tx, s store.Scope, old, d *definition.Domain) error {
	edge, regional := has(d, apigateway.EndpointTypeEdge), has(d, apigateway.EndpointTypeRegional)
	// A private domain has its certificate where an edge-optimized one has it.
	private := IsPrivate(d)
	for _, use := range [...]struct {
		arn      *string
		wanted   bool
		kind     string
		region   string
		whileHas string
	}{
		{d.CertificateArn, edge, apigateway.EndpointTypeEdge, edgeRegion, apigateway.EndpointTypeRegional},
		{d.RegionalCertificateArn, regional, apigateway.EndpointTypeRegional, s.Region, apigateway.EndpointTypeEdge},
	} {
		if private {
			if use.kind == apigateway.EndpointTypeRegional {
				if use.arn != nil {
					return badRequest("Cannot import certificates for REGIONAL while PRIVATE is active.")
				}
				continue
			}
			use.wanted, use.kind, use.region = true, apigateway.EndpointTypePrivate, s.Region
		}
		switch {
		case use.arn == nil && use.wanted:
			return badRequest("A certificate was not provided for the endpoint type %s.", use.kind)
		case use.arn == nil:
			continue
		case !use.wanted:
			return badRequest("Cannot import certificates for %s while %s is active.", use.kind, use.whileHas)
		}
		if err := checkCertificate(tx, s, *use.arn, use.region, Name(d)); err != nil {
			return err
		}
	}
	return checkOwnership(tx, s, old, d)
}

// checkOwnership looks at the certificate that only shows whose a name is.
//
// Mutual TLS wants one beside a certificate that ACM didn't issue itself.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html
func checkOwnership(tx *store.Tx, s store.Scope, old, d *definition.Domain) error {
	if d.MutualTlsAuthentication == nil {
		if d.OwnershipVerificationCertificateArn == nil {
			return nil
		}
		// UNVERIFIED: the words.
		return badRequest("An ownership verification certificate can only be specified together with mutual TLS authentication.")
	}
	if proof := d.OwnershipVerificationCertificateArn; proof != nil {
		if err := checkCertificate(tx, s, *proof, s.Region, Name(d)); err != nil {
			return err
		}
		if issued, err := issuedByACM(tx, s, *proof); err != nil || issued {
			return err
		}
		// UNVERIFIED: the words.
		return badRequest("The ownership verification certificate must be a public certificate issued by ACM.")
	}
	// A domain from before this was asked for can be changed otherwise.
	if old != nil && old.MutualTlsAuthentication != nil && old.OwnershipVerificationCertificateArn == nil && value(old.RegionalCertificateArn) == value(d.RegionalCertificateArn) {
		return nil
	}
	if d.RegionalCertificateArn == nil {
		return nil
	}
	issued, err := issuedByACM(tx, s, *d.RegionalCertificateArn)
	if err == nil && !issued {
		return badRequest("Missing ownershipVerificationCertificate.")
	}
	return err
}

// issuedByACM tells of a certificate that was checked whether it was requested of
// ACM, and not imported or issued by a private authority.
func issuedByACM(tx *store.Tx, s store.Scope, text string) (bool, error) {
	a, err := arn.Parse(text)
	if err != nil {
		return false, err
	}
	certificate, err := definition.Certificates.Get(tx, s, strings.TrimPrefix(a.Resource, "certificate/"))
	if err != nil {
		return false, err
	}
	return value(certificate.Type) == acm.CertificateTypeAmazonIssued, nil
}

// checkCertificate refuses a certificate that isn't the account's, isn't in the
// region, isn't issued or isn't for the name.
func checkCertificate(tx *store.Tx, s store.Scope, text, region, name string) error {
	a, err := arn.Parse(text)
	id, ok := strings.CutPrefix(a.Resource, "certificate/")
	if err != nil || a.Service != "acm" || !ok {
		// UNVERIFIED: the words.
		return badRequest("Invalid certificate ARN: %s.", text)
	}
	if a.Region != region {
		return badRequest("Invalid certificate ARN: %s. Certificate must be in '%s'.", text, region)
	}
	const foreign = "The certificate provided must be owned by the account creating the domain."
	if a.Account != s.Account {
		return badRequest(foreign)
	}
	certificate, err := definition.Certificates.Get(tx, store.Scope{Account: s.Account, Region: region}, id)
	if errors.Is(err, store.ErrNotFound) {
		return badRequest(foreign)
	}
	if err != nil {
		return err
	}
	if status := value(certificate.Status); status != acm.CertificateStatusIssued {
		// UNVERIFIED: the words.
		return badRequest("The certificate %s is not issued: its status is %s.", text, status)
	}
	if !certificate.Covers(name) {
		// UNVERIFIED: the words, which are from memory.
		return badRequest("The domain name to be created is not covered by the provided certificate.")
	}
	return nil
}

// indexCertificates makes the index of a domain's certificates follow it; old and
// d may be nil.
func indexCertificates(tx *store.Tx, old, d *definition.Domain) error {
	was, is := certificatesOf(old), certificatesOf(d)
	for _, text := range was {
		if slices.Contains(is, text) {
			continue
		}
		if err := definition.DomainCertificates.Delete(tx, store.Scope{}, text, Name(old)); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	for _, text := range is {
		if slices.Contains(was, text) {
			continue
		}
		if err := definition.DomainCertificates.Put(tx, store.Scope{}, &definition.Reference{ID: value(d.DomainNameArn)}, text, Name(d)); err != nil {
			return err
		}
	}
	return nil
}

func certificatesOf(d *definition.Domain) []string {
	if d == nil {
		return nil
	}
	var arns []string
	for _, p := range [...]*string{d.CertificateArn, d.RegionalCertificateArn, d.OwnershipVerificationCertificateArn} {
		if p != nil && !slices.Contains(arns, *p) {
			arns = append(arns, *p)
		}
	}
	return arns
}
