package acm

import (
	"crypto/tls"
	"errors"
	"slices"
	"sync"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A Directory holds the certificates in memory, and who uses them. Reading it
// takes no lock; Prepare and Load keep it true. The zero value is empty.
type Directory struct {
	// entries are by ARN.
	entries sync.Map // string → *entry
	// users are the ARNs of the domain names that use a certificate, by its ARN.
	users sync.Map // string → []string
}

// An entry is a certificate as of one transaction; it is never written to.
type entry struct {
	scope store.Scope
	id    string
	// detail is without secrets. It is shared: don't write to it.
	detail   *api.CertificateDetail
	exported bool
	// pair is nil until the certificate is issued.
	pair *tls.Certificate
}

// Certificate returns the certificate with an ARN, chain and key included; ok is
// false if there is none in the scope or it isn't issued yet. One that expired is
// returned all the same: what it is used for goes on, as at AWS.
//
// The result is shared and never changes; a renewal or a new import makes a new
// one, so it is to be asked for at each handshake.
func (d *Directory) Certificate(scope store.Scope, certificateARN string) (cert *tls.Certificate, ok bool) {
	found, _ := d.entries.Load(certificateARN)
	e, ok := found.(*entry)
	if !ok || e.scope != scope || e.pair == nil {
		return nil, false
	}
	return e.pair, true
}

// InUseBy returns the ARNs of the domain names that use a certificate, sorted.
// The result is shared: don't write to it.
func (d *Directory) InUseBy(certificateARN string) []string {
	users, _ := d.users.Load(certificateARN)
	found, _ := users.([]string)
	return found
}

// A Use is a certificate that domain names use.
type Use struct {
	ARN, DomainName string
	NotAfter        time.Time
}

// InUse yields the certificates that are in use, in no order.
func (d *Directory) InUse(yield func(Use) bool) {
	for arn := range d.users.Range {
		found, _ := d.entries.Load(arn)
		e, ok := found.(*entry)
		if !ok || e.detail.NotAfter == nil {
			continue
		}
		if !yield(Use{ARN: arn.(string), DomainName: value(e.detail.DomainName), NotAfter: *e.detail.NotAfter}) {
			return
		}
	}
}

// all are the entries that keep keeps, in no order.
func (d *Directory) all(keep func(*entry) bool) []*entry {
	var all []*entry
	for _, e := range d.entries.Range {
		if e := e.(*entry); keep(e) {
			all = append(all, e)
		}
	}
	return all
}

// Load reads everything; it is called once, before calls are answered.
func (d *Directory) Load(tx *store.Tx) error {
	for e, err := range definition.Certificates.Everywhere(tx) {
		if err != nil {
			return err
		}
		made, err := newEntry(e.Scope, e.ID[0], e.Doc)
		if err != nil {
			return err
		}
		d.entries.Store(arnOf(e.Scope, e.ID[0]), made)
	}
	users := map[string][]string{}
	for e, err := range definition.DomainCertificates.Everywhere(tx) {
		if err != nil {
			return err
		}
		users[e.ID[0]] = append(users[e.ID[0]], e.Doc.ID)
	}
	for certificate, arns := range users {
		d.use(certificate, arns)
	}
	return nil
}

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the directory follow.
func (d *Directory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	entries := map[string]*entry{} // nil is deleted
	users := map[string][]string{}
	for _, c := range changes {
		switch c.Kind {
		case definition.Certificates.Name:
			entries[arnOf(c.Scope, c.ID[0])], err = follow(tx, c.Scope, c.ID[0])
		case definition.DomainCertificates.Name:
			users[c.ID[0]], err = definition.CertificateUses(tx, c.ID[0])
		}
		if err != nil {
			return nil, err
		}
	}
	if len(entries)+len(users) == 0 {
		return nil, nil
	}
	return func() {
		for arn, e := range entries {
			if e == nil {
				d.entries.Delete(arn)
				continue
			}
			d.entries.Store(arn, e)
		}
		for certificate, arns := range users {
			d.use(certificate, arns)
		}
	}, nil
}

// use notes what uses a certificate.
func (d *Directory) use(certificateARN string, users []string) {
	if len(users) == 0 {
		d.users.Delete(certificateARN)
		return
	}
	slices.Sort(users)
	d.users.Store(certificateARN, users)
}

func follow(tx *store.Tx, scope store.Scope, id string) (*entry, error) {
	doc, err := definition.Certificates.Get(tx, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return newEntry(scope, id, doc)
}

func newEntry(scope store.Scope, id string, doc *definition.Certificate) (*entry, error) {
	detail := doc.CertificateDetail // alone, so that the rest of the document isn't kept
	e := &entry{scope: scope, id: id, detail: &detail, exported: doc.Exported}
	if doc.Body == "" {
		return e, nil
	}
	var err error
	e.pair, err = newPair(doc.Body, doc.Chain, doc.PrivateKey)
	return e, err
}
