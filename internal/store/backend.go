package store

import "context"

// A Backend is a database engine under a Store: rows ordered by key, with the
// little more that revisions and pins need. storetest holds the suite every
// backend passes.
type Backend interface {
	// Begin opens a transaction. A read transaction sees one snapshot. At most
	// one write transaction runs at a time in all processes that share the
	// database; Begin waits for the others until ctx ends.
	Begin(ctx context.Context, write bool) (BackendTx, error)
	// Backup writes a consistent copy of the running database to a new file.
	Backup(ctx context.Context, file string) error
	Close() error
}

// A Row is one stored document.
type Row struct {
	Key []byte
	// Revision is that of the transaction that wrote the row.
	Revision int64
	// Format is the format version of the body.
	Format int
	// Sealed tells that the body is ciphertext.
	Sealed bool
	Body   []byte
}

// A ChangeRow is one entry of the change feed.
type ChangeRow struct {
	Revision int64
	Op       Op
	Key      []byte
}

// A BackendTx is one transaction. It isn't safe for concurrent use. Slices it
// is given or returns are not changed afterwards by either side.
type BackendTx interface {
	// Get returns the row with key, or nil.
	Get(key []byte) (*Row, error)
	Put(row Row) error
	Delete(key []byte) error
	// Scan returns rows with from <= key < to in order, at most limit of them.
	Scan(from, to []byte, limit int) ([]Row, error)

	// GetAt and ScanAt read rows as they were at revision, from the live rows
	// that are no newer and the kept ones.
	GetAt(key []byte, revision int64) (*Row, error)
	ScanAt(from, to []byte, revision int64, limit int) ([]Row, error)
	// Keep stores a row that stops being current at revision until.
	Keep(root []byte, row Row, until int64) error
	// Pinned tells whether root has a pin p with from <= p < to.
	Pinned(root []byte, from, to int64) (bool, error)
	// AddPin changes the count of pins of root at revision by delta and returns
	// what it is now; at zero the pin is gone.
	AddPin(root []byte, revision int64, delta int) (int, error)
	// Forget drops the kept rows of root that revision could see and no
	// remaining pin can. It is called once the pin at revision is gone.
	Forget(root []byte, revision int64) error

	// ForgetRoot drops every pin and kept row of root.
	ForgetRoot(root []byte) error

	// Meta returns a named value, or "".
	Meta(name string) (string, error)
	SetMeta(name, value string) error
	// Revision returns the last committed revision, and SetRevision the one
	// this transaction makes.
	Revision() (int64, error)
	SetRevision(revision int64) error

	AddChange(c ChangeRow) error
	// Changes returns entries of the feed with a revision greater than after, in
	// order; whole revisions, at least one if there is any, about limit entries.
	Changes(after int64, limit int) ([]ChangeRow, error)
	// TrimChanges drops entries up to and including revision.
	TrimChanges(revision int64) error

	Commit() error
	// Rollback ends the transaction without effect. After Commit it does nothing.
	Rollback() error
}
