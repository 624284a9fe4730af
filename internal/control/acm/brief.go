package acm

import (
	"time"
	"unique"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A brief is what the gateway looks at of a certificate without being asked for
// it. There is one in memory for each, so what many have in common is shared.
type brief struct {
	scope unique.Handle[store.Scope]
	arn   string
	// domain is the name that the certificate is called by.
	domain string
	// status is as stored; statusAt says what it is at a time.
	status, kind, algorithm, renewal unique.Handle[string]
	created, notAfter                time.Time // notAfter is zero until it is issued
	due                              time.Time // when to renew it, unless its issuer says otherwise
	exported                         bool
	// names are how it is to be proven whose they are, until it is issued.
	names []api.DomainValidation
}

// A head is the part of a stored certificate that the directory reads.
type head struct {
	DomainName                 string
	Status, Type, KeyAlgorithm string
	CreatedAt, IssuedAt        time.Time
	NotBefore, NotAfter        time.Time
	DomainValidationOptions    []api.DomainValidation
	RenewalSummary             struct{ RenewalStatus string }
	Body                       string `json:"_body"`
	Chain                      string `json:"_chain"`
	PrivateKey                 string `json:"_privateKey"`
	Exported                   bool   `json:"_exported"`
}

// heads reads what definition.Certificates writes.
var heads = store.Kind[head]{Name: definition.Certificates.Name, Sealed: definition.Certificates.Sealed, Version: definition.Certificates.Version}

func (h *head) brief(scope store.Scope, arn string) brief {
	b := brief{
		scope: unique.Make(scope), arn: arn, domain: h.DomainName,
		status: unique.Make(h.Status), kind: unique.Make(h.Type), algorithm: unique.Make(h.KeyAlgorithm),
		renewal: unique.Make(h.RenewalSummary.RenewalStatus),
		created: h.CreatedAt, notAfter: h.NotAfter, exported: h.Exported,
	}
	if !h.NotAfter.IsZero() {
		b.due = renewalDue(h.IssuedAt, h.NotBefore, h.NotAfter)
	}
	if h.Status == api.CertificateStatusPendingValidation {
		b.names = h.DomainValidationOptions
	}
	return b
}

// briefOf is the brief of a whole certificate.
func briefOf(d *definition.Certificate) brief {
	h := head{
		DomainName: value(d.DomainName),
		Status:     value(d.Status), Type: value(d.Type), KeyAlgorithm: value(d.KeyAlgorithm),
		CreatedAt: value(d.CreatedAt), IssuedAt: value(d.IssuedAt), NotBefore: value(d.NotBefore), NotAfter: value(d.NotAfter), Exported: d.Exported, DomainValidationOptions: d.DomainValidationOptions,
	}
	h.RenewalSummary.RenewalStatus = value(value(d.RenewalSummary).RenewalStatus)
	return h.brief(store.Scope{}, value(d.CertificateArn))
}

// statusAt is a certificate's status at a time.
func (b *brief) statusAt(now time.Time) string {
	switch status := b.status.Value(); {
	case status == api.CertificateStatusIssued && !b.notAfter.IsZero() && now.After(b.notAfter):
		return api.CertificateStatusExpired
	case status == api.CertificateStatusPendingValidation && now.Sub(b.created) > validationLife:
		return api.CertificateStatusValidationTimedOut
	default:
		return status
	}
}
