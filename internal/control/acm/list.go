package acm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/paging"
)

// pageSize is how many items a page has unless the caller says otherwise.
const pageSize = 1000

// ListCertificates lists certificates: those with a key of RSA_1024 or RSA_2048
// unless key types are asked for, as at AWS.
func (s *Service) ListCertificates(c *awswire.Call, in *api.ListCertificatesRequest) (*api.ListCertificatesResponse, error) {
	if (in.SortBy == nil) != (in.SortOrder == nil) {
		return nil, invalid("SortBy and SortOrder must be given together.") // UNVERIFIED wording
	}
	includes := value(in.Includes)
	if includes.KeyTypes == nil {
		includes.KeyTypes = []string{api.KeyAlgorithmRSA1024, api.KeyAlgorithmRSA2048}
	}
	scope := scopeOf(c)
	type row struct {
		key     string
		summary api.CertificateSummary
	}
	var rows []row
	for _, e := range s.directory.all(func(e *entry) bool { return e.scope == scope }) {
		summary := s.summary(c, e)
		if !included(&includes, e.detail, &summary) ||
			in.CertificateStatuses != nil && !slices.Contains(in.CertificateStatuses, *summary.Status) ||
			in.CertificateKeyPairOrigins != nil && !slices.Contains(in.CertificateKeyPairOrigins, value(summary.CertificateKeyPairOrigin)) {
			continue
		}
		key := e.id
		if in.SortBy != nil {
			at := e.detail.CreatedAt.Unix()
			if *in.SortOrder == api.SortOrderDescending {
				at = math.MaxInt64 - at
			}
			key = fmt.Sprintf("%019d %s", at, e.id)
		}
		rows = append(rows, row{key, summary})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.key, b.key) })
	page, next, err := cut(rows, func(r row) string { return r.key }, in.NextToken, in.MaxItems)
	out := &api.ListCertificatesResponse{NextToken: next, CertificateSummaryList: []api.CertificateSummary{}}
	for _, r := range page {
		out.CertificateSummaryList = append(out.CertificateSummaryList, r.summary)
	}
	return out, err
}

// cut is one page of a sorted list and the token of the next.
func cut[T any](items []T, key func(T) string, token *string, limit *int32) ([]T, *string, error) {
	page, next, err := paging.Slice(items, key, value(token), int(or(limit, pageSize)))
	if err != nil {
		return nil, nil, invalid("The NextToken isn't valid.") // UNVERIFIED wording
	}
	if next == "" {
		return page, nil, nil
	}
	return page, &next, nil
}

func (s *Service) summary(c *awswire.Call, e *entry) api.CertificateSummary {
	d := s.shown(e.detail, e.exported, c.Time)
	out := api.CertificateSummary{
		CertificateArn: d.CertificateArn, DomainName: d.DomainName,
		SubjectAlternativeNameSummaries: d.SubjectAlternativeNames, HasAdditionalSubjectAlternativeNames: new(false),
		Status: d.Status, Type: d.Type, KeyAlgorithm: d.KeyAlgorithm, KeyUsages: []string{}, ExtendedKeyUsages: []string{},
		InUse: new(len(d.InUseBy) > 0), RenewalEligibility: d.RenewalEligibility,
		NotBefore: d.NotBefore, NotAfter: d.NotAfter, CreatedAt: d.CreatedAt, IssuedAt: d.IssuedAt, ImportedAt: d.ImportedAt, RevokedAt: d.RevokedAt,
		CertificateKeyPairOrigin: d.CertificateKeyPairOrigin,
	}
	// The summary has room for a hundred names; a certificate may have more.
	if n := len(out.SubjectAlternativeNameSummaries); n > 100 {
		out.SubjectAlternativeNameSummaries = out.SubjectAlternativeNameSummaries[:100]
		out.HasAdditionalSubjectAlternativeNames = new(true)
	}
	for _, u := range d.KeyUsages {
		out.KeyUsages = append(out.KeyUsages, *u.Name)
	}
	for _, u := range d.ExtendedKeyUsages {
		out.ExtendedKeyUsages = append(out.ExtendedKeyUsages, *u.Name)
	}
	if d.Options != nil {
		out.ExportOption = d.Options.Export
	}
	if value(d.Type) != api.CertificateTypeImported {
		out.Exported = new(e.exported)
	}
	return out
}

// included tells whether a certificate is among those asked for. Of a list of
// values one must be there. UNVERIFIED: that one is enough.
func included(f *api.Filters, d *api.CertificateDetail, summary *api.CertificateSummary) bool {
	if !slices.Contains(f.KeyTypes, *d.KeyAlgorithm) {
		return false
	}
	oneOf := func(want, have []string) bool {
		return want == nil || slices.ContainsFunc(want, func(w string) bool { return slices.Contains(have, w) })
	}
	return oneOf(f.KeyUsage, summary.KeyUsages) && oneOf(f.ExtendedKeyUsage, summary.ExtendedKeyUsages) &&
		(f.ExportOption == nil || strings.EqualFold(*f.ExportOption, value(summary.ExportOption))) &&
		f.ManagedBy == nil
}
