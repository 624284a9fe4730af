package acm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// Bounds of a search.
const (
	searchPage    = 100 // results of a page, unless the caller says otherwise
	maxSearchPage = 500
	maxStatements = 15 // of an And or an Or
	// maxAllStatements is of a whole search, which looks at each certificate by all
	// of them. UNVERIFIED: that AWS has a bound, too.
	maxAllStatements = 1000
)

// SearchCertificates lists the certificates that a statement is true of: all of
// them, with keys of any kind, where there is none.
func (s *Service) SearchCertificates(c *awswire.Call, in *api.SearchCertificatesRequest) (*api.SearchCertificatesResponse, error) {
	limit := or(in.MaxResults, searchPage)
	if limit < 1 || limit > maxSearchPage {
		return nil, invalid(fmt.Sprintf("MaxResults must be from 1 to %d.", maxSearchPage)) // UNVERIFIED wording
	}
	if in.FilterStatement != nil {
		if err := checkStatement(in.FilterStatement, new(int)); err != nil {
			return nil, err
		}
	}
	scope := scopeOf(c)
	type row struct {
		key    string
		result api.CertificateSearchResult
	}
	var rows []row
	err := s.store.View(c, func(tx *store.Tx) error {
		for e, err := range definition.Certificates.All(tx, scope) {
			if err != nil {
				return err
			}
			result := s.searched(e.Doc, c.Time)
			if in.FilterStatement == nil || holds(in.FilterStatement, &result) {
				// UNVERIFIED: the order where none is asked for.
				rows = append(rows, row{sortKey(&result, or(in.SortBy, api.SearchCertificatesSortByCertificateARN), value(in.SortOrder)), result})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.key, b.key) })
	page, next, err := cut(rows, func(r row) string { return r.key }, in.NextToken, &limit)
	out := &api.SearchCertificatesResponse{NextToken: next, Results: []api.CertificateSearchResult{}}
	for _, r := range page {
		out.Results = append(out.Results, r.result)
	}
	return out, err
}

// checkStatement refuses what isn't one thing, all the way down. seen counts
// statements.
func checkStatement(f *api.CertificateFilterStatement, seen *int) error {
	// UNVERIFIED: the words of the refusals.
	if *seen++; *seen > maxAllStatements {
		return invalid(fmt.Sprintf("A search takes up to %d filter statements.", maxAllStatements))
	}
	if count(f.And != nil, f.Or != nil, f.Not != nil, f.Filter != nil) != 1 {
		return invalid("A filter statement must have exactly one of And, Or, Not and Filter.")
	}
	if f.Not != nil {
		return checkStatement(f.Not, seen)
	}
	if f.Filter != nil {
		return checkFilter(f.Filter)
	}
	all := append(slices.Clip(f.And), f.Or...)
	if len(all) < 1 || len(all) > maxStatements {
		return invalid(fmt.Sprintf("And and Or take from 1 to %d filter statements.", maxStatements))
	}
	for i := range all {
		if err := checkStatement(&all[i], seen); err != nil {
			return err
		}
	}
	return nil
}

func checkFilter(f *api.CertificateFilter) error {
	const one = "A filter must have exactly one member, and so must each union in it."
	if count(f.CertificateArn != nil, f.X509AttributeFilter != nil, f.AcmCertificateMetadataFilter != nil) != 1 {
		return invalid(one)
	}
	if m := f.AcmCertificateMetadataFilter; m != nil && count(m.Status != nil, m.RenewalStatus != nil, m.Type != nil, m.InUse != nil, m.Exported != nil,
		m.ExportOption != nil, m.ManagedBy != nil, m.ValidationMethod != nil, m.CertificateKeyPairOrigin != nil, m.AcmeEndpointArn != nil, m.AcmeAccountId != nil) != 1 {
		return invalid(one)
	}
	x := f.X509AttributeFilter
	if x == nil {
		return nil
	}
	if count(x.Subject != nil, x.SubjectAlternativeName != nil, x.ExtendedKeyUsage != nil, x.KeyUsage != nil, x.KeyAlgorithm != nil,
		x.SerialNumber != nil, x.NotAfter != nil, x.NotBefore != nil) != 1 ||
		x.Subject != nil && x.Subject.CommonName == nil || x.SubjectAlternativeName != nil && x.SubjectAlternativeName.DnsName == nil {
		return invalid(one)
	}
	return nil
}

func count(set ...bool) (n int) {
	for _, is := range set {
		if is {
			n++
		}
	}
	return n
}

// holds tells whether a statement is true of a certificate.
func holds(f *api.CertificateFilterStatement, r *api.CertificateSearchResult) bool {
	is := func(f api.CertificateFilterStatement) bool { return holds(&f, r) }
	switch {
	case f.And != nil:
		return !slices.ContainsFunc(f.And, func(f api.CertificateFilterStatement) bool { return !is(f) })
	case f.Or != nil:
		return slices.ContainsFunc(f.Or, is)
	case f.Not != nil:
		return !is(*f.Not)
	case f.Filter.CertificateArn != nil:
		return *f.Filter.CertificateArn == *r.CertificateArn
	case f.Filter.X509AttributeFilter != nil:
		return hasAttribute(f.Filter.X509AttributeFilter, r.X509Attributes)
	default:
		return hasMetadata(f.Filter.AcmCertificateMetadataFilter, r.CertificateMetadata.AcmCertificateMetadata)
	}
}

func hasAttribute(f *api.X509AttributeFilter, a *api.X509Attributes) bool {
	switch {
	case f.Subject != nil:
		want := f.Subject.CommonName
		return a.Subject != nil && a.Subject.CommonName != nil && compared(*a.Subject.CommonName, *want.Value, *want.ComparisonOperator)
	case f.SubjectAlternativeName != nil:
		want := f.SubjectAlternativeName.DnsName
		return slices.ContainsFunc(a.SubjectAlternativeNames, func(n api.GeneralName) bool {
			return n.DnsName != nil && compared(*n.DnsName, *want.Value, *want.ComparisonOperator)
		})
	case f.ExtendedKeyUsage != nil:
		return slices.Contains(a.ExtendedKeyUsages, *f.ExtendedKeyUsage)
	case f.KeyUsage != nil:
		return slices.Contains(a.KeyUsages, *f.KeyUsage)
	case f.KeyAlgorithm != nil:
		return hyphened(*f.KeyAlgorithm) == value(a.KeyAlgorithm)
	case f.SerialNumber != nil:
		return strings.EqualFold(*f.SerialNumber, value(a.SerialNumber))
	case f.NotAfter != nil:
		return within(f.NotAfter, a.NotAfter)
	default:
		return within(f.NotBefore, a.NotBefore)
	}
}

// compared compares names, whose case doesn't matter.
func compared(have, want, operator string) bool {
	if operator == api.ComparisonOperatorContains {
		return strings.Contains(strings.ToLower(have), strings.ToLower(want))
	}
	return strings.EqualFold(have, want)
}

// within tells whether a time is in a range, both ends included; either may be
// open. UNVERIFIED: that they are.
func within(r *api.TimestampRange, at *time.Time) bool {
	return at != nil && (r.Start == nil || !at.Before(*r.Start)) && (r.End == nil || !at.After(*r.End))
}

func hasMetadata(f *api.AcmCertificateMetadataFilter, m *api.AcmCertificateMetadata) bool {
	for _, text := range [...]struct{ want, have *string }{
		{f.Status, m.Status}, {f.RenewalStatus, m.RenewalStatus}, {f.Type, m.Type}, {f.ExportOption, m.ExportOption}, {f.ManagedBy, m.ManagedBy},
		{f.ValidationMethod, m.ValidationMethod}, {f.CertificateKeyPairOrigin, m.CertificateKeyPairOrigin},
		{f.AcmeEndpointArn, m.AcmeEndpointArn}, {f.AcmeAccountId, m.AcmeAccountId},
	} {
		if text.want != nil {
			return *text.want == value(text.have)
		}
	}
	if f.InUse != nil {
		return *f.InUse == value(m.InUse)
	}
	return *f.Exported == value(m.Exported)
}

// searched is a certificate as a search shows it.
func (s *Service) searched(stored *definition.Certificate, now time.Time) api.CertificateSearchResult {
	d := s.shown(stored, now)
	attributes := &api.X509Attributes{
		Subject:           &api.DistinguishedName{CommonName: d.DomainName}, // until there is a certificate
		ExtendedKeyUsages: []string{}, KeyUsages: []string{}, KeyAlgorithm: d.KeyAlgorithm, SerialNumber: d.Serial, NotAfter: d.NotAfter, NotBefore: d.NotBefore,
	}
	for _, name := range d.SubjectAlternativeNames {
		attributes.SubjectAlternativeNames = append(attributes.SubjectAlternativeNames, api.GeneralName{DnsName: new(name)})
	}
	for _, u := range d.KeyUsages {
		attributes.KeyUsages = append(attributes.KeyUsages, *u.Name)
	}
	for _, u := range d.ExtendedKeyUsages {
		attributes.ExtendedKeyUsages = append(attributes.ExtendedKeyUsages, *u.Name)
	}
	if certs, err := parseCertificates([]byte(stored.Body)); err == nil && len(certs) > 0 {
		attributes.Subject, attributes.Issuer = distinguished(certs[0].Subject), distinguished(certs[0].Issuer)
	}
	metadata := &api.AcmCertificateMetadata{
		CreatedAt: d.CreatedAt, ImportedAt: d.ImportedAt, IssuedAt: d.IssuedAt, RevokedAt: d.RevokedAt, InUse: new(len(d.InUseBy) > 0),
		RenewalEligibility: d.RenewalEligibility, RenewalStatus: value(d.RenewalSummary).RenewalStatus, Status: d.Status, Type: d.Type,
		ExportOption: value(d.Options).Export, CertificateKeyPairOrigin: d.CertificateKeyPairOrigin,
	}
	if value(d.Type) != api.CertificateTypeImported {
		metadata.Exported = new(stored.Exported)
	}
	if len(d.DomainValidationOptions) > 0 {
		metadata.ValidationMethod = d.DomainValidationOptions[0].ValidationMethod
	}
	return api.CertificateSearchResult{
		CertificateArn: d.CertificateArn, X509Attributes: attributes, CertificateMetadata: &api.CertificateMetadata{AcmCertificateMetadata: metadata},
	}
}

// sortKey is by what a result is sorted, ascending: what it is to be sorted by,
// then the ARN.
func sortKey(r *api.CertificateSearchResult, by, order string) string {
	x, m := r.X509Attributes, r.CertificateMetadata.AcmCertificateMetadata
	text := ""
	switch by {
	case api.SearchCertificatesSortByCreatedAt:
		text = timeKey(m.CreatedAt)
	case api.SearchCertificatesSortByNotAfter:
		text = timeKey(x.NotAfter)
	case api.SearchCertificatesSortByNotBefore:
		text = timeKey(x.NotBefore)
	case api.SearchCertificatesSortByIssuedAt:
		text = timeKey(m.IssuedAt)
	case api.SearchCertificatesSortByImportedAt:
		text = timeKey(m.ImportedAt)
	case api.SearchCertificatesSortByRevokedAt:
		text = timeKey(m.RevokedAt)
	case api.SearchCertificatesSortByInUse:
		text = fmt.Sprint(value(m.InUse))
	case api.SearchCertificatesSortByExported:
		text = fmt.Sprint(value(m.Exported))
	case api.SearchCertificatesSortByStatus:
		text = value(m.Status)
	case api.SearchCertificatesSortByRenewalStatus:
		text = value(m.RenewalStatus)
	case api.SearchCertificatesSortByRenewalEligibility:
		text = value(m.RenewalEligibility)
	case api.SearchCertificatesSortByType:
		text = value(m.Type)
	case api.SearchCertificatesSortByManagedBy:
		text = value(m.ManagedBy)
	case api.SearchCertificatesSortByExportOption:
		text = value(m.ExportOption)
	case api.SearchCertificatesSortByValidationMethod:
		text = value(m.ValidationMethod)
	case api.SearchCertificatesSortByCertificateKeyPairOrigin:
		text = value(m.CertificateKeyPairOrigin)
	case api.SearchCertificatesSortByKeyAlgorithm:
		text = value(x.KeyAlgorithm)
	case api.SearchCertificatesSortByCommonName:
		text = strings.ToLower(value(x.Subject.CommonName))
	}
	key := []byte(text + "\x00" + *r.CertificateArn)
	if order == api.SearchCertificatesSortOrderDescending {
		for i := range key {
			key[i] = ^key[i]
		}
		key = append(key, 0xff) // what begins with it comes before it
	}
	return string(key)
}

// timeKey sorts as the times do; what has none comes first.
func timeKey(t *time.Time) string {
	if t == nil {
		return ""
	}
	return fmt.Sprintf("%019d", t.Unix())
}
