package apiid

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestNew(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		id, err := New(rand.Reader, APILength)
		if err != nil || len(id) != APILength || strings.Trim(id, alphabet) != "" || seen[id] {
			t.Fatalf("%q, %v", id, err)
		}
		seen[id] = true
	}
	if _, err := New(bytes.NewReader(nil), 6); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	// Bytes that would make some characters likelier are passed over.
	if id, err := New(bytes.NewReader([]byte{255, 0, 254, 1}), 2); err != nil || id != "ab" {
		t.Errorf("%q, %v", id, err)
	}
}

func TestFree(t *testing.T) {
	tries := 0
	id, err := Free(rand.Reader, 6, func(string) (bool, error) { tries++; return tries < 3, nil })
	if err != nil || len(id) != 6 || tries != 3 {
		t.Errorf("%q after %d, %v", id, tries, err)
	}
	broken := errors.New("broken")
	if _, err := Free(rand.Reader, 6, func(string) (bool, error) { return false, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestCheckCustom(t *testing.T) {
	taken := func(id string) (bool, error) { return id == "used", nil }
	for id, want := range map[string]string{
		"shop-api": "", "a": "", "7": "",
		"used":                  "The API identifier used given by the tag _custom_id_ is already in use",
		"-a":                    `"-a" is not`,
		"A":                     `"A" is not`,
		"a.b":                   `"a.b" is not`,
		strings.Repeat("a", 64): "is not a host name label",
	} {
		err := checkCustom(id, taken)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", id, err)
		}
	}
}
