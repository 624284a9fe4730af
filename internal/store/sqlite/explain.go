package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A DiskError says what keeps the database from being read or written. Nothing
// that was acknowledged is lost by it.
type DiskError struct {
	Path string
	// Trouble is what is the matter, Remedy what an operator can do.
	Trouble, Remedy string
	Err             error // SQLite's
}

func (e *DiskError) Error() string {
	return fmt.Sprintf("%s %s; %s: %v", e.Path, e.Trouble, e.Remedy, e.Err)
}

func (e *DiskError) Unwrap() error { return e.Err }

// Outage is what clients may know of it.
func (e *DiskError) Outage() string { return "The gateway's database " + e.Trouble }

// What can be the matter, and what helps.
const (
	full         = "can't be written: no space is left on its disk"
	makeRoom     = "make room there, it goes on by itself"
	readOnly     = "is on a file system that is mounted read-only"
	mountIt      = "mount it for writing, and look into the system's log (dmesg) if it was mounted so before"
	notAllowed   = "can't be written by this user"
	makeItOwn    = "it and its directory must belong to the user that runs the gateway"
	damaged      = "is damaged"
	restoreIt    = "restore it from a backup"
	failing      = "can't be read or written: its disk reports an error"
	lookInto     = "look into the system's log (dmesg)"
	minFreeBytes = 256 << 10 // less is full for SQLite, whose log and index grow in steps
)

// explain adds to SQLite's error what an operator can do about it.
func explain(path string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", path, err)
	}
	because := func(trouble, remedy string) error {
		return &DiskError{Path: path, Trouble: trouble, Remedy: remedy, Err: err}
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return because(damaged, restoreIt)
	case sqlite3.SQLITE_FULL:
		return because(full, makeRoom)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		switch {
		case mountedReadOnly(path):
			return because(readOnly, mountIt)
		case noRoom(path):
			return because(full, makeRoom)
		}
		return because(notAllowed, makeItOwn)
	case sqlite3.SQLITE_IOERR:
		// What finds no room for the index of the log is told as an error of the disk.
		switch {
		case noRoom(path):
			return because(full, makeRoom)
		case mountedReadOnly(path):
			return because(readOnly, mountIt)
		}
		return because(failing, lookInto)
	default:
		return fmt.Errorf("%s: %w", path, err)
	}
}

// noRoom tells whether the file system of a database has no space or no files left.
func noRoom(path string) bool {
	var s syscall.Statfs_t
	if syscall.Statfs(filepath.Dir(path), &s) != nil {
		return false
	}
	return uint64(s.Bavail)*uint64(s.Bsize) < minFreeBytes || s.Files > 0 && s.Ffree == 0
}

// mountedReadOnly tells whether the file system of a database can't be written by
// anybody.
func mountedReadOnly(path string) bool {
	const write = 2
	return errors.Is(syscall.Access(filepath.Dir(path), write), syscall.EROFS)
}
