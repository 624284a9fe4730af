package logstore

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what a Store works with.
type Options struct {
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Log gets what no caller can be told, as a failing disk; nil discards it.
	Log *slog.Logger
	// SegmentBytes is the size from which a segment is full; zero means 16 MiB.
	SegmentBytes int64
	// QueueBytes bounds what all groups together have queued; zero means 64 MiB.
	QueueBytes int64
	// WriteEvery is how long events may wait for the file, and SyncEvery how long
	// written ones for the disk; zero means 100 ms and 1 s.
	WriteEvery, SyncEvery time.Duration
}

// A Store is a directory of groups.
type Store struct {
	dir          string
	now          func() time.Time
	log          *slog.Logger
	segmentBytes int64
	queueBytes   int64
	writeEvery   time.Duration
	syncEvery    time.Duration

	queued  atomic.Int64
	dropped atomic.Uint64
	frames  sync.Pool // of *[]byte, which batches are encoded in

	mu     sync.Mutex
	groups map[GroupID]*Group
	dirty  []*Group // with events queued
	closed bool

	wake chan struct{}
	stop chan struct{}
	done chan struct{}

	complained time.Time // the writer's
}

// trash holds deleted groups until their files are gone.
const trash = "deleted"

// nameFile says which group a directory is.
const nameFile = "name"

// Open opens the store in a directory, made if need be, and starts its writer.
// The data directory's lock must be held. Groups are read when first used.
func Open(dir string, opts Options) (*Store, error) {
	s := &Store{
		dir: dir, now: opts.Now, log: opts.Log,
		segmentBytes: opts.SegmentBytes, queueBytes: opts.QueueBytes,
		writeEvery: opts.WriteEvery, syncEvery: opts.SyncEvery,
		groups: map[GroupID]*Group{},
		frames: sync.Pool{New: func() any { return new([]byte) }},
		wake:   make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.segmentBytes <= 0 {
		s.segmentBytes = 16 << 20
	}
	if s.queueBytes <= 0 {
		s.queueBytes = 64 << 20
	}
	if s.writeEvery <= 0 {
		s.writeEvery = 100 * time.Millisecond
	}
	if s.syncEvery <= 0 {
		s.syncEvery = time.Second
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("logstore: %w", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, trash)); err != nil {
		return nil, fmt.Errorf("logstore: %w", err)
	}
	if err := syncPath(filepath.Dir(dir)); err != nil {
		return nil, fmt.Errorf("logstore: %w", err)
	}
	go s.run()
	return s, nil
}

// Group returns the handle of a group. A group that isn't there has no streams
// and is made by the first event or stream.
func (s *Store) Group(id GroupID) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[id]
	if g == nil {
		sum := sha256.Sum256([]byte(strings.Join([]string{id.Account, id.Region, id.Name}, "\x00")))
		g = &Group{
			store: s, id: id, dir: filepath.Join(s.dir, hex.EncodeToString(sum[:16])),
			unsynced: map[string]bool{}, written: make(chan struct{}), deleted: s.closed,
		}
		s.groups[id] = g
	}
	return g
}

// Delete removes a group with its streams and events; handles of it are dead.
// Deleting a group that isn't there does nothing.
func (s *Store) Delete(id GroupID) error {
	g := s.Group(id)
	g.mu.Lock()
	g.deleted = true
	g.mu.Unlock()
	g.io.Lock()
	defer g.io.Unlock()
	err := g.flush()
	if errors.Is(err, ErrDeleted) {
		err = nil
	}
	err = errors.Join(err, s.removeDir(g.dir))
	close(g.written) // followers learn of it
	g.written = make(chan struct{})
	g.loaded, g.segments, g.streams = false, nil, nil
	clear(g.unsynced)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups[id] == g {
		delete(s.groups, id)
	}
	return err
}

// removeDir takes a directory away in one step before it takes it apart.
func (s *Store) removeDir(dir string) error {
	bin := filepath.Join(s.dir, trash)
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return fmt.Errorf("logstore: %w", err)
	}
	doomed := filepath.Join(bin, rand.Text())
	err := os.Rename(dir, doomed)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("logstore: %w", err)
	}
	if err := syncPath(s.dir); err != nil {
		return fmt.Errorf("logstore: %w", err)
	}
	if err := os.RemoveAll(doomed); err != nil {
		return fmt.Errorf("logstore: %w", err)
	}
	return nil
}

// Dropped is how many events were lost to full queues, deleted groups and
// failing disks.
func (s *Store) Dropped() uint64 { return s.dropped.Load() }

// reserve takes room in the queue, if there is any.
func (s *Store) reserve(bytes int64) bool {
	if s.queued.Add(bytes) <= s.queueBytes {
		return true
	}
	s.queued.Add(-bytes)
	return false
}

// announce tells the writer that a group has events.
func (s *Store) announce(g *Group) {
	s.mu.Lock()
	s.dirty = append(s.dirty, g)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run is the writer: it sleeps while nothing is appended.
func (s *Store) run() {
	defer close(s.done)
	var write, sync <-chan time.Time
	unsynced := map[*Group]bool{}
	for {
		select {
		case <-s.wake:
			if write == nil {
				write = time.After(s.writeEvery)
			}
		case <-write:
			write = nil
			s.writeAll(unsynced)
			if sync == nil && len(unsynced) > 0 {
				sync = time.After(s.syncEvery)
			}
		case <-sync:
			sync = nil
			s.syncAll(unsynced)
		case <-s.stop:
			s.writeAll(unsynced)
			s.syncAll(unsynced)
			return
		}
	}
}

func (s *Store) writeAll(unsynced map[*Group]bool) {
	s.mu.Lock()
	dirty := s.dirty
	s.dirty = nil
	s.mu.Unlock()
	for _, g := range dirty {
		err := g.Flush()
		if err != nil && !errors.Is(err, ErrDeleted) && s.mayComplain() {
			s.log.Error("log events are lost", "group", g.id.Name, "error", err, "dropped", s.Dropped())
		}
		unsynced[g] = true
	}
}

// complainEvery keeps a full disk from filling the gateway's own log, too.
const complainEvery = 10 * time.Second

// mayComplain is for the writer only.
func (s *Store) mayComplain() bool {
	now := s.now()
	if now.Sub(s.complained) < complainEvery {
		return false
	}
	s.complained = now
	return true
}

func (s *Store) syncAll(unsynced map[*Group]bool) {
	for g := range unsynced {
		if err := g.sync(); err != nil && s.mayComplain() {
			s.log.Error("log events may be lost in a power cut", "group", g.id.Name, "error", err)
		}
		delete(unsynced, g)
	}
}

// Close writes and syncs what is queued and ends followers. Appending after it
// drops.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	groups := make([]*Group, 0, len(s.groups))
	for _, g := range s.groups {
		groups = append(groups, g)
	}
	s.mu.Unlock()
	close(s.stop)
	<-s.done
	var errs []error
	for _, g := range groups {
		errs = append(errs, g.close())
	}
	return errors.Join(errs...)
}

func (g *Group) close() error {
	g.io.Lock()
	err := g.flush() // what came while the writer ended
	if errors.Is(err, ErrDeleted) {
		err = nil
	}
	g.mu.Lock()
	g.deleted = true
	g.mu.Unlock()
	close(g.written)
	g.written = make(chan struct{})
	if n := len(g.segments); g.loaded && n > 0 {
		// So that the next start needn't read the segment through.
		err = errors.Join(err, g.segments[n-1].saveIndex())
	}
	g.io.Unlock()
	return errors.Join(err, g.sync())
}

// DeleteUnopened removes the groups in the directory that no handle was taken
// of since Open and that keep doesn't name.
func (s *Store) DeleteUnopened(keep func(GroupID) bool) error {
	names, err := filepath.Glob(filepath.Join(s.dir, "*", nameFile))
	if err != nil {
		return fmt.Errorf("logstore: %w", err)
	}
	var errs []error
	for _, path := range names {
		text, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		parts := strings.SplitN(strings.TrimSuffix(string(text), "\n"), "\n", 3)
		if len(parts) != 3 {
			continue // torn by a power cut: nobody can say whose it is
		}
		id := GroupID{Account: parts[0], Region: parts[1], Name: parts[2]}
		if !keep(id) {
			errs = append(errs, s.deleteUnopened(id, filepath.Dir(path)))
		}
	}
	return errors.Join(errs...)
}

func (s *Store) deleteUnopened(id GroupID, dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups[id] != nil || s.closed {
		return nil
	}
	return s.removeDir(dir)
}
