package store

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// FuzzKey asks that a stored key gives the parts back, that keys sort as their
// parts do, and that a scan of an owner meets its documents and no others.
func FuzzKey(f *testing.F) {
	f.Add("api", "route", "api\x00", "\x01")
	f.Add("", "\x00\x00", "\xff", "a/b")
	f.Fuzz(func(t *testing.T, a1, a2, b1, b2 string) {
		s := Scope{Account: a2, Region: b1}
		a, b := encodeKey("kind", s, []string{a1, a2}), encodeKey("kind", s, []string{b1, b2})
		key, err := decodeKey(a)
		if err != nil || key.Kind != "kind" || key.Scope != s || !slices.Equal(key.ID, []string{a1, a2}) {
			t.Errorf("decoded %+v, %v", key, err)
		}
		if got, want := bytes.Compare(a, b), slices.Compare([]string{a1, a2}, []string{b1, b2}); got != want {
			t.Errorf("%q and %q compare as %d, their parts as %d", a, b, got, want)
		}
		owner := encodeKey("kind", s, []string{b1})
		under := bytes.Compare(a, owner) >= 0 && bytes.Compare(a, prefixEnd(owner)) < 0
		if under != (a1 == b1) {
			t.Errorf("%q under %q: %v", a, owner, under)
		}
		if next := keyAfter(a); bytes.Compare(next, a) <= 0 || (bytes.Compare(b, a) > 0 && bytes.Compare(b, next) < 0) {
			t.Errorf("%q isn't next to %q", next, a)
		}
	})
}

func TestDecodeKeyRefuses(t *testing.T) {
	for _, bad := range []string{"", "a", "a\x00b\x00", "a\x00b\x00c", "a\x00b\x00c\x00d", "a\x00b\x00c\x01\x00", "a\x00b\x00c\x01"} {
		if key, err := decodeKey([]byte(bad)); err == nil {
			t.Errorf("decodeKey(%q) = %v", bad, key)
		}
	}
	if !strings.Contains((Key{Kind: "k", ID: []string{"a", "b"}}).String(), "a/b") {
		t.Error("a key isn't told in errors")
	}
}
