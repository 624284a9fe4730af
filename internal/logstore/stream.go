package logstore

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// A Stream is what is known of a stream.
type Stream struct {
	Name string
	// Created is when, in milliseconds since 1970.
	Created int64
	// Bytes is the size of its events as AWS counts.
	Bytes int64
	// FirstEvent and LastEvent are the least and greatest timestamp of its events,
	// and LastIngested when the last arrived; all zero without events.
	FirstEvent, LastEvent, LastIngested int64
}

// streamTable is the streams file: a frame for each stream made or deleted. A
// stream made again has a new number, so that its old events stay gone.
type streamTable struct {
	path   string
	size   int64
	nextID uint64
	byName map[string]*streamInfo
	byID   map[uint64]*streamInfo
}

type streamInfo struct {
	id      uint64
	name    string
	created int64
}

const (
	streamsFile   = "streams"
	streamCreated = 1
	streamDeleted = 2
)

// loadStreams reads the table and cuts off what is torn.
func loadStreams(dir string) (*streamTable, error) {
	t := &streamTable{
		path:   filepath.Join(dir, streamsFile),
		nextID: 1,
		byName: map[string]*streamInfo{},
		byID:   map[uint64]*streamInfo{},
	}
	data, err := os.ReadFile(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	for rest := data; len(rest) > 0; {
		payload, next, err := nextFrame(rest)
		if err != nil || !t.apply(payload) {
			break
		}
		t.size += int64(frameHead + len(payload))
		rest = next
	}
	if t.size < int64(len(data)) {
		return t, os.Truncate(t.path, t.size)
	}
	return t, nil
}

func (t *streamTable) apply(payload []byte) bool {
	d := decoder{b: payload}
	op, id := d.uvarint(), d.uvarint()
	switch op {
	case streamCreated:
		s := &streamInfo{id: id, created: d.varint(), name: string(d.bytes())}
		if d.bad {
			return false
		}
		t.add(s)
	case streamDeleted:
		if s := t.byID[id]; s != nil {
			t.drop(s)
		}
	default:
		return false
	}
	return !d.bad
}

func (t *streamTable) add(s *streamInfo) {
	t.byName[s.name], t.byID[s.id] = s, s
	t.nextID = max(t.nextID, s.id+1)
}

func (t *streamTable) drop(s *streamInfo) {
	delete(t.byName, s.name)
	delete(t.byID, s.id)
}

// create adds a stream to the table and its frame to b, which must reach the
// file before any event of the stream.
func (t *streamTable) create(b []byte, name string, created int64) ([]byte, *streamInfo) {
	s := &streamInfo{id: t.nextID, name: name, created: created}
	t.add(s)
	b, at := beginFrame(b)
	b = binary.AppendUvarint(b, streamCreated)
	b = binary.AppendUvarint(b, s.id)
	b = binary.AppendVarint(b, created)
	b = binary.AppendUvarint(b, uint64(len(name)))
	b = append(b, name...)
	endFrame(b, at)
	return b, s
}

func deletedFrame(id uint64) []byte {
	b, at := beginFrame(nil)
	b = binary.AppendUvarint(b, streamDeleted)
	b = binary.AppendUvarint(b, id)
	endFrame(b, at)
	return b
}

// write appends frames to the file, all or nothing.
func (t *streamTable) write(frames []byte) error {
	if err := appendFile(t.path, t.size, frames); err != nil {
		return err
	}
	t.size += int64(len(frames))
	return nil
}

// appendFile writes data at the known end of a file, made if need be. If that
// fails half way, the end stays where it was: the next write goes over it, and
// a reader stops at a frame that doesn't check.
func appendFile(path string, end int64, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(data, end); err != nil {
		return errors.Join(err, f.Truncate(end), f.Close())
	}
	return f.Close()
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
