package acm

import (
	"context"
	"crypto/x509"
	"errors"
	"maps"
	"slices"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const (
	// renewBefore is how long before its end ACM begins to renew a certificate.
	renewBefore = 45 * 24 * time.Hour
	// shortLife is the length of a life of which half is left when it is time.
	shortLife = 10 * 24 * time.Hour
	// After a failure the next attempt waits, longer each time. Public authorities
	// allow five failures of a name in an hour.
	firstWait = 2 * time.Minute
	maxWait   = time.Hour
	// maxSigning is how many certificates are signed at a time.
	maxSigning = 4
	// holdTime is how long a certificate is left alone that nothing can be done
	// for, unless something changes.
	holdTime = time.Minute
)

// A Refusal is an issuer's answer that asking again won't change.
type Refusal struct {
	// Reason is one of ACM's failure reasons.
	Reason string
	Err    error
}

func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// reasonOf is ACM's reason of an issuer's error.
func reasonOf(err error) string {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Reason
	}
	return api.FailureReasonOther
}

func isFinal(err error) bool {
	_, ok := errors.AsType[*Refusal](err)
	return ok
}

// isFree tells an error for which nobody was asked anything.
func isFree(err error) bool {
	d, ok := errors.AsType[*Delay](err)
	return ok && d.Wait == 0
}

// A Delay is an issuer's answer that it can't try yet, or wasn't let.
type Delay struct {
	// Wait is how long the issuer wants to be left alone. Zero is that asking
	// costs nothing: it is asked with each round.
	Wait time.Duration
	Err  error
}

func (d *Delay) Error() string { return d.Err.Error() }

// Unwrap returns the cause.
func (d *Delay) Unwrap() error { return d.Err }

// Keep issues what may be issued and renews what is due by now, and returns once
// that is done. The service does it by itself, too. What an issuer won't do is
// noted with the certificate.
func (s *Service) Keep(ctx context.Context) error {
	s.mu.Lock()
	clear(s.held)
	s.mu.Unlock()
	for {
		s.start()
		s.mu.Lock()
		running := slices.Collect(maps.Values(s.running))
		s.mu.Unlock()
		if len(running) == 0 {
			return s.forgetRequests(ctx)
		}
		for _, ended := range running {
			select {
			case <-ended:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// start begins everything that it is time for and that there is room for.
func (s *Service) start() {
	now := s.clock()
	s.startAdvice(now)
	due := s.directory.all(func(e *entry) bool { return s.due(e, now) })
	accounts := 0
	if s.patient && len(due) > 0 {
		accounts = s.directory.ordering()
	}
	for _, e := range s.inTurn(due) {
		if e = s.take(e, accounts, now); e != nil {
			s.work(e.arn, func() { s.attempt(s.ctx, e, now) })
		}
	}
}

// inTurn sorts what is due: the most urgent of each account, then the second of
// each, where what is worked on counts. An account that wants a thousand
// certificates has the others wait for one of them, not for all.
func (s *Service) inTurn(due []*entry) []*entry {
	slices.SortFunc(due, func(a, b *entry) int { return urgency(a).Compare(urgency(b)) })
	turns := map[string]int{} // by account
	s.mu.Lock()
	for arn := range s.running {
		if found, ok := s.directory.entries.Load(arn); ok {
			turns[found.(*entry).scope.Value().Account]++
		}
	}
	s.mu.Unlock()
	type turn struct {
		at int
		*entry
	}
	sorted := make([]turn, len(due))
	for i, e := range due {
		account := e.scope.Value().Account
		sorted[i] = turn{turns[account], e}
		turns[account]++
	}
	slices.SortStableFunc(sorted, func(a, b turn) int { return a.at - b.at })
	for i, t := range sorted {
		due[i] = t.entry
	}
	return due
}

// work runs what was taken, and gives it back.
func (s *Service) work(name string, f func()) {
	s.workers.Go(func() {
		defer s.release(name)
		f()
	})
}

// release gives back what was taken, and has what waits for it begin.
func (s *Service) release(name string) {
	s.mu.Lock()
	ended := s.running[name]
	delete(s.running, name)
	s.mu.Unlock()
	close(ended)
	s.look()
}

// urgency sorts an account's: what serves nobody yet comes first, then what ends first.
func urgency(e *entry) time.Time { return e.notAfter }

// take claims a certificate and returns it as it is by now; nil where there is
// no room, or somebody has it, or had. accounts is how many order certificates.
func (s *Service) take(e *entry, accounts int, now time.Time) *entry {
	arn := e.arn
	s.mu.Lock()
	defer s.mu.Unlock()
	signing := len(s.running)
	if s.running[advising] != nil {
		signing--
	}
	found, _ := s.directory.entries.Load(arn)
	e, ok := found.(*entry)
	if !ok || signing >= maxSigning || s.running[arn] != nil || now.Before(s.held[arn]) || !s.due(e, now) || s.ctx.Err() != nil {
		return nil
	}
	if !s.admits(e.scope.Value().Account, accounts, now) {
		return nil
	}
	s.running[arn] = make(chan struct{})
	s.hurried.Delete(arn)
	return e
}

// hold leaves a certificate alone for a while: there is nothing to be done for it
// now.
func (s *Service) hold(arn string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[arn] = now.Add(holdTime)
}

// due tells whether there is something to do for a certificate.
func (s *Service) due(e *entry, now time.Time) bool {
	if s.waiting(e.arn, now) {
		return false
	}
	switch e.statusAt(now) {
	case api.CertificateStatusPendingValidation:
		return s.mayIssue(e.names)
	case api.CertificateStatusIssued:
		asked := e.renewal.Value() == api.RenewalStatusPendingAutoRenewal || e.renewal.Value() == api.RenewalStatusFailed
		return (asked || !now.Before(s.renewAt(e))) && s.eligibility(&e.brief, now) == api.RenewalEligibilityEligible
	default:
		return false
	}
}

// attempt has a certificate signed and notes how that went.
func (s *Service) attempt(ctx context.Context, e *entry, now time.Time) {
	arn := e.arn
	before := s.directory.upkeep(arn)
	tried, err := s.sign(ctx, e.scope.Value(), e.id, now)
	if err == nil && tried != nil {
		err = s.noteFailure(ctx, e, before, tried, now)
	}
	if _, hurried := s.hurried.Load(arn); hurried { // meanwhile
		s.lookAtEarly(arn, s.clock())
	}
	if err != nil && ctx.Err() == nil {
		s.hold(arn, now)
		s.log.Error("looking after a certificate failed", "certificate", arn, "error", err)
	}
}

// noteFailure notes that an issuer didn't sign, when to try again, and what to
// tell the operator.
func (s *Service) noteFailure(ctx context.Context, e *entry, before upkeep, tried error, now time.Time) error {
	arn := e.arn
	next := before.began(now)
	if delay, ok := errors.AsType[*Delay](tried); ok {
		if delay.Wait == 0 {
			s.hold(arn, now)
			next = before
		} else {
			next.Until = now.Add(delay.Wait)
		}
	}
	if isFree(tried) && before.Problem == tried.Error() {
		return nil // it is said already
	}
	again := next.Next
	if again.Before(next.Until) {
		again = next.Until
	}
	log := s.log.With("certificate", arn, "domain", e.domain, "error", tried)
	switch {
	case e.pair != nil:
		log.Warn("a certificate couldn't be renewed; the one there is serves on", "until", e.notAfter, "again", again)
	case isFinal(tried):
		log.Warn("a certificate was refused")
	default:
		if isFree(tried) {
			again = now.Add(holdTime)
		}
		log.Warn("a certificate couldn't be issued yet", "again", again)
	}
	return s.note(ctx, e.scope.Value(), e.id, func(u *upkeep) {
		u.Tried, u.Next, u.Wait, u.Until, u.Problem = next.Tried, next.Next, next.Wait, next.Until, tried.Error()
	})
}

// sign has a certificate signed and stores it, or why it wasn't: tried is the
// issuer's error, which leaves what there was before serving.
func (s *Service) sign(ctx context.Context, scope store.Scope, id string, now time.Time) (tried, err error) {
	var doc *definition.Certificate
	err = s.store.View(ctx, func(tx *store.Tx) error {
		doc, err = definition.Certificates.Get(tx, scope, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	before, renewal, summary := value(doc.Serial), doc.Body != "", doc.RenewalSummary
	tried = s.issue(ctx, doc, s.replaced(doc), now, func() error {
		if !s.patient {
			return nil // a local authority has no limits
		}
		s.mu.Lock()
		s.shares.begin(scope.Account, now)
		s.mu.Unlock()
		return s.note(ctx, scope, id, func(u *upkeep) { *u = u.began(now) })
	})
	if ctx.Err() != nil {
		return nil, ctx.Err() // nothing was decided
	}
	reason := reasonOf(tried)
	switch {
	case tried == nil && renewal:
		doc.RenewalSummary = renewalSummary(doc, api.RenewalStatusSuccess, nil, now)
	case tried != nil && renewal:
		doc.RenewalSummary = renewalSummary(doc, api.RenewalStatusFailed, &reason, now)
		if summary != nil && value(summary.RenewalStatus) == api.RenewalStatusFailed && value(summary.RenewalStatusReason) == reason && isFree(tried) {
			return tried, nil // it is said already
		}
	case isFinal(tried):
		doc.Status, doc.FailureReason = new(api.CertificateStatusFailed), &reason
	case tried != nil:
		return tried, nil // it waits on
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		present, err := definition.Certificates.Get(tx, scope, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && (value(present.Serial) != before || value(present.Status) == api.CertificateStatusRevoked) {
			return nil // deleted, renewed or revoked meanwhile
		}
		if err != nil {
			return err
		}
		if tried == nil {
			if err := dropUpkeep(tx, scope, id); err != nil {
				return err
			}
		}
		// What users can change meanwhile.
		doc.Tags, doc.Options, doc.Exported = present.Tags, present.Options, present.Exported
		return definition.Certificates.Put(tx, scope, doc, id)
	})
	if err == nil && tried == nil {
		s.log.Info("a certificate was issued", "certificate", *doc.CertificateArn, "until", *doc.NotAfter, "renewal", renewal)
	}
	return tried, err
}

// replaced is the certificate that a new one takes the place of, if the issuer
// is known to know it: it gave advice on it.
func (s *Service) replaced(doc *definition.Certificate) *x509.Certificate {
	u := s.directory.upkeep(*doc.CertificateArn)
	if u.Advice.Start.IsZero() {
		return nil
	}
	certs, err := parseCertificates([]byte(doc.Body))
	if err != nil || len(certs) == 0 {
		return nil
	}
	return certs[0]
}

func renewalSummary(doc *definition.Certificate, status string, reason *string, now time.Time) *api.RenewalSummary {
	return &api.RenewalSummary{
		RenewalStatus: &status, RenewalStatusReason: reason, UpdatedAt: second(now), DomainValidationOptions: doc.DomainValidationOptions,
	}
}

// RenewCertificate renews a certificate of ACM's own before it is due.
func (s *Service) RenewCertificate(c *awswire.Call, in *api.RenewCertificateRequest) error {
	id, err := idOf(c, in.CertificateArn)
	if err != nil {
		return err
	}
	err = s.change(c, in.CertificateArn, func(d *definition.Certificate) error {
		if value(d.Status) == api.CertificateStatusPendingValidation {
			return checkIssued(d)
		}
		if b := briefOf(d); s.eligibility(&b, c.Time) != api.RenewalEligibilityEligible {
			return invalid("Certificate " + *in.CertificateArn + " isn't eligible for renewal.") // UNVERIFIED wording
		}
		d.RenewalSummary = renewalSummary(d, api.RenewalStatusPendingAutoRenewal, nil, c.Time)
		return nil
	})
	if err != nil {
		return err
	}
	if s.directory.upkeep(*in.CertificateArn).waits(c.Time) {
		// Whoever asks has mended something. What the issuer wants holds.
		err = s.note(c, scopeOf(c), id, func(u *upkeep) { u.Next = time.Time{} })
	}
	if err != nil || s.patient {
		s.Wake()
		return err
	}
	// An issuer's error is told by the renewal summary, as at AWS.
	_, err = s.sign(c, scopeOf(c), id, c.Time)
	return err
}

// forgetRequests deletes tokens that stand for nothing any more.
func (s *Service) forgetRequests(ctx context.Context) error {
	now := s.clock()
	s.mu.Lock()
	recently := now.Sub(s.forgotten) < tokenLife
	if !recently {
		s.forgotten = now
	}
	s.mu.Unlock()
	if recently {
		return nil
	}
	var old []store.Key
	err := s.store.View(ctx, func(tx *store.Tx) error {
		for e, err := range requests.Everywhere(tx) {
			if err != nil {
				return err
			}
			if now.Sub(e.Doc.Time) > tokenLife {
				old = append(old, e.Key)
			}
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		for _, key := range old {
			doc, err := requests.Get(tx, key.Scope, key.ID...)
			if errors.Is(err, store.ErrNotFound) || err == nil && now.Sub(doc.Time) <= tokenLife {
				continue
			}
			if err := errors.Join(err, requests.Delete(tx, key.Scope, key.ID...)); err != nil {
				return err
			}
		}
		return nil
	})
}
