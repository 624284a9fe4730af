package acm_test

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"gatehouse/internal/control/acm"
)

// A record that comes after a failure shortens the wait, where it has to do with the
// name, the less the more often that failed.
func TestRecordsChanged(t *testing.T) {
	f := open(t, t.TempDir(), func(o *acm.Options) { o.Patient = true })
	f.issuer.fail(errors.New("nothing at _acme-challenge.api.example.test"))
	f.make(request("api.example.test", "*.wild.test"))
	f.pass(0)
	tried := func(after time.Duration, want bool, changed ...string) {
		t.Helper()
		before := f.issuer.times()
		if len(changed) > 0 {
			f.RecordsChanged(changed)
		}
		f.pass(after)
		if got := f.issuer.times() > before; got != want {
			t.Errorf("after a change of %q and %s: tried %t", changed, after, got)
		}
	}
	tried(time.Minute, false, "other.test.", "xapi.example.test.", "b.api.example.test.other.")
	// Half of the wait is over, and a quarter has to be.
	tried(0, true, "_acme-challenge.API.example.test.")
	tried(0, false, `\052.wild.test.`)
	tried(time.Minute, true)
	tried(time.Minute, false, "example.test.")
	tried(time.Minute, true)
	tried(7*time.Minute+59*time.Second, false)

	// What the issuer wants holds.
	f.issuer.fail(&acm.Delay{Wait: time.Hour, Err: errors.New("too many orders")})
	tried(10*time.Minute, true)
	tried(59*time.Minute, false, "api.example.test.")
	f.issuer.fail(nil)
	tried(time.Minute, true)
}

// Records that change all the time leave nothing behind each time.
func TestRecordsChangedOften(t *testing.T) {
	f := open(t, t.TempDir(), func(o *acm.Options) { o.Patient = true })
	f.issuer.fail(errors.New("nothing at _acme-challenge.api.example.test"))
	f.make(request("api.example.test"))
	f.pass(0)
	objects := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapObjects
	}
	const changes = 50_000
	f.RecordsChanged([]string{"api.example.test"})
	before := objects()
	for range changes {
		f.RecordsChanged([]string{"api.example.test"})
	}
	if after := objects(); after > before+changes/4 {
		t.Errorf("%d changes left %d objects", changes, after-before)
	}
}

// Accounts share what an authority allows an hour, and how many orders are worked on:
// one that wants more than its part waits, and the others don't.
func TestShares(t *testing.T) {
	const perHour = 9
	f := open(t, t.TempDir(), func(o *acm.Options) { o.Patient, o.OrdersPerHour = true, perHour })
	greedy := f.Account
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"} {
		f.make(request(name + ".greedy.test"))
	}
	f.pass(0)
	if n := f.issuer.times(); n != 12 {
		t.Errorf("the only account had %d of 12 certificates signed", n)
	}
	f.Account = "210987654321"
	other := f.make(request("other.test"))
	f.pass(0)
	if *f.describe(other).Status != "ISSUED" {
		t.Error("an account waits that ordered nothing yet")
	}
	f.Account = greedy

	// From now on there are two.
	for _, name := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"} {
		f.make(request(name + ".greedy.test"))
	}
	var hours []int
	for last := f.issuer.times(); last < 25 && len(hours) < 10; {
		f.pass(time.Hour)
		hours = append(hours, f.issuer.times()-last)
		last = f.issuer.times()
	}
	// What is under way while the clock jumps counts for the hour before: three at most.
	if slices.Max(hours) > perHour/2+3 || len(hours) < 2 {
		t.Errorf("orders by the hour: %v", hours)
	}
}

func TestSharesOfWork(t *testing.T) {
	f := open(t, t.TempDir(), func(o *acm.Options) { o.Patient = true })
	f.issuer.hangs = make(chan struct{})
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		f.make(request(name + ".greedy.test"))
	}
	for range 3 {
		<-f.issuer.hangs
	}
	f.Account = "210987654321"
	f.make(request("other.test"))
	<-f.issuer.hangs
	f.issuer.mu.Lock()
	defer f.issuer.mu.Unlock()
	if got := f.issuer.names; len(got) != 4 || got[3] != "other.test" {
		t.Errorf("worked on: %v", got)
	}
}
