package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"gatehouse/internal/store"
)

const (
	stBegin = iota
	stBeginImmediate
	stCommit
	stRollback
	stGet
	stPut
	stDelete
	stScan
	stGetKept
	stScanAt
	stKeep
	stPinned
	stAddPin
	stDropPin
	stPinBefore
	stPinAfter
	stForget
	stForgetKept
	stForgetPins
	stMeta
	stSetMeta
	stAddChange
	stChanges
	stChangesOf
	stTrimChanges
	numStatements
)

var statements = [numStatements]string{
	stBegin:          `BEGIN`,
	stBeginImmediate: `BEGIN IMMEDIATE`,
	stCommit:         `COMMIT`,
	stRollback:       `ROLLBACK`,
	stGet:            `SELECT key, rev, format, sealed, body FROM docs WHERE key = ?`,
	stPut:            `INSERT OR REPLACE INTO docs (key, rev, format, sealed, body) VALUES (?, ?, ?, ?, ?)`,
	stDelete:         `DELETE FROM docs WHERE key = ?`,
	stScan:           `SELECT key, rev, format, sealed, body FROM docs WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`,
	stGetKept:        `SELECT key, rev, format, sealed, body FROM kept WHERE key = ? AND until > ? ORDER BY until LIMIT 1`,
	stScanAt: `SELECT key, rev, format, sealed, body FROM docs WHERE key >= ?1 AND key < ?2 AND rev <= ?3
		UNION ALL
		SELECT key, rev, format, sealed, body FROM kept WHERE key >= ?1 AND key < ?2 AND until > ?3 AND rev <= ?3
		ORDER BY key LIMIT ?4`,
	stKeep:   `INSERT INTO kept (root, key, until, rev, format, sealed, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
	stPinned: `SELECT 1 FROM pins WHERE root = ? AND rev >= ? AND rev < ? LIMIT 1`,
	stAddPin: `INSERT INTO pins (root, rev, count) VALUES (?1, ?2, ?3)
		ON CONFLICT (root, rev) DO UPDATE SET count = count + ?3 RETURNING count`,
	stDropPin:     `DELETE FROM pins WHERE root = ? AND rev = ?`,
	stPinBefore:   `SELECT coalesce(max(rev), -1) FROM pins WHERE root = ? AND rev < ?`,
	stPinAfter:    `SELECT coalesce(min(rev), 9223372036854775807) FROM pins WHERE root = ? AND rev > ?`,
	stForget:      `DELETE FROM kept WHERE root = ? AND rev > ? AND rev <= ? AND until <= ?`,
	stForgetKept:  `DELETE FROM kept WHERE root = ?`,
	stForgetPins:  `DELETE FROM pins WHERE root = ?`,
	stMeta:        `SELECT value FROM meta WHERE name = ?`,
	stSetMeta:     `INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)`,
	stAddChange:   `INSERT INTO changes (rev, seq, op, key) VALUES (?, ?, ?, ?)`,
	stChanges:     `SELECT rev, op, key FROM changes WHERE rev > ? ORDER BY rev, seq LIMIT ?`,
	stChangesOf:   `SELECT rev, op, key FROM changes WHERE rev = ? ORDER BY seq`,
	stTrimChanges: `DELETE FROM changes WHERE rev <= ?`,
}

const metaRevision = "revision"

type tx struct {
	db    *DB
	c     *conn
	seq   int
	ended bool
}

var _ store.BackendTx = (*tx)(nil)

func (c *conn) begin(db *DB, st int) (store.BackendTx, error) {
	t := &tx{db: db, c: c}
	if err := t.exec(st); err != nil {
		return nil, errors.Join(err, db.release(c))
	}
	return t, nil
}

func (t *tx) exec(st int, args ...any) error {
	if t.ended {
		return sql.ErrTxDone
	}
	if _, err := t.c.stmts[st].ExecContext(context.Background(), args...); err != nil {
		return explain(t.db.path, err)
	}
	return nil
}

// one runs a statement for at most one row and tells whether there was one.
func (t *tx) one(st int, args []any, into ...any) (bool, error) {
	if t.ended {
		return false, sql.ErrTxDone
	}
	err := t.c.stmts[st].QueryRowContext(context.Background(), args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, explain(t.db.path, err)
	}
	return true, nil
}

func query[R any](t *tx, st int, args []any, scan func(rows *sql.Rows, r *R) error) (list []R, err error) {
	if t.ended {
		return nil, sql.ErrTxDone
	}
	rows, err := t.c.stmts[st].QueryContext(context.Background(), args...)
	if err != nil {
		return nil, explain(t.db.path, err)
	}
	defer func() {
		if e := errors.Join(rows.Err(), rows.Close()); e != nil && err == nil {
			err = explain(t.db.path, e)
		}
	}()
	for rows.Next() {
		var r R
		if err := scan(rows, &r); err != nil {
			return nil, explain(t.db.path, err)
		}
		list = append(list, r)
	}
	return list, nil
}

func scanRow(rows *sql.Rows, r *store.Row) error {
	return rows.Scan(&r.Key, &r.Revision, &r.Format, &r.Sealed, &r.Body)
}

func scanChange(rows *sql.Rows, c *store.ChangeRow) error {
	return rows.Scan(&c.Revision, &c.Op, &c.Key)
}

func (t *tx) row(st int, args ...any) (*store.Row, error) {
	r := new(store.Row)
	ok, err := t.one(st, args, &r.Key, &r.Revision, &r.Format, &r.Sealed, &r.Body)
	if !ok || err != nil {
		return nil, err
	}
	return r, nil
}

func (t *tx) Get(key []byte) (*store.Row, error) { return t.row(stGet, key) }

func (t *tx) Put(r store.Row) error {
	return t.exec(stPut, r.Key, r.Revision, r.Format, r.Sealed, r.Body)
}

func (t *tx) Delete(key []byte) error { return t.exec(stDelete, key) }

func (t *tx) Scan(from, to []byte, limit int) ([]store.Row, error) {
	return query(t, stScan, []any{from, to, limit}, scanRow)
}

func (t *tx) GetAt(key []byte, revision int64) (*store.Row, error) {
	r, err := t.Get(key)
	if err != nil || (r != nil && r.Revision <= revision) {
		return r, err
	}
	r, err = t.row(stGetKept, key, revision)
	if err != nil || r == nil || r.Revision > revision {
		return nil, err
	}
	return r, nil
}

func (t *tx) ScanAt(from, to []byte, revision int64, limit int) ([]store.Row, error) {
	return query(t, stScanAt, []any{from, to, revision, limit}, scanRow)
}

func (t *tx) Keep(root []byte, r store.Row, until int64) error {
	return t.exec(stKeep, root, r.Key, until, r.Revision, r.Format, r.Sealed, r.Body)
}

func (t *tx) Pinned(root []byte, from, to int64) (bool, error) {
	var one int
	return t.one(stPinned, []any{root, from, to}, &one)
}

func (t *tx) AddPin(root []byte, revision int64, delta int) (int, error) {
	var count int
	if _, err := t.one(stAddPin, []any{root, revision, delta}, &count); err != nil {
		return 0, err
	}
	if count > 0 {
		return count, nil
	}
	return 0, t.exec(stDropPin, root, revision)
}

func (t *tx) Forget(root []byte, revision int64) error {
	var before, after int64
	if _, err := t.one(stPinBefore, []any{root, revision}, &before); err != nil {
		return err
	}
	if _, err := t.one(stPinAfter, []any{root, revision}, &after); err != nil {
		return err
	}
	return t.exec(stForget, root, before, revision, after)
}

func (t *tx) ForgetRoot(root []byte) error {
	return errors.Join(t.exec(stForgetKept, root), t.exec(stForgetPins, root))
}

func (t *tx) Meta(name string) (string, error) {
	var value string
	_, err := t.one(stMeta, []any{name}, &value)
	return value, err
}

func (t *tx) SetMeta(name, value string) error { return t.exec(stSetMeta, name, value) }

func (t *tx) Revision() (int64, error) {
	var revision int64
	_, err := t.one(stMeta, []any{metaRevision}, &revision)
	return revision, err
}

func (t *tx) SetRevision(revision int64) error { return t.exec(stSetMeta, metaRevision, revision) }

func (t *tx) AddChange(c store.ChangeRow) error {
	t.seq++
	return t.exec(stAddChange, c.Revision, t.seq, c.Op, c.Key)
}

func (t *tx) Changes(after int64, limit int) ([]store.ChangeRow, error) {
	rows, err := query(t, stChanges, []any{after, limit}, scanChange)
	if err != nil || len(rows) < limit {
		return rows, err
	}
	// The limit may have cut the last revision in two: read that one whole.
	last := rows[len(rows)-1].Revision
	for len(rows) > 0 && rows[len(rows)-1].Revision == last {
		rows = rows[:len(rows)-1]
	}
	rest, err := query(t, stChangesOf, []any{last}, scanChange)
	return append(rows, rest...), err
}

func (t *tx) TrimChanges(revision int64) error { return t.exec(stTrimChanges, revision) }

func (t *tx) Commit() error {
	if err := t.exec(stCommit); err != nil {
		return err // Rollback follows
	}
	return t.end()
}

func (t *tx) Rollback() error {
	if t.ended {
		return nil
	}
	err := t.exec(stRollback)
	if err != nil && t.exec(stBegin) == nil {
		// SQLite had rolled back by itself, as it does when the disk is full.
		err = t.exec(stRollback)
	}
	return errors.Join(err, t.end())
}

func (t *tx) end() error {
	t.ended = true
	return t.db.release(t.c)
}
