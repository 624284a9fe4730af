package userpool

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// SecretHash is what a client that has a secret sends along with a user's name.
func SecretHash(user, clientID, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(user + clientID))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Equal compares secrets in a time that doesn't depend on what they hold.
func Equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// NewCode makes a code of six digits.
func NewCode(random io.Reader) (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("userpool: make a code: %w", err)
	}
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(b[:])%1_000_000), nil
}

// NewID makes a random UUID.
func NewID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("userpool: make an id: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return uuid(b), nil
}

// NewOrigin makes the id of a sign-in, a UUID of version 7: it tells when that
// was, so that signing a user out can revoke what came before.
func NewOrigin(at time.Time) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	binary.BigEndian.PutUint32(b[:4], uint32(at.UnixMilli()>>16))
	binary.BigEndian.PutUint16(b[4:6], uint16(at.UnixMilli()))
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	return uuid(b)
}

// OriginTime reads the time out of the id of a sign-in.
func OriginTime(origin string) (time.Time, bool) {
	if len(origin) != 36 {
		return time.Time{}, false
	}
	raw, err := hex.DecodeString(origin[:8] + origin[9:13])
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(append([]byte{0, 0}, raw...)))).UTC(), true
}

func uuid(b [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
