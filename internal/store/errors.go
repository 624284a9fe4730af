package store

import "errors"

var (
	// ErrNotFound is returned when no document has the key.
	ErrNotFound = errors.New("store: not found")
	// ErrReadOnly is returned for a write in View or in an AsOf view.
	ErrReadOnly = errors.New("store: transaction is read-only")
	// ErrNotPinned is returned when reading or pinning a revision that no pin
	// keeps, and when releasing a pin that isn't there.
	ErrNotPinned = errors.New("store: revision is not pinned")
	// ErrNotVersioned is returned for an AsOf read of a kind that keeps no versions.
	ErrNotVersioned = errors.New("store: kind is not versioned")
	// ErrNewerFormat is returned for a document that a later release wrote.
	ErrNewerFormat = errors.New("store: document was written by a newer release")
	// ErrTrimmed is returned by Watch when the feed no longer reaches back to the
	// revision asked for; the watcher must read everything again.
	ErrTrimmed = errors.New("store: change feed no longer reaches back that far")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("store: closed")
)
