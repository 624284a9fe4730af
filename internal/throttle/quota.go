package throttle

import (
	"math"
	"time"
)

// A ClientID names an API key in a usage plan. Ids of keys and plans are unique
// in an account and region.
type ClientID struct{ Account, Region, PlanID, KeyID string }

// QuotaSettings say how much of a plan is for each of its clients. The zero value
// is for plans without a quota: their clients are counted and never refused.
type QuotaSettings struct {
	Limit  int64
	Period Period
	// Offset is how many requests less there are in the period that has Since,
	// which is when the quota was set up.
	Offset int64
	Since  time.Time
}

// A Quota is what one client has of a plan's quota. Quotas of one client share
// its count, which is the Ledger's and outlives them: a plan that changes goes
// on where it was.
type Quota struct {
	QuotaSettings
	meter *meter
	// initial is the first day behind the period with the offset.
	initial int32
	// block is how many requests are reserved at once.
	block int64
}

// The requests that are reserved at once are this part of a limit, and no more
// than so many.
const (
	blocksPerQuota = 128
	maxBlock       = 8192
)

func newQuota(m *meter, s QuotaSettings) *Quota {
	q := &Quota{QuotaSettings: s, meter: m, block: min(max(s.Limit/blocksPerQuota, 1), maxBlock)}
	if s.Period != NoPeriod && !s.Since.IsZero() {
		q.initial = s.Period.next(dayOf(s.Since))
	}
	return q
}

// Spent tells whether nothing is left of the quota at a moment. Nothing is
// counted.
func (q *Quota) Spent(now time.Time) bool {
	if q.Period == NoPeriod {
		return false
	}
	d := q.meter.on(dayOf(now))
	used := d.used.Load()
	return used >= q.allowed(d) // of a day that is over, Take finds out
}

// Take counts one request at a moment unless nothing is left, and tells whether
// it did. It waits for nothing but the reservation of the next requests, when
// they come faster than those are written.
func (q *Quota) Take(now time.Time) bool {
	d := q.meter.on(dayOf(now))
	for {
		used := d.used.Load()
		switch {
		case used < 0:
			d = q.meter.roll(dayOf(now))
			continue
		case used >= q.allowed(d):
			return false
		case q.Period != NoPeriod && used >= d.reserved.Load():
			q.meter.ledger.reserve(d, q)
			continue
		}
		if !d.used.CompareAndSwap(used, used+1) {
			continue
		}
		if d.quota.Load() != q {
			d.quota.Store(q)
		}
		q.note(d, used+1)
		return true
	}
}

// note has the ledger write what it has to, some time after a request was
// counted.
func (q *Quota) note(d *day, used int64) {
	if q.Period == NoPeriod {
		if !d.changed.Load() && d.changed.CompareAndSwap(false, true) {
			q.meter.ledger.later(d)
		}
		return
	}
	if reserved := d.reserved.Load(); reserved-used <= q.block/2 && reserved < q.allowed(d) && d.asked.CompareAndSwap(false, true) {
		q.meter.ledger.ask(d, q)
	}
}

// allowed is how many requests of a day may be counted.
func (q *Quota) allowed(d *day) int64 {
	if q.Period == NoPeriod {
		return math.MaxInt64
	}
	n := q.Limit - d.earlier[q.Period-1] + d.granted.Load()
	if d.number < q.initial {
		n -= q.Offset
	}
	return n
}

// remaining is how much is left on a day; Unlimited without a quota.
func (q *Quota) remaining(d *day) int64 {
	if q.Period == NoPeriod {
		return Unlimited
	}
	return max(q.allowed(d)-counted(d.used.Load()), 0)
}

// Unlimited is what remains to clients of a plan without a quota.
// UNVERIFIED: what AWS reports of them.
const Unlimited = -1
