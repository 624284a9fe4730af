package observe

import (
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lanes is how many requests can leave a line at the same moment.
	lanes = 16
	// maxLaneBytes bounds the lines that wait in one lane.
	maxLaneBytes = 512 << 10
	// keptBytes is the memory a lane keeps after a burst.
	keptBytes = 64 << 10
	// gather is how long lines are gathered before they are written.
	gather = 200 * time.Millisecond
	// complaintPeriod is how often lost lines are reported at most.
	complaintPeriod = time.Minute
)

// LogWriterOptions are what a LogWriter needs.
type LogWriterOptions struct {
	// Logger is told about lines that got lost; nil is silence.
	Logger *slog.Logger
}

// A LogWriter carries lines of access logs and execution logs to their sinks, in
// batches and behind the requests' backs: a request never waits for a sink, and
// a line for which there is no room is dropped and counted.
type LogWriter struct {
	logger  *slog.Logger
	lanes   [lanes]lane
	dropped atomic.Uint64
	failed  atomic.Uint64
	wake    chan struct{} // a lane is no longer empty
	hurry   chan struct{} // a lane is half full
	quit    chan struct{}
	running sync.WaitGroup
	closing sync.Once

	// Below is the goroutine's own.
	spare      batch
	unflushed  []*destination
	complained time.Time
	told       uint64 // how many lost lines were reported
}

// A lane holds lines until the next batch.
type lane struct {
	mu     sync.Mutex
	closed bool
	batch
	_ [64]byte // keeps neighbours out of one cache line
}

// A batch is lines one behind the other.
type batch struct {
	text  []byte
	lines []entry
}

// An entry is one line of a batch: where it goes, when it was made and where it
// ends.
type entry struct {
	to   *destination
	when time.Time
	end  int
}

// A destination is a stream of a group in a sink.
type destination struct {
	sink          Sink
	group, stream string

	// flusher is sink if that gathers lines, unflushed tells that it has some
	// from here. They are the LogWriter's goroutine's.
	flusher   flusher
	unflushed bool
}

func newDestination(sink Sink, group, stream string) *destination {
	d := &destination{sink: sink, group: group, stream: stream}
	d.flusher, _ = sink.(flusher)
	return d
}

// NewLogWriter starts a LogWriter. Close it to have the last lines written.
func NewLogWriter(o LogWriterOptions) *LogWriter {
	w := &LogWriter{
		logger: o.Logger,
		wake:   make(chan struct{}, 1),
		hurry:  make(chan struct{}, 1),
		quit:   make(chan struct{}),
	}
	if w.logger == nil {
		w.logger = slog.New(slog.DiscardHandler)
	}
	w.running.Go(w.run)
	return w
}

// Close writes the lines that wait and ends the writer. Later lines are dropped.
func (w *LogWriter) Close() {
	w.closing.Do(func() { close(w.quit) })
	w.running.Wait()
}

// Dropped returns how many lines found no room.
func (w *LogWriter) Dropped() uint64 { return w.dropped.Load() }

// Failed returns how many lines or flushes a sink refused.
func (w *LogWriter) Failed() uint64 { return w.failed.Load() }

// enter returns a lane that has room, locked, and how much waits in it; the
// lane is nil if there is no room for the n lines of a request.
func (w *LogWriter) enter(n int) (l *lane, waiting int) {
	l = w.lane()
	waiting = len(l.text)
	if l.closed || waiting >= maxLaneBytes {
		l.mu.Unlock()
		w.dropped.Add(uint64(n))
		return nil, 0
	}
	return l, waiting
}

// leave ends what enter began.
func (w *LogWriter) leave(l *lane, waiting int) {
	after := len(l.text)
	l.mu.Unlock()
	if waiting == 0 {
		signal(w.wake)
	}
	if waiting < maxLaneBytes/2 && after >= maxLaneBytes/2 {
		signal(w.hurry)
	}
}

// lane returns a lane, locked. A lane is held for the time of one request's
// lines or of a swap, never for that of a sink.
func (w *LogWriter) lane() *lane {
	first := rand.Uint32()
	for i := range uint32(lanes) {
		if l := &w.lanes[(first+i)%lanes]; l.mu.TryLock() {
			return l
		}
	}
	l := &w.lanes[first%lanes]
	l.mu.Lock()
	return l
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (w *LogWriter) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-w.wake:
		case <-w.quit:
			w.writeAll(true)
			return
		}
		timer.Reset(gather)
		select {
		case <-timer.C:
		case <-w.hurry:
		case <-w.quit:
		}
		w.writeAll(false)
	}
}

// writeAll writes what waits in all lanes, and closes them at the end.
func (w *LogWriter) writeAll(last bool) {
	for i := range w.lanes {
		l := &w.lanes[i]
		l.mu.Lock()
		l.batch, w.spare = w.spare, l.batch
		l.closed = last
		l.mu.Unlock()
		w.write()
	}
	for _, d := range w.unflushed {
		d.unflushed = false
		if err := d.flusher.Flush(); err != nil {
			w.fail(err)
		}
	}
	clear(w.unflushed)
	w.unflushed = w.unflushed[:0]
	w.complain(nil)
}

// write writes the lines of spare and empties it.
func (w *LogWriter) write() {
	start := 0
	for _, e := range w.spare.lines {
		d := e.to
		if err := d.sink.Append(d.group, d.stream, e.when, w.spare.text[start:e.end]); err != nil {
			w.fail(err)
		}
		if d.flusher != nil && !d.unflushed {
			d.unflushed = true
			w.unflushed = append(w.unflushed, d)
		}
		start = e.end
	}
	if cap(w.spare.text) > keptBytes && len(w.spare.text) < cap(w.spare.text)/4 {
		w.spare = batch{} // the burst is over
		return
	}
	clear(w.spare.lines) // a stage that is gone must not be kept alive
	w.spare.text, w.spare.lines = w.spare.text[:0], w.spare.lines[:0]
}

func (w *LogWriter) fail(err error) {
	w.failed.Add(1)
	w.complain(err)
}

// complain reports lost lines, at most once a period.
func (w *LogWriter) complain(err error) {
	lost := w.dropped.Load() + w.failed.Load()
	if lost == w.told || !w.complained.IsZero() && time.Since(w.complained) < complaintPeriod {
		return
	}
	w.complained, w.told = time.Now(), lost
	w.logger.Warn("log lines were lost", "dropped", w.dropped.Load(), "failed", w.failed.Load(), "error", err)
}
