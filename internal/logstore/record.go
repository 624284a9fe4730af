package logstore

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Every file of a group is a run of frames: the payload's length and its
// CRC-32C, both little-endian, and the payload. A frame that doesn't check is
// where the file ends.
const frameHead = 8

// maxFrame bounds what a damaged length can make a reader allocate. A batch is
// cut at batchBytes, and one event may go over.
const (
	batchBytes = 256 << 10
	maxFrame   = batchBytes + MaxEventBytes + 1024
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errTorn = errors.New("logstore: torn or damaged frame")

// beginFrame leaves room for the head, which endFrame fills in.
func beginFrame(b []byte) ([]byte, int) { return append(b, make([]byte, frameHead)...), len(b) }

func endFrame(b []byte, at int) {
	payload := b[at+frameHead:]
	binary.LittleEndian.PutUint32(b[at:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(b[at+4:], crc32.Checksum(payload, castagnoli))
}

// nextFrame takes the first frame off b.
func nextFrame(b []byte) (payload, rest []byte, err error) {
	if len(b) < frameHead {
		return nil, nil, errTorn
	}
	n := binary.LittleEndian.Uint32(b)
	if n == 0 || n > maxFrame || int(n) > len(b)-frameHead {
		return nil, nil, errTorn
	}
	payload = b[frameHead : frameHead+int(n)]
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return nil, nil, errTorn
	}
	return payload, b[frameHead+int(n):], nil
}

// A batch is what one write brought to one stream.
type batch struct {
	stream   uint64
	firstSeq uint64
	ingested int64
	events   []Event
	// size is at least that of the frame, in a batch to be written.
	size int
}

// frameRoom is what a frame takes up at most beside its events, eventRoom what
// an event does beside its message.
const (
	frameRoom = frameHead + 4*binary.MaxVarintLen64
	eventRoom = 16
)

func (bt *batch) append(b []byte) []byte {
	b = binary.AppendUvarint(b, bt.stream)
	b = binary.AppendUvarint(b, bt.firstSeq)
	b = binary.AppendVarint(b, bt.ingested)
	b = binary.AppendUvarint(b, uint64(len(bt.events)))
	for _, e := range bt.events {
		b = binary.AppendVarint(b, e.Timestamp)
		b = binary.AppendUvarint(b, uint64(len(e.Message)))
		b = append(b, e.Message...)
	}
	return b
}

// decodeBatch reads a payload whose checksum held. It still trusts nothing: a
// file may have been written by anything.
func decodeBatch(payload []byte) (batch, error) {
	d := decoder{b: payload}
	bt := batch{stream: d.uvarint(), firstSeq: d.uvarint(), ingested: d.varint()}
	n := d.uvarint()
	if n > uint64(len(d.b)) { // an event takes two bytes at least
		return batch{}, errTorn
	}
	bt.events = make([]Event, 0, n)
	for range n {
		bt.events = append(bt.events, Event{Timestamp: d.varint(), Message: string(d.bytes())})
	}
	if d.bad || len(d.b) > 0 {
		return batch{}, errTorn
	}
	return bt, nil
}

// nextBatch takes the first batch off b.
func nextBatch(b []byte) (bt batch, rest []byte, err error) {
	payload, rest, err := nextFrame(b)
	if err != nil {
		return batch{}, nil, err
	}
	bt, err = decodeBatch(payload)
	return bt, rest, err
}

// A decoder takes values off the front of b until one is bad.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) fail() { d.bad, d.b = true, nil }
