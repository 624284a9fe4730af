package cognitoidp

import (
	"context"

	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// Which of a pool's keys signs which tokens.
const (
	idKey = iota
	accessKey
	poolKeyCount
)

// A keyMaking is the making of a pool's keys, which some may wait for.
type keyMaking struct {
	done chan struct{}
	err  error
}

// signers returns the pool's signing keys and waits until there are some.
func (s *Service) signers(ctx context.Context, p *Pool) ([]*userpool.SigningKey, error) {
	if len(p.keys.docs) == 0 {
		var err error
		if p, err = s.withKeys(ctx, p); err != nil {
			return nil, err
		}
	}
	return p.keys.private()
}

// withKeys returns the pool once it has keys.
func (s *Service) withKeys(ctx context.Context, p *Pool) (*Pool, error) {
	// They may be there since the pool was looked up.
	if now, ok := s.directory.Pool(p.ID); ok && len(now.keys.docs) > 0 {
		return now, nil
	}
	m := s.makeKeys(p.Scope, p.ID)
	select {
	case <-m.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if m.err != nil {
		return nil, m.err
	}
	now, ok := s.directory.Pool(p.ID)
	if !ok || len(now.keys.docs) == 0 {
		return nil, noPool(&p.ID)
	}
	return now, nil
}

// makeKeys has a pool's keys made and stored beside whatever else goes on: that
// takes longer than anybody who creates a pool should wait.
func (s *Service) makeKeys(scope store.Scope, poolID string) *keyMaking {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.making[poolID]; m != nil {
		return m
	}
	m := &keyMaking{done: make(chan struct{})}
	s.making[poolID] = m
	s.makers.Go(func() {
		m.err = s.storeKeys(scope, poolID)
		s.mu.Lock()
		delete(s.making, poolID)
		s.mu.Unlock()
		close(m.done)
	})
	return m
}

func (s *Service) storeKeys(scope store.Scope, poolID string) error {
	doc := &keysDoc{}
	for range poolKeyCount {
		key, err := s.newKey(s.random)
		if err != nil {
			return err
		}
		private, err := key.Marshal()
		if err != nil {
			return err
		}
		doc.Keys = append(doc.Keys, keyDoc{ID: key.ID, Private: private, Modulus: key.Public().Modulus})
	}
	err := s.store.Update(context.Background(), func(tx *store.Tx) error {
		// The pool may be gone, or have got keys in the meantime.
		there, err := pools.Exists(tx, scope, poolID)
		if err != nil || !there {
			return err
		}
		has, err := signingKeys.Exists(tx, scope, poolID)
		if err != nil || has {
			return err
		}
		return signingKeys.Put(tx, scope, doc, poolID)
	})
	if err != nil {
		s.log.Warn("the signing keys of a user pool couldn't be stored; they are made again when needed", "pool", poolID, "error", err)
	}
	return err
}
