package logstore

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"
)

// MaxEventBytes is the greatest size of one event's message. Append cuts what
// is longer into several events.
const MaxEventBytes = 1 << 20

// EventOverheadBytes is what AWS adds to each message when it counts bytes.
const EventOverheadBytes = 26

var (
	// ErrNoStream is returned for a stream that isn't there.
	ErrNoStream = errors.New("logstore: no such stream")
	// ErrStreamExists is returned by CreateStream.
	ErrStreamExists = errors.New("logstore: stream exists")
	// ErrDeleted is returned for a group that was deleted, or whose store closed,
	// since the handle was taken.
	ErrDeleted = errors.New("logstore: group was deleted")
	// ErrBadPosition is returned by ParsePosition.
	ErrBadPosition = errors.New("logstore: not a position")
)

// A GroupID names a group.
type GroupID struct{ Account, Region, Name string }

// An Event is one line of a log as its writer gives it.
type Event struct {
	// Timestamp is in milliseconds since 1970, the writer's word.
	Timestamp int64
	Message   string
}

// A Record is an event as it was stored.
type Record struct {
	Event
	// Stream is the name of its stream.
	Stream string
	// Ingested is when it arrived, in milliseconds since 1970.
	Ingested int64
	// Seq numbers the group's events as they were stored.
	Seq uint64
}

// Position returns the record's place in time order.
func (r *Record) Position() Position {
	return Position{Timestamp: r.Timestamp, Seq: r.Seq, Valid: true}
}

// A Position is a place in a group's or stream's time order: events are ordered
// by timestamp and, where that is equal, as they were stored. It is an event's
// identity.
type Position struct {
	Timestamp int64
	Seq       uint64
	// Valid tells a position from none.
	Valid bool
}

func (p Position) before(q Position) bool {
	if p.Timestamp != q.Timestamp {
		return p.Timestamp < q.Timestamp
	}
	return p.Seq < q.Seq
}

// positionDigits is the length of AWS's event ids.
const positionDigits = 56

// String returns the position as AWS writes event ids: a number of 56 digits
// that grows with time.
func (p Position) String() string {
	n := new(big.Int).SetUint64(uint64(p.Timestamp))
	n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(p.Seq))
	return fmt.Sprintf("%0*d", positionDigits, n)
}

// ParsePosition reads what String wrote.
func ParsePosition(s string) (Position, error) {
	if len(s) != positionDigits || strings.Trim(s, "0123456789") != "" {
		return Position{}, ErrBadPosition
	}
	n, ok := new(big.Int).SetString(s, 10)
	if !ok || n.BitLen() > 127 {
		return Position{}, ErrBadPosition
	}
	seq := new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1)).Uint64()
	return Position{Timestamp: int64(n.Rsh(n, 64).Uint64()), Seq: seq, Valid: true}, nil
}

// splitMessage cuts a message into pieces of at most limit bytes, between
// characters.
func splitMessage(m string, limit int) []string {
	var pieces []string
	for len(m) > limit {
		cut := limit
		for cut > limit-utf8.UTFMax && !utf8.RuneStart(m[cut]) {
			cut--
		}
		pieces = append(pieces, m[:cut])
		m = m[cut:]
	}
	return append(pieces, m)
}
