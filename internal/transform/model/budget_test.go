// The race detector makes pools forget, so the budget holds without it.
//go:build !race

package model

import (
	"strings"
	"testing"
)

func TestValidateAllocatesNothing(t *testing.T) {
	m, body := compile(t, orderSchema), []byte(strings.ReplaceAll(string(order()), `\"door\"`, "door"))
	if problems, ok := m.Validate(body); !ok {
		t.Fatal(problems)
	}
	if n := testing.AllocsPerRun(100, func() { m.Validate(body) }); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}
