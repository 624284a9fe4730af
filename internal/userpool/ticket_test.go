package userpool

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/seal"
)

func newTickets(t testing.TB) *Tickets {
	t.Helper()
	s, err := seal.New(make([]byte, seal.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return NewTickets(s)
}

func TestTickets(t *testing.T) {
	tickets := newTickets(t)
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	text, err := tickets.Issue("session", map[string]string{"user": "alice"}, now.Add(time.Minute))
	if err != nil || strings.Contains(text, "alice") {
		t.Fatal(text, err)
	}
	var got map[string]string
	ticket, err := tickets.Open("session", text, now, &got)
	if err != nil || got["user"] != "alice" || !ticket.Expires.Equal(now.Add(time.Minute)) {
		t.Errorf("%v, %v, %v", ticket, got, err)
	}
	if _, err := tickets.Open("refresh", text, now, &got); !errors.Is(err, ErrTicket) {
		t.Errorf("for another purpose: %v", err)
	}
	if _, err := tickets.Open("session", text, now.Add(time.Minute), &got); !errors.Is(err, ErrTicketExpired) {
		t.Errorf("late: %v", err)
	}
	for _, bad := range []string{"", "x", text[:len(text)-4], "AAAA" + text[4:], strings.Repeat("A", maxTicket+1)} {
		if _, err := tickets.Open("session", bad, now, &got); !errors.Is(err, ErrTicket) {
			t.Errorf("%.20s: %v", bad, err)
		}
	}

	// Of many who use it at once, one gets it.
	var won sync.Map
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if tickets.Use(ticket, now) == nil {
				won.Store(i, true)
			}
		})
	}
	wg.Wait()
	n := 0
	won.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d used it", n)
	}
	// What has expired isn't remembered for ever.
	second, err := tickets.Issue("session", 1, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var number int
	later, err := tickets.Open("session", second, now, &number)
	if err != nil {
		t.Fatal(err)
	}
	if err := tickets.Use(later, now.Add(30*time.Minute)); err != nil || len(tickets.used) != 1 {
		t.Errorf("%v, %d remembered", err, len(tickets.used))
	}
}

func TestAttempts(t *testing.T) {
	var a Attempts
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	fail := func(want time.Duration) {
		t.Helper()
		a.Failed("alice", now)
		if want == 0 {
			if a.Locked("alice", now) {
				t.Errorf("locked too early")
			}
			return
		}
		if !a.Locked("alice", now.Add(want-1)) || a.Locked("alice", now.Add(want)) {
			t.Errorf("not locked for %v", want)
		}
		now = now.Add(want)
	}
	for range 4 {
		fail(0)
	}
	for _, s := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		fail(time.Duration(s) * time.Second)
	}
	if a.Locked("bob", now) {
		t.Error("another name is locked")
	}
	a.Passed("alice")
	fail(0)

	// A long time makes it as if nothing had been.
	for range 5 {
		a.Failed("carol", now)
	}
	now = now.Add(3 * maxLock)
	a.Failed("carol", now)
	if a.Locked("carol", now) {
		t.Error("old guesses count")
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	var a Attempts
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	for range freeGuesses {
		a.Failed("victim", now)
	}
	for i := range maxNames + 1000 {
		a.Failed(strings.Repeat("x", i%7)+time.Duration(i).String(), now)
	}
	if len(a.names) > maxNames {
		t.Errorf("%d names", len(a.names))
	}
	if !a.Locked("victim", now) {
		t.Error("a flood of names unlocked another")
	}
}

func FuzzTicket(f *testing.F) {
	tickets := newTickets(f)
	f.Add("AAAA")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		var v any
		if _, err := tickets.Open("session", text, time.Time{}, &v); err == nil {
			t.Errorf("%q is a ticket", text)
		}
	})
}
