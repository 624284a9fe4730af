package codestore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A Hash is the SHA-256 of an archive: its name here and Lambda's CodeSha256.
type Hash [sha256.Size]byte

// String returns the hash in hexadecimal, as files are named.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Base64 returns the hash as Lambda shows it.
func (h Hash) Base64() string { return base64.StdEncoding.EncodeToString(h[:]) }

// ParseHash reads either form.
func ParseHash(s string) (Hash, error) {
	var h Hash
	b, err := hex.DecodeString(s)
	if err != nil {
		b, err = base64.StdEncoding.DecodeString(s)
	}
	if err != nil || len(b) != len(h) {
		return h, fmt.Errorf("codestore: %q is not a code hash", s)
	}
	copy(h[:], b)
	return h, nil
}

// Options are what a Store works with.
type Options struct {
	// Limits bound archives; the zero value means AWSLimits.
	Limits Limits
	// Now is the clock; nil means time.Now. Collect spares what is younger than
	// Grace by it.
	Now func() time.Time
	// Grace is how long code that nobody refers to is kept, so that code stored
	// for a row not yet committed isn't collected. Zero means an hour.
	Grace time.Duration
}

// A Store is a directory of archives. It is safe for concurrent use.
type Store struct {
	dir string
	// trees is where archives are unpacked. Syncing thousands of small files
	// would cost a cold start dearly, and a tree can be made again: so none is
	// trusted that was made before the machine last started.
	trees  string
	limits Limits
	now    func() time.Time
	grace  time.Duration

	mu       sync.Mutex
	unpacked map[Hash]*unpacking
}

// An unpacking is the one attempt that everyone who wants the code waits for.
type unpacking struct {
	done chan struct{}
	err  error
}

const (
	archives    = "archives"
	unpackedDir = "unpacked"
	scratch     = "tmp"
)

// Open opens the store in a directory, made if need be, and throws away what an
// earlier process left unfinished. The data directory's lock must be held.
func Open(dir string, opts Options) (*Store, error) {
	if opts.Limits == (Limits{}) {
		opts.Limits = AWSLimits()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Grace == 0 {
		opts.Grace = time.Hour
	}
	s := &Store{dir: dir, trees: filepath.Join(dir, unpackedDir, bootID()), limits: opts.Limits, now: opts.Now, grace: opts.Grace, unpacked: map[Hash]*unpacking{}}
	if err := removeTree(filepath.Join(dir, scratch)); err != nil {
		return nil, fmt.Errorf("codestore: %w", err)
	}
	for _, path := range []string{filepath.Join(dir, archives), filepath.Join(dir, scratch), s.trees} {
		// Functions run as other users and must be able to walk to the trees; the
		// data directory above decides who else can.
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, fmt.Errorf("codestore: %w", err)
		}
	}
	if err := errors.Join(syncDir(dir), syncDir(filepath.Dir(dir))); err != nil {
		return nil, fmt.Errorf("codestore: %w", err)
	}
	return s, nil
}

// Stored tells what Put stored.
type Stored struct {
	Hash Hash
	// ArchiveBytes is the size of the archive: Lambda's CodeSize.
	ArchiveBytes int64
	// UnzippedBytes is the size of all files in it.
	UnzippedBytes int64
}

// Put checks an archive to its last byte and stores it. It is on disk under its
// name when Put returns. The errors are ErrTooLarge and *ArchiveError for what
// is wrong with the archive; anything else is wrong here.
func (s *Store) Put(r io.Reader) (Stored, error) {
	tmp, err := os.CreateTemp(filepath.Join(s.dir, scratch), "put-*")
	if err != nil {
		return Stored{}, fmt.Errorf("codestore: %w", err)
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // renamed when all went well
	defer tmp.Close()           //nolint:errcheck // synced before
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(tmp, sum), io.LimitReader(r, s.limits.ArchiveBytes+1))
	if err != nil {
		return Stored{}, fmt.Errorf("codestore: %w", err)
	}
	if n > s.limits.ArchiveBytes {
		return Stored{}, ErrTooLarge
	}
	a, err := readArchive(tmp, n, s.limits)
	if err != nil {
		return Stored{}, err
	}
	unzipped, err := a.verify()
	if err != nil {
		return Stored{}, err
	}
	stored := Stored{Hash: Hash(sum.Sum(nil)), ArchiveBytes: n, UnzippedBytes: unzipped}
	return stored, s.publish(tmp, stored.Hash)
}

// PutBytes is Put of an archive in memory.
func (s *Store) PutBytes(b []byte) (Stored, error) { return s.Put(bytes.NewReader(b)) }

// publish gives a complete file its name.
func (s *Store) publish(tmp *os.File, h Hash) error {
	if err := tmp.Sync(); err != nil { // CreateTemp made it for us alone
		return fmt.Errorf("codestore: %w", err)
	}
	// Against Collect: what is published again counts as new.
	s.mu.Lock()
	defer s.mu.Unlock()
	path := s.archivePath(h)
	now := s.now()
	if err := os.Chtimes(path, now, now); err == nil {
		return nil
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("codestore: %w", err)
	}
	if err := os.Chtimes(path, now, now); err != nil {
		return fmt.Errorf("codestore: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("codestore: %w", err)
	}
	return nil
}

func (s *Store) archivePath(h Hash) string { return filepath.Join(s.dir, archives, h.String()+".zip") }

func (s *Store) treePath(h Hash) string { return filepath.Join(s.trees, h.String()) }

// Open returns the archive as it was stored.
func (s *Store) Open(h Hash) (*os.File, error) {
	f, err := os.Open(s.archivePath(h))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, h)
	}
	if err != nil {
		return nil, fmt.Errorf("codestore: %w", err)
	}
	return f, nil
}

// Unpacked returns a directory with the archive's files, unpacking it if this
// is the first time. Nothing in it is writable, and it stays until Collect. Who
// asks while another is unpacking waits for that, or for ctx.
func (s *Store) Unpacked(ctx context.Context, h Hash) (string, error) {
	s.mu.Lock()
	u, busy := s.unpacked[h]
	if !busy {
		u = &unpacking{done: make(chan struct{})}
		s.unpacked[h] = u
	}
	s.mu.Unlock()
	if busy {
		select {
		case <-u.done:
			return s.treePath(h), u.err
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	u.err = s.unpack(h)
	if u.err != nil {
		s.mu.Lock()
		delete(s.unpacked, h) // the next one may have more luck
		s.mu.Unlock()
	}
	close(u.done)
	return s.treePath(h), u.err
}

func (s *Store) unpack(h Hash) error {
	if _, err := os.Stat(s.treePath(h)); err == nil {
		return nil
	}
	f, err := s.Open(h)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	size, err := verifyHash(f, h, sha256.New())
	if err != nil {
		return err
	}
	// The limits were those of the day it was stored.
	a, err := readArchive(f, size, Limits{ArchiveBytes: size, UnzippedBytes: max(s.limits.UnzippedBytes, 1<<40), Entries: max(s.limits.Entries, 1<<30)})
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Join(s.dir, scratch), "unpack-*")
	if err != nil {
		return fmt.Errorf("codestore: %w", err)
	}
	defer removeTree(tmp) //nolint:errcheck // renamed when all went well
	if err := a.unpack(tmp); err != nil {
		return fmt.Errorf("codestore: %w", err)
	}
	// The root stays writable by us: a directory must be, to be renamed.
	if err := seal(tmp); err != nil {
		return fmt.Errorf("codestore: %w", err)
	}
	if err := os.Rename(tmp, s.treePath(h)); err != nil {
		return fmt.Errorf("codestore: %w", err)
	}
	return nil
}

func verifyHash(r io.ReadSeeker, h Hash, sum hash.Hash) (int64, error) {
	n, err := io.Copy(sum, r)
	if err != nil {
		return 0, fmt.Errorf("codestore: %w", err)
	}
	if Hash(sum.Sum(nil)) != h {
		return 0, fmt.Errorf("codestore: the stored archive %s is damaged", h)
	}
	return n, nil
}

// Collect removes the code that used doesn't name and that is older than the
// grace period, and tells how many archives that were. The caller makes sure
// that no function runs on what it doesn't name.
func (s *Store) Collect(used func(Hash) bool) (removed int, err error) {
	errs := []error{s.removeOldBoots()}
	trees, err := s.hashes(s.trees)
	errs = append(errs, err)
	for _, h := range trees {
		if !used(h) {
			_, err := s.collect(h, s.removeTree)
			errs = append(errs, err)
		}
	}
	stored, err := s.hashes(filepath.Join(s.dir, archives))
	errs = append(errs, err)
	for _, h := range stored {
		if used(h) {
			continue
		}
		gone, err := s.collect(h, func(h Hash) error { return os.Remove(s.archivePath(h)) })
		errs = append(errs, err)
		if gone {
			removed++
		}
	}
	if err := errors.Join(errs...); err != nil {
		return removed, fmt.Errorf("codestore: collect: %w", err)
	}
	return removed, nil
}

func (s *Store) hashes(dir string) ([]Hash, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []Hash
	for _, e := range entries {
		if h, err := ParseHash(strings.TrimSuffix(e.Name(), ".zip")); err == nil {
			list = append(list, h)
		}
	}
	return list, nil
}

// collect removes one thing of h unless its archive is young or being unpacked.
func (s *Store) collect(h Hash, remove func(Hash) error) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.archivePath(h))
	if err == nil && s.now().Sub(info.ModTime()) < s.grace {
		return false, nil
	}
	if u, ok := s.unpacked[h]; ok {
		select {
		case <-u.done:
		default:
			return false, nil
		}
	}
	return true, remove(h)
}

func (s *Store) removeTree(h Hash) error {
	delete(s.unpacked, h)
	// Out of the way first, so that a half-removed tree is never taken for whole.
	doomed := filepath.Join(s.dir, scratch, "collect-"+h.String())
	if err := os.Rename(s.treePath(h), doomed); err != nil {
		return err
	}
	return removeTree(doomed)
}

func (s *Store) removeOldBoots() error {
	boots, err := os.ReadDir(filepath.Join(s.dir, unpackedDir))
	if err != nil {
		return err
	}
	var errs []error
	for _, b := range boots {
		if path := filepath.Join(s.dir, unpackedDir, b.Name()); path != s.trees {
			errs = append(errs, removeTree(path))
		}
	}
	return errors.Join(errs...)
}
