package logstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A block is a run of frames that is read as one. Blocks are what the index in
// memory knows: their place, their time and nothing of the events.
type block struct {
	Offset  int64
	Bytes   int64
	MinTime int64
	MaxTime int64
	EndSeq  uint64
}

// blockBytes is the size from which a block is complete.
const blockBytes = 64 << 10

// usage is what a segment holds of one stream.
type usage struct {
	Bytes        int64 // as AWS counts
	MinTime      int64
	MaxTime      int64
	LastIngested int64
}

func (u *usage) add(v usage) {
	if u.Bytes == 0 {
		*u = v
		return
	}
	u.Bytes += v.Bytes
	u.MinTime = min(u.MinTime, v.MinTime)
	u.MaxTime = max(u.MaxTime, v.MaxTime)
	u.LastIngested = max(u.LastIngested, v.LastIngested)
}

// A segment is one file of batches with its index. All but the last of a group
// are sealed: never written again, their index in a file beside them.
type segment struct {
	path     string
	FirstSeq uint64
	NextSeq  uint64
	Size     int64
	Blocks   []block
	Streams  map[uint64]*usage
	// Tail is the checksum of the file's end, which an index must agree with.
	Tail uint32
}

// tailBytes is how much of the end Tail covers.
const tailBytes = 4096

const (
	segmentSuffix = ".seg"
	indexSuffix   = ".idx"
)

func newSegment(dir string, firstSeq uint64) *segment {
	return &segment{
		path:     filepath.Join(dir, fmt.Sprintf("%020d%s", firstSeq, segmentSuffix)),
		FirstSeq: firstSeq,
		NextSeq:  firstSeq,
		Streams:  map[uint64]*usage{},
	}
}

// note takes a batch of frameBytes at the end of the segment into the index.
func (s *segment) note(bt *batch, frameBytes int64) {
	u := usage{MinTime: bt.events[0].Timestamp, MaxTime: bt.events[0].Timestamp, LastIngested: bt.ingested}
	for _, e := range bt.events {
		u.Bytes += int64(len(e.Message)) + EventOverheadBytes
		u.MinTime = min(u.MinTime, e.Timestamp)
		u.MaxTime = max(u.MaxTime, e.Timestamp)
	}
	if had := s.Streams[bt.stream]; had != nil {
		had.add(u)
	} else {
		s.Streams[bt.stream] = &u
	}
	end := bt.firstSeq + uint64(len(bt.events))
	if n := len(s.Blocks); n == 0 || s.Blocks[n-1].Bytes >= blockBytes {
		s.Blocks = append(s.Blocks, block{Offset: s.Size, MinTime: u.MinTime, MaxTime: u.MaxTime})
	}
	b := &s.Blocks[len(s.Blocks)-1]
	b.Bytes += frameBytes
	b.MinTime = min(b.MinTime, u.MinTime)
	b.MaxTime = max(b.MaxTime, u.MaxTime)
	b.EndSeq = end
	s.Size += frameBytes
	s.NextSeq = end
}

func (s *segment) maxTime() int64 {
	t := int64(0)
	for i, b := range s.Blocks {
		if i == 0 || b.MaxTime > t {
			t = b.MaxTime
		}
	}
	return t
}

// scan builds the index from the file, up to the first frame that doesn't
// check, and returns the file's full size.
func (s *segment) scan() (fileSize int64, err error) {
	data, err := os.ReadFile(s.path)
	if err != nil {
		return 0, err
	}
	for rest := data; len(rest) > 0; {
		bt, next, err := nextBatch(rest)
		if err != nil || len(bt.events) == 0 || bt.firstSeq < s.NextSeq {
			break
		}
		s.note(&bt, int64(len(rest)-len(next)))
		rest = next
	}
	return int64(len(data)), nil
}

func (s *segment) indexPath() string { return strings.TrimSuffix(s.path, segmentSuffix) + indexSuffix }

// saveIndex writes the index beside a segment that is complete. Losing it, or
// finding it half written, costs a scan.
func (s *segment) saveIndex() error {
	var err error
	if s.Tail, err = s.sumTail(); err != nil {
		return err
	}
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	sum := fmt.Sprintf("%08x\n", crc32.Checksum(body, castagnoli))
	tmp := s.indexPath() + ".tmp"
	if err := os.WriteFile(tmp, append([]byte(sum), body...), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, s.indexPath())
}

// loadIndex tells whether there was an index that fits the file.
func (s *segment) loadIndex() bool {
	data, err := os.ReadFile(s.indexPath())
	if err != nil || len(data) < 9 {
		return false
	}
	sum, err := strconv.ParseUint(string(data[:8]), 16, 32)
	if err != nil || uint32(sum) != crc32.Checksum(data[9:], castagnoli) {
		return false
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return false
	}
	var loaded segment
	if err := json.Unmarshal(data[9:], &loaded); err != nil {
		return false
	}
	if loaded.Size != info.Size() || loaded.FirstSeq != s.FirstSeq || loaded.Streams == nil {
		return false
	}
	loaded.path = s.path
	if sum, err := loaded.sumTail(); err != nil || sum != loaded.Tail {
		return false
	}
	*s = loaded
	return true
}

func (s *segment) sumTail() (uint32, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // only read
	tail := make([]byte, min(s.Size, tailBytes))
	if _, err := f.ReadAt(tail, s.Size-int64(len(tail))); err != nil {
		return 0, err
	}
	return crc32.Checksum(tail, castagnoli), nil
}

func (s *segment) remove() error {
	err := os.Remove(s.indexPath())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(s.path))
}

// listSegments returns the segments in a group's directory in order, without
// their indexes.
func listSegments(dir string) ([]*segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []*segment
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), segmentSuffix)
		if !ok {
			continue
		}
		first, err := strconv.ParseUint(name, 10, 64)
		if err != nil || len(name) != 20 {
			continue // not ours
		}
		list = append(list, newSegment(dir, first)) // names sort as numbers
	}
	return list, nil
}
