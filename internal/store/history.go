package store

import (
	"fmt"
)

// A superseded row was current from its own revision f until the revision t
// that replaced it, and is kept while some pin p of its root has f <= p < t.
// Every kept row is therefore covered by a pin, which is what lets Forget find
// the rows of one pin without looking at the others'.

// AsOf returns a read-only view of the versioned kinds as they were at a
// revision, which must be this transaction's own or one that a pin of the root
// being read keeps. Reads must name the root: the first part of the id.
func (tx *Tx) AsOf(revision int64) *Tx {
	origin := tx
	if tx.past != nil {
		origin = tx.past
	}
	return &Tx{store: tx.store, b: tx.b, revision: revision, past: origin}
}

func (tx *Tx) checkPast(kind string, s Scope, id []string, versioned bool) error {
	if !versioned {
		return fmt.Errorf("%w: %s", ErrNotVersioned, kind)
	}
	if tx.revision >= tx.past.revision {
		return nil
	}
	if len(id) == 0 {
		return fmt.Errorf("%w: %s as of revision %d without a root", ErrNotPinned, kind, tx.revision)
	}
	root := encodeRoot(s, id[0])
	if tx.pinned[string(root)] {
		return nil
	}
	ok, err := tx.b.Pinned(root, tx.revision, tx.revision+1)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: %d of %s", ErrNotPinned, tx.revision, id[0])
	}
	// A writer may unpin later on; only a snapshot's answer holds.
	if !tx.past.write {
		if tx.pinned == nil {
			tx.pinned = map[string]bool{}
		}
		tx.pinned[string(root)] = true
	}
	return nil
}

// Pin keeps the versions needed to read the documents of versioned kinds whose
// first id part is root as of revision: this transaction's own, whatever it
// writes before or after, or one that is pinned already. Pins are counted.
func (tx *Tx) Pin(s Scope, root string, revision int64) error {
	if err := tx.writable(); err != nil {
		return err
	}
	key := encodeRoot(s, root)
	if revision != tx.revision {
		ok, err := tx.b.Pinned(key, revision, revision+1)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: %d of %s can't be pinned any more", ErrNotPinned, revision, root)
		}
	}
	tx.dirty = true
	_, err := tx.b.AddPin(key, revision, +1)
	return err
}

// Unpin releases a pin, and with the last one at that revision the versions
// that no other pin needs.
func (tx *Tx) Unpin(s Scope, root string, revision int64) error {
	if err := tx.writable(); err != nil {
		return err
	}
	key := encodeRoot(s, root)
	ok, err := tx.b.Pinned(key, revision, revision+1)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: %d of %s", ErrNotPinned, revision, root)
	}
	tx.dirty = true
	left, err := tx.b.AddPin(key, revision, -1)
	if err != nil || left > 0 {
		return err
	}
	return tx.b.Forget(key, revision)
}

// UnpinAll releases every pin of root and the versions they kept: its owner is
// being deleted.
func (tx *Tx) UnpinAll(s Scope, root string) error {
	if err := tx.writable(); err != nil {
		return err
	}
	tx.dirty = true
	return tx.b.ForgetRoot(encodeRoot(s, root))
}

// supersede keeps old, which this transaction is about to replace or delete, if
// a pin can see it.
func (tx *Tx) supersede(k Key, old *Row, versioned bool) error {
	if old == nil || !versioned || len(k.ID) == 0 || old.Revision == tx.revision {
		return nil
	}
	root := encodeRoot(k.Scope, k.ID[0])
	needed, err := tx.b.Pinned(root, old.Revision, tx.revision)
	if err != nil {
		return err
	}
	if !needed {
		return nil
	}
	if err := tx.b.Keep(root, *old, tx.revision); err != nil {
		return fmt.Errorf("store: keep version of %s: %w", k, err)
	}
	return nil
}

func (tx *Tx) writable() error {
	if !tx.write {
		return ErrReadOnly
	}
	return nil
}
