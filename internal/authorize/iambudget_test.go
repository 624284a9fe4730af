//go:build !race

package authorize

import "testing"

// TestIAMBudget keeps a warm authorization cheap.
func TestIAMBudget(t *testing.T) {
	for name, c := range warmCases(t) {
		if got := testing.AllocsPerRun(100, warm(t, c.call, c.iam)); got > c.allocs {
			t.Errorf("%s: %v allocations, want at most %v", name, got, c.allocs)
		}
	}
}
