package userpool

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
)

// The cost of a password: Argon2id with 19 MiB and two passes, which is what
// OWASP recommends at least and takes some 30 ms.
const (
	argonMemory = 19 * 1024 // KiB
	argonPasses = 2
	saltBytes   = 16
	hashBytes   = 32
)

// maxWaiting is how many checks may wait for each that runs.
const maxWaiting = 64

// ErrBusy is returned when too many passwords are being checked already.
var ErrBusy = errors.New("userpool: too many passwords are being checked")

var errHash = errors.New("userpool: a stored password is damaged")

// A Hasher keeps and checks passwords. What costs much runs a few at a time, so
// that a flood of sign-ins can eat neither the processors nor the memory.
type Hasher struct {
	random  io.Reader
	slots   chan struct{}
	waiting atomic.Int32
	decoy   string
}

// NewHasher returns a Hasher whose salts come from random.
func NewHasher(random io.Reader) (*Hasher, error) {
	h := &Hasher{random: random, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)/2))}
	// The decoy is of no password: making a real one would cost every start what a
	// sign-in costs, 19 MB of memory above all.
	var noise [saltBytes + hashBytes]byte
	if _, err := io.ReadFull(random, noise[:]); err != nil {
		return nil, fmt.Errorf("userpool: make a salt: %w", err)
	}
	h.decoy = kept(noise[:saltBytes], noise[saltBytes:])
	return h, nil
}

// Do runs f, which costs as much as checking a password does, when it is its
// turn. It returns ErrBusy when too many wait, and the error of ctx when that
// ends first.
func (h *Hasher) Do(ctx context.Context, f func()) error {
	if h.waiting.Add(1) > int32(maxWaiting*cap(h.slots)) {
		h.waiting.Add(-1)
		return ErrBusy
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	f()
	return nil
}

// Hash makes the text that is kept of a password.
func (h *Hasher) Hash(ctx context.Context, password string) (kept string, err error) {
	if busy := h.Do(ctx, func() { kept, err = h.hash(password) }); busy != nil {
		return "", busy
	}
	return kept, err
}

// Check tells whether kept was made of the password. An empty kept is nobody's
// password; checking it takes as long as any other.
func (h *Hasher) Check(ctx context.Context, kept, password string) (ok bool, err error) {
	nobody := kept == ""
	if nobody {
		kept = h.decoy
	}
	if busy := h.Do(ctx, func() { ok, err = check(kept, password) }); busy != nil {
		return false, busy
	}
	return ok && !nobody, err
}

// format is the usual text of an Argon2 hash, with the cost it was made at.
const format = "$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s"

func (h *Hasher) hash(password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("userpool: make a salt: %w", err)
	}
	return kept(salt, argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, 1, hashBytes)), nil
}

// kept is the text of a hash.
func kept(salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf(format, argon2.Version, argonMemory, argonPasses, 1, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

func check(kept, password string) (bool, error) {
	head, sumText, ok := cutLast(kept)
	head, saltText, ok2 := cutLast(head)
	if !ok || !ok2 {
		return false, errHash
	}
	var version int
	var memory, passes uint32
	var lanes uint8
	if _, err := fmt.Sscanf(head, "$argon2id$v=%d$m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil {
		return false, errHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(saltText)
	sum, err2 := base64.RawStdEncoding.DecodeString(sumText)
	// The cost has bounds, lest a damaged row stop the machine.
	if err != nil || err2 != nil || version != argon2.Version || len(sum) == 0 || len(sum) > 64 ||
		memory < 8 || memory > 1<<18 || passes < 1 || passes > 16 || lanes < 1 || lanes > 16 {
		return false, errHash
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1, nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '$')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}
