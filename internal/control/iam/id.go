package iam

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The first four letters of a unique id tell what it is of.
const (
	userID     = "AIDA"
	roleID     = "AROA"
	groupID    = "AGPA"
	policyID   = "ANPA"
	profileID  = "AIPA"
	keyID      = "AKIA"
	SessionKey = "ASIA" // an access key of a session, which sts makes
)

// accountShift and accountMask place the account in the first 48 bits of an
// id's base32 part; the bit above it is always set.
const (
	accountShift = 7
	accountMask  = 1<<40 - 1
	accountBit   = 1 << 47
)

// NewKeyID makes an access key id, which has 20 characters. Like AWS's, it
// carries its account.
func NewKeyID(random io.Reader, prefix, account string) (string, error) {
	n, err := strconv.ParseUint(account, 10, 40)
	if err != nil {
		return "", fmt.Errorf("iam: account %q: %w", account, err)
	}
	var raw [10]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("iam: make an id: %w", err)
	}
	head := accountBit | n<<accountShift | uint64(raw[5]&(1<<accountShift-1))
	binary.BigEndian.PutUint16(raw[:2], uint16(head>>32))
	binary.BigEndian.PutUint32(raw[2:6], uint32(head))
	return prefix + base32.StdEncoding.EncodeToString(raw[:]), nil
}

// newID makes the unique id of an identity, which has 21 characters.
func newID(random io.Reader, prefix, account string) (string, error) {
	id, err := NewKeyID(random, prefix, account)
	if err != nil {
		return "", err
	}
	var more [1]byte
	if _, err := io.ReadFull(random, more[:]); err != nil {
		return "", fmt.Errorf("iam: make an id: %w", err)
	}
	return id + base32.StdEncoding.EncodeToString(append(more[:], 0, 0, 0, 0))[:1], nil
}

// KeyAccount reads the account out of an access key id made by NewKeyID, or by
// AWS since 2019.
func KeyAccount(id string) (string, bool) {
	if len(id) < 20 || !strings.HasPrefix(id, "A") {
		return "", false
	}
	raw, err := base32.StdEncoding.DecodeString(id[4:20])
	if err != nil {
		return "", false
	}
	head := uint64(binary.BigEndian.Uint16(raw[:2]))<<32 | uint64(binary.BigEndian.Uint32(raw[2:6]))
	account := head >> accountShift & accountMask
	if head&accountBit == 0 || account > 999_999_999_999 {
		return "", false
	}
	return fmt.Sprintf("%012d", account), true
}

// NewSecret makes a secret access key of 40 characters.
func NewSecret(random io.Reader) (string, error) {
	var raw [30]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("iam: make a secret: %w", err)
	}
	return base64.StdEncoding.EncodeToString(raw[:]), nil
}
