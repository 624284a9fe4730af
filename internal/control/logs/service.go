package logs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	api "gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awswire"
	"gatehouse/internal/logstore"
	"gatehouse/internal/store"
)

// Options are what a Service works with.
type Options struct {
	// Store holds the groups and Logs their events. Both stay open past Close.
	Store *store.Store
	Logs  *logstore.Store
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger gets what no caller can be told; nil discards it.
	Logger *slog.Logger
	// SweepEvery is how often events past their retention are removed; zero means
	// an hour.
	SweepEvery time.Duration
}

// A Service answers the API.
type Service struct {
	api.Unimplemented

	store *store.Store
	logs  *logstore.Store
	now   func() time.Time
	log   *slog.Logger

	// lifecycle serialises what makes and deletes groups, so that a group's
	// events never outlive its definition or die with a successor's.
	lifecycle sync.Mutex

	mu     sync.Mutex
	wanted []logstore.GroupID // by writers

	wake chan struct{}
	stop context.CancelFunc
	done chan struct{}
}

var _ api.Operations = (*Service)(nil)

// New returns the service and starts its housekeeping: the removal of expired
// events and the making of groups that writers want. Close stops it.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.SweepEvery <= 0 {
		o.SweepEvery = time.Hour
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Service{
		store: o.Store, logs: o.Logs, now: o.Now, log: o.Logger,
		wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{}),
	}
	go s.run(ctx, o.SweepEvery)
	return s
}

// Close stops the housekeeping once it has made the groups still wanted.
// Writers go on working as long as the log store is open.
func (s *Service) Close() {
	s.stop()
	<-s.done
}

func (s *Service) run(ctx context.Context, sweepEvery time.Duration) {
	defer close(s.done)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	s.housekeep(s.purge(ctx))
	s.housekeep(s.expire(ctx))
	for {
		select {
		case <-s.wake:
			s.makeWanted()
		case <-tick.C:
			s.housekeep(s.expire(ctx))
		case <-ctx.Done():
			s.makeWanted()
			return
		}
	}
}

func (s *Service) housekeep(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.log.Error("housekeeping of logs failed", "error", err)
	}
}

func scopeOf(c *awswire.Call) store.Scope { return store.Scope{Account: c.Account, Region: c.Region} }

func groupID(s store.Scope, name string) logstore.GroupID {
	return logstore.GroupID{Account: s.Account, Region: s.Region, Name: name}
}

// or is the value a pointer has, or that of an absent member.
func or[T any](p *T, absent T) T {
	if p == nil {
		return absent
	}
	return *p
}

func invalid(message string) error { return api.NewInvalidParameterException(message) }

func noGroup() error {
	return api.NewResourceNotFoundException("The specified log group does not exist.")
}

func noStream() error {
	return api.NewResourceNotFoundException("The specified log stream does not exist.")
}

// logError is the answer for an error of the log store.
func logError(err error) error {
	switch {
	case errors.Is(err, logstore.ErrNoStream):
		return noStream()
	case errors.Is(err, logstore.ErrDeleted):
		return noGroup() // while we looked
	default:
		return err
	}
}
