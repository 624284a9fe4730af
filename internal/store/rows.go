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

// scanChunk is how many rows are read at a time, at most; between chunks a loop
// over All may write.
const scanChunk = 256

func (k kind) get(tx *Tx, s Scope, id []string, newDoc func() any) (found, error) {
	key := k.key(s, id)
	row, err := tx.get(key, encodeKey(k.Name, s, id), k.Versioned)
	if err != nil {
		return found{}, err
	}
	if row == nil {
		return found{}, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	return k.entry(tx, key, row, newDoc)
}

func (k kind) exists(tx *Tx, s Scope, id []string) (bool, error) {
	key := encodeKey(k.Name, s, id)
	if i, ok := tx.changed[string(key)]; ok {
		return tx.changes[i].Op == Put, nil
	}
	row, err := tx.get(k.key(s, id), key, k.Versioned)
	return row != nil, err
}

func (k kind) put(tx *Tx, s Scope, doc any, t reflect.Type, id []string) error {
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
		if body, err = keepUnknown(tx.store.shapes.of(t), stored, body); err != nil {
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

func (k kind) delete(tx *Tx, s Scope, id []string) error {
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

func (k kind) deleteAll(tx *Tx, s Scope, prefix []string) (int, error) {
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

func (k kind) list(tx *Tx, s Scope, page Page, prefix []string, newDoc func() any) ([]found, error) {
	var list []found
	chunk := scanChunk
	if page.Limit > 0 {
		chunk = min(chunk, page.Limit)
	}
	for row, err := range k.rows(tx, s, prefix, page.After, chunk) {
		if err != nil {
			return nil, err
		}
		f, err := k.decode(tx, &row, newDoc)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
		if len(list) == page.Limit {
			break
		}
	}
	return list, nil
}

func (k kind) listToken(tx *Tx, s Scope, token string, limit int, prefix []string, newDoc func() any) ([]found, string, error) {
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
	list, err := k.list(tx, s, page, prefix, newDoc)
	if err != nil || limit <= 0 || len(list) <= limit {
		return list, "", err
	}
	list = list[:limit]
	return list, paging.Encode(list[limit-1].ID...), nil
}

func (k kind) all(tx *Tx, s Scope, prefix []string, newDoc func() any) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for row, err := range k.rows(tx, s, prefix, nil, scanChunk) {
			if err != nil {
				yield(found{}, err)
				return
			}
			f, err := k.decode(tx, &row, newDoc)
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

func (k kind) rows(tx *Tx, s Scope, prefix, after []string, chunk int) iter.Seq2[Row, error] {
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
func (k kind) scan(tx *Tx, prefix, from []byte, chunk int, check func() error) iter.Seq2[Row, error] {
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
func (k kind) chunks(tx *Tx, prefix, from []byte, chunk int, check func() error) iter.Seq2[[]Row, error] {
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

func (k kind) key(s Scope, id []string) Key { return Key{Scope: s, Kind: k.Name, ID: id} }

func (k kind) decode(tx *Tx, row *Row, newDoc func() any) (found, error) {
	key, err := decodeKey(row.Key)
	if err != nil {
		return found{}, err
	}
	return k.entry(tx, key, row, newDoc)
}

func (k kind) entry(tx *Tx, key Key, row *Row, newDoc func() any) (found, error) {
	body, err := k.plain(tx, key, row)
	if err != nil {
		return found{Key: key}, err
	}
	doc := newDoc()
	if err := json.Unmarshal(body, doc); err != nil {
		return found{Key: key}, fmt.Errorf("store: decode %s: %w", key, err)
	}
	return found{key, row.Revision, doc}, nil
}

// plain returns the row's JSON, opened and in the present format.
func (k kind) plain(tx *Tx, key Key, row *Row) ([]byte, error) {
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

func (k kind) seal(tx *Tx, rowKey, body []byte) (sealed bool, out []byte, err error) {
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
