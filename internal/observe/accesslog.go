package observe

import (
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/plan"
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

// A LogWriter carries lines of access logs to their sinks, in batches and
// behind the requests' backs: a request never waits for a sink, and a line for
// which there is no room is dropped and counted.
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
	unflushed  []*AccessLog
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

// An entry is one line of a batch: whose it is, when it was made and where it
// ends.
type entry struct {
	log  *AccessLog
	when time.Time
	end  int
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

// An AccessLog is the access log of a stage.
type AccessLog struct {
	writer        *LogWriter
	format        *Format
	sink          Sink
	group, stream string

	// flusher is sink if that gathers lines, unflushed tells that it has some
	// of this log. They are the goroutine's.
	flusher   flusher
	unflushed bool
}

// AccessLog makes an access log whose lines go to the stream of a group in sink.
func (w *LogWriter) AccessLog(format *Format, sink Sink, group, stream string) *AccessLog {
	a := &AccessLog{writer: w, format: format, sink: sink, group: group, stream: stream}
	a.flusher, _ = sink.(flusher)
	return a
}

// Log takes the line of a finished exchange.
func (a *AccessLog) Log(x *plan.Exchange, latency time.Duration) {
	w := a.writer
	l := w.lane()
	before := len(l.text)
	if l.closed || before >= maxLaneBytes {
		l.mu.Unlock()
		w.dropped.Add(1)
		return
	}
	l.text = a.format.Append(l.text, x, latency)
	l.lines = append(l.lines, entry{a, x.Start.Add(latency), len(l.text)})
	after := len(l.text)
	l.mu.Unlock()

	if before == 0 {
		signal(w.wake)
	}
	if before < maxLaneBytes/2 && after >= maxLaneBytes/2 {
		signal(w.hurry)
	}
}

// lane returns a lane, locked. A lane is held for the time of one line or of a
// swap, never for that of a sink.
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
	for _, a := range w.unflushed {
		a.unflushed = false
		if err := a.flusher.Flush(); err != nil {
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
		a := e.log
		if err := a.sink.Append(a.group, a.stream, e.when, w.spare.text[start:e.end]); err != nil {
			w.fail(err)
		}
		if a.flusher != nil && !a.unflushed {
			a.unflushed = true
			w.unflushed = append(w.unflushed, a)
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
	w.logger.Warn("access log lines were lost", "dropped", w.dropped.Load(), "failed", w.failed.Load(), "error", err)
}
