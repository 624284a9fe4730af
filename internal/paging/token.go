package paging

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// ErrBadToken is returned for a token that Encode didn't make.
var ErrBadToken = errors.New("paging: not a token of this gateway")

const tokenVersion = 1

// Encode makes an opaque token out of the id of the last item of a page. The
// token is URL-safe and holds no padding. No parts make the empty token, which
// means "from the start".
func Encode(after ...string) string {
	if len(after) == 0 {
		return ""
	}
	b := []byte{tokenVersion}
	for _, part := range after {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// Decode returns the id that Encode was given. The empty token is the start:
// no id. The checksum is against accidents, not against forgery: a token is
// only ever a place to continue from.
func Decode(token string) ([]string, error) {
	if token == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < 5 || b[0] != tokenVersion {
		return nil, ErrBadToken
	}
	body, sum := b[:len(b)-4], b[len(b)-4:]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(sum) {
		return nil, ErrBadToken
	}
	var after []string
	for rest := body[1:]; len(rest) > 0; {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return nil, fmt.Errorf("%w: truncated", ErrBadToken)
		}
		rest = rest[size:]
		after = append(after, string(rest[:n]))
		rest = rest[n:]
	}
	return after, nil
}
