package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// DefaultFeedRevisions is how far back the change feed reaches unless Options
// says otherwise.
const DefaultFeedRevisions = 10_000

// Options are what a Store works with.
type Options struct {
	// Prepare runs inside each Update that changed something, after its function
	// succeeded and before the commit, with the transaction's changes. An error
	// aborts the transaction and is returned from Update. It may write; what it
	// writes joins the feed but doesn't run Prepare again. publish, if not nil,
	// runs after the durable commit, before Update returns and before the next
	// writer starts. Nil means that nobody is told.
	Prepare func(tx *Tx, changes []Change) (publish func(), err error)
	// Sealer encrypts the documents of sealed kinds. Nil means that sealed kinds
	// can't be used.
	Sealer Sealer
	// FeedRevisions is how many revisions back Watch can start; zero means
	// DefaultFeedRevisions.
	FeedRevisions int64
}

// A Sealer encrypts values at rest. Context is authenticated with the value and
// not stored, so that one value can't be passed off as another.
type Sealer interface {
	// KeyID names the key that Seal uses; it may make one.
	KeyID() (string, error)
	// Check tells whether values sealed with the key named can be opened; the
	// error says what an operator can do about it.
	Check(keyID string) error
	Seal(plain, context []byte) ([]byte, error)
	Open(sealed, context []byte) ([]byte, error)
}

// A Store is a set of documents under transactions.
type Store struct {
	backend Backend
	prepare func(tx *Tx, changes []Change) (func(), error)
	sealer  Sealer
	feed    int64
	shapes  *shapes

	// writer holds a token while an Update runs.
	writer chan struct{}
	closed chan struct{}

	mu sync.Mutex
	// committed is closed and replaced at every commit: the watchers' wake-up.
	committed chan struct{}
	closeOnce sync.Once
	closeErr  error
}

const metaSealKeys = "seal.keys"

// Open starts a store on a backend, which it closes with itself. It refuses a
// database whose sealed documents the Sealer can't open.
func Open(ctx context.Context, backend Backend, opts Options) (*Store, error) {
	if opts.FeedRevisions <= 0 {
		opts.FeedRevisions = DefaultFeedRevisions
	}
	s := &Store{
		backend:   backend,
		prepare:   opts.Prepare,
		sealer:    opts.Sealer,
		feed:      opts.FeedRevisions,
		shapes:    &shapes{},
		writer:    make(chan struct{}, 1),
		closed:    make(chan struct{}),
		committed: make(chan struct{}),
	}
	err := s.View(ctx, s.checkSealKeys)
	if err != nil {
		return nil, errors.Join(err, backend.Close())
	}
	return s, nil
}

func (s *Store) checkSealKeys(tx *Tx) error {
	keys, err := tx.b.Meta(metaSealKeys)
	if err != nil {
		return err
	}
	for _, key := range strings.Fields(keys) {
		if s.sealer == nil {
			return fmt.Errorf("store: the database holds secrets sealed with key %s, and no key was given", key)
		}
		if err := s.sealer.Check(key); err != nil {
			return fmt.Errorf("store: the database holds secrets sealed with key %s: %w", key, err)
		}
	}
	return nil
}

// Close waits for a running Update, ends watchers and closes the backend.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closed)
		s.writer <- struct{}{} // kept: nobody writes any more
		s.closeErr = s.backend.Close()
	})
	return s.closeErr
}

func (s *Store) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// View runs fn on a snapshot. It never waits for a writer.
func (s *Store) View(ctx context.Context, fn func(tx *Tx) error) error {
	if s.isClosed() {
		return ErrClosed
	}
	tx, err := s.begin(ctx, false)
	if err != nil {
		return err
	}
	err = fn(tx)
	return errors.Join(err, tx.b.Rollback())
}

// Update runs fn alone among writers. When it returns nil, what fn did is on
// disk and published; otherwise nothing happened. Update must not be called
// from within itself, and a tx must not be used after its function returned.
func (s *Store) Update(ctx context.Context, fn func(tx *Tx) error) error {
	select {
	case s.writer <- struct{}{}:
	case <-s.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.writer }()
	if s.isClosed() {
		return ErrClosed
	}
	tx, err := s.begin(ctx, true)
	if err != nil {
		return err
	}
	// Also for a panic in fn: the transaction ends and the next writer can run.
	defer tx.b.Rollback() //nolint:errcheck // nothing was promised yet

	if err := fn(tx); err != nil {
		return err
	}
	if !tx.dirty {
		return nil
	}
	var publish func()
	if s.prepare != nil {
		if publish, err = s.prepare(tx, tx.Changes()); err != nil {
			return err
		}
	}
	if err := s.commit(ctx, tx); err != nil {
		return err
	}
	if publish != nil {
		publish()
	}
	s.wake()
	return nil
}

func (s *Store) begin(ctx context.Context, write bool) (*Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := s.backend.Begin(ctx, write)
	if err != nil {
		return nil, fmt.Errorf("store: begin: %w", err)
	}
	revision, err := b.Revision()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store: begin: %w", err), b.Rollback())
	}
	if write {
		revision++
	}
	return &Tx{store: s, b: b, revision: revision, write: write}, nil
}

func (s *Store) commit(ctx context.Context, tx *Tx) error {
	for _, c := range tx.Changes() {
		row := ChangeRow{Revision: c.Revision, Op: c.Op, Key: encodeKey(c.Kind, c.Scope, c.ID)}
		if err := tx.b.AddChange(row); err != nil {
			return fmt.Errorf("store: record change: %w", err)
		}
	}
	if err := tx.b.SetRevision(tx.revision); err != nil {
		return fmt.Errorf("store: record revision: %w", err)
	}
	// In strides: most commits shouldn't pay for trimming.
	if stride := max(s.feed/10, 1); tx.revision%stride == 0 && tx.revision > s.feed {
		if err := s.trim(tx, tx.revision-s.feed); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := tx.b.Commit(); err != nil {
		return fmt.Errorf("store: commit: %w", err)
	}
	return nil
}

func (s *Store) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.committed)
	s.committed = make(chan struct{})
}

func (s *Store) nextCommit() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.committed
}

// Backup writes a consistent copy of the running store to a new file, synced.
// The key of sealed documents isn't in it.
func (s *Store) Backup(ctx context.Context, file string) error {
	if s.isClosed() {
		return ErrClosed
	}
	return s.backend.Backup(ctx, file)
}
