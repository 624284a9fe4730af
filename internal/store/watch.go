package store

import (
	"context"
	"fmt"
	"iter"
	"strconv"
)

// An Op is what happened to a document.
type Op uint8

// The operations of the change feed.
const (
	Put Op = iota + 1
	Delete
)

func (o Op) String() string {
	switch o {
	case Put:
		return "put"
	case Delete:
		return "delete"
	default:
		return "op " + strconv.Itoa(int(o))
	}
}

// A Change is one document written or deleted.
type Change struct {
	Key
	// Revision is that of the transaction.
	Revision int64
	Op       Op
}

// A Batch is what one transaction changed, a document at most once.
type Batch struct {
	Revision int64
	Changes  []Change
}

const (
	feedChunk   = 1000
	metaTrimmed = "feed.trimmed"
)

// Watch yields the changes of every transaction after a revision, in order, and
// then waits for more until ctx ends (which ends the sequence without error) or
// the store closes (ErrClosed). It runs in the caller's goroutine.
func (s *Store) Watch(ctx context.Context, after int64) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for {
			next := s.nextCommit()
			batches, err := s.changesAfter(ctx, after)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				yield(Batch{}, err)
				return
			}
			for _, b := range batches {
				if !yield(b, nil) {
					return
				}
				after = b.Revision
			}
			if len(batches) > 0 {
				continue
			}
			select {
			case <-next:
			case <-s.closed:
				yield(Batch{}, ErrClosed)
				return
			case <-ctx.Done():
				return
			}
		}
	}
}

func (s *Store) changesAfter(ctx context.Context, after int64) ([]Batch, error) {
	var batches []Batch
	err := s.View(ctx, func(tx *Tx) error {
		trimmed, err := tx.trimmed()
		if err != nil {
			return err
		}
		if after < trimmed {
			return fmt.Errorf("%w: asked for %d, kept from %d", ErrTrimmed, after, trimmed)
		}
		rows, err := tx.b.Changes(after, feedChunk)
		if err != nil {
			return fmt.Errorf("store: read changes: %w", err)
		}
		for _, row := range rows {
			key, err := decodeKey(row.Key)
			if err != nil {
				return err
			}
			if n := len(batches); n == 0 || batches[n-1].Revision != row.Revision {
				batches = append(batches, Batch{Revision: row.Revision})
			}
			last := &batches[len(batches)-1]
			last.Changes = append(last.Changes, Change{Key: key, Revision: row.Revision, Op: row.Op})
		}
		return nil
	})
	return batches, err
}

// trimmed is the last revision that is no longer in the feed.
func (tx *Tx) trimmed() (int64, error) {
	v, err := tx.b.Meta(metaTrimmed)
	if err != nil || v == "" {
		return 0, err
	}
	return strconv.ParseInt(v, 10, 64)
}

func (s *Store) trim(tx *Tx, revision int64) error {
	if err := tx.b.TrimChanges(revision); err != nil {
		return fmt.Errorf("store: trim changes: %w", err)
	}
	return tx.b.SetMeta(metaTrimmed, strconv.FormatInt(revision, 10))
}
