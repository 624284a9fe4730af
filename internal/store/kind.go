package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"

	"gatehouse/internal/paging"
)

// A Kind is one type of document: where it lives and how it is kept. Kinds are
// values declared beside the type they store.
type Kind[T any] struct {
	// Name is the stored name, as in "apigatewayv2/route"; it never changes.
	Name string
	// Sealed documents are encrypted at rest.
	Sealed bool
	// Versioned documents can be read as of a pinned revision. The first part of
	// their id is the root that Pin names.
	Versioned bool
	// Version is the format version that Put writes; documents with a greater one
	// are refused.
	Version int
	// Upgrade turns the JSON of an older format version into the present one's.
	// Nil means that older documents are read as they are.
	Upgrade func(version int, body []byte) ([]byte, error)
}

// An Entry is a document with its key and the revision that wrote it.
type Entry[T any] struct {
	Key
	Revision int64
	Doc      *T
}

// Page asks for a part of a list.
type Page struct {
	// After is the id of the last entry of the page before; nil starts the list.
	After []string
	// Limit is the greatest number of entries; zero is no limit.
	Limit int
}

// scanChunk is how many rows are read at a time, at most; between chunks a loop
// over All may write.
const scanChunk = 256

// Get returns the document with the id, or ErrNotFound.
func (k Kind[T]) Get(tx *Tx, s Scope, id ...string) (*T, error) {
	e, err := k.Entry(tx, s, id...)
	return e.Doc, err
}

// Entry is Get with the revision that wrote the document.
func (k Kind[T]) Entry(tx *Tx, s Scope, id ...string) (Entry[T], error) {
	key := k.key(s, id)
	row, err := tx.get(key, encodeKey(k.Name, s, id), k.Versioned)
	if err != nil {
		return Entry[T]{}, err
	}
	if row == nil {
		return Entry[T]{}, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	return k.entry(tx, key, row)
}

// Exists tells whether there is a document with the id.
func (k Kind[T]) Exists(tx *Tx, s Scope, id ...string) (bool, error) {
	key := encodeKey(k.Name, s, id)
	if i, ok := tx.changed[string(key)]; ok {
		return tx.changes[i].Op == Put, nil
	}
	row, err := tx.get(k.key(s, id), key, k.Versioned)
	return row != nil, err
}

// Put writes the document with the id, new or not. JSON members of a document
// it replaces that T doesn't know, at any depth of nested objects, stay as they
// were. Writing what is already there changes nothing, not even the revision.
func (k Kind[T]) Put(tx *Tx, s Scope, doc *T, id ...string) error {
	if err := tx.writable(); err != nil {
		return err
	}
	key := k.key(s, id)
	body, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("store: encode %s: %w", key, err)
	}
	row := Row{Key: encodeKey(k.Name, s, id), Revision: tx.revision, Format: k.Version}
	old, err := tx.current(row.Key)
	if err != nil {
		return err
	}
	if old != nil {
		stored, err := k.plain(tx, key, old)
		if err != nil {
			return err
		}
		shape := tx.store.shapes.of(reflect.TypeFor[T]())
		if body, err = keepUnknown(shape, stored, body); err != nil {
			return fmt.Errorf("store: merge %s: %w", key, err)
		}
		if bytes.Equal(stored, body) && old.Format == k.Version && old.Sealed == k.Sealed {
			return nil
		}
	}
	if row.Sealed, row.Body, err = k.seal(tx, row.Key, body); err != nil {
		return fmt.Errorf("store: seal %s: %w", key, err)
	}
	return tx.put(key, row, old, k.Versioned)
}

// Delete removes the document with the id, or returns ErrNotFound.
func (k Kind[T]) Delete(tx *Tx, s Scope, id ...string) error {
	if err := tx.writable(); err != nil {
		return err
	}
	key := k.key(s, id)
	old, err := tx.current(encodeKey(k.Name, s, id))
	if err != nil {
		return err
	}
	if old == nil {
		return fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	return tx.delete(key, old, k.Versioned)
}

// DeleteAll removes every document of the kind whose id begins with prefix and
// tells how many there were.
func (k Kind[T]) DeleteAll(tx *Tx, s Scope, prefix ...string) (int, error) {
	if err := tx.writable(); err != nil {
		return 0, err
	}
	n := 0
	for row, err := range k.rows(tx, s, prefix, nil, scanChunk) {
		if err != nil {
			return n, err
		}
		key, err := decodeKey(row.Key)
		if err != nil {
			return n, err
		}
		if err := tx.delete(key, &row, k.Versioned); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// List returns one page of the documents whose id begins with prefix, by id.
func (k Kind[T]) List(tx *Tx, s Scope, page Page, prefix ...string) ([]Entry[T], error) {
	var entries []Entry[T]
	chunk := scanChunk
	if page.Limit > 0 {
		chunk = min(chunk, page.Limit)
	}
	for row, err := range k.rows(tx, s, prefix, page.After, chunk) {
		if err != nil {
			return nil, err
		}
		e, err := k.decode(tx, &row)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
		if len(entries) == page.Limit {
			break
		}
	}
	return entries, nil
}

// ListToken is List for AWS's list operations: it continues from the opaque
// token of the page before ("" is the start) and returns the next one ("" at
// the end). A token that isn't one, or is another list's, is paging.ErrBadToken.
func (k Kind[T]) ListToken(tx *Tx, s Scope, token string, limit int, prefix ...string) ([]Entry[T], string, error) {
	after, err := paging.Decode(token)
	if err != nil {
		return nil, "", err
	}
	if after != nil && (len(after) <= len(prefix) || !slices.Equal(after[:len(prefix)], prefix)) {
		return nil, "", fmt.Errorf("%w: it continues another list", paging.ErrBadToken)
	}
	page := Page{After: after}
	if limit > 0 {
		page.Limit = limit + 1
	}
	entries, err := k.List(tx, s, page, prefix...)
	if err != nil || limit <= 0 || len(entries) <= limit {
		return entries, "", err
	}
	entries = entries[:limit:limit]
	return entries, paging.Encode(entries[limit-1].ID...), nil
}

// All yields every document whose id begins with prefix, by id. The loop may
// write; it sees its own writes ahead of it or not.
func (k Kind[T]) All(tx *Tx, s Scope, prefix ...string) iter.Seq2[Entry[T], error] {
	return k.decoded(tx, k.rows(tx, s, prefix, nil, scanChunk))
}

func (k Kind[T]) decoded(tx *Tx, rows iter.Seq2[Row, error]) iter.Seq2[Entry[T], error] {
	return func(yield func(Entry[T], error) bool) {
		for row, err := range rows {
			if err != nil {
				yield(Entry[T]{}, err)
				return
			}
			e, err := k.decode(tx, &row)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func (k Kind[T]) rows(tx *Tx, s Scope, prefix, after []string, chunk int) iter.Seq2[Row, error] {
	var from []byte
	if after != nil {
		from = keyAfter(encodeKey(k.Name, s, after))
	}
	return k.scan(tx, encodeKey(k.Name, s, prefix), from, chunk, func() error {
		if tx.past == nil {
			return nil
		}
		return tx.checkPast(k.Name, s, prefix, k.Versioned)
	})
}

// scan yields the rows under an encoded prefix that aren't before from.
func (k Kind[T]) scan(tx *Tx, prefix, from []byte, chunk int, check func() error) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for rows, err := range k.chunks(tx, prefix, from, chunk, check) {
			if err != nil {
				yield(Row{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// chunks yields the same rows as they are read, chunk at a time.
func (k Kind[T]) chunks(tx *Tx, prefix, from []byte, chunk int, check func() error) iter.Seq2[[]Row, error] {
	return func(yield func([]Row, error) bool) {
		if err := check(); err != nil {
			yield(nil, err)
			return
		}
		if bytes.Compare(from, prefix) < 0 {
			from = prefix
		}
		to := prefixEnd(prefix)
		for bytes.Compare(from, to) < 0 {
			var rows []Row
			var err error
			if tx.past == nil {
				rows, err = tx.b.Scan(from, to, chunk)
			} else {
				rows, err = tx.b.ScanAt(from, to, tx.revision, chunk)
			}
			if err != nil {
				yield(nil, fmt.Errorf("store: scan %s: %w", k.Name, err))
				return
			}
			if !yield(rows, nil) || len(rows) < chunk {
				return
			}
			from = keyAfter(rows[len(rows)-1].Key)
		}
	}
}

func (k Kind[T]) key(s Scope, id []string) Key { return Key{Scope: s, Kind: k.Name, ID: id} }

func (k Kind[T]) decode(tx *Tx, row *Row) (Entry[T], error) {
	key, err := decodeKey(row.Key)
	if err != nil {
		return Entry[T]{}, err
	}
	return k.entry(tx, key, row)
}

func (k Kind[T]) entry(tx *Tx, key Key, row *Row) (Entry[T], error) {
	body, err := k.plain(tx, key, row)
	if err != nil {
		return Entry[T]{Key: key}, err
	}
	doc := new(T)
	if err := json.Unmarshal(body, doc); err != nil {
		return Entry[T]{Key: key}, fmt.Errorf("store: decode %s: %w", key, err)
	}
	return Entry[T]{Key: key, Revision: row.Revision, Doc: doc}, nil
}

// plain returns the row's JSON, opened and in the present format.
func (k Kind[T]) plain(tx *Tx, key Key, row *Row) ([]byte, error) {
	if row.Format > k.Version {
		return nil, fmt.Errorf("%w: %s has format %d, this release knows %d", ErrNewerFormat, key, row.Format, k.Version)
	}
	body := row.Body
	if row.Sealed {
		if tx.store.sealer == nil {
			return nil, fmt.Errorf("store: open %s: %w", key, errNoSealer)
		}
		var err error
		if body, err = tx.store.sealer.Open(body, row.Key); err != nil {
			return nil, fmt.Errorf("store: open %s: %w", key, err)
		}
	}
	if row.Format < k.Version && k.Upgrade != nil {
		var err error
		if body, err = k.Upgrade(row.Format, body); err != nil {
			return nil, fmt.Errorf("store: upgrade %s from format %d: %w", key, row.Format, err)
		}
	}
	return body, nil
}

var errNoSealer = errors.New("no key for sealed documents was given")

func (k Kind[T]) seal(tx *Tx, rowKey, body []byte) (sealed bool, out []byte, err error) {
	if !k.Sealed {
		return false, body, nil
	}
	if tx.store.sealer == nil {
		return false, nil, errNoSealer
	}
	id, err := tx.store.sealer.KeyID()
	if err != nil {
		return false, nil, err
	}
	if err := tx.recordSealKey(id); err != nil {
		return false, nil, err
	}
	out, err = tx.store.sealer.Seal(body, rowKey)
	return true, out, err
}
