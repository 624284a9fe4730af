package storetest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"gatehouse/internal/store"
)

func testPins(t *testing.T, open func(t *testing.T) store.Backend) {
	backend := open(t)
	s := openStore(t, backend, store.Options{})
	put := func(tx *store.Tx, count int, id ...string) error {
		return versioned.Put(tx, scope, &doc{Count: count}, id...)
	}
	read := func(tx *store.Tx, id ...string) int {
		d, err := versioned.Get(tx, scope, id...)
		if errors.Is(err, store.ErrNotFound) {
			return -1
		}
		if err != nil {
			t.Error(err)
			return -2
		}
		return d.Count
	}
	update(t, s, func(tx *store.Tx) error {
		// The pin comes before a write of the same transaction and includes it.
		err := errors.Join(put(tx, 1, "api", "a"), tx.Pin(scope, "api", tx.Revision()), put(tx, 1, "api", "b"))
		if got := read(tx.AsOf(tx.Revision()), "api", "b"); got != 1 {
			t.Errorf("AsOf inside the transaction = %d", got)
		}
		return err
	})
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(put(tx, 2, "api", "a"), versioned.Delete(tx, scope, "api", "b"), put(tx, 2, "api", "c"))
	})
	view(t, s, func(tx *store.Tx) error {
		past := tx.AsOf(1)
		for id, want := range map[string]int{"a": 1, "b": 1, "c": -1} {
			if got := read(past, "api", id); got != want {
				t.Errorf("%s as of 1 = %d, want %d", id, got, want)
			}
		}
		for id, want := range map[string]int{"a": 2, "b": -1, "c": 2} {
			if got := read(tx, "api", id); got != want {
				t.Errorf("%s = %d, want %d", id, got, want)
			}
			if got := read(tx.AsOf(tx.Revision()), "api", id); got != want {
				t.Errorf("%s as of now = %d, want %d", id, got, want)
			}
		}
		if past.Revision() != 1 {
			t.Errorf("the view's revision = %d", past.Revision())
		}
		if err := put(past, 3, "api", "a"); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("Put into the past = %v", err)
		}
		if _, err := plain.Get(past, scope, "api"); !errors.Is(err, store.ErrNotVersioned) {
			t.Errorf("an unversioned kind in the past = %v", err)
		}
		if _, err := versioned.Get(past, scope, "other", "a"); !errors.Is(err, store.ErrNotPinned) {
			t.Errorf("another root in the past = %v", err)
		}
		if _, err := versioned.List(past, scope, store.Page{}); !errors.Is(err, store.ErrNotPinned) {
			t.Errorf("a list over all roots in the past = %v", err)
		}
		for _, err := range versioned.Everywhere(past) {
			if !errors.Is(err, store.ErrNotPinned) {
				t.Errorf("Everywhere in the past = %v", err)
			}
		}
		return nil
	})
	err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.Pin(scope, "api", 2) })
	if !errors.Is(err, store.ErrNotPinned) {
		t.Errorf("pinning a revision of the past = %v", err)
	}
	// Pins are counted.
	update(t, s, func(tx *store.Tx) error { return tx.Pin(scope, "api", 1) })
	update(t, s, func(tx *store.Tx) error { return tx.Unpin(scope, "api", 1) })
	view(t, s, func(tx *store.Tx) error {
		if got := read(tx.AsOf(1), "api", "a"); got != 1 {
			t.Errorf("after the first Unpin: %d", got)
		}
		return nil
	})
	update(t, s, func(tx *store.Tx) error { return tx.Unpin(scope, "api", 1) })
	err = s.Update(t.Context(), func(tx *store.Tx) error { return tx.Unpin(scope, "api", 1) })
	if !errors.Is(err, store.ErrNotPinned) {
		t.Errorf("the third Unpin = %v", err)
	}
	view(t, s, func(tx *store.Tx) error {
		if _, err := versioned.Get(tx.AsOf(1), scope, "api", "a"); !errors.Is(err, store.ErrNotPinned) {
			t.Errorf("after the last Unpin: %v", err)
		}
		return nil
	})
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(put(tx, 9, "api", "a"), tx.Pin(scope, "api", tx.Revision()))
	})
	pinned := int64(0)
	view(t, s, func(tx *store.Tx) error { pinned = tx.Revision(); return nil })
	update(t, s, func(tx *store.Tx) error { return put(tx, 10, "api", "a") })
	checkKept(t, backend, 1)
	update(t, s, func(tx *store.Tx) error { return tx.UnpinAll(scope, "api") })
	checkKept(t, backend, 0)
	view(t, s, func(tx *store.Tx) error {
		if _, err := versioned.Get(tx.AsOf(pinned), scope, "api", "a"); !errors.Is(err, store.ErrNotPinned) {
			t.Errorf("after UnpinAll: %v", err)
		}
		return nil
	})
}

// checkKept compares how many versions are kept, if the backend tells.
func checkKept(t *testing.T, backend store.Backend, want int) {
	t.Helper()
	if k, ok := backend.(interface{ Kept() (int, error) }); ok {
		if n, err := k.Kept(); n != want || err != nil {
			t.Errorf("%d versions are kept, %v; want %d", n, err, want)
		}
	}
}

// model is the naive twin: every state there ever was.
type model struct {
	now  map[string]int
	past map[int64]map[string]int
	pins map[int64]int
}

// testHistories runs random transactions over a few documents of two roots with
// random pins, and after each compares every pinned revision with the model.
func testHistories(t *testing.T, open func(t *testing.T) store.Backend) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			backend := open(t)
			s := openStore(t, backend, store.Options{})
			rng := rand.New(rand.NewPCG(seed, 1))
			roots := map[string]*model{}
			for _, root := range []string{"r", "r2"} {
				roots[root] = &model{now: map[string]int{}, past: map[int64]map[string]int{}, pins: map[int64]int{}}
			}
			for step := range 80 {
				update(t, s, func(tx *store.Tx) error {
					for range 1 + rng.IntN(6) {
						root := []string{"r", "r2"}[rng.IntN(2)]
						if err := roots[root].step(tx, rng, root, step); err != nil {
							return err
						}
					}
					for root, m := range roots {
						if m.pins[tx.Revision()] > 0 {
							m.past[tx.Revision()] = maps.Clone(m.now)
						}
						m.compare(t, tx, root)
					}
					return nil
				})
				view(t, s, func(tx *store.Tx) error {
					for root, m := range roots {
						m.compare(t, tx, root)
					}
					return nil
				})
				if t.Failed() {
					t.Fatalf("step %d", step)
				}
			}
			update(t, s, func(tx *store.Tx) error {
				for root, m := range roots {
					for revision, count := range m.pins {
						for range count {
							if err := tx.Unpin(scope, root, revision); err != nil {
								return err
							}
						}
					}
				}
				return nil
			})
			checkKept(t, backend, 0)
		})
	}
}

func (m *model) step(tx *store.Tx, rng *rand.Rand, root string, step int) error {
	id := fmt.Sprint(rng.IntN(8))
	_, exists := m.now[id]
	what := rng.IntN(6)
	if len(m.pins) > 5 {
		what = 1 // enough of them to read back at every step
	}
	switch what {
	case 0:
		m.pins[tx.Revision()]++
		return tx.Pin(scope, root, tx.Revision())
	case 1:
		revisions := slices.Sorted(maps.Keys(m.pins))
		if len(revisions) == 0 {
			return nil
		}
		revision := revisions[rng.IntN(len(revisions))]
		if m.pins[revision]--; m.pins[revision] == 0 {
			delete(m.pins, revision)
		}
		return tx.Unpin(scope, root, revision)
	case 2:
		if !exists {
			return nil
		}
		delete(m.now, id)
		return versioned.Delete(tx, scope, root, id)
	default:
		m.now[id] = step*10 + rng.IntN(3)
		return versioned.Put(tx, scope, &doc{Count: m.now[id]}, root, id)
	}
}

func (m *model) compare(t *testing.T, tx *store.Tx, root string) {
	t.Helper()
	for revision := range m.pins {
		want := m.past[revision]
		past := tx.AsOf(revision)
		got := map[string]int{}
		var order []string
		for e, err := range versioned.All(past, scope, root) {
			if err != nil {
				t.Error(err)
				return
			}
			got[e.ID[1]] = e.Doc.Count
			order = append(order, e.ID[1])
		}
		if !maps.Equal(got, want) || !slices.IsSorted(order) || len(order) != len(want) {
			t.Errorf("%s as of %d = %v (%q), want %v", root, revision, got, order, want)
		}
		for id := range 8 {
			d, err := versioned.Get(past, scope, root, fmt.Sprint(id))
			count, there := want[fmt.Sprint(id)]
			if there != (err == nil) || (there && d.Count != count) {
				t.Errorf("%s/%d as of %d = %+v, %v; want %d, %v", root, id, revision, d, err, count, there)
			}
		}
	}
}
