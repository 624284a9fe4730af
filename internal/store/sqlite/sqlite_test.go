package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

type doc struct {
	Name string `json:"name"`
}

func open(t *testing.T, dir string, opts store.Options) *store.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), db, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // may be closed already
	return s
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	kind := store.Kind[doc]{Name: "test/doc"}
	scope := store.Scope{Account: "000000000000", Region: "us-east-1"}
	s := open(t, dir, store.Options{})
	for i := range 10 {
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			return kind.Put(tx, scope, &doc{Name: fmt.Sprint(i)}, "api", fmt.Sprint(i))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, store.Options{})
	err := s.View(t.Context(), func(tx *store.Tx) error {
		if tx.Revision() != 10 {
			t.Errorf("revision = %d, want 10", tx.Revision())
		}
		entries, err := kind.List(tx, scope, store.Page{After: []string{"api", "3"}, Limit: 3}, "api")
		if err != nil {
			return err
		}
		if len(entries) != 3 || entries[0].Doc.Name != "4" || entries[2].Revision != 7 {
			t.Errorf("entries = %v", entries)
		}
		_, err = kind.Get(tx, scope, "api", "x")
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get of nothing = %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
