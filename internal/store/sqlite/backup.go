package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup implements store.Backend: the copy is one snapshot, taken while
// writers go on, and appears under its name only when it is complete and on
// disk.
func (db *DB) Backup(ctx context.Context, file string) error {
	return backup(ctx, db.sql, db.path, file)
}

// Backup copies the database of a data directory to a new file, whether or not
// a process is running on it.
func Backup(ctx context.Context, dir, file string) (err error) {
	path := filepath.Join(dir, FileName)
	if err := checkHeader(path); err != nil {
		return err
	}
	pool, err := openPool(path, "rw")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return backup(ctx, pool, path, file)
}

func backup(ctx context.Context, pool *sql.DB, path, file string) error {
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("backup: %s exists already", file)
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // gone when all went well
	defer tmp.Close()           //nolint:errcheck // synced before
	if _, err := pool.ExecContext(ctx, "VACUUM INTO ?", tmp.Name()); err != nil {
		return fmt.Errorf("backup: %w", explain(path, err))
	}
	if err := tmp.Sync(); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	// A link fails where a rename would replace what appeared meanwhile.
	if err := os.Link(tmp.Name(), file); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return syncDir(filepath.Dir(file))
}
