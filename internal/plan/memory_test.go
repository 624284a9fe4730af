package plan_test

import (
	"errors"
	"net/netip"
	"testing"

	"gatehouse/internal/plan"
)

// A client that holds bodies leaves room to the others, whatever it sends.
func TestMemory(t *testing.T) {
	const limit = 100
	m := plan.NewMemory(limit)
	body := func(client string) *plan.Exchange {
		x := &plan.Exchange{Memory: m}
		x.Request.Source = netip.AddrPortFrom(netip.MustParseAddr(client), 1)
		return x
	}
	var open []*plan.Exchange
	fill := func(client string) (held int) {
		for {
			x := body(client)
			open = append(open, x)
			if err := x.Hold(1); err != nil {
				if !errors.Is(err, plan.ErrCrowded) || !x.Crowded() {
					t.Fatalf("%v", err)
				}
				return held
			}
			held++
		}
	}
	for _, step := range []struct {
		client string
		want   int
	}{
		{"192.0.2.1", 50},
		{"192.0.2.1", 0},
		{"2001:db8::1", 25},
		{"2001:db8::2", 0}, // of the same /64
		{"2001:db8:0:1::1", 12},
		{"127.0.0.1", 13}, // what is left
		{"192.0.2.2", 0},
	} {
		if got := fill(step.client); got != step.want {
			t.Errorf("%s holds %d more, want %d", step.client, got, step.want)
		}
	}
	for _, x := range open {
		x.Reset()
	}
	if held := m.Held(); held != 0 {
		t.Errorf("%d are held in the end", held)
	}
	// One body alone may take all there is, and no second one comes beside it.
	only, second := body("192.0.2.1"), body("192.0.2.1")
	if err := errors.Join(only.Hold(60), only.Hold(30)); err != nil {
		t.Errorf("the only body: %v", err)
	}
	if second.Hold(5) == nil {
		t.Error("the second body of a client took what was left")
	}
	if err := body("192.0.2.2").Hold(10); err != nil {
		t.Errorf("another client's: %v", err)
	}
	only.Reset()
	if err := second.Hold(5); err != nil {
		t.Errorf("the second body, alone: %v", err)
	}
}
