package store

import (
	"errors"
	"iter"
	"runtime"
	"sync"
)

// Everywhere yields every document of the kind in every scope, by account,
// region and id.
func (k Kind[T]) Everywhere(tx *Tx) iter.Seq2[Entry[T], error] {
	return k.everywhere(tx, nil)
}

// Readable is Everywhere for those whom one bad document mustn't stop: what is
// damaged is left out, and skip is told why. What a newer release wrote is an
// error all the same.
func (k Kind[T]) Readable(tx *Tx, skip func(key Key, err error)) iter.Seq2[Entry[T], error] {
	return k.everywhere(tx, skip)
}

func (k Kind[T]) everywhere(tx *Tx, skip func(Key, error)) iter.Seq2[Entry[T], error] {
	check := func() error {
		if tx.past == nil {
			return nil
		}
		return tx.checkPast(k.Name, Scope{}, nil, k.Versioned)
	}
	return func(yield func(Entry[T], error) bool) {
		for rows, err := range k.chunks(tx, encodeParts(k.Name), nil, scanChunk, check) {
			if err != nil {
				yield(Entry[T]{}, err)
				return
			}
			for _, d := range k.decodeAll(tx, rows) {
				if d.err != nil && skip != nil && !errors.Is(d.err, ErrNewerFormat) {
					skip(d.Key, d.err)
					continue
				}
				if !yield(d.Entry, d.err) || d.err != nil {
					return
				}
			}
		}
	}
}

// A decoded is a document, or why it couldn't be decoded.
type decoded[T any] struct {
	Entry[T]
	err error
}

// rowsPerWorker is how many rows are worth a goroutine of their own.
const rowsPerWorker = 32

// decodeAll decodes rows by all processors: everything is read at a start.
func (k Kind[T]) decodeAll(tx *Tx, rows []Row) []decoded[T] {
	list := make([]decoded[T], len(rows))
	part := max(rowsPerWorker, (len(rows)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for from := 0; from < len(rows); from += part {
		to := min(from+part, len(rows))
		decode := func() {
			for i := from; i < to; i++ {
				list[i].Entry, list[i].err = k.decode(tx, &rows[i])
			}
		}
		if to == len(rows) {
			decode() // the last part is the caller's own
		} else {
			workers.Go(decode)
		}
	}
	workers.Wait()
	return list
}
