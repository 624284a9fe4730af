package acm

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A Directory holds in memory what is needed of certificates all the time, and
// who uses them. Reading it takes no lock; Prepare and Load keep it true. The zero
// value is empty.
type Directory struct {
	// Log takes what is wrong with stored certificates; nil discards it.
	Log *slog.Logger

	// entries are by ARN.
	entries sync.Map // string → *entry
	// users are the ARNs of the domain names that use a certificate, by its ARN.
	users sync.Map // string → []string
	// upkeeps are by the ARN of the certificate.
	upkeeps sync.Map // string → *upkeep
	chains  chains
}

// An entry is a certificate as of one transaction; it is never written to.
type entry struct {
	brief
	id string
	// pair is nil until the certificate is issued.
	pair  *tls.Certificate
	chain *chain // of the pair, to keep it
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
	if !ok || e.scope.Value() != scope || e.pair == nil {
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
		if !ok || e.notAfter.IsZero() {
			continue
		}
		if !yield(Use{ARN: e.arn, DomainName: e.domain, NotAfter: e.notAfter}) {
			return
		}
	}
}

// A State is what certificates have in common: their status and that of their
// renewal, "" before there was one, in ACM's words.
type State struct{ Status, Renewal string }

// States counts the certificates by their states at a time.
func (d *Directory) States(now time.Time) map[State]int {
	n := map[State]int{}
	for _, e := range d.entries.Range {
		e := e.(*entry)
		n[State{e.statusAt(now), e.renewal.Value()}]++
	}
	return n
}

// upkeep is what was noted of a certificate; the zero value if nothing was.
func (d *Directory) upkeep(certificateARN string) upkeep {
	found, _ := d.upkeeps.Load(certificateARN)
	noted, _ := found.(*upkeep)
	return value(noted)
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

// Load reads everything; it is called once, before calls are answered. A
// certificate that can't be read is told of and left out: others go on.
func (d *Directory) Load(tx *store.Tx) error {
	for e, err := range heads.Readable(tx, d.unreadable) {
		if err != nil {
			return err
		}
		made, err := d.newEntry(e.Scope, e.ID[0], e.Doc)
		if err != nil {
			d.unreadable(e.Key, err)
			continue
		}
		d.entries.Store(made.arn, made)
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
	for e, err := range upkeeps.Everywhere(tx) {
		if err != nil {
			return err
		}
		d.upkeeps.Store(arnOf(e.Scope, e.ID[0]), e.Doc)
	}
	return nil
}

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the directory follow.
func (d *Directory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	entries := map[string]*entry{} // nil is deleted
	users := map[string][]string{}
	noted := map[string]*upkeep{} // nil is deleted
	for _, c := range changes {
		switch c.Kind {
		case upkeeps.Name:
			if noted[arnOf(c.Scope, c.ID[0])], err = upkeeps.Get(tx, c.Scope, c.ID[0]); errors.Is(err, store.ErrNotFound) {
				err = nil
			}
		case definition.Certificates.Name:
			entries[arnOf(c.Scope, c.ID[0])], err = d.follow(tx, c.Scope, c.ID[0])
		case definition.DomainCertificates.Name:
			users[c.ID[0]], err = definition.CertificateUses(tx, c.ID[0])
		}
		if err != nil {
			return nil, err
		}
	}
	if len(entries)+len(users)+len(noted) == 0 {
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
		for arn, u := range noted {
			if u == nil {
				d.upkeeps.Delete(arn)
				continue
			}
			d.upkeeps.Store(arn, u)
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

// unreadable tells of a stored certificate that is of no use.
func (d *Directory) unreadable(key store.Key, err error) {
	if d.Log != nil {
		d.Log.Error("a stored certificate can't be used; who uses it serves no TLS", "certificate", key.String(), "error", err)
	}
}

func (d *Directory) follow(tx *store.Tx, scope store.Scope, id string) (*entry, error) {
	doc, err := heads.Get(tx, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return d.newEntry(scope, id, doc)
}

func (d *Directory) newEntry(scope store.Scope, id string, doc *head) (*entry, error) {
	e := &entry{brief: doc.brief(scope, arnOf(scope, id)), id: id}
	if doc.Body == "" {
		return e, nil
	}
	var err error
	e.chain = d.chains.of(doc.Chain)
	e.pair, err = newPair(doc.Body, e.chain.ders, doc.PrivateKey, doc.KeyAlgorithm)
	return e, err
}
