package acm

import (
	"context"
	"errors"
	"time"

	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// upkeeps hold what the service notes of certificates beyond what ACM shows; an
// upkeep has the key of its certificate.
var upkeeps = store.Kind[upkeep]{Name: "acm/upkeep"}

// An upkeep is of one certificate, not of those that follow it under its ARN. It
// outlives a restart, so that who restarts a gateway over and over doesn't spend
// what an authority allows.
type upkeep struct {
	// Tried is when the issuer was last asked, Next when it may be asked again, and
	// Wait how long to wait after the next attempt that fails.
	Tried time.Time     `json:",omitzero"`
	Next  time.Time     `json:",omitzero"`
	Wait  time.Duration `json:",omitzero"`
	// Until is when the issuer wants to be asked again, which it isn't before.
	Until time.Time `json:",omitzero"`
	// Problem is what was wrong, as it was last logged.
	Problem string `json:",omitzero"`
	// Advice is what the issuer said of when to renew the certificate, and Recheck
	// when to ask it again.
	Advice  Advice    `json:",omitzero"`
	Recheck time.Time `json:",omitzero"`
}

// waits tells whether it is too early to ask the issuer.
func (u upkeep) waits(now time.Time) bool { return now.Before(u.Next) || now.Before(u.Until) }

// began is what is noted before an attempt: until its end is known, it counts as
// one that failed.
func (u upkeep) began(now time.Time) upkeep {
	wait := max(firstWait, u.Wait)
	u.Tried, u.Next, u.Wait = now, now.Add(wait), min(2*wait, maxWait)
	return u
}

// note changes what is noted of a certificate, unless it was deleted.
func (s *Service) note(ctx context.Context, scope store.Scope, id string, change func(u *upkeep)) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		exists, err := definition.Certificates.Exists(tx, scope, id)
		if !exists || err != nil {
			return err
		}
		return changeUpkeep(tx, scope, id, change)
	})
}

func changeUpkeep(tx *store.Tx, scope store.Scope, id string, change func(u *upkeep)) error {
	doc, err := upkeeps.Get(tx, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		doc, err = &upkeep{}, nil
	}
	if err != nil {
		return err
	}
	change(doc)
	return upkeeps.Put(tx, scope, doc, id)
}

// dropUpkeep forgets what was noted of a certificate.
func dropUpkeep(tx *store.Tx, scope store.Scope, id string) error {
	if err := upkeeps.Delete(tx, scope, id); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}
