package paging_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"gatehouse/internal/paging"
)

func TestTokenRoundTrip(t *testing.T) {
	for _, parts := range [][]string{
		nil,
		{"a"},
		{""},
		{"api", "route/{proxy+}", "ünï\x00"},
		{strings.Repeat("x", 4000)},
	} {
		got, err := paging.Decode(paging.Encode(parts...))
		if err != nil {
			t.Fatalf("Decode(Encode(%q)): %v", parts, err)
		}
		if !reflect.DeepEqual(got, parts) {
			t.Errorf("Decode(Encode(%q)) = %q", parts, got)
		}
	}
}

func TestDecodeRefusesForeignTokens(t *testing.T) {
	good := paging.Encode("abc")
	for _, token := range []string{"x", "garbage!", "AAAAAAAAAAAA", good[:len(good)-1], good + "A", "B" + good[1:]} {
		if _, err := paging.Decode(token); !errors.Is(err, paging.ErrBadToken) {
			t.Errorf("Decode(%q) = %v, want ErrBadToken", token, err)
		}
	}
}

func TestSlice(t *testing.T) {
	items := []string{"a", "b", "c", "d", "e"}
	name := func(s string) string { return s }
	var got []string
	token := ""
	for pages := 0; ; pages++ {
		page, next, err := paging.Slice(items, name, token, 2)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page...)
		if next == "" {
			if pages != 2 {
				t.Errorf("%d further pages, want 2", pages)
			}
			break
		}
		token = next
	}
	if !reflect.DeepEqual(got, items) {
		t.Errorf("pages = %q, want %q", got, items)
	}
	// An item that the token names may be gone by now.
	page, _, err := paging.Slice([]string{"a", "c"}, name, paging.Encode("b"), 0)
	if err != nil || !reflect.DeepEqual(page, []string{"c"}) {
		t.Errorf("Slice after a vanished name = %q, %v", page, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(paging.Encode("a", "b"))
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, token string) {
		parts, err := paging.Decode(token)
		if err == nil && paging.Encode(parts...) != token {
			t.Errorf("Decode(%q) = %q, which encodes to %q", token, parts, paging.Encode(parts...))
		}
	})
}
