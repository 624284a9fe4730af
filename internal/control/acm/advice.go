package acm

import (
	"context"
	"crypto/x509"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// An Adviser is an issuer that says when it wants certificates renewed: earlier
// than they end where it had to revoke them.
type Adviser interface {
	// Advise returns the advice for a certificate and how long to wait before
	// asking again. No advice is no error: the zero value.
	Advise(ctx context.Context, leaf *x509.Certificate) (Advice, time.Duration, error)
}

// An Advice is the time in which to renew a certificate.
type Advice struct {
	// Start and End bound it, and RenewAt is a moment in it, chosen by chance.
	Start   time.Time `json:",omitzero"`
	End     time.Time `json:",omitzero"`
	RenewAt time.Time `json:",omitzero"`
	// Explanation is the URL of a page for the operator, "" if there is none.
	Explanation string `json:",omitzero"`
}

// minAge is how old a certificate is before it is renewed, or a quarter of its
// life.
const minAge = 6 * time.Hour

// Bounds of what an adviser says of when to ask again (RFC 9773, 4.3.2), and when
// to ask one that failed.
const (
	minRecheck    = time.Minute
	maxRecheck    = 24 * time.Hour
	failedRecheck = 6 * time.Hour
)

// renewalDue is when to renew a certificate, unless its issuer says otherwise:
// when a third of its life is left, half of a life of less than ten days, but
// not before ACM does.
func renewalDue(issued, notBefore, notAfter time.Time) time.Time {
	life := notAfter.Sub(notBefore)
	before := life / 3
	if life < shortLife {
		before = life / 2
	}
	return latest(notAfter.Add(-min(before, renewBefore)), earliestRenewal(issued, notBefore, notAfter))
}

// earliestRenewal keeps a certificate from being renewed at once: a clock that is
// wrong, or an authority that always says "now", would have it renewed for ever.
func earliestRenewal(issued, notBefore, notAfter time.Time) time.Time {
	return issued.Add(min(minAge, notAfter.Sub(notBefore)/4))
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// renewAt is when to renew a certificate.
func (s *Service) renewAt(e *entry) time.Time {
	if u := s.directory.upkeep(e.arn); !u.Advice.RenewAt.IsZero() {
		return u.Advice.RenewAt
	}
	return e.due
}

// advising is the name of the work of asking for advice.
const advising = "advising"

// startAdvice begins to ask the issuer about certificates that will be renewed,
// those that it wants to be asked about again by now, if there are any and
// nobody does.
func (s *Service) startAdvice(now time.Time) {
	adviser, ok := s.issuer.(Adviser)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[advising] != nil || now.Before(s.held[advising]) || s.ctx.Err() != nil {
		return
	}
	due := s.directory.all(func(e *entry) bool { return s.askable(e, now) })
	if len(due) == 0 {
		return
	}
	s.running[advising] = make(chan struct{})
	s.work(advising, func() { s.advise(adviser, due, now) })
}

// advise asks about certificates. An adviser that fails is left alone for a
// while.
func (s *Service) advise(adviser Adviser, due []*entry, now time.Time) {
	var asking sync.WaitGroup
	var stop atomic.Bool
	slots := make(chan struct{}, maxSigning)
	for _, e := range due {
		slots <- struct{}{}
		if stop.Load() || s.ctx.Err() != nil {
			break
		}
		asking.Go(func() {
			defer func() { <-slots }()
			answered, err := s.adviseOn(s.ctx, adviser, e, now)
			if err != nil && s.ctx.Err() == nil {
				s.log.Error("advice on a certificate couldn't be noted", "certificate", e.arn, "error", err)
			}
			if !answered || err != nil {
				stop.Store(true)
			}
		})
	}
	asking.Wait()
	if stop.Load() {
		s.hold(advising, now)
	}
}

// askable tells whether there is advice to ask for.
func (s *Service) askable(e *entry, now time.Time) bool {
	if e.pair == nil || s.eligibility(&e.brief, now) != api.RenewalEligibilityEligible {
		return false
	}
	return !now.Before(s.directory.upkeep(e.arn).Recheck)
}

// adviseOn asks about one certificate. An error is of the store; an adviser that
// fails is asked again later, and its last advice holds.
func (s *Service) adviseOn(ctx context.Context, adviser Adviser, e *entry, now time.Time) (answered bool, err error) {
	leaf, err := x509.ParseCertificate(e.pair.Certificate[0])
	if err != nil {
		return false, err
	}
	advice, again, failure := adviser.Advise(ctx, leaf)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	again = min(max(again, minRecheck), maxRecheck)
	if failure != nil {
		again = failedRecheck
		s.log.Warn("the authority couldn't be asked when to renew a certificate", "certificate", e.arn, "again", again, "error", failure)
	}
	return failure == nil, s.store.Update(ctx, func(tx *store.Tx) error {
		doc, err := definition.Certificates.Get(tx, e.scope.Value(), e.id)
		if errors.Is(err, store.ErrNotFound) || err == nil && value(doc.Serial) != serialText(leaf.SerialNumber) {
			return nil // deleted or renewed meanwhile
		}
		if err != nil {
			return err
		}
		return changeUpkeep(tx, e.scope.Value(), e.id, func(u *upkeep) {
			u.Recheck = now.Add(again)
			// Of the same time, the moment that was chosen stays.
			if failure != nil || u.Advice.Start.Equal(advice.Start) && u.Advice.End.Equal(advice.End) {
				return
			}
			u.Advice = advice.bounded(&doc.CertificateDetail)
			s.log.Info("the authority says when to renew a certificate", "certificate", e.arn,
				"from", advice.Start, "to", advice.End, "chosen", u.Advice.RenewAt, "why", advice.Explanation)
		})
	})
}

// bounded is advice that can be taken: not at once, and none that would leave no
// time to try again.
func (a Advice) bounded(d *api.CertificateDetail) Advice {
	if a.RenewAt.IsZero() {
		return a
	}
	if a.RenewAt.After(d.NotAfter.Add(-d.NotAfter.Sub(*d.NotBefore) / 10)) {
		a.RenewAt = time.Time{}
		return a
	}
	a.RenewAt = latest(a.RenewAt, earliestRenewal(*d.IssuedAt, *d.NotBefore, *d.NotAfter))
	return a
}
