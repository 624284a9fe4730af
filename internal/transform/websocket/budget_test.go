// The race detector makes pools forget, so the budget holds without it.
//go:build !race

package websocket

import (
	"testing"

	"gatehouse/internal/plan"
)

func TestSelectAllocatesNothing(t *testing.T) {
	s, err := NewRequestSelector("${request.body.action}/${request.body.kind}")
	if err != nil {
		t.Fatal(err)
	}
	x := &plan.Exchange{Scratch: make([]byte, 0, 256)}
	x.Request.Body = []byte(`{"action":"join","kind":"room","text":"hello"}`)
	if n := testing.AllocsPerRun(100, func() {
		x.Scratch = x.Scratch[:0]
		if s.Select(x) != "join/room" {
			t.Fatal("wrong")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
