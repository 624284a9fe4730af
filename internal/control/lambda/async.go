package lambda

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"gatehouse/internal/function"
)

// A queue runs asynchronous events. They wait in memory, bounded in number and
// bytes; each function has a few workers of its own, so that a slow one holds
// nobody else up. A function error is tried again as often as the function's
// event-invoke configuration says, a throttle until the event is too old.
type queue struct {
	opts      Options
	log       *slog.Logger
	directory *Directory
	// ctx ends when Close has waited long enough.
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	lanes  map[string]*lane // by unqualified ARN; only those with work
	timers map[*time.Timer]struct{}
	events int
	bytes  int64
	closed bool
	wg     sync.WaitGroup
}

// A lane is the work of one function.
type lane struct {
	waiting []*event
	running int
}

type event struct {
	arn      string // as called
	inv      function.Invocation
	accepted time.Time
	failures int
	throttle int
}

var (
	errQueueFull   = errors.New("too many asynchronous events are waiting")
	errQueueClosed = errors.New("the gateway is stopping")
)

func newQueue(o Options, d *Directory) *queue {
	ctx, cancel := context.WithCancel(context.Background())
	return &queue{
		opts: o, log: o.Logger, directory: d, ctx: ctx, cancel: cancel,
		lanes: map[string]*lane{}, timers: map[*time.Timer]struct{}{},
	}
}

// add accepts an event; from then on it is the queue's to deliver.
func (q *queue) add(functionARN string, inv function.Invocation) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errQueueClosed
	}
	size := int64(len(inv.Payload))
	if q.events >= q.opts.QueueEvents || q.bytes+size > q.opts.QueueBytes {
		return errQueueFull
	}
	q.events++
	q.bytes += size
	q.enqueue(&event{arn: functionARN, inv: inv, accepted: q.opts.Clock()})
	return nil
}

// enqueue puts an event in its lane and sees that someone works there. q.mu is held.
func (q *queue) enqueue(e *event) {
	name, _ := splitARN(e.arn)
	l := q.lanes[name]
	if l == nil {
		l = &lane{}
		q.lanes[name] = l
	}
	l.waiting = append(l.waiting, e)
	if l.running < q.opts.AsyncWorkers {
		l.running++
		q.wg.Add(1)
		go q.work(name, l)
	}
}

// work runs a lane's events until none is left.
func (q *queue) work(name string, l *lane) {
	defer q.wg.Done()
	for {
		q.mu.Lock()
		if len(l.waiting) == 0 || q.ctx.Err() != nil {
			if l.running--; l.running == 0 && len(l.waiting) == 0 {
				delete(q.lanes, name)
			}
			q.mu.Unlock()
			return
		}
		e := l.waiting[0]
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		q.mu.Unlock()
		q.deliver(e)
	}
}

// deliver runs an event once and decides what becomes of it.
func (q *queue) deliver(e *event) {
	retry := defaultRetry
	if r := q.directory.route(e.arn); r != nil {
		retry = r.retry
	}
	inv := e.inv
	res, _, err := q.directory.InvokeWith(q.ctx, e.arn, &inv)
	switch refused := (*function.Error)(nil); {
	case err == nil && res.FunctionError == "":
		q.done(e)
	case err == nil:
		if e.failures++; e.failures > retry.attempts {
			q.drop(e, "the function failed on every attempt", slog.String("errorType", res.ErrorType))
			return
		}
		q.later(e, q.opts.RetryDelay(e.failures), retry.age)
	case errors.Is(err, ErrNotFound):
		q.drop(e, "the function is gone")
	case errors.As(err, &refused) && (refused.Kind == function.Throttled || refused.Kind == function.Unavailable || refused.Kind == function.StartFailed):
		e.throttle++
		q.later(e, q.opts.BackoffDelay(e.throttle), retry.age)
	default:
		q.drop(e, "the function can't be run", slog.Any("error", err))
	}
}

// later waits before the next attempt, unless the event would be too old then.
func (q *queue) later(e *event, delay, age time.Duration) {
	if q.opts.Clock().Add(delay).Sub(e.accepted) > age {
		q.drop(e, "the event reached its maximum age")
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		q.forget(e)
		q.log.Warn("asynchronous event dropped: the gateway stops before its retry", "function", e.arn, "requestID", e.inv.RequestID)
		return
	}
	var t *time.Timer
	t = time.AfterFunc(delay, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if _, ok := q.timers[t]; ok {
			delete(q.timers, t)
			q.enqueue(e)
		}
	})
	q.timers[t] = struct{}{}
}

func (q *queue) done(e *event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget(e)
}

// forget frees the room of an event. q.mu is held.
func (q *queue) forget(e *event) {
	q.events--
	q.bytes -= int64(len(e.inv.Payload))
}

func (q *queue) drop(e *event, why string, attrs ...any) {
	q.done(e)
	q.log.Warn("asynchronous event dropped: "+why,
		append([]any{"function", e.arn, "requestID", e.inv.RequestID, "attempts", e.failures + e.throttle + 1}, attrs...)...)
}

// close takes no more events, lets those that are due finish until ctx ends,
// and then ends the rest.
func (q *queue) close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		if n := len(q.timers); n > 0 {
			q.log.Warn("asynchronous events dropped: the gateway stops before their retry", "events", n)
		}
		for t := range q.timers {
			t.Stop()
			delete(q.timers, t)
			q.events--
		}
	}
	q.mu.Unlock()

	idle := make(chan struct{})
	go func() {
		q.wg.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		q.cancel()
		return nil
	case <-ctx.Done():
	}
	q.cancel()
	<-idle
	q.mu.Lock()
	left := 0
	for _, l := range q.lanes {
		left += len(l.waiting)
	}
	q.mu.Unlock()
	if left > 0 {
		q.log.Warn("asynchronous events dropped: the gateway stopped", "events", left)
	}
	return ctx.Err()
}
