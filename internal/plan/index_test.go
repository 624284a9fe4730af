package plan

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestIndexAgainstMap(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var x index[int]
	want := map[string]int{}
	type version struct {
		x    index[int]
		want map[string]int
	}
	var versions []version
	for step := range 20000 {
		name := fmt.Sprint("api", r.IntN(2000))
		if r.IntN(3) > 0 {
			x = x.with(name, step)
			want[name] = step
		} else {
			x = x.without(name)
			delete(want, name)
		}
		if step%2000 == 0 {
			versions = append(versions, version{x, maps.Clone(want)})
		}
	}
	for _, v := range append(versions, version{x, want}) {
		seen := 0
		for range v.x.all() {
			seen++
		}
		if seen != len(v.want) || v.x.size != len(v.want) {
			t.Fatalf("the index has %d names and size %d, want %d", seen, v.x.size, len(v.want))
		}
		for i := range 2000 {
			name := fmt.Sprint("api", i)
			got, ok := v.x.get(name)
			value, wantOK := v.want[name]
			if got != value || ok != wantOK {
				t.Fatalf("get(%s) = %d %t, want %d %t", name, got, ok, value, wantOK)
			}
		}
	}
	var fresh index[int]
	for name, value := range want {
		fresh = fresh.with(name, value)
	}
	if !reflect.DeepEqual(x, fresh) {
		t.Error("an edited index differs from one built at once")
	}
}

// Names whose hashes agree to the last bit share a list; the test calls the
// branch with a hash of its own choosing.
func TestIndexCollisions(t *testing.T) {
	var b branch[int]
	for i, name := range []string{"a", "b", "c"} {
		b, _ = b.with(0, lastShift, slot[int]{name: name, value: i})
	}
	for i, name := range []string{"a", "b", "c"} {
		if k, ok := b.find(0, lastShift, name); !ok || b.slots[k].value != i {
			t.Errorf("find(%s) = %d %t", name, k, ok)
		}
	}
	b, _ = b.without(0, lastShift, "b")
	if _, ok := b.find(0, lastShift, "b"); ok || len(b.slots) != 2 {
		t.Errorf("b is still there: %v", b.slots)
	}
}

func BenchmarkPlanWith(b *testing.B) {
	var p *Plan
	for i := range 5000 {
		p = p.With(&API{ID: fmt.Sprintf("api%07d", i)})
	}
	api := &API{ID: "api0002500"}
	b.ReportAllocs()
	for b.Loop() {
		p.With(api)
	}
}
