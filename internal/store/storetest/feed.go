package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"gatehouse/internal/store"
)

// told is a batch in short.
func told(b store.Batch) string {
	s := fmt.Sprint(b.Revision)
	for _, c := range b.Changes {
		s += fmt.Sprintf(" %v %v", c.Op, c.ID)
	}
	return s
}

func testFeed(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(plain.Put(tx, scope, &doc{}, "b"), plain.Put(tx, scope, &doc{}, "a"), plain.Put(tx, scope, &doc{Count: 1}, "b"))
	})
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(plain.Delete(tx, scope, "a"), plain.Put(tx, scope, &doc{}, "c"))
	})
	watch := func(after int64, n int) (got []string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for b, err := range s.Watch(ctx, after) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, told(b))
			if len(got) == n {
				break
			}
		}
		return got
	}
	want := []string{"1 put [b] put [a]", "2 delete [a] put [c]"}
	if got := watch(0, 2); !reflect.DeepEqual(got, want) {
		t.Errorf("from the start: %q, want %q", got, want)
	}
	if got := watch(1, 1); !reflect.DeepEqual(got, want[1:]) {
		t.Errorf("resumed: %q, want %q", got, want[1:])
	}

	// A watcher that waits is woken by the commit.
	live := make(chan []string)
	go func() { live <- watch(2, 2) }()
	for range 2 {
		update(t, s, func(tx *store.Tx) error { return plain.Put(tx, scope, &doc{Count: int(tx.Revision())}, "d") })
	}
	if got := <-live; !reflect.DeepEqual(got, []string{"3 put [d]", "4 put [d]"}) {
		t.Errorf("live: %q", got)
	}

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		var last error
		for _, err := range s.Watch(ctx, 4) {
			last = err
		}
		ended <- last
	}()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("a cancelled Watch = %v", err)
	}

	// One transaction larger than what is read at a time comes in one piece.
	const many = 2500
	update(t, s, func(tx *store.Tx) error {
		for i := range many {
			if err := plain.Put(tx, scope, &doc{}, "many", fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	})
	for b, err := range s.Watch(t.Context(), 4) {
		if err != nil || len(b.Changes) != many {
			t.Errorf("%d changes, %v; want %d", len(b.Changes), err, many)
		}
		break
	}
}

func testFeedTrimmed(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{FeedRevisions: 20})
	for i := range 50 {
		update(t, s, func(tx *store.Tx) error { return plain.Put(tx, scope, &doc{Count: i}, "a") })
	}
	for _, err := range s.Watch(t.Context(), 0) {
		if !errors.Is(err, store.ErrTrimmed) {
			t.Errorf("Watch from a trimmed revision = %v", err)
		}
		break
	}
	for b, err := range s.Watch(t.Context(), 30) {
		if err != nil || b.Revision != 31 {
			t.Errorf("Watch from a kept revision = %v, %v", told(b), err)
		}
		break
	}
}
