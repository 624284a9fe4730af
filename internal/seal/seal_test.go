package seal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/internal/seal"
)

func newSealer(t *testing.T, fill byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{fill}, seal.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealAndOpen(t *testing.T) {
	s := newSealer(t, 1)
	secret := []byte("a secret")
	sealed, err := s.Seal(secret, []byte("row 1"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, secret) {
		t.Error("the sealed value shows the secret")
	}
	again, err := s.Seal(secret, []byte("row 1"))
	if err != nil || bytes.Equal(sealed, again) {
		t.Errorf("sealing twice gave the same value (%v)", err)
	}
	got, err := s.Open(sealed, []byte("row 1"))
	if err != nil || !bytes.Equal(got, secret) {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	s := newSealer(t, 1)
	sealed, err := s.Seal([]byte("a secret"), []byte("row 1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(sealed, []byte("row 2")); !errors.Is(err, seal.ErrDamaged) {
		t.Errorf("another context: %v", err)
	}
	for n := range len(sealed) {
		if _, err := s.Open(sealed[:n], []byte("row 1")); err == nil {
			t.Errorf("opened when cut to %d bytes", n)
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 0x40
		if _, err := s.Open(bad, []byte("row 1")); err == nil {
			t.Errorf("opened with byte %d changed", i)
		}
	}
	if _, err := newSealer(t, 2).Open(sealed, []byte("row 1")); !errors.Is(err, seal.ErrKey) {
		t.Errorf("another key: %v, want ErrKey", err)
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), seal.KeyFileName)
	s, err := seal.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key file was made before it was needed: %v", err)
	}
	if err := s.Check("0011223344556677"); !errors.Is(err, seal.ErrKey) || !strings.Contains(err.Error(), path) {
		t.Errorf("Check without a key = %v", err)
	}
	sealed, err := s.Seal([]byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v", info, err)
	}
	s, err = seal.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Open(sealed, nil); err != nil || string(got) != "x" {
		t.Errorf("after reopening: %q, %v", got, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.OpenFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key file others can read: %v", err)
	}
	if err := os.WriteFile(path, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.OpenFile(path); err == nil {
		t.Error("a damaged key file was taken")
	}
}

func TestParseKey(t *testing.T) {
	key := bytes.Repeat([]byte{0xab}, seal.KeyBytes)
	got, err := seal.ParseKey(hex.EncodeToString(key) + "\n")
	if err != nil || !bytes.Equal(got, key) {
		t.Errorf("hexadecimal: %x, %v", got, err)
	}
	got, err = seal.ParseKey("q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=")
	if err != nil || !bytes.Equal(got, key) {
		t.Errorf("base64: %x, %v", got, err)
	}
	for _, bad := range []string{"", "abc", hex.EncodeToString(key[1:])} {
		if _, err := seal.ParseKey(bad); err == nil {
			t.Errorf("ParseKey(%q) took it", bad)
		}
	}
}
