package acm

import (
	"context"
	"errors"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const (
	// renewBefore is how long before its end ACM begins to renew a certificate.
	renewBefore = 45 * 24 * time.Hour
	// After a failure the next attempt waits, longer each time.
	firstWait = time.Minute
	maxWait   = time.Hour
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
func reasonOf(err error) (reason string, final bool) {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Reason, true
	}
	return api.FailureReasonOther, false
}

// An attempt is when to try again, and how long to wait after that.
type attempt struct {
	next time.Time
	wait time.Duration
}

// Keep issues what may be issued and renews what is due, once. The service does
// it by itself, too. An error is of the store; what an issuer won't do is noted
// with the certificate.
func (s *Service) Keep(ctx context.Context) error {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	now := s.clock()
	var errs []error
	for _, e := range s.directory.all(func(e *entry) bool { return s.due(e, now) }) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		arn := e.arn
		if now.Before(s.attempts[arn].next) {
			continue
		}
		tried, err := s.sign(ctx, e.scope.Value(), e.id, now)
		if err != nil {
			errs = append(errs, err)
		}
		if tried == nil {
			delete(s.attempts, arn)
			continue
		}
		wait := max(firstWait, s.attempts[arn].wait)
		s.attempts[arn] = attempt{now.Add(wait), min(2*wait, maxWait)}
		s.log.Warn("a certificate couldn't be issued", "certificate", arn, "again", wait, "error", tried)
	}
	return errors.Join(append(errs, s.forgetRequests(ctx, now))...)
}

// due tells whether there is something to do for a certificate.
func (s *Service) due(e *entry, now time.Time) bool {
	switch e.statusAt(now) {
	case api.CertificateStatusPendingValidation:
		return s.mayIssue(e.names)
	case api.CertificateStatusIssued:
		return (e.notAfter.Sub(now) < renewBefore || e.renewal.Value() == api.RenewalStatusPendingAutoRenewal) &&
			s.eligibility(&e.brief, now) == api.RenewalEligibilityEligible
	default:
		return false
	}
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
	before, renewal := value(doc.Serial), doc.Body != ""
	tried = s.issue(ctx, doc, now)
	if ctx.Err() != nil {
		return nil, ctx.Err() // nothing was decided
	}
	reason, final := reasonOf(tried)
	switch {
	case tried == nil && renewal:
		doc.RenewalSummary = renewalSummary(doc, api.RenewalStatusSuccess, nil, now)
	case tried != nil && renewal:
		doc.RenewalSummary = renewalSummary(doc, api.RenewalStatusFailed, &reason, now)
	case final:
		doc.Status, doc.FailureReason = new(api.CertificateStatusFailed), &reason
	case tried != nil:
		return tried, nil // it waits on
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		present, err := definition.Certificates.Get(tx, scope, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && value(present.Serial) != before {
			return nil // deleted or renewed meanwhile
		}
		if err != nil {
			return err
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
	if err != nil || s.patient {
		s.Wake()
		return err
	}
	s.keeping.Lock()
	defer s.keeping.Unlock()
	// An issuer's error is told by the renewal summary, as at AWS.
	_, err = s.sign(c, scopeOf(c), id, c.Time)
	return err
}

// forgetRequests deletes tokens that stand for nothing any more.
func (s *Service) forgetRequests(ctx context.Context, now time.Time) error {
	if now.Sub(s.forgotten) < tokenLife {
		return nil
	}
	s.forgotten = now
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
