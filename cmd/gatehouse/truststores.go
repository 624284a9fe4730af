package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"gatehouse/internal/control/domain"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
	"gatehouse/internal/truststore/keep"
)

// unusedTruststores is how long the copy of a truststore is kept that no domain
// names any more, and how often such are looked for.
const unusedTruststores = time.Hour

// fetchTruststore reads truststores for domains that are made or changed.
func fetchTruststore(k *keep.Keeper) func(ctx context.Context, uri, version string) (string, []string, error) {
	return func(ctx context.Context, uri, version string) (string, []string, error) {
		name, warnings, err := k.Fetch(ctx, uri, version)
		if errors.Is(err, keep.ErrNotKept) {
			err = &domain.Failure{Err: err}
		}
		return name, warnings, err
	}
}

// truststoreCopy names the copy of a domain's truststore.
func truststoreCopy(copied, uri, version string) string {
	if copied == "" {
		return keep.OldName(uri, version)
	}
	return copied
}

// A truststoreSweep removes the copies that no domain names.
type truststoreSweep struct {
	keeper    *keep.Keeper
	documents *store.Store
	log       *slog.Logger
}

// named are the copies that domains name.
func (s *truststoreSweep) named(ctx context.Context) (map[string]bool, error) {
	names := map[string]bool{}
	err := s.documents.View(ctx, func(tx *store.Tx) error {
		for e, err := range definition.Domains.Everywhere(tx) {
			if err != nil {
				return err
			}
			if mutual := e.Doc.MutualTlsAuthentication; mutual != nil {
				names[truststoreCopy(e.Doc.Truststore, text(mutual.TruststoreUri), text(mutual.TruststoreVersion))] = true
			}
		}
		return nil
	})
	return names, err
}

func text(p *string) string { return *cmp.Or(p, new(string)) }

// once removes what nobody names, and didn't for some time.
func (s *truststoreSweep) once(ctx context.Context, unused time.Duration) {
	switch n, err := s.keeper.Collect(unused, func() (map[string]bool, error) { return s.named(ctx) }); {
	case err != nil && ctx.Err() == nil:
		s.log.Warn("truststores that no domain uses couldn't be removed", "error", err)
	case n > 0:
		s.log.Info("removed truststores that no domain uses", "copies", n)
	}
}

// run removes them now, while nothing is served yet, and from time to time, until
// ctx ends.
func (s *truststoreSweep) run(ctx context.Context) (wait func()) {
	s.once(ctx, 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(unusedTruststores)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.once(ctx, unusedTruststores)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { <-done }
}
