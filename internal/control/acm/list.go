package acm

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/paging"
	"gatehouse/internal/store"
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
	scope, limit := scopeOf(c), int(or(in.MaxItems, pageSize))
	type row struct {
		key string
		*entry
	}
	key := func(r row) string { return r.key }
	var rows []row
	for _, e := range s.directory.all(func(e *entry) bool { return e.scope.Value() == scope }) {
		if !slices.Contains(includes.KeyTypes, e.algorithm.Value()) ||
			in.CertificateStatuses != nil && !slices.Contains(in.CertificateStatuses, e.statusAt(c.Time)) {
			continue
		}
		key := e.id
		if in.SortBy != nil {
			at := e.created.Unix()
			if *in.SortOrder == api.SortOrderDescending {
				at = math.MaxInt64 - at
			}
			key = fmt.Sprintf("%019d %s", at, e.id)
		}
		rows = append(rows, row{key, e})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.key, b.key) })
	rows, _, err := paging.Slice(rows, key, value(in.NextToken), 0)
	if err != nil {
		return nil, badToken()
	}
	// The rest is read as far as the page goes, and one more.
	out := &api.ListCertificatesResponse{CertificateSummaryList: []api.CertificateSummary{}}
	var listed []row
	err = s.store.View(c, func(tx *store.Tx) error {
		for _, r := range rows {
			doc, err := definition.Certificates.Get(tx, scope, r.id)
			if errors.Is(err, store.ErrNotFound) {
				continue // deleted meanwhile
			}
			if err != nil {
				return err
			}
			summary := s.summary(doc, c.Time)
			if !included(&includes, &summary) ||
				in.CertificateKeyPairOrigins != nil && !slices.Contains(in.CertificateKeyPairOrigins, value(summary.CertificateKeyPairOrigin)) {
				continue
			}
			out.CertificateSummaryList = append(out.CertificateSummaryList, summary)
			if listed = append(listed, r); len(listed) > limit {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	page, next, err := cut(listed, key, nil, in.MaxItems)
	out.NextToken, out.CertificateSummaryList = next, out.CertificateSummaryList[:len(page)]
	return out, err
}

// cut is one page of a sorted list and the token of the next.
func cut[T any](items []T, key func(T) string, token *string, limit *int32) ([]T, *string, error) {
	page, next, err := paging.Slice(items, key, value(token), int(or(limit, pageSize)))
	if err != nil {
		return nil, nil, badToken()
	}
	if next == "" {
		return page, nil, nil
	}
	return page, &next, nil
}

func badToken() error { return invalid("The NextToken isn't valid.") } // UNVERIFIED wording

func (s *Service) summary(stored *definition.Certificate, now time.Time) api.CertificateSummary {
	d := s.shown(stored, now)
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
		out.Exported = new(stored.Exported)
	}
	return out
}

// included tells whether a certificate is among those asked for. Of a list of
// values one must be there. UNVERIFIED: that one is enough.
func included(f *api.Filters, summary *api.CertificateSummary) bool {
	oneOf := func(want, have []string) bool {
		return want == nil || slices.ContainsFunc(want, func(w string) bool { return slices.Contains(have, w) })
	}
	return oneOf(f.KeyUsage, summary.KeyUsages) && oneOf(f.ExtendedKeyUsage, summary.ExtendedKeyUsages) &&
		(f.ExportOption == nil || strings.EqualFold(*f.ExportOption, value(summary.ExportOption))) &&
		f.ManagedBy == nil
}
