package userpool

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"regexp"
	"testing"
	"time"
)

func TestSecretHash(t *testing.T) {
	// printf alice1client | openssl dgst -sha256 -hmac secret -binary | base64
	if got, want := SecretHash("alice", "1client", "secret"), "wLfVi7e8ODsh3tKbBdd7a+vbGHXc9HBX2wQHkUFGjeY="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !Equal("a", "a") || Equal("a", "b") || Equal("a", "") {
		t.Error("Equal doesn't compare")
	}
}

func TestCodesAndIDs(t *testing.T) {
	for range 100 {
		code, err := NewCode(rand.Reader)
		if err != nil || !regexp.MustCompile(`^[0-9]{6}$`).MatchString(code) {
			t.Fatal(code, err)
		}
		id, err := NewID(rand.Reader)
		if err != nil || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
			t.Fatal(id, err)
		}
	}
	for _, make := range []func(io.Reader) (string, error){NewCode, NewID} {
		if _, err := make(bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
	at := time.Date(2026, 11, 27, 8, 0, 0, int(123*time.Millisecond), time.UTC)
	origin := NewOrigin(at)
	if got, ok := OriginTime(origin); !ok || !got.Equal(at) {
		t.Errorf("%s is of %v", origin, got)
	}
	for _, bad := range []string{"", "x", "zzzzzzzz-zzzz-7000-8000-000000000000"} {
		if _, ok := OriginTime(bad); ok {
			t.Errorf("%q has a time", bad)
		}
	}
}
