package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver

	"gatehouse/internal/store"
)

// FileName is the database in the data directory.
const FileName = "gatehouse.db"

// idleReaders is how many read connections are kept open between uses. There is
// no upper limit to those in use, so that nested views can't starve each other.
const idleReaders = 4

// pragmas are set on every connection. WAL with synchronous=FULL syncs the log
// at each commit; with NORMAL a power cut could take acknowledged writes.
var pragmas = [...]string{
	"busy_timeout=5000",
	"journal_mode=WAL",
	"synchronous=FULL",
	"fullfsync=1",
	"checkpoint_fullfsync=1",
	"foreign_keys=0",
	"trusted_schema=0",
	"cell_size_check=1",
	"temp_store=MEMORY",
	"cache_size=-4000",
	"mmap_size=0",
	"wal_autocheckpoint=1000",
}

// DB is a store.Backend on a SQLite file.
type DB struct {
	path string
	lock *dirLock
	sql  *sql.DB

	// writer holds the one write connection while nobody uses it.
	writer chan *conn

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

var _ store.Backend = (*DB)(nil)

// Open locks the data directory, made if need be, and opens the database in it,
// likewise. It refuses a directory in use (InUseError), a file that isn't
// Gatehouse's and one that a newer release wrote.
func Open(ctx context.Context, dir string) (*DB, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	db, err := open(ctx, filepath.Join(dir, FileName))
	if err != nil {
		return nil, errors.Join(err, lock.unlock())
	}
	db.lock = lock
	return db, nil
}

func open(ctx context.Context, path string) (*DB, error) {
	if err := checkHeader(path); err != nil {
		return nil, err
	}
	if err := createFile(path); err != nil {
		return nil, err
	}
	pool, err := openPool(path, "rw")
	if err != nil {
		return nil, err
	}
	db := &DB{path: path, sql: pool, writer: make(chan *conn, 1)}
	c, err := newConn(ctx, pool, false)
	if err != nil {
		return nil, errors.Join(explain(path, err), pool.Close())
	}
	if err := c.migrate(ctx, path); err != nil {
		return nil, errors.Join(err, c.close(), pool.Close())
	}
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(explain(path, err), c.close(), pool.Close())
	}
	db.writer <- c
	return db, nil
}

// openPool opens the file; no connection is made yet.
func openPool(path, mode string) (*sql.DB, error) {
	q := url.Values{"mode": {mode}}
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	// As opaque text: a relative Path would be written as a host.
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	pool, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// Connections are pinned one by one and pooled here, with their statements.
	pool.SetMaxIdleConns(0)
	return pool, nil
}

func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	return syncDir(filepath.Dir(dir))
}

func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

var magic = []byte("SQLite format 3\x00")

// checkHeader says plainly that a file is something else before SQLite says it
// obscurely. An empty file is a database that was about to be made.
func checkHeader(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	head := make([]byte, len(magic))
	n, err := io.ReadFull(f, head)
	if n == 0 && errors.Is(err, io.EOF) {
		return nil
	}
	if !bytes.Equal(head[:n], magic) {
		return fmt.Errorf("%s is not a Gatehouse database, or it is damaged: it doesn't begin like one", path)
	}
	return nil
}

// migrate brings the file to the present schema, in one transaction.
func (c *conn) migrate(ctx context.Context, path string) error {
	if _, err := c.sql.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return explain(path, err)
	}
	if err := c.migrateTx(ctx, path); err != nil {
		_, rollback := c.sql.ExecContext(ctx, "ROLLBACK")
		return errors.Join(err, rollback)
	}
	if _, err := c.sql.ExecContext(ctx, "COMMIT"); err != nil {
		return explain(path, err)
	}
	return nil
}

func (c *conn) migrateTx(ctx context.Context, path string) error {
	var id, version, tables int
	for query, into := range map[string]*int{
		"PRAGMA application_id":              &id,
		"PRAGMA user_version":                &version,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := c.sql.QueryRowContext(ctx, query).Scan(into); err != nil {
			return explain(path, err)
		}
	}
	switch {
	case id == 0 && version == 0 && tables == 0:
		script := fmt.Sprintf("%s; PRAGMA application_id=%d; PRAGMA user_version=%d", schema, applicationID, schemaVersion)
		if _, err := c.sql.ExecContext(ctx, script); err != nil {
			return explain(path, err)
		}
		return nil
	case id != applicationID:
		return fmt.Errorf("%s is a SQLite database, but not one of Gatehouse's", path)
	case version > schemaVersion:
		return fmt.Errorf("%s has schema version %d, and this release of Gatehouse knows versions up to %d: "+
			"a newer release wrote it; run that one, or start with another data directory", path, version, schemaVersion)
	default:
		return nil
	}
}

// Begin implements store.Backend.
func (db *DB) Begin(ctx context.Context, write bool) (store.BackendTx, error) {
	if !write {
		c, err := db.reader(ctx)
		if err != nil {
			return nil, err
		}
		return c.begin(db, stBegin)
	}
	select {
	case c := <-db.writer:
		return c.begin(db, stBeginImmediate)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (db *DB) reader(ctx context.Context) (*conn, error) {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil, store.ErrClosed
	}
	if n := len(db.idle); n > 0 {
		c := db.idle[n-1]
		db.idle = db.idle[:n-1]
		db.mu.Unlock()
		return c, nil
	}
	db.mu.Unlock()
	c, err := newConn(ctx, db.sql, true)
	if err != nil {
		return nil, explain(db.path, err)
	}
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(explain(db.path, err), c.close())
	}
	return c, nil
}

// release takes a connection back after its transaction.
func (db *DB) release(c *conn) error {
	if !c.readOnly {
		db.writer <- c
		return nil
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed || len(db.idle) >= idleReaders {
		return c.close()
	}
	db.idle = append(db.idle, c)
	return nil
}

// Close waits for the writer, closes the database and gives up the directory.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	idle := db.idle
	db.idle = nil
	db.mu.Unlock()
	var errs []error
	for _, c := range idle {
		errs = append(errs, c.close())
	}
	// The writer goes last: the last connection folds the log into the file.
	c := <-db.writer
	errs = append(errs, c.close(), db.sql.Close())
	if db.lock != nil {
		errs = append(errs, db.lock.unlock())
	}
	return errors.Join(errs...)
}
