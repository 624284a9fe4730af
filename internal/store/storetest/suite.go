package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/paging"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
)

type doc struct {
	Name  string         `json:"name,omitzero"`
	Count int            `json:"count,omitzero"`
	Inner *inner         `json:"inner,omitzero"`
	ByKey map[string]any `json:"byKey,omitzero"`
	Named map[string]inner
}

type inner struct {
	A string `json:"a,omitzero"`
}

var (
	plain     = store.Kind[doc]{Name: "test/plain"}
	versioned = store.Kind[doc]{Name: "test/versioned", Versioned: true}
	sealed    = store.Kind[doc]{Name: "test/sealed", Sealed: true}
	scope     = store.Scope{Account: "111111111111", Region: "eu-west-1"}
)

// Run runs the suite; open returns a new backend on an empty database.
func Run(t *testing.T, open func(t *testing.T) store.Backend) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, open func(t *testing.T) store.Backend)
	}{
		{"Documents", testDocuments},
		{"Scopes", testScopes},
		{"Order", testOrder},
		{"Everywhere", testEverywhere},
		{"Paging", testPaging},
		{"WriteWhileIterating", testWriteWhileIterating},
		{"Isolation", testIsolation},
		{"Conflicts", testConflicts},
		{"Rollback", testRollback},
		{"Prepare", testPrepare},
		{"Unchanged", testUnchanged},
		{"Feed", testFeed},
		{"FeedTrimmed", testFeedTrimmed},
		{"UnknownMembers", testUnknownMembers},
		{"Formats", testFormats},
		{"Sealed", testSealed},
		{"Pins", testPins},
		{"Histories", testHistories},
		{"NestedViews", testNestedViews},
		{"Close", testClose},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open) })
	}
}

func openStore(t *testing.T, b store.Backend, opts store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), b, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func update(t *testing.T, s *store.Store, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, s *store.Store, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func testDocuments(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	update(t, s, func(tx *store.Tx) error {
		if _, err := plain.Get(tx, scope, "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get before Put = %v", err)
		}
		if err := plain.Put(tx, scope, &doc{Name: "one", Count: 3}, "a"); err != nil {
			return err
		}
		got, err := plain.Get(tx, scope, "a")
		if err != nil || got.Name != "one" || got.Count != 3 {
			t.Errorf("own write = %+v, %v", got, err)
		}
		return err
	})
	update(t, s, func(tx *store.Tx) error { return plain.Put(tx, scope, &doc{Name: "two"}, "a") })
	view(t, s, func(tx *store.Tx) error {
		e, err := plain.Entry(tx, scope, "a")
		if err != nil || e.Doc.Name != "two" || e.Doc.Count != 0 || e.Revision != 2 {
			t.Errorf("Entry = %+v, %v", e, err)
		}
		if err := plain.Put(tx, scope, &doc{}, "b"); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("Put in View = %v", err)
		}
		if err := plain.Delete(tx, scope, "a"); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("Delete in View = %v", err)
		}
		return nil
	})
	update(t, s, func(tx *store.Tx) error { return plain.Delete(tx, scope, "a") })
	view(t, s, func(tx *store.Tx) error {
		if ok, err := plain.Exists(tx, scope, "a"); ok || err != nil {
			t.Errorf("Exists after Delete = %v, %v", ok, err)
		}
		return nil
	})
	err := s.Update(t.Context(), func(tx *store.Tx) error { return plain.Delete(tx, scope, "a") })
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Delete of nothing = %v", err)
	}
	// A transaction sees what it did, whatever it did before.
	update(t, s, func(tx *store.Tx) error {
		for _, step := range []struct {
			do   func() error
			want bool
		}{
			{func() error { return nil }, false},
			{func() error { return plain.Put(tx, scope, &doc{Name: "one"}, "a") }, true},
			{func() error { return plain.Delete(tx, scope, "a") }, false},
			{func() error { return plain.Put(tx, scope, &doc{Name: "one"}, "a") }, true},
			{func() error { return plain.Put(tx, scope, &doc{Name: "two"}, "a") }, true},
			{func() error { _, err := plain.DeleteAll(tx, scope); return err }, false},
		} {
			if err := step.do(); err != nil {
				return err
			}
			ok, err := plain.Exists(tx, scope, "a")
			_, missing := plain.Get(tx, scope, "a")
			if ok != step.want || err != nil || errors.Is(missing, store.ErrNotFound) == step.want {
				t.Errorf("Exists = %v, %v; Get = %v", ok, err, missing)
			}
		}
		return nil
	})
}

func testScopes(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	scopes := []store.Scope{
		{Account: "1", Region: ""}, {Account: "1", Region: "a"}, {Account: "1", Region: "ab"}, {Account: "12", Region: "a"},
	}
	update(t, s, func(tx *store.Tx) error {
		for i, sc := range scopes {
			if err := plain.Put(tx, sc, &doc{Count: i}, "x"); err != nil {
				return err
			}
		}
		return versioned.Put(tx, scopes[1], &doc{Count: 99}, "x")
	})
	view(t, s, func(tx *store.Tx) error {
		for i, sc := range scopes {
			entries, err := plain.List(tx, sc, store.Page{})
			if err != nil || len(entries) != 1 || entries[0].Doc.Count != i || entries[0].Scope != sc {
				t.Errorf("%v: %+v, %v", sc, entries, err)
			}
		}
		var got []store.Scope
		for e, err := range plain.Everywhere(tx) {
			if err != nil {
				return err
			}
			got = append(got, e.Scope)
		}
		if !slices.Equal(got, scopes) {
			t.Errorf("Everywhere = %v, want %v", got, scopes)
		}
		return nil
	})
}

// awkward are id parts whose order and separation an encoding could get wrong.
var awkward = []string{"", "\x00", "\x00\x00", "\x00\x01", "\x01", "\x01\x01", "\x02", " ", "a", "a\x00", "a\x00b", "a\x01", "a/b", "aa", "b", "é", "\xff", "\xff\xff"}

func testOrder(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	update(t, s, func(tx *store.Tx) error {
		for _, a := range awkward {
			for _, b := range awkward {
				if err := plain.Put(tx, scope, &doc{}, a, b); err != nil {
					return err
				}
			}
		}
		return nil
	})
	view(t, s, func(tx *store.Tx) error {
		for _, a := range awkward {
			var got []string
			for e, err := range plain.All(tx, scope, a) {
				if err != nil {
					return err
				}
				if e.ID[0] != a || len(e.ID) != 2 {
					t.Errorf("All(%q) gave %q", a, e.ID)
				}
				got = append(got, e.ID[1])
			}
			want := slices.Clone(awkward)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("All(%q) = %q, want %q", a, got, want)
			}
		}
		return nil
	})
}

func testPaging(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	const n = 600 // more than one internal chunk
	update(t, s, func(tx *store.Tx) error {
		for i := range n {
			if err := plain.Put(tx, scope, &doc{Count: i}, "api", fmt.Sprintf("%04d", i)); err != nil {
				return err
			}
		}
		return errors.Join(plain.Put(tx, scope, &doc{}, "apj", "x"), plain.Put(tx, scope, &doc{}, "ap", "x"))
	})
	for _, limit := range []int{0, 1, 7, 255, 256, 257, n, n + 1} {
		view(t, s, func(tx *store.Tx) error {
			var ids []string
			token := ""
			for {
				entries, next, err := plain.ListToken(tx, scope, token, limit, "api")
				if err != nil {
					return err
				}
				if limit > 0 && len(entries) > limit {
					t.Fatalf("limit %d gave %d entries", limit, len(entries))
				}
				for _, e := range entries {
					ids = append(ids, e.ID[1])
				}
				if next == "" {
					break
				}
				if len(entries) == 0 {
					t.Fatalf("limit %d: an empty page with a token", limit)
				}
				token = next
			}
			if len(ids) != n || !slices.IsSorted(ids) {
				t.Errorf("limit %d: %d entries, sorted %v", limit, len(ids), slices.IsSorted(ids))
			}
			return nil
		})
	}
	view(t, s, func(tx *store.Tx) error {
		if _, _, err := plain.ListToken(tx, scope, "nonsense", 1, "api"); !errors.Is(err, paging.ErrBadToken) {
			t.Errorf("a foreign token: %v", err)
		}
		for _, foreign := range [][]string{{"a"}, {"apj"}, {"zzz"}, {"api", "0001"}} {
			if _, _, err := plain.ListToken(tx, scope, paging.Encode(foreign...), 0, "apj"); !errors.Is(err, paging.ErrBadToken) {
				t.Errorf("the token %q of another list: %v", foreign, err)
			}
		}
		// What a token names may be gone by now.
		if entries, _, err := plain.ListToken(tx, scope, paging.Encode("apj", ""), 0, "apj"); err != nil || len(entries) != 1 {
			t.Errorf("a token before what is left: %v, %v", entries, err)
		}
		if entries, _, err := plain.ListToken(tx, scope, paging.Encode("apj", "zzz"), 0, "apj"); err != nil || len(entries) != 0 {
			t.Errorf("a token behind what is left: %v, %v", entries, err)
		}
		return nil
	})
}

func testWriteWhileIterating(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	const n = 700
	update(t, s, func(tx *store.Tx) error {
		for i := range n {
			if err := plain.Put(tx, scope, &doc{}, "a", fmt.Sprintf("%04d", i)); err != nil {
				return err
			}
		}
		return nil
	})
	update(t, s, func(tx *store.Tx) error {
		seen := 0
		for e, err := range plain.All(tx, scope, "a") {
			if err != nil {
				return err
			}
			seen++
			if err := plain.Delete(tx, scope, e.ID...); err != nil {
				return err
			}
		}
		if seen != n {
			t.Errorf("saw %d of %d", seen, n)
		}
		return nil
	})
	update(t, s, func(tx *store.Tx) error {
		for i := range 5 {
			if err := plain.Put(tx, scope, &doc{}, "b", fmt.Sprint(i)); err != nil {
				return err
			}
		}
		deleted, err := plain.DeleteAll(tx, scope, "b")
		if deleted != 5 {
			t.Errorf("DeleteAll = %d", deleted)
		}
		return err
	})
	view(t, s, func(tx *store.Tx) error {
		entries, err := plain.List(tx, scope, store.Page{})
		if len(entries) != 0 {
			t.Errorf("%d left", len(entries))
		}
		return err
	})
}

func testIsolation(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	update(t, s, func(tx *store.Tx) error { return plain.Put(tx, scope, &doc{Count: 1}, "a") })
	// A view opened before a commit goes on seeing what was there, and a view
	// opened during a write sees nothing of it.
	view(t, s, func(before *store.Tx) error {
		if d, err := plain.Get(before, scope, "a"); err != nil || d.Count != 1 {
			t.Errorf("before: %+v, %v", d, err)
		}
		update(t, s, func(tx *store.Tx) error {
			if err := plain.Put(tx, scope, &doc{Count: 2}, "a"); err != nil {
				return err
			}
			view(t, s, func(during *store.Tx) error {
				if d, err := plain.Get(during, scope, "a"); err != nil || d.Count != 1 {
					t.Errorf("during: %+v, %v", d, err)
				}
				return nil
			})
			return nil
		})
		if d, err := plain.Get(before, scope, "a"); err != nil || d.Count != 1 {
			t.Errorf("before, after the commit: %+v, %v", d, err)
		}
		if before.Revision() != 1 {
			t.Errorf("before's revision = %d", before.Revision())
		}
		view(t, s, func(after *store.Tx) error {
			if d, err := plain.Get(after, scope, "a"); err != nil || d.Count != 2 {
				t.Errorf("after: %+v, %v", d, err)
			}
			return nil
		})
		return nil
	})
}

func testConflicts(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	update(t, s, func(tx *store.Tx) error { return plain.Put(tx, scope, &doc{}, "counter") })
	const writers, times = 8, 10
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range times {
				err := s.Update(t.Context(), func(tx *store.Tx) error {
					d, err := plain.Get(tx, scope, "counter")
					if err != nil {
						return err
					}
					d.Count++
					return plain.Put(tx, scope, d, "counter")
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	view(t, s, func(tx *store.Tx) error {
		d, err := plain.Get(tx, scope, "counter")
		if err != nil || d.Count != writers*times {
			t.Errorf("counter = %+v, %v; want %d", d, err, writers*times)
		}
		return nil
	})

	// A writer that gives up waiting doesn't hold up the others.
	update(t, s, func(*store.Tx) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.Update(ctx, func(*store.Tx) error { return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Update while another runs = %v", err)
		}
		return nil
	})
}

func testRollback(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	failure := errors.New("changed my mind")
	put := func(tx *store.Tx) error { return plain.Put(tx, scope, &doc{}, "a") }
	err := s.Update(t.Context(), func(tx *store.Tx) error { return errors.Join(put(tx), failure) })
	if !errors.Is(err, failure) {
		t.Errorf("Update = %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.Update(t.Context(), func(tx *store.Tx) error { _ = put(tx); panic("oops") })
	}()
	ctx, cancel := context.WithCancel(t.Context())
	err = s.Update(ctx, func(tx *store.Tx) error { cancel(); return put(tx) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update cancelled on the way = %v", err)
	}
	view(t, s, func(tx *store.Tx) error {
		if ok, err := plain.Exists(tx, scope, "a"); ok || err != nil {
			t.Errorf("Exists = %v, %v", ok, err)
		}
		if tx.Revision() != 0 {
			t.Errorf("revision = %d", tx.Revision())
		}
		return nil
	})
}

func testPrepare(t *testing.T, open func(t *testing.T) store.Backend) {
	refused := errors.New("does not compile")
	var published []int64
	var s *store.Store
	s = openStore(t, open(t), store.Options{Prepare: func(tx *store.Tx, changes []store.Change) (func(), error) {
		for _, c := range changes {
			if c.ID[0] == "bad" {
				return nil, refused
			}
		}
		if err := plain.Put(tx, scope, &doc{Count: len(changes)}, "status"); err != nil {
			return nil, err
		}
		revision := tx.Revision()
		return func() {
			// What is published is committed already.
			view(t, s, func(seen *store.Tx) error {
				if seen.Revision() != revision {
					t.Errorf("published %d, but %d is committed", revision, seen.Revision())
				}
				return nil
			})
			published = append(published, revision)
		}, nil
	}})
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(plain.Put(tx, scope, &doc{}, "a"), plain.Put(tx, scope, &doc{Count: 1}, "a"), plain.Put(tx, scope, &doc{}, "b"))
	})
	err := s.Update(t.Context(), func(tx *store.Tx) error { return plain.Put(tx, scope, &doc{}, "bad") })
	if !errors.Is(err, refused) {
		t.Errorf("Update = %v", err)
	}
	update(t, s, func(tx *store.Tx) error { return nil }) // nothing to publish
	if !slices.Equal(published, []int64{1}) {
		t.Errorf("published = %v", published)
	}
	view(t, s, func(tx *store.Tx) error {
		if ok, err := plain.Exists(tx, scope, "bad"); ok || err != nil {
			t.Errorf("what was refused is there: %v, %v", ok, err)
		}
		d, err := plain.Get(tx, scope, "status")
		if err != nil || d.Count != 2 {
			t.Errorf("status = %+v, %v", d, err)
		}
		return nil
	})
}

func testUnchanged(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	for range 3 {
		update(t, s, func(tx *store.Tx) error { return plain.Put(tx, scope, &doc{Name: "x"}, "a") })
	}
	view(t, s, func(tx *store.Tx) error {
		if tx.Revision() != 1 {
			t.Errorf("revision = %d, want 1", tx.Revision())
		}
		return nil
	})
}

func testUnknownMembers(t *testing.T, open func(t *testing.T) store.Backend) {
	type raw map[string]any
	rawKind := store.Kind[raw]{Name: plain.Name}
	s := openStore(t, open(t), store.Options{})
	var newer raw
	err := json.Unmarshal([]byte(`{"name":"x","future":{"deep":[1,2.50,9007199254740993]},
		"inner":{"a":"1","later":true},"byKey":{"gone":1},"Named":{"k":{"a":"2","z":0},"l":{"a":"3"}}}`), &newer)
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *store.Tx) error { return rawKind.Put(tx, scope, &newer, "a") })
	update(t, s, func(tx *store.Tx) error {
		d, err := plain.Get(tx, scope, "a")
		if err != nil {
			return err
		}
		d.Name, d.Inner.A, d.ByKey = "", "changed", map[string]any{"kept": 1}
		d.Named["k"] = inner{}
		delete(d.Named, "l")
		return plain.Put(tx, scope, d, "a")
	})
	check := func(want string) {
		t.Helper()
		view(t, s, func(tx *store.Tx) error {
			got, err := rawKind.Get(tx, scope, "a")
			if err != nil {
				return err
			}
			b, err := json.Marshal(got)
			if string(b) != want {
				t.Errorf("stored\n %s, want\n %s", b, want)
			}
			return err
		})
	}
	check(`{"Named":{"k":{"z":0}},"byKey":{"kept":1},"future":{"deep":[1,2.5,9007199254740992]},"inner":{"a":"changed","later":true}}`)
	// A struct that is taken away takes what was in it along.
	update(t, s, func(tx *store.Tx) error { return plain.Put(tx, scope, &doc{Name: "y"}, "a") })
	check(`{"Named":null,"future":{"deep":[1,2.5,9007199254740992]},"name":"y"}`)
}

func testFormats(t *testing.T, open func(t *testing.T) store.Backend) {
	v1 := store.Kind[doc]{Name: "test/format", Version: 1}
	v2 := store.Kind[doc]{Name: "test/format", Version: 2, Upgrade: func(version int, body []byte) ([]byte, error) {
		if version != 1 {
			return nil, fmt.Errorf("format %d", version)
		}
		return bytes.Replace(body, []byte(`"old"`), []byte(`"new"`), 1), nil
	}}
	s := openStore(t, open(t), store.Options{})
	update(t, s, func(tx *store.Tx) error { return v1.Put(tx, scope, &doc{Name: "old"}, "a") })
	update(t, s, func(tx *store.Tx) error {
		d, err := v2.Get(tx, scope, "a")
		if err != nil || d.Name != "new" {
			t.Errorf("upgraded = %+v, %v", d, err)
		}
		return v2.Put(tx, scope, d, "a")
	})
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := v1.Get(tx, scope, "a"); !errors.Is(err, store.ErrNewerFormat) {
			t.Errorf("reading a newer format = %v", err)
		}
		return v1.Put(tx, scope, &doc{}, "a")
	})
	if !errors.Is(err, store.ErrNewerFormat) {
		t.Errorf("replacing a newer format = %v", err)
	}
}

func testSealed(t *testing.T, open func(t *testing.T) store.Backend) {
	key := func(fill byte) *seal.Sealer {
		sealer, err := seal.New(bytes.Repeat([]byte{fill}, seal.KeyBytes))
		if err != nil {
			t.Fatal(err)
		}
		return sealer
	}
	shared := &recorder{Backend: open(t)}
	t.Cleanup(func() {
		if err := shared.Backend.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := t.Context()
	s, err := store.Open(ctx, shared, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(tx *store.Tx) error { return sealed.Put(tx, scope, &doc{Name: "hush-hush"}, "a") }
	if err := s.Update(ctx, put); err == nil {
		t.Error("a sealed document was written without a key")
	}
	s, err = store.Open(ctx, shared, store.Options{Sealer: key(1)})
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, put)
	update(t, s, put) // unchanged, though the ciphertext would differ
	view(t, s, func(tx *store.Tx) error {
		d, err := sealed.Get(tx, scope, "a")
		if err != nil || d.Name != "hush-hush" {
			t.Errorf("Get = %+v, %v", d, err)
		}
		if tx.Revision() != 1 {
			t.Errorf("revision = %d, want 1", tx.Revision())
		}
		return nil
	})
	if len(shared.bodies) == 0 || bytes.Contains(bytes.Join(shared.bodies, nil), []byte("hush")) {
		t.Errorf("the backend was given %q", shared.bodies)
	}
	for name, sealer := range map[string]store.Sealer{"no key": nil, "another key": key(2)} {
		_, err = store.Open(ctx, shared, store.Options{Sealer: sealer})
		if err == nil || !strings.Contains(err.Error(), "sealed with key") {
			t.Errorf("%s: Open = %v", name, err)
		}
	}
	if _, err = store.Open(ctx, shared, store.Options{Sealer: key(1)}); err != nil {
		t.Error(err)
	}
}

// A recorder notes the bodies put, and outlives the stores on it.
type recorder struct {
	store.Backend
	bodies [][]byte
}

func (r *recorder) Begin(ctx context.Context, write bool) (store.BackendTx, error) {
	tx, err := r.Backend.Begin(ctx, write)
	return &recorderTx{BackendTx: tx, r: r}, err
}

func (r *recorder) Close() error { return nil }

type recorderTx struct {
	store.BackendTx
	r *recorder
}

func (tx *recorderTx) Put(row store.Row) error {
	tx.r.bodies = append(tx.r.bodies, row.Body)
	return tx.BackendTx.Put(row)
}

func testNestedViews(t *testing.T, open func(t *testing.T) store.Backend) {
	s := openStore(t, open(t), store.Options{})
	update(t, s, func(tx *store.Tx) error { return plain.Put(tx, scope, &doc{Count: 1}, "a") })
	var nest func(depth int) error
	nest = func(depth int) error {
		return s.View(t.Context(), func(tx *store.Tx) error {
			if d, err := plain.Get(tx, scope, "a"); err != nil || d.Count != 1 {
				return fmt.Errorf("depth %d: %+v, %w", depth, d, err)
			}
			if depth == 0 {
				return nil
			}
			return nest(depth - 1)
		})
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := nest(6); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func testClose(t *testing.T, open func(t *testing.T) store.Backend) {
	s, err := store.Open(t.Context(), open(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	watched := make(chan error, 1)
	go func() {
		for _, err := range s.Watch(t.Context(), 0) {
			watched <- err
		}
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	if err := <-watched; !errors.Is(err, store.ErrClosed) {
		t.Errorf("Watch = %v", err)
	}
	nothing := func(*store.Tx) error { return nil }
	if err := s.View(t.Context(), nothing); !errors.Is(err, store.ErrClosed) {
		t.Errorf("View = %v", err)
	}
	if err := s.Update(t.Context(), nothing); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Update = %v", err)
	}
}
