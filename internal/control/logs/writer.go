package logs

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	api "gatehouse/internal/awsapi/logs"
	"gatehouse/internal/logstore"
	"gatehouse/internal/store"
)

// A Writer appends events of the gateway itself to one group: a function's
// output, a stage's access log. Appending costs no transaction and waits for
// nothing. It is safe for concurrent use.
type Writer struct {
	service *Service
	id      logstore.GroupID
	group   atomic.Pointer[logstore.Group]
	asked   atomic.Bool
	// checked is when the group's definition was last looked for, in
	// milliseconds, after it was deleted under the writer.
	checked atomic.Int64
}

// Writer returns a writer into a group, which is made soon after the first
// event if it isn't there. If the group is deleted later on, the writer drops
// events until somebody makes it again; it doesn't by itself, so that what the
// last lines of a function that is being torn down leave behind isn't a group.
func (s *Service) Writer(scope store.Scope, group string) *Writer {
	w := &Writer{service: s, id: groupID(scope, group)}
	w.group.Store(s.logs.Group(w.id))
	return w
}

// Append adds an event to a stream, which is made if need be, and tells whether
// it was taken. A line end at the end of the message stays.
func (w *Writer) Append(stream string, at time.Time, message string) bool {
	if !w.asked.Load() && w.asked.CompareAndSwap(false, true) {
		w.service.want(w.id)
	}
	e := logstore.Event{Timestamp: at.UnixMilli(), Message: message}
	g := w.group.Load()
	if g.Append(stream, e) {
		return true
	}
	if !g.Deleted() || !w.found() {
		return false
	}
	return w.group.Load().Append(stream, e)
}

// recheckEvery is how often a writer whose group was deleted looks for it.
const recheckEvery = time.Second

// found takes the group's successor, if it has one by now.
func (w *Writer) found() bool {
	now, checked := w.service.now().UnixMilli(), w.checked.Load()
	if now-checked < recheckEvery.Milliseconds() || !w.checked.CompareAndSwap(checked, now) {
		return false
	}
	exists := false
	err := w.service.store.View(context.Background(), func(tx *store.Tx) (err error) {
		exists, err = groups.Exists(tx, store.Scope{Account: w.id.Account, Region: w.id.Region}, w.id.Name)
		return err
	})
	if err != nil || !exists {
		return false // the store is closing, or there is none
	}
	w.group.Store(w.service.logs.Group(w.id))
	return true
}

// want has a group made in the background unless there is one.
func (s *Service) want(id logstore.GroupID) {
	s.mu.Lock()
	s.wanted = append(s.wanted, id)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// makeWanted makes the groups that writers asked for. It isn't bound to the
// service's context: the last lines at shutdown have a group, too.
func (s *Service) makeWanted() {
	s.mu.Lock()
	wanted := s.wanted
	s.wanted = nil
	s.mu.Unlock()
	for _, id := range wanted {
		if err := s.ensure(context.Background(), id); err != nil && !errors.Is(err, store.ErrClosed) {
			s.log.Error("log group could not be made", "group", id.Name, "error", err)
		}
	}
}

func (s *Service) ensure(ctx context.Context, id logstore.GroupID) error {
	scope := store.Scope{Account: id.Account, Region: id.Region}
	exists := false
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		exists, err = groups.Exists(tx, scope, id.Name)
		return err
	})
	if err != nil || exists {
		return err
	}
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		if exists, err := groups.Exists(tx, scope, id.Name); err != nil || exists {
			return err
		}
		doc := &groupDoc{LogGroup: api.LogGroup{
			LogGroupName: &id.Name, CreationTime: new(s.now().UnixMilli()), LogGroupClass: new(api.LogGroupClassStandard),
		}}
		return groups.Put(tx, scope, doc, id.Name)
	})
}

// purge removes events whose group isn't defined: the process died between the
// two halves of DeleteLogGroup.
func (s *Service) purge(ctx context.Context) error {
	defined := map[logstore.GroupID]bool{}
	err := s.store.View(ctx, func(tx *store.Tx) error {
		for e, err := range groups.Everywhere(tx) {
			if err != nil {
				return err
			}
			defined[groupID(e.Scope, e.ID[0])] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.logs.DeleteUnopened(func(id logstore.GroupID) bool { return defined[id] })
}

// expire removes the events that no retention keeps any more.
func (s *Service) expire(ctx context.Context) error {
	type kept struct {
		id     logstore.GroupID
		before time.Time
	}
	var list []kept
	err := s.store.View(ctx, func(tx *store.Tx) error {
		for e, err := range groups.Everywhere(tx) {
			if err != nil {
				return err
			}
			if days := e.Doc.RetentionInDays; days != nil {
				list = append(list, kept{groupID(e.Scope, e.ID[0]), time.UnixMilli(retentionStart(s.now(), days))})
			}
		}
		return nil
	})
	errs := []error{err}
	for _, k := range list {
		if ctx.Err() != nil {
			break
		}
		_, err := s.logs.Group(k.id).DropBefore(k.before)
		if err != nil && !errors.Is(err, logstore.ErrDeleted) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
