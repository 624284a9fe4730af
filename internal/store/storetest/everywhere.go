package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"gatehouse/internal/store"
)

// Everything is read in order, however many read it; who can do without what is
// damaged is told of it.
func testEverywhere(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	const documents = 700 // several chunks
	var want []string
	update(t, s, func(tx *store.Tx) error {
		for i := range documents {
			name := fmt.Sprintf("d%03d", i)
			want = append(want, name)
			if err := plain.Put(tx, store.Scope{Account: fmt.Sprint(i / 300)}, &doc{Name: name}, name); err != nil {
				return err
			}
		}
		return nil
	})
	var skipped []string
	all := func(readable bool) (got []string, failed error) {
		skipped = nil
		view(t, s, func(tx *store.Tx) error {
			each := plain.Everywhere(tx)
			if readable {
				each = plain.Readable(tx, func(key store.Key, err error) {
					if err == nil {
						t.Error("skipped without a reason")
					}
					skipped = append(skipped, key.ID[0])
				})
			}
			for e, err := range each {
				if err != nil {
					failed = err
					break
				}
				got = append(got, e.Doc.Name)
			}
			return nil
		})
		return got, failed
	}
	if got, err := all(false); err != nil || !slices.Equal(got, want) {
		t.Errorf("%d documents, %v", len(got), err)
	}

	damaged := store.Kind[map[string]any]{Name: plain.Name}
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(
			damaged.Put(tx, store.Scope{Account: "0"}, &map[string]any{"name": 7}, "d100"),
			damaged.Put(tx, store.Scope{Account: "2"}, &map[string]any{"name": 7}, "d650"))
	})
	if got, err := all(false); err == nil || !slices.Equal(got, want[:100]) {
		t.Errorf("damaged: %d documents, %v", len(got), err)
	}
	readable := slices.DeleteFunc(slices.Clone(want), func(name string) bool { return name == "d100" || name == "d650" })
	if got, err := all(true); err != nil || !slices.Equal(got, readable) || !slices.Equal(skipped, []string{"d100", "d650"}) {
		t.Errorf("readable: %d documents, %v; skipped %v", len(got), err, skipped)
	}

	newer := store.Kind[doc]{Name: plain.Name, Version: 1}
	update(t, s, func(tx *store.Tx) error {
		return newer.Put(tx, store.Scope{Account: "1"}, &doc{Name: "new"}, "d400")
	})
	if got, err := all(true); !errors.Is(err, store.ErrNewerFormat) || !slices.Equal(got, readable[:399]) {
		t.Errorf("newer: %d documents, %v", len(got), err)
	}
}
