package userpool

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// An authenticator app has a code for every half minute, by RFC 6238.
const (
	totpStep   = 30 * time.Second
	totpDigits = 1_000_000
	// totpSkew is how many steps the clocks of app and server may be apart.
	totpSkew = 1
)

// NewTOTPSecret makes the secret that an authenticator app shares with the pool,
// as Cognito writes it: in base 32.
func NewTOTPSecret(random io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("userpool: make a secret: %w", err)
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]), nil
}

// CheckTOTP finds the step of time that a code is of; a code of a step up to used
// counts no more. ok is false for a code that isn't one of now.
func CheckTOTP(secret, code string, now time.Time, used int64) (step int64, ok bool) {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		return 0, false
	}
	at := now.Unix() / int64(totpStep/time.Second)
	for s := at - totpSkew; s <= at+totpSkew; s++ {
		if Equal(totp(key, s), code) {
			return s, s > used
		}
	}
	return 0, false
}

func totp(key []byte, step int64) string {
	mac := hmac.New(sha1.New, key)
	_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%totpDigits)
}
