package logstore

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"os"
	"slices"
)

// A Query selects events of a group.
type Query struct {
	// Streams are the streams to read; nil is all of them.
	Streams []string
	// Start is the least timestamp and End the first one too great, in
	// milliseconds since 1970; a zero End is no end.
	Start, End int64
	// After is the position behind which to begin, in the query's direction.
	After Position
	// Backward reads from the newest to the oldest.
	Backward bool
}

func (q *Query) wants(p Position) bool {
	if p.Timestamp < q.Start || (q.End != 0 && p.Timestamp >= q.End) {
		return false
	}
	if !q.After.Valid {
		return true
	}
	if q.Backward {
		return p.before(q.After)
	}
	return q.After.before(p)
}

// wantsBlock tells whether a block may have events for the query.
func (q *Query) wantsBlock(b block) bool {
	if b.MaxTime < q.Start || (q.End != 0 && b.MinTime >= q.End) {
		return false
	}
	if !q.After.Valid {
		return true
	}
	if q.Backward {
		return b.MinTime <= q.After.Timestamp
	}
	return b.MaxTime >= q.After.Timestamp
}

// A span is a block with the file it is in.
type span struct {
	block
	path string
}

// Events yields the selected events in time order, whatever order they came in.
// It reads what was appended before the call; a stream that isn't there has no
// events. Blocks are read as the order needs them, so that the first events of
// a large group come at once.
func (g *Group) Events(q Query) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		names, spans, err := g.snapshot(q)
		if err != nil {
			yield(Record{}, err)
			return
		}
		h := &recordHeap{backward: q.Backward}
		for i := 0; i < len(spans) || h.Len() > 0; {
			if i < len(spans) && h.mayComeFirst(spans[i].block) {
				records, err := g.readSpan(spans[i], names)
				if err != nil {
					yield(Record{}, err)
					return
				}
				for _, r := range records {
					if q.wants(r.Position()) {
						heap.Push(h, r)
					}
				}
				i++
				continue
			}
			if !yield(heap.Pop(h).(Record), nil) {
				return
			}
		}
	}
}

// snapshot returns the names of the streams asked for and the blocks to read,
// in the order in which their events can come.
func (g *Group) snapshot(q Query) (map[uint64]string, []span, error) {
	g.io.Lock()
	defer g.io.Unlock()
	if err := g.ready(); err != nil {
		return nil, nil, err
	}
	names := g.names(q.Streams)
	var spans []span
	for _, seg := range g.segments {
		if !seg.hasAny(names) {
			continue
		}
		for _, b := range seg.Blocks {
			if q.wantsBlock(b) {
				spans = append(spans, span{block: b, path: seg.path})
			}
		}
	}
	slices.SortStableFunc(spans, func(a, b span) int {
		if q.Backward {
			return cmp.Compare(b.MaxTime, a.MaxTime)
		}
		return cmp.Compare(a.MinTime, b.MinTime)
	})
	return names, spans, nil
}

// names returns the streams named, or all, by number; io must be held.
func (g *Group) names(only []string) map[uint64]string {
	names := map[uint64]string{}
	if only == nil {
		for id, info := range g.streams.byID {
			names[id] = info.name
		}
		return names
	}
	for _, name := range only {
		if info := g.streams.byName[name]; info != nil {
			names[info.id] = name
		}
	}
	return names
}

func (s *segment) hasAny(names map[uint64]string) bool {
	if len(names) < len(s.Streams) {
		for id := range names {
			if s.Streams[id] != nil {
				return true
			}
		}
		return false
	}
	for id := range maps.Keys(s.Streams) {
		if _, ok := names[id]; ok {
			return true
		}
	}
	return false
}

// readSpan reads the records of the named streams in a block. A segment that
// was dropped meanwhile has none, and a damaged block those before the damage:
// one bad sector mustn't hide a group.
func (g *Group) readSpan(s span, names map[uint64]string) ([]Record, error) {
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	data := make([]byte, s.Bytes)
	if _, err := f.ReadAt(data, s.Offset); err != nil {
		return nil, err
	}
	var records []Record
	for rest := data; len(rest) > 0; {
		bt, next, err := nextBatch(rest)
		if err != nil {
			g.store.log.Warn("log events are damaged", "segment", s.path, "offset", s.Offset+s.Bytes-int64(len(rest)))
			break
		}
		if name, ok := names[bt.stream]; ok {
			for i, e := range bt.events {
				records = append(records, Record{Event: e, Stream: name, Ingested: bt.ingested, Seq: bt.firstSeq + uint64(i)})
			}
		}
		rest = next
	}
	return records, nil
}

// Follow yields events as they are stored, from the number given on, in the
// order of storing and then waits for more until ctx ends (which ends the
// sequence without error) or the group is deleted (ErrDeleted). It runs in the
// caller's goroutine.
func (g *Group) Follow(ctx context.Context, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for ctx.Err() == nil {
			names, spans, next, err := g.since(from)
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, s := range spans {
				records, err := g.readSpan(s, names)
				if err != nil {
					yield(Record{}, err)
					return
				}
				for _, r := range records {
					if r.Seq < from {
						continue
					}
					if !yield(r, nil) {
						return
					}
				}
				from = max(from, s.EndSeq)
			}
			select {
			case <-next:
			case <-ctx.Done():
			}
		}
	}
}

// NextSeq is the number the next event will have: where to Follow from to see
// only what is new.
func (g *Group) NextSeq() (uint64, error) {
	g.io.Lock()
	defer g.io.Unlock()
	err := g.ready()
	return g.nextSeq(), err
}

func (g *Group) since(from uint64) (map[uint64]string, []span, <-chan struct{}, error) {
	g.io.Lock()
	defer g.io.Unlock()
	if err := g.ready(); err != nil {
		return nil, nil, nil, err
	}
	var spans []span
	for _, seg := range g.segments {
		for _, b := range seg.Blocks {
			if b.EndSeq > from {
				spans = append(spans, span{block: b, path: seg.path})
			}
		}
	}
	return g.names(nil), spans, g.written, nil
}

// A recordHeap holds records in time order, or the reverse.
type recordHeap struct {
	records  []Record
	backward bool
}

// mayComeFirst tells whether a block may hold an event that comes before all in
// the heap.
func (h *recordHeap) mayComeFirst(b block) bool {
	if len(h.records) == 0 {
		return true
	}
	if h.backward {
		return b.MaxTime >= h.records[0].Timestamp
	}
	return b.MinTime <= h.records[0].Timestamp
}

func (h *recordHeap) Len() int { return len(h.records) }

func (h *recordHeap) Less(i, j int) bool {
	a, b := h.records[i].Position(), h.records[j].Position()
	if h.backward {
		return b.before(a)
	}
	return a.before(b)
}

func (h *recordHeap) Swap(i, j int) { h.records[i], h.records[j] = h.records[j], h.records[i] }

func (h *recordHeap) Push(x any) { h.records = append(h.records, x.(Record)) }

func (h *recordHeap) Pop() any {
	n := len(h.records) - 1
	r := h.records[n]
	h.records[n] = Record{}
	h.records = h.records[:n]
	return r
}
