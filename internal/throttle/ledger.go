package throttle

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultFlushInterval is how often the counts of clients without a quota are
// written.
const DefaultFlushInterval = time.Second

// LedgerOptions are what a Ledger works with.
type LedgerOptions struct {
	// Dir is the directory of the journal, which nobody else writes to. It is made
	// if it isn't there.
	Dir string
	// FlushInterval is how often counts are written that nobody waits for; zero is
	// DefaultFlushInterval.
	FlushInterval time.Duration
	// Clock tells which days are too old to keep; nil is time.Now.
	Clock func() time.Time
	// Logger takes what goes wrong. Nil is silence.
	Logger *slog.Logger
}

// A Ledger counts the requests of the clients of usage plans, and keeps the
// counts on disk.
//
// Requests of a client with a quota are reserved in the journal before they are
// counted, a block at a time: a crash may cost a client the rest of a block, and
// never lets a quota be exceeded. A block is the 128th part of the quota, at
// least one request and at most 8,192; the next one is reserved when half of one
// is left, so a crash costs one block and a half at most. Clients without a quota are
// written every FlushInterval, which is what a crash costs of their counts.
// Close writes all of it as it is.
//
// When the journal can't be written, requests are counted in memory alone: AWS
// serves what it can't check, too.
type Ledger struct {
	log   *slog.Logger
	clock func() time.Time

	mu     sync.Mutex
	meters map[ClientID]*meter
	// urgent are days that somebody waits for or will soon, lazy the others.
	urgent, lazy []*day
	batch        *batch // of urgent; nil when there is none
	writing      *batch // what is being written now
	closed       bool

	wake    chan struct{} // has room for one
	stop    chan struct{}
	stopped chan struct{}
	// writer alone uses journal, until it has stopped.
	journal *journal
	failing atomic.Bool
}

// A batch is what is written at once.
type batch struct {
	done chan struct{}
	err  error // once done is closed
}

// OpenLedger reads the journal of a directory and begins to write to it.
func OpenLedger(o LedgerOptions) (*Ledger, error) {
	l := &Ledger{
		log: o.Logger, clock: o.Clock, meters: map[ClientID]*meter{},
		wake: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.clock == nil {
		l.clock = time.Now
	}
	j, clients, err := openJournal(o.Dir, dayOf(l.clock())-retention)
	if err != nil {
		return nil, err
	}
	l.journal = j
	for _, c := range clients {
		l.meters[c.id] = l.load(c)
	}
	if o.FlushInterval <= 0 {
		o.FlushInterval = DefaultFlushInterval
	}
	go l.write(o.FlushInterval)
	return l, nil
}

// load makes the meter of a client as the journal has it: everything that was
// reserved counts as used.
func (l *Ledger) load(c journalClient) *meter {
	m := &meter{id: c.id, ledger: l, number: c.number}
	last := c.days[len(c.days)-1]
	for _, r := range c.days[:len(c.days)-1] {
		m.past = append(m.past, pastDay{r.day, max(r.used, r.reserved), r.remaining, r.granted})
	}
	d := m.newDay(last.day)
	d.used.Store(max(last.used, last.reserved))
	d.reserved.Store(max(last.used, last.reserved))
	d.granted.Store(last.granted)
	d.left = last.remaining
	m.today.Store(d)
	return m
}

// Quota returns what a client has of a quota.
func (l *Ledger) Quota(id ClientID, s QuotaSettings) *Quota { return newQuota(l.meter(id), s) }

// meter returns the meter of a client, which is made at its first request.
func (l *Ledger) meter(id ClientID) *meter {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.meters[id]
	if m == nil {
		m = &meter{id: id, ledger: l}
		m.today.Store(m.newDay(0))
		l.meters[id] = m
	}
	return m
}

// Usage tells what a client used of a quota on each day from the one of first to
// the one of last, no later than now, and what remained of it at the day's end,
// or remains now. Days are those of UTC. Of days more than 90 ago nothing is
// known.
func (l *Ledger) Usage(id ClientID, s QuotaSettings, first, last, now time.Time) [][2]int64 {
	l.mu.Lock()
	m := l.meters[id]
	l.mu.Unlock()
	q := newQuota(m, s)
	today := dayOf(now)
	if m != nil {
		m.on(today)
	}
	return m.usage(q, dayOf(first), min(dayOf(last), today))
}

// SetRemaining makes n requests remain of a client's quota in the period that
// has now, on disk as well when it returns. The quota must have a period.
func (l *Ledger) SetRemaining(id ClientID, s QuotaSettings, n int64, now time.Time) error {
	q := l.Quota(id, s)
	d := q.grant(n, dayOf(now))
	b := l.join(d)
	if b == nil {
		return errors.New("throttle: the ledger is closed")
	}
	<-b.done
	return b.err
}

// reserve has more requests of a day written as counted and waits for it.
func (l *Ledger) reserve(d *day, q *Quota) {
	d.quota.Store(q)
	b := l.ride(d)
	if b == nil {
		// After Close nobody is left to write: what comes now is counted in memory.
		d.reserved.Store(counted(d.used.Load()) + q.block)
		return
	}
	<-b.done
}

// ask is reserve for someone who has enough for now.
func (l *Ledger) ask(d *day, q *Quota) {
	d.quota.Store(q)
	l.join(d)
}

// ride is join, but for a day that is being written.
func (l *Ledger) ride(d *day) *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writing != nil && d.pending == l.writing {
		return l.writing
	}
	return l.joinLocked(d)
}

// join puts a day into the next batch and returns it; nil after Close.
func (l *Ledger) join(d *day) *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.joinLocked(d)
}

func (l *Ledger) joinLocked(d *day) *batch {
	if l.closed {
		return nil
	}
	if l.batch == nil {
		l.batch = &batch{done: make(chan struct{})}
	}
	if d.pending != l.batch {
		d.pending = l.batch
		l.urgent = append(l.urgent, d)
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return l.batch
}

// later has a day written with the next flush.
func (l *Ledger) later(d *day) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.lazy = append(l.lazy, d)
	}
}

// write is the one who writes to the journal.
func (l *Ledger) write(interval time.Duration) {
	defer close(l.stopped)
	flush := time.NewTicker(interval)
	defer flush.Stop()
	for {
		lazy := false
		select {
		case <-l.wake:
		case <-flush.C:
			lazy = true
		case <-l.stop:
			return
		}
		l.writeOnce(lazy)
	}
}

// writeOnce writes what is waited for and, if lazy is set, everything else that
// is due.
func (l *Ledger) writeOnce(lazy bool) {
	l.mu.Lock()
	days, b := l.urgent, l.batch
	l.urgent, l.batch, l.writing = nil, nil, b
	if lazy {
		days = append(days, l.lazy...)
		l.lazy = nil
	}
	l.mu.Unlock()
	if len(days) == 0 {
		return
	}
	var err error
	if l.journal.torn {
		err = l.compact()
	}
	reserved := make([]int64, len(days))
	for i, d := range days {
		// Before the count is read: what comes now asks to be written again.
		d.changed.Store(false)
		e := d.entry()
		e.reserved = d.extended(e)
		reserved[i] = e.reserved
		d.meter.record(l.journal, e)
	}
	err = errors.Join(err, l.journal.sync())
	l.tell(err)
	for i, d := range days {
		d.reserved.Store(reserved[i])
		d.asked.Store(false)
	}
	l.mu.Lock()
	l.writing = nil
	l.mu.Unlock()
	if b != nil {
		b.err = err
		close(b.done)
	}
	if lazy && l.journal.overgrown() {
		if err := l.compact(); err != nil {
			l.log.Warn("the journal of usage can't be made shorter", "error", err)
		}
	}
}

// tell logs that the journal began to fail or works again.
func (l *Ledger) tell(err error) {
	switch failed := err != nil; {
	case failed && !l.failing.Swap(true):
		l.log.Error("the use of usage plans can't be written; until it can, a restart may forget it", "error", err)
	case !failed && l.failing.Swap(false):
		l.log.Info("the use of usage plans is written again")
	}
}

// all are the meters that there are.
func (l *Ledger) all() []*meter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.meters))
}

// compact writes the journal anew, without what later entries changed.
func (l *Ledger) compact() error {
	meters := l.all()
	oldest := dayOf(l.clock()) - retention
	return l.journal.rewrite(func(w *journal) {
		for _, m := range meters {
			if m.number == 0 {
				continue // nothing was written of it yet
			}
			w.client(m.number, m.id)
			for _, e := range m.entries() {
				if e.day >= oldest {
					w.day(m.number, e)
				}
			}
		}
	})
}

// Close writes all counts as they are and ends the ledger. Requests that are
// counted afterwards are counted in memory alone.
func (l *Ledger) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	close(l.stop)
	<-l.stopped
	l.writeOnce(true)
	for _, m := range l.all() {
		if e := m.today.Load().entry(); e.used != e.reserved {
			// What was reserved and isn't used comes free.
			e.reserved = e.used
			m.record(l.journal, e)
		}
	}
	return errors.Join(l.journal.sync(), l.journal.close())
}

// record writes what is known of a day of the meter, and who it is of before
// that.
func (m *meter) record(j *journal, e journalDay) {
	if m.number == 0 {
		j.clients++
		m.number = j.clients
		j.client(m.number, m.id)
	}
	j.day(m.number, e)
}
