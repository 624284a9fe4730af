package store

import (
	"errors"
	"iter"
	"runtime"
	"sync"
)

// everywhere yields the documents of all scopes. Without skip, one that is damaged
// ends it.
func (k kind) everywhere(tx *Tx, newDoc func() any, skip func(Key, error)) iter.Seq2[found, error] {
	check := func() error {
		if tx.past == nil {
			return nil
		}
		return tx.checkPast(k.Name, Scope{}, nil, k.Versioned)
	}
	return func(yield func(found, error) bool) {
		for rows, err := range k.chunks(tx, encodeParts(k.Name), nil, scanChunk, check) {
			if err != nil {
				yield(found{}, err)
				return
			}
			for _, d := range k.decodeAll(tx, rows, newDoc) {
				if d.err != nil && skip != nil && !errors.Is(d.err, ErrNewerFormat) {
					skip(d.Key, d.err)
					continue
				}
				if !yield(d.found, d.err) || d.err != nil {
					return
				}
			}
		}
	}
}

// A decoded is a document, or why it couldn't be decoded.
type decoded struct {
	found
	err error
}

// rowsPerWorker is how many rows are worth a goroutine of their own.
const rowsPerWorker = 32

// decodeAll decodes rows by all processors: everything is read at a start.
func (k kind) decodeAll(tx *Tx, rows []Row, newDoc func() any) []decoded {
	list := make([]decoded, len(rows))
	part := max(rowsPerWorker, (len(rows)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for from := 0; from < len(rows); from += part {
		to := min(from+part, len(rows))
		decode := func() {
			for i := from; i < to; i++ {
				list[i].found, list[i].err = k.decode(tx, &rows[i], newDoc)
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
