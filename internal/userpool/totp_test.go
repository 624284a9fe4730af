package userpool

import (
	"crypto/rand"
	"testing"
	"time"
)

func TestTOTP(t *testing.T) {
	// The secret and the times of RFC 6238, with six of its eight digits.
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := totp(key, at/30); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
	secret, err := NewTOTPSecret(rand.Reader)
	if err != nil || len(secret) != 52 {
		t.Fatal(secret, err)
	}
	const rfc = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	at := time.Unix(1111111111, 0)
	step := at.Unix() / 30
	for _, tt := range []struct {
		name, secret, code string
		after              time.Duration
		used               int64
		ok                 bool
	}{
		{"now", rfc, "050471", 0, 0, true},
		{"a step late", rfc, "050471", 30 * time.Second, 0, true},
		{"a step early", rfc, "050471", -30 * time.Second, 0, true},
		{"too late", rfc, "050471", 60 * time.Second, 0, false},
		{"used", rfc, "050471", 0, step, false},
		{"another", rfc, "050472", 0, 0, false},
		{"empty", rfc, "", 0, 0, false},
		{"no secret", "1", "050471", 0, 0, false},
	} {
		if _, ok := CheckTOTP(tt.secret, tt.code, at.Add(tt.after), tt.used); ok != tt.ok {
			t.Errorf("%s: %v", tt.name, ok)
		}
	}
}
