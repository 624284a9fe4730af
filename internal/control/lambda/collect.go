package lambda

import (
	"context"
	"fmt"

	"gatehouse/internal/codestore"
	"gatehouse/internal/store"
)

// CollectCode removes the code that no function and no layer has any more, and
// tells how much that was. It is for the start, before functions run: one that
// was deleted meanwhile may still be at its last call.
func (s *Service) CollectCode(ctx context.Context) (removed int, err error) {
	used := map[codestore.Hash]bool{}
	keep := func(refs ...codeRef) error {
		for _, ref := range refs {
			if ref.Digest == "" {
				continue
			}
			hash, err := codestore.ParseHash(ref.Digest)
			if err != nil {
				return err
			}
			used[hash] = true
		}
		return nil
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		for e, err := range functions.Everywhere(tx) {
			if err != nil {
				return err
			}
			if err := keep(append(e.Doc.LayerCode, e.Doc.Code)...); err != nil {
				return err
			}
		}
		for e, err := range versions.Everywhere(tx) {
			if err != nil {
				return err
			}
			if err := keep(append(e.Doc.LayerCode, e.Doc.Code)...); err != nil {
				return err
			}
		}
		for e, err := range layerVers.Everywhere(tx) {
			if err != nil {
				return err
			}
			if err := keep(e.Doc.Code); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("collect code: %w", err)
	}
	// What was stored since is younger than the code store's grace.
	return s.code.Collect(func(h codestore.Hash) bool { return used[h] })
}
