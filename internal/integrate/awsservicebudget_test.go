// The race detector empties pools at random.
//go:build !race

package integrate_test

import "testing"

// serviceAllocations is what one call of a service may allocate.
const serviceAllocations = 8

func TestAWSServiceAllocations(t *testing.T) {
	s, x, reset := benchedService(t)
	if err := s.Integrate(x); err != nil { // derives the key
		t.Fatal(err)
	}
	allocated := testing.AllocsPerRun(200, func() {
		reset()
		if err := s.Integrate(x); err != nil {
			t.Fatal(err)
		}
	})
	if allocated > serviceAllocations {
		t.Errorf("%v allocations a call, want no more than %d", allocated, serviceAllocations)
	}
}
