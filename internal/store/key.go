package store

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// A Scope is the account and region a document belongs to. Region is empty for
// the documents of global services, such as iam.
type Scope struct{ Account, Region string }

// A Key names one document.
type Key struct {
	Scope
	// Kind is the name of the document's Kind.
	Kind string
	// ID is the document's id within scope and kind, from the owner down, as in
	// {apiID, routeID}.
	ID []string
}

func (k Key) String() string {
	return fmt.Sprintf("%s %s/%s/%s", k.Kind, k.Account, k.Region, strings.Join(k.ID, "/"))
}

// A stored key is kind, account, region and the id's parts, each ended by a
// zero byte, so that byte order is the order of the parts and every scope,
// owner and kind is one contiguous range. Zero and one are escaped with one.

func appendPart(b []byte, part string) []byte {
	for i := 0; i < len(part); i++ {
		switch c := part[i]; c {
		case 0, 1:
			b = append(b, 1, c+1)
		default:
			b = append(b, c)
		}
	}
	return append(b, 0)
}

func encodeParts(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = appendPart(b, p)
	}
	return b
}

func encodeKey(kind string, s Scope, id []string) []byte {
	n := len(kind) + len(s.Account) + len(s.Region) + 3
	for _, p := range id {
		n += len(p) + 1
	}
	b := make([]byte, 0, n)
	b = appendPart(b, kind)
	b = appendPart(b, s.Account)
	b = appendPart(b, s.Region)
	for _, p := range id {
		b = appendPart(b, p)
	}
	return b
}

// encodeRoot names what Pin pins: everything in the scope that root owns.
func encodeRoot(s Scope, root string) []byte { return encodeParts(s.Account, s.Region, root) }

var errBadKey = errors.New("store: a stored key is damaged")

func decodeKey(b []byte) (Key, error) {
	parts := make([]string, 0, bytes.Count(b, []byte{0}))
	part := make([]byte, 0, 64)
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case 0:
			parts = append(parts, string(part))
			part = part[:0]
		case 1:
			i++
			if i == len(b) || b[i] < 1 || b[i] > 2 {
				return Key{}, errBadKey
			}
			part = append(part, b[i]-1)
		default:
			part = append(part, b[i])
		}
	}
	if len(parts) < 3 || len(part) > 0 {
		return Key{}, errBadKey
	}
	return Key{Kind: parts[0], Scope: Scope{Account: parts[1], Region: parts[2]}, ID: parts[3:]}, nil
}

// prefixEnd is the first key behind all that begin with the encoded parts in
// prefix, which ends with a zero byte.
func prefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	end[len(end)-1] = 1
	return end
}

// keyAfter is the smallest key greater than key.
func keyAfter(key []byte) []byte {
	return append(append(make([]byte, 0, len(key)+1), key...), 0)
}
