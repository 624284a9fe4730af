package codestore

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound is returned for code that isn't there.
	ErrNotFound = errors.New("codestore: no such code")
	// ErrTooLarge is returned by Put for an archive beyond Limits.ArchiveBytes.
	ErrTooLarge = errors.New("codestore: archive is too large")
)

// A Reason says what is wrong with an archive.
type Reason uint8

// What an archive can be refused for. Lambda words all but TooLargeUnzipped as
// one error, "Could not unzip uploaded file".
const (
	// NotAZip is a file that isn't a zip archive, or a damaged one.
	NotAZip Reason = iota + 1
	// Empty is an archive without files.
	Empty
	// UnsafeName is a name that is absolute or leads out of the archive.
	UnsafeName
	// UnsafeLink is a symbolic link that leads out of the archive.
	UnsafeLink
	// DuplicateName is a name used twice, or as a file and as a directory.
	DuplicateName
	// BadContent is an entry whose data is damaged, or encrypted, or packed by
	// an unknown method.
	BadContent
	// UnsupportedEntry is an entry that is no file, directory or symbolic link.
	UnsupportedEntry
	// TooManyEntries is an archive with more entries than Limits.Entries.
	TooManyEntries
	// TooLargeUnzipped is an archive with more data than Limits.UnzippedBytes.
	TooLargeUnzipped
)

func (r Reason) String() string {
	switch r {
	case NotAZip:
		return "not a zip archive"
	case Empty:
		return "no files"
	case UnsafeName:
		return "unsafe name"
	case UnsafeLink:
		return "unsafe symbolic link"
	case DuplicateName:
		return "duplicate name"
	case BadContent:
		return "damaged or unreadable content"
	case UnsupportedEntry:
		return "unsupported kind of entry"
	case TooManyEntries:
		return "too many entries"
	case TooLargeUnzipped:
		return "too large when unzipped"
	default:
		return fmt.Sprintf("reason %d", uint8(r))
	}
}

// An ArchiveError tells why an archive was refused.
type ArchiveError struct {
	Reason Reason
	// Entry is the name of the entry at fault, if it is one's.
	Entry string
	// Cause is the error underneath, if any.
	Cause error
}

func (e *ArchiveError) Error() string {
	s := "codestore: archive refused: " + e.Reason.String()
	if e.Entry != "" {
		s += fmt.Sprintf(" (%q)", e.Entry)
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause, if any.
func (e *ArchiveError) Unwrap() error { return e.Cause }

func refuse(r Reason, entry string, cause error) error {
	return &ArchiveError{Reason: r, Entry: entry, Cause: cause}
}
