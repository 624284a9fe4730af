package throttle

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var alice = ClientID{"000000000000", "us-east-1", "plan1", "alice"}

// never is a flush interval that no test waits for.
const never = time.Hour

func openLedger(t testing.TB, dir string) *Ledger {
	t.Helper()
	l, err := OpenLedger(LedgerOptions{Dir: dir, FlushInterval: never, Clock: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeLedger(t, l) })
	return l
}

func closeLedger(t testing.TB, l *Ledger) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// crashed is a ledger as it is found when the machine of another one stops now.
func crashed(t testing.TB, dir string) *Ledger {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, journalName))
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, journalName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return openLedger(t, other)
}

func take(q *Quota, n int, at time.Time) (taken int64) {
	for range n {
		if q.Take(at) {
			taken++
		}
	}
	return taken
}

func ahead(n int) time.Time { return start.AddDate(0, 0, n) }

// start is a Thursday, 26 November.
func TestQuota(t *testing.T) {
	type step struct {
		at         time.Time
		tries, got int
	}
	for _, test := range []struct {
		name     string
		settings QuotaSettings
		steps    []step
	}{
		{"a day", QuotaSettings{Limit: 5, Period: Day}, []step{{ahead(0), 7, 5}, {start.Add(12*time.Hour - 1), 1, 0}, {start.Add(12 * time.Hour), 7, 5}, {ahead(9), 3, 3}}},
		{"a week", QuotaSettings{Limit: 5, Period: Week}, []step{{ahead(0), 2, 2}, {ahead(1), 2, 2}, {ahead(3), 2, 1}, {ahead(4), 9, 5}, {ahead(10), 1, 0}, {ahead(11), 9, 5}}},
		{"a month", QuotaSettings{Limit: 5, Period: Month}, []step{{ahead(0), 2, 2}, {ahead(4), 9, 3}, {ahead(5), 4, 4}, {ahead(35), 9, 1}, {ahead(36), 9, 5}}},
		{"an offset", QuotaSettings{Limit: 5, Period: Week, Offset: 2, Since: ahead(-1)}, []step{{ahead(0), 9, 3}, {ahead(4), 9, 5}}},
		{"an offset long ago", QuotaSettings{Limit: 5, Period: Week, Offset: 2, Since: ahead(-7)}, []step{{ahead(0), 9, 5}}},
		{"more offset than limit", QuotaSettings{Limit: 1, Period: Week, Offset: 2, Since: ahead(0)}, []step{{ahead(0), 9, 0}, {ahead(4), 9, 1}}},
		{"nothing", QuotaSettings{Limit: 0, Period: Day}, []step{{ahead(0), 9, 0}, {ahead(1), 9, 0}}},
		{"no quota", QuotaSettings{}, []step{{ahead(0), 999, 999}, {ahead(1), 999, 999}}},
		{"many", QuotaSettings{Limit: 100_000, Period: Day}, []step{{ahead(0), 100_100, 100_000}}},
		{"a request that comes late", QuotaSettings{Limit: 3, Period: Day}, []step{{ahead(1), 1, 1}, {ahead(0), 1, 1}, {ahead(1), 9, 1}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := openLedger(t, t.TempDir()).Quota(alice, test.settings)
			for _, s := range test.steps {
				if got := take(q, s.tries, s.at); got != int64(s.got) {
					t.Errorf("on %s %d of %d passed, want %d", s.at, got, s.tries, s.got)
				}
				if spent := q.Spent(s.at); spent != (s.got < s.tries) {
					t.Errorf("on %s spent: %v", s.at, spent)
				}
			}
		})
	}
}

// A plan that changes goes on where it was: the days count, whatever the period.
func TestQuotaChanges(t *testing.T) {
	l := openLedger(t, t.TempDir())
	take(l.Quota(alice, QuotaSettings{Limit: 10, Period: Day}), 4, ahead(-1))
	take(l.Quota(alice, QuotaSettings{Limit: 10, Period: Day}), 3, ahead(0))
	for _, test := range []struct {
		settings QuotaSettings
		got      int64
	}{
		{QuotaSettings{Limit: 4, Period: Day}, 1},    // 4 today
		{QuotaSettings{Limit: 2, Period: Day}, 0},    //
		{QuotaSettings{Limit: 10, Period: Week}, 2},  // 8 this week
		{QuotaSettings{Limit: 11, Period: Month}, 1}, //
		{QuotaSettings{Limit: 8, Period: Day}, 1},    //
	} {
		if got := take(l.Quota(alice, test.settings), 99, ahead(0)); got != test.got {
			t.Errorf("%+v let %d pass, want %d", test.settings, got, test.got)
		}
	}
	other := alice
	other.PlanID = "plan2"
	if got := take(l.Quota(other, QuotaSettings{Limit: 4, Period: Day}), 99, ahead(0)); got != 4 {
		t.Errorf("another plan let %d pass", got)
	}
}

// However many ask at once, with the plan changing under them, all of the limit
// passes and not one more.
func TestQuotaRace(t *testing.T) {
	const limit, clients = 5000, 64
	s := QuotaSettings{Limit: limit, Period: Day}
	l := openLedger(t, t.TempDir())
	var passed atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			quotas := [...]*Quota{l.Quota(alice, s), l.Quota(alice, s)}
			for i := range 2 * limit / clients {
				passed.Add(take(quotas[i%2], 1, start))
			}
		})
	}
	all.Wait()
	if usage := l.Usage(alice, s, start, start, start); usage[0] != [2]int64{limit, 0} || passed.Load() != limit {
		t.Errorf("%d passed, usage %v, want %d", passed.Load(), usage, limit)
	}
}

// The same over midnight: a request is counted on one of the days, and no day
// has too many.
func TestMidnightRace(t *testing.T) {
	const limit, clients = 2000, 64
	s := QuotaSettings{Limit: limit, Period: Day}
	midnight := start.Add(12 * time.Hour)
	for range 20 {
		l := openLedger(t, t.TempDir())
		q := l.Quota(alice, s)
		var passed atomic.Int64
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				for i := range 3 * limit / clients {
					passed.Add(take(q, 1, midnight.Add(time.Duration(i-limit/clients))))
				}
			})
		}
		all.Wait()
		usage := l.Usage(alice, s, midnight.Add(-1), midnight, midnight)
		if usage[0][0] > limit || usage[1] != [2]int64{limit, 0} || usage[0][0]+usage[1][0] != passed.Load() {
			t.Fatalf("%d passed, usage %v, want %d a day at most", passed.Load(), usage, limit)
		}
		closeLedger(t, l)
	}
}

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, dir)
	month := QuotaSettings{Limit: 100, Period: Month}
	take(l.Quota(alice, month), 10, ahead(-3))
	take(l.Quota(alice, month), 5, ahead(-2))
	take(l.Quota(alice, month), 7, ahead(0))
	check := func(l *Ledger, name string, s QuotaSettings, first, last int, want ...[2]int64) {
		t.Helper()
		if got := l.Usage(alice, s, ahead(first), ahead(last), ahead(0)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	check(l, "as it was", month, -4, 0, [2]int64{0, 100}, [2]int64{10, 90}, [2]int64{5, 85}, [2]int64{0, 85}, [2]int64{7, 78})
	check(l, "no days to come", month, -1, 5, [2]int64{0, 85}, [2]int64{7, 78})
	check(l, "the month before", month, -30, -29, [2]int64{0, 100}, [2]int64{0, 100})
	check(l, "backwards", month, 0, -1)
	if got := l.Usage(ClientID{KeyID: "stranger"}, month, ahead(0), ahead(0), ahead(0)); !slices.Equal(got, [][2]int64{{0, 100}}) {
		t.Errorf("of a stranger %v", got)
	}
	if len(l.meters) != 1 {
		t.Errorf("asking made %d meters", len(l.meters))
	}
	check(l, "no quota any more", QuotaSettings{}, -3, 0, [2]int64{10, 90}, [2]int64{5, 85}, [2]int64{0, -1}, [2]int64{7, -1})
	// The past stays as it was, the present follows the plan.
	month.Limit = 50
	check(l, "less quota", month, -3, 0, [2]int64{10, 90}, [2]int64{5, 85}, [2]int64{0, 35}, [2]int64{7, 28})
	closeLedger(t, l)
	check(openLedger(t, dir), "after a restart", month, -3, 0, [2]int64{10, 90}, [2]int64{5, 85}, [2]int64{0, 35}, [2]int64{7, 28})
}

// What isn't closed loses what was reserved, and nothing is given out twice.
func TestCrash(t *testing.T) {
	for _, limit := range []int64{1, 10, 1000, 1_000_000} {
		dir := t.TempDir()
		s := QuotaSettings{Limit: limit, Period: Day}
		l := openLedger(t, dir)
		taken := take(l.Quota(alice, s), int(min(limit/2+1, 5000)), ahead(0))
		after := crashed(t, dir)
		granted := taken + take(after.Quota(alice, s), int(min(limit, 50_000)), ahead(0))
		block := newQuota(nil, s).block
		if lost := limit - granted; granted > limit || limit <= 50_000 && lost > block+block/2+1 {
			t.Errorf("of %d requests %d were granted, with blocks of %d", limit, granted, block)
		}
		closeLedger(t, l)
		if usage := openLedger(t, dir).Usage(alice, s, ahead(0), ahead(0), ahead(0)); usage[0] != [2]int64{taken, limit - taken} {
			t.Errorf("closed in time %d requests are %v", taken, usage)
		}
	}
}

// Clients without a quota are counted at every flush.
func TestFlush(t *testing.T) {
	dir := t.TempDir()
	l, err := OpenLedger(LedgerOptions{Dir: dir, FlushInterval: time.Millisecond, Clock: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	defer closeLedger(t, l)
	take(l.Quota(alice, QuotaSettings{}), 25, ahead(0))
	deadline := time.Now().Add(time.Minute)
	for {
		usage := crashed(t, dir).Usage(alice, QuotaSettings{}, ahead(0), ahead(0), ahead(0))
		if usage[0] == [2]int64{25, Unlimited} {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("on disk are %v", usage)
		}
	}
}

func TestSetRemaining(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, dir)
	s := QuotaSettings{Limit: 10, Period: Week}
	set := func(l *Ledger, n int64, at time.Time) {
		t.Helper()
		if err := l.SetRemaining(alice, s, n, at); err != nil {
			t.Fatal(err)
		}
	}
	take(l.Quota(alice, s), 99, ahead(0))
	set(l, 3, ahead(0))
	if usage := l.Usage(alice, s, ahead(0), ahead(0), ahead(0)); usage[0] != [2]int64{10, 3} {
		t.Errorf("usage %v", usage)
	}
	// One block, of one request here, was reserved with it.
	if got := take(crashed(t, dir).Quota(alice, s), 99, ahead(0)); got != 2 {
		t.Errorf("after a crash %d of 3 passed", got)
	}
	if got := take(l.Quota(alice, s), 99, ahead(0)); got != 3 {
		t.Errorf("%d of 3 passed", got)
	}
	// The next day of the period has it as well, the next period hasn't.
	set(l, 5, ahead(0))
	set(l, 4, ahead(1))
	if got := take(l.Quota(alice, s), 99, ahead(2)); got != 4 {
		t.Errorf("%d of 4 passed on another day", got)
	}
	if got := take(l.Quota(alice, s), 99, ahead(4)); got != 10 {
		t.Errorf("%d passed in the next period", got)
	}
	set(l, 0, ahead(11))
	if got := take(l.Quota(alice, s), 99, ahead(11)); got != 0 {
		t.Errorf("%d of nothing passed", got)
	}
	closeLedger(t, l)
	if err := l.SetRemaining(alice, s, 1, ahead(0)); err == nil {
		t.Error("a closed ledger took a change")
	}
}

// A journal that can't be written stops nobody, is told of, and is whole again
// once it can.
func TestBrokenDisk(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, dir)
	s := QuotaSettings{Limit: 30_000, Period: Day}
	q := l.Quota(alice, s)
	take(q, 10, ahead(0))
	if err := l.journal.f.Close(); err != nil { // nobody writes: 10 of them are far from the next reservation
		t.Fatal(err)
	}
	if err := l.SetRemaining(alice, s, 500, ahead(0)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a change that isn't written: %v", err)
	}
	if got := take(q, 999, ahead(0)); got != 500 {
		t.Errorf("%d of 500 passed", got)
	}
	if usage := crashed(t, dir).Usage(alice, s, ahead(0), ahead(0), ahead(0)); usage[0] != [2]int64{510, 0} {
		t.Errorf("on disk are %v", usage)
	}
}

func TestRewrite(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, dir)
	s := QuotaSettings{Limit: 1_000_000, Period: Month}
	for n := -120; n <= 0; n++ {
		for _, key := range []string{"alice", "bob"} {
			take(l.Quota(ClientID{"1", "r", "p", key}, s), 2, ahead(n))
		}
	}
	l.writeOnceForTest(t)
	before := l.journal.size
	if err := l.compact(); err != nil {
		t.Fatal(err)
	}
	if l.journal.size >= before {
		t.Errorf("%d bytes became %d", before, l.journal.size)
	}
	take(l.Quota(ClientID{"1", "r", "p", "bob"}, s), 1, ahead(0))
	closeLedger(t, l)
	again := openLedger(t, dir)
	for key, want := range map[string]int64{"alice": 2, "bob": 3} {
		usage := again.Usage(ClientID{"1", "r", "p", key}, s, ahead(-100), ahead(0), ahead(0))
		if len(usage) != 101 || usage[100] != [2]int64{want, 1_000_000 - 50 - want} || usage[11][0] != 2 || usage[0][0] != 0 {
			t.Errorf("%s used %v", key, usage)
		}
	}
}

// writeOnceForTest has the writer write everything.
func (l *Ledger) writeOnceForTest(t *testing.T) {
	t.Helper()
	l.stop <- struct{}{}
	<-l.stopped
	l.stop, l.stopped = make(chan struct{}), make(chan struct{})
	l.writeOnce(true)
	go l.write(never)
}

func BenchmarkQuota(b *testing.B) {
	l := openLedger(b, b.TempDir())
	for name, s := range map[string]QuotaSettings{"quota": {Limit: 1 << 50, Period: Month}, "counted": {}} {
		b.Run(name, func(b *testing.B) {
			q := l.Quota(alice, s)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					q.Take(start)
				}
			})
		})
	}
}
