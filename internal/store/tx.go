package store

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// A Tx is one transaction, or a view into its past. It isn't safe for
// concurrent use and ends with the function it was given to.
type Tx struct {
	store    *Store
	b        BackendTx
	revision int64
	write    bool
	// dirty tells that there is something to commit.
	dirty   bool
	changes []Change
	changed map[string]int
	// absent is the last key that was looked for in vain: a document is often
	// written because it isn't there.
	absent []byte

	// past is the transaction this one is an AsOf view of.
	past *Tx
	// pinned remembers the roots found to be pinned at the revision of a view.
	pinned map[string]bool
}

// Revision is this transaction's revision, out of one global increasing
// sequence: the one it will commit in an Update, the newest it sees in a View,
// the one asked for in an AsOf view.
func (tx *Tx) Revision() int64 { return tx.revision }

// Changes returns what this transaction changed so far, a document at most once.
func (tx *Tx) Changes() []Change { return slices.Clip(tx.changes) }

func (tx *Tx) record(key []byte, k Key, op Op) {
	tx.dirty = true
	if i, ok := tx.changed[string(key)]; ok {
		tx.changes[i].Op = op
		return
	}
	if tx.changed == nil {
		tx.changed = map[string]int{}
	}
	tx.changed[string(key)] = len(tx.changes)
	k.ID = slices.Clone(k.ID)
	tx.changes = append(tx.changes, Change{Key: k, Revision: tx.revision, Op: op})
}

// get returns the row with key as this transaction or view sees it, or nil.
func (tx *Tx) get(k Key, key []byte, versioned bool) (*Row, error) {
	if tx.past == nil {
		return tx.current(key)
	}
	if err := tx.checkPast(k.Kind, k.Scope, k.ID, versioned); err != nil {
		return nil, err
	}
	return tx.b.GetAt(key, tx.revision)
}

// current returns the row with key as the transaction has it now, or nil.
func (tx *Tx) current(key []byte) (*Row, error) {
	if len(tx.absent) > 0 && bytes.Equal(tx.absent, key) {
		return nil, nil
	}
	row, err := tx.b.Get(key)
	if row == nil && err == nil {
		tx.absent = append(tx.absent[:0], key...)
	}
	return row, err
}

// put writes a row and keeps what it supersedes if a pin needs that.
func (tx *Tx) put(k Key, row Row, old *Row, versioned bool) error {
	if err := tx.supersede(k, old, versioned); err != nil {
		return err
	}
	if err := tx.b.Put(row); err != nil {
		return fmt.Errorf("store: put %s: %w", k, err)
	}
	tx.absent = tx.absent[:0]
	tx.record(row.Key, k, Put)
	return nil
}

func (tx *Tx) delete(k Key, old *Row, versioned bool) error {
	if err := tx.supersede(k, old, versioned); err != nil {
		return err
	}
	if err := tx.b.Delete(old.Key); err != nil {
		return fmt.Errorf("store: delete %s: %w", k, err)
	}
	tx.record(old.Key, k, Delete)
	return nil
}

// recordSealKey notes in the database which key its secrets are sealed with, so
// that Open can refuse to start without it.
func (tx *Tx) recordSealKey(id string) error {
	keys, err := tx.b.Meta(metaSealKeys)
	if err != nil {
		return err
	}
	if slices.Contains(strings.Fields(keys), id) {
		return nil
	}
	return tx.b.SetMeta(metaSealKeys, strings.TrimSpace(keys+" "+id))
}
