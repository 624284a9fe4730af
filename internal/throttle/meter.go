package throttle

import (
	"slices"
	"sync"
	"sync/atomic"
)

// retention is how many days the counts of a day are kept.
const retention = 90

// A meter counts the requests of one client, by days. All that a quota asks is
// worked out from those, whatever its period.
type meter struct {
	id     ClientID
	ledger *Ledger
	// number is the client's in the journal, 0 before it was written there; it is
	// the writer's.
	number uint32

	today atomic.Pointer[day]

	mu sync.Mutex
	// past are the days before today that had requests or a grant, oldest first.
	past []pastDay
}

// A day is the one that a meter counts now. Its used says when it is over.
type day struct {
	meter  *meter
	number int32
	// used is how many requests were counted; once the day is over the
	// complement of that, which nothing is added to.
	used atomic.Int64
	// reserved is how many requests the journal has as counted: used may follow up
	// to there.
	reserved atomic.Int64
	// granted are the requests that the quota's period has more, or less, by word of
	// an operator on this day.
	granted atomic.Int64
	// quota is the one that counted last.
	quota atomic.Pointer[Quota]
	// earlier are the requests used less those granted on earlier days of the
	// period, by Period.
	earlier [periods]int64
	// left is what the journal had as remaining.
	left int64
	// asked and changed tell that the ledger is to write the day.
	asked, changed atomic.Bool

	pending *batch // that the day is in; guarded by the ledger's mutex
}

// A pastDay is what is kept of a day.
type pastDay struct {
	number    int32
	used      int64
	remaining int64 // at its end
	granted   int64
}

// counted is the number of requests that a day's used stands for.
func counted(used int64) int64 {
	if used < 0 {
		return ^used
	}
	return used
}

// on returns the day that requests of a day are counted on: that one, or a later
// one for a request that comes late.
func (m *meter) on(number int32) *day {
	if d := m.today.Load(); d.number >= number {
		return d
	}
	return m.roll(number)
}

// roll ends days that are over and returns the present one.
func (m *meter) roll(number int32) *day {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rollLocked(number)
}

func (m *meter) rollLocked(number int32) *day {
	d := m.today.Load()
	if d.number >= number {
		return d
	}
	for {
		used := d.used.Load()
		if d.used.CompareAndSwap(used, ^used) {
			break
		}
	}
	if p := d.past(); p.used != 0 || p.granted != 0 {
		m.past = append(m.past, p)
		m.ledger.later(d)
	}
	old, _ := slices.BinarySearchFunc(m.past, number-retention, func(p pastDay, n int32) int { return int(p.number) - int(n) })
	m.past = slices.Delete(m.past, 0, old)
	next := m.newDay(number)
	m.today.Store(next)
	return next
}

// newDay makes a day; m.mu is held, or nobody else knows the meter.
func (m *meter) newDay(number int32) *day {
	d := &day{meter: m, number: number}
	for p := Day; p <= Month; p++ {
		first := p.start(number)
		for i := len(m.past) - 1; i >= 0 && m.past[i].number >= first; i-- {
			d.earlier[p-1] += m.past[i].used - m.past[i].granted
		}
	}
	return d
}

// past is what is kept of a day as it stands.
func (d *day) past() pastDay {
	p := pastDay{number: d.number, used: counted(d.used.Load()), remaining: d.left, granted: d.granted.Load()}
	if q := d.quota.Load(); q != nil {
		p.remaining = q.remaining(d)
	}
	return p
}

// entry is what the journal says of the day: what it has as counted stays so.
func (d *day) entry() journalDay {
	p := d.past()
	e := journalDay{day: p.number, used: p.used, reserved: p.used, remaining: p.remaining, granted: p.granted}
	if d.used.Load() >= 0 {
		e.reserved = max(e.reserved, d.reserved.Load())
	}
	return e
}

// extended is how many requests are to be counted as used from an entry on.
func (d *day) extended(e journalDay) int64 {
	q := d.quota.Load()
	if q == nil || q.Period == NoPeriod || d.used.Load() < 0 {
		return e.reserved
	}
	return max(e.reserved, min(e.used+q.block, q.allowed(d)))
}

// entries are what the journal says of all days that had requests or a grant.
func (m *meter) entries() []journalDay {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]journalDay, 0, len(m.past)+1)
	for _, p := range m.past {
		list = append(list, journalDay{day: p.number, used: p.used, reserved: p.used, remaining: p.remaining, granted: p.granted})
	}
	if e := m.today.Load().entry(); e.reserved != 0 || e.granted != 0 {
		list = append(list, e)
	}
	return list
}

// grant makes n requests remain of a quota on a day, which it returns.
func (q *Quota) grant(n int64, number int32) *day {
	m := q.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.rollLocked(number)
	d.quota.Store(q)
	d.granted.Add(n - q.allowed(d) + counted(d.used.Load()))
	return d
}

// usage tells what was used of a quota on the days from first to last, which is
// today at the latest, and what remained at the end of each. Days that the meter doesn't know had no request.
// m is nil for a client that never had any.
func (m *meter) usage(q *Quota, first, last int32) [][2]int64 {
	var known []pastDay
	if m != nil {
		m.mu.Lock()
		d := m.today.Load()
		now := d.past()
		now.remaining = q.remaining(d)
		known = append(slices.Clone(m.past), now)
		m.mu.Unlock()
	}
	out := make([][2]int64, 0, max(last-first+1, 0))
	for number := first; number <= last; number++ {
		i, found := slices.BinarySearchFunc(known, number, func(p pastDay, n int32) int { return int(p.number) - int(n) })
		if found {
			out = append(out, [2]int64{known[i].used, known[i].remaining})
			continue
		}
		out = append(out, [2]int64{0, q.idle(number, known[:i])})
	}
	return out
}

// idle is what remains of a quota on a day without requests; known are the days
// before it.
func (q *Quota) idle(number int32, known []pastDay) int64 {
	if q.Period == NoPeriod {
		return Unlimited
	}
	left := q.Limit
	if number < q.initial {
		left -= q.Offset
	}
	first := q.Period.start(number)
	for i := len(known) - 1; i >= 0 && known[i].number >= first; i-- {
		left -= known[i].used - known[i].granted
	}
	return max(left, 0)
}
