package userpool

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
)

func newHasher(t testing.TB) *Hasher {
	t.Helper()
	h, err := NewHasher(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHasher(t *testing.T) {
	h, ctx := newHasher(t), t.Context()
	kept, err := h.Hash(ctx, "Passw0rd!")
	if err != nil || strings.Contains(kept, "Passw0rd!") || !strings.HasPrefix(kept, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%q, %v", kept, err)
	}
	again, err := h.Hash(ctx, "Passw0rd!")
	if err != nil || again == kept {
		t.Errorf("the same password is kept as the same text: %v", err)
	}
	for _, tt := range []struct {
		name, kept, password string
		want                 bool
	}{
		{"right", kept, "Passw0rd!", true},
		{"wrong", kept, "passw0rd!", false},
		{"nobody's", "", "", false},
		{"cheaper cost", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + sumOf("x"), "x", true},
	} {
		if got, err := h.Check(ctx, tt.kept, tt.password); err != nil || got != tt.want {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
	for _, damaged := range []string{
		"x", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ", "$argon2id$v=16$m=8,t=1,p=1$c29tZXNhbHQ$AAAA",
		"$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQ$AAAA", "$argon2id$v=19$m=8,t=900,p=1$c29tZXNhbHQ$AAAA",
		"$argon2id$v=19$m=8,t=0,p=1$c29tZXNhbHQ$AAAA", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=8,t=1,p=0$c29tZXNhbHQ$AAAA",
	} {
		if ok, err := h.Check(ctx, damaged, "x"); ok || !errors.Is(err, errHash) {
			t.Errorf("%s: %v, %v", damaged, ok, err)
		}
	}
}

// TestHasherIsBounded fills every slot and every place that waits.
func TestHasherIsBounded(t *testing.T) {
	h := newHasher(t)
	release, running := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	for range cap(h.slots) {
		go func() { done <- h.Do(context.Background(), func() { running <- struct{}{}; <-release }) }()
	}
	for range cap(h.slots) {
		<-running
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.Do(gone, func() { t.Error("ran for a client that is gone") }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	h.waiting.Add(int32(maxWaiting*cap(h.slots) - cap(h.slots)))
	if err := h.Do(t.Context(), func() { t.Error("ran") }); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	close(release)
	for range cap(h.slots) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestPolicy(t *testing.T) {
	strict := Policy{MinimumLength: 8, Uppercase: true, Lowercase: true, Numbers: true, Symbols: true}
	for password, want := range map[string]string{
		"Passw0rd!":                "",
		"Passw0rd x":               "",
		"Pw0!":                     "Password not long enough",
		"passw0rd!":                "Password must have uppercase characters",
		"PASSW0RD!":                "Password must have lowercase characters",
		"Password!":                "Password must have numeric characters",
		"Passw0rds":                "Password must have symbol characters",
		" Passw0rd ":               "Password must have symbol characters",
		strings.Repeat("aA1!", 65): "Password too long",
	} {
		if got := strict.Refuse(password); got != want {
			t.Errorf("%q: %q, want %q", password, got, want)
		}
	}
	if got := (Policy{MinimumLength: 6}).Refuse("aaaaaa"); got != "" {
		t.Error(got)
	}
}

// FuzzCheck asks that a damaged row costs an error, and little.
func FuzzCheck(f *testing.F) {
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + sumOf("x"))
	f.Add("$argon2id$v=19$m=99999999,t=2,p=1$$")
	f.Add("$$$$")
	f.Fuzz(func(t *testing.T, kept string) {
		if strings.Contains(kept, "m=") && !strings.Contains(kept, "m=8,t=1,") {
			t.Skip("as costly as it says")
		}
		if ok, err := check(kept, "another password"); ok && err == nil {
			t.Errorf("%q fits", kept)
		}
	})
}
