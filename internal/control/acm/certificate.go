package acm

import (
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// validationLife is how long names may take to be proven.
const validationLife = 72 * time.Hour

// DescribeCertificate shows a certificate.
func (s *Service) DescribeCertificate(c *awswire.Call, in *api.DescribeCertificateRequest) (*api.DescribeCertificateResponse, error) {
	doc, err := s.view(c, in.CertificateArn)
	if err != nil {
		return nil, err
	}
	// Who waits for a certificate asks again and again: they needn't wait for the
	// next round.
	b := briefOf(doc)
	if s.validator != nil && b.statusAt(c.Time) == api.CertificateStatusPendingValidation && s.mayIssue(b.names) {
		s.Wake()
	}
	return &api.DescribeCertificateResponse{Certificate: s.shown(doc, c.Time)}, nil
}

// shown is a copy of a certificate as ACM shows it, with what is computed.
func (s *Service) shown(stored *definition.Certificate, now time.Time) *api.CertificateDetail {
	d, b := stored.CertificateDetail, briefOf(stored)
	d.InUseBy = append([]string{}, s.directory.InUseBy(*d.CertificateArn)...)
	d.Status = new(b.statusAt(now))
	d.RenewalEligibility = new(s.eligibility(&b, now))
	d.KeyAlgorithm = new(hyphened(*d.KeyAlgorithm))
	if d.KeyUsages == nil {
		d.KeyUsages = []api.KeyUsage{}
	}
	if d.ExtendedKeyUsages == nil {
		d.ExtendedKeyUsages = []api.ExtendedKeyUsage{}
	}
	return &d
}

// hyphened is an algorithm as ACM answers it, unlike how it is asked for.
func hyphened(algorithm string) string { return strings.ReplaceAll(algorithm, "_", "-") }

// eligibility tells whether a certificate will be renewed: ACM renews its own,
// where they are in use or were exported.
func (s *Service) eligibility(b *brief, now time.Time) string {
	own := b.kind.Value() == api.CertificateTypeAmazonIssued && b.statusAt(now) == api.CertificateStatusIssued
	if own && (b.exported || len(s.directory.InUseBy(b.arn)) > 0) {
		return api.RenewalEligibilityEligible
	}
	return api.RenewalEligibilityIneligible
}

// GetCertificate returns a certificate and its chain.
func (s *Service) GetCertificate(c *awswire.Call, in *api.GetCertificateRequest) (*api.GetCertificateResponse, error) {
	doc, err := s.view(c, in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if err := checkIssued(doc); err != nil {
		return nil, err
	}
	out := &api.GetCertificateResponse{Certificate: &doc.Body}
	if doc.Chain != "" {
		out.CertificateChain = &doc.Chain
	}
	return out, nil
}

// checkIssued refuses what there is no certificate of yet.
func checkIssued(doc *definition.Certificate) error {
	if doc.Body != "" {
		return nil
	}
	// UNVERIFIED wording.
	return api.NewRequestInProgressException("The certificate " + *doc.CertificateArn + " isn't issued: its status is " + *doc.Status + ".")
}

// DeleteCertificate deletes a certificate that nothing uses.
func (s *Service) DeleteCertificate(c *awswire.Call, in *api.DeleteCertificateRequest) error {
	id, err := idOf(c, in.CertificateArn)
	if err != nil {
		return err
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		if _, err := get(tx, scopeOf(c), id); err != nil {
			return err
		}
		users, err := definition.CertificateUses(tx, *in.CertificateArn)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return api.NewResourceInUseException("Certificate " + *in.CertificateArn + " in account " + c.Account + " is in use.")
		}
		if err := dropUpkeep(tx, scopeOf(c), id); err != nil {
			return err
		}
		return definition.Certificates.Delete(tx, scopeOf(c), id)
	})
}

// ListCertificateDomainValidations shows how a certificate's names are proven.
func (s *Service) ListCertificateDomainValidations(c *awswire.Call, in *api.ListCertificateDomainValidationsRequest) (*api.ListCertificateDomainValidationsResponse, error) {
	doc, err := s.view(c, in.CertificateArn)
	if err != nil {
		return nil, err
	}
	all := []api.DomainValidationSummary{}
	for _, v := range doc.DomainValidationOptions {
		if v.ValidationMethod == nil { // an imported certificate's
			continue
		}
		challenge := &api.ValidationChallenge{}
		if v.ResourceRecord != nil {
			challenge.DnsValidationChallenge = &api.DnsValidationChallenge{ResourceRecord: v.ResourceRecord}
		} else {
			challenge.EmailValidationChallenge = &api.EmailValidationChallenge{ValidationEmails: v.ValidationEmails, ValidationDomain: v.ValidationDomain}
		}
		all = append(all, api.DomainValidationSummary{DomainName: v.DomainName, ActiveValidationConfiguration: &api.ValidationConfiguration{
			ValidationMethod: v.ValidationMethod, ValidationStatus: v.ValidationStatus, ValidationChallenge: challenge,
		}})
	}
	slices.SortFunc(all, func(a, b api.DomainValidationSummary) int { return strings.Compare(*a.DomainName, *b.DomainName) })
	page, next, err := cut(all, func(v api.DomainValidationSummary) string { return *v.DomainName }, in.NextToken, in.MaxItems)
	return &api.ListCertificateDomainValidationsResponse{DomainValidationSummaryList: page, NextToken: next}, err
}
