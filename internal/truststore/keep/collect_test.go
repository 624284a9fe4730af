package keep_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/internal/truststore/keep"
)

func TestCollect(t *testing.T) {
	at := now
	k, err := keep.New(keep.Options{Dir: t.TempDir(), Files: true, Clock: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	fetch := func() string {
		t.Helper()
		text, _ := authority(t)
		file := filepath.Join(t.TempDir(), "trust.pem")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		name, _, err := k.Fetch(t.Context(), "file://"+file, "")
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	kept := func(name string) bool {
		t.Helper()
		_, err := os.Stat(filepath.Join(k.Dir, name+".pem"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return err == nil
	}
	collect := func(want int, unused time.Duration, named ...string) {
		t.Helper()
		names := map[string]bool{}
		for _, name := range named {
			names[name] = true
		}
		if n, err := k.Collect(unused, func() (map[string]bool, error) { return names, nil }); err != nil || n != want {
			t.Fatalf("removed %d, %v, want %d", n, err, want)
		}
	}
	if _, err := k.Collect(0, func() (map[string]bool, error) { return nil, errors.New("asked for no copies") }); err != nil {
		t.Fatal(err)
	}
	used, dropped, again := fetch(), fetch(), fetch()

	// What nobody names yet may be about to be named.
	collect(0, time.Hour, used)
	at = at.Add(59 * time.Minute)
	collect(0, time.Hour, used)
	// One that is fetched again begins anew.
	text, err := os.ReadFile(filepath.Join(k.Dir, again+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "again.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if name, _, err := k.Fetch(t.Context(), "file://"+file, ""); err != nil || name != again {
		t.Fatal(name, err)
	}
	at = at.Add(2 * time.Minute)
	collect(1, time.Hour, used)
	if !kept(used) || kept(dropped) || !kept(again) {
		t.Errorf("used %t, dropped %t, fetched again %t", kept(used), kept(dropped), kept(again))
	}
	// Being named in between begins anew, too.
	at = at.Add(50 * time.Minute)
	collect(0, time.Hour, used, again)
	at = at.Add(50 * time.Minute)
	collect(0, time.Hour, used)
	if !kept(again) {
		t.Error("a copy went that was named in the last hour")
	}

	// Nothing goes where it can't be told what is named.
	if n, err := k.Collect(0, func() (map[string]bool, error) { return nil, errors.New("no store") }); n != 0 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
	// At a start all goes that nobody names, also what a crash left half written; other
	// people's files stay.
	for _, name := range []string{"new-123", "README"} {
		if err := os.WriteFile(filepath.Join(k.Dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	collect(2, 0, used)
	left, err := os.ReadDir(k.Dir)
	if err != nil || len(left) != 2 || !kept(used) {
		t.Errorf("%v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(k.Dir, "README")); err != nil {
		t.Error(err)
	}
}
