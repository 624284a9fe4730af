package logstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Group is a handle on one group's events. It is safe for concurrent use and
// good until the group is deleted.
type Group struct {
	store *Store
	id    GroupID
	dir   string

	mu           sync.Mutex
	pending      []pendingEvent
	pendingBytes int64
	queued       bool // the writer knows of pending events
	deleted      bool

	// io guards what is below and the group's files. It is taken before mu.
	io       sync.Mutex
	loaded   bool
	streams  *streamTable
	segments []*segment
	spare    []pendingEvent
	unsynced map[string]bool
	written  chan struct{} // closed and replaced at every write
}

type pendingEvent struct {
	stream string
	Event
}

// Append queues events for a stream, which is made if it isn't there, and tells
// whether all were taken: false means that the queue is full, or the group
// deleted, and the events dropped and counted. It waits for no disk and no
// reader.
func (g *Group) Append(stream string, events ...Event) bool {
	size := int64(0)
	for i := range events {
		size += int64(len(events[i].Message)) + eventCost
	}
	g.mu.Lock()
	taken := !g.deleted && g.store.reserve(size)
	if taken {
		for _, e := range events {
			g.enqueue(stream, e)
		}
		g.pendingBytes += size
	}
	announce := taken && !g.queued
	g.queued = g.queued || taken
	g.mu.Unlock()
	if announce {
		g.store.announce(g)
	}
	if !taken {
		g.store.dropped.Add(uint64(len(events)))
	}
	return taken
}

// maxSpare bounds the queue space that is kept for the next events.
const maxSpare = 16 << 10

// eventCost is what an event weighs in the queue beside its message.
const eventCost = 64

func (g *Group) enqueue(stream string, e Event) {
	if len(e.Message) <= MaxEventBytes {
		g.pending = append(g.pending, pendingEvent{stream, e})
		return
	}
	for _, piece := range splitMessage(e.Message, MaxEventBytes) {
		g.pending = append(g.pending, pendingEvent{stream, Event{Timestamp: e.Timestamp, Message: piece}})
	}
}

// Flush carries what is queued to the files; readers do so by themselves. It
// doesn't sync them.
func (g *Group) Flush() error {
	g.io.Lock()
	defer g.io.Unlock()
	return g.flush()
}

func (g *Group) take() (events []pendingEvent, bytes int64, deleted bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	events, bytes = g.pending, g.pendingBytes
	g.pending, g.pendingBytes, g.queued = g.spare[:0], 0, false
	g.spare = nil
	return events, bytes, g.deleted
}

// flush is Flush with io held.
func (g *Group) flush() error {
	events, bytes, deleted := g.take()
	defer func() {
		g.store.queued.Add(-bytes)
		clear(events) // let go of the messages
		if cap(events) <= maxSpare {
			g.spare = events[:0]
		}
	}()
	if deleted {
		return ErrDeleted // what was queued goes with the group
	}
	if len(events) == 0 {
		return nil
	}
	if err := g.writeEvents(events); err != nil {
		g.store.dropped.Add(uint64(len(events)))
		return fmt.Errorf("logstore: write %s: %w", g.id.Name, err)
	}
	close(g.written)
	g.written = make(chan struct{})
	return nil
}

func (g *Group) writeEvents(events []pendingEvent) error {
	if err := g.load(); err != nil {
		return err
	}
	now := g.store.now().UnixMilli()
	batches, err := g.batches(events, now)
	if err != nil {
		return err
	}
	buf := g.store.frames.Get().(*[]byte)
	defer g.store.frames.Put(buf)
	for len(batches) > 0 {
		seg, err := g.active()
		if err != nil {
			return err
		}
		room := 0
		for _, bt := range batches {
			room += bt.size
		}
		frames := slices.Grow((*buf)[:0], int(min(int64(room), g.store.segmentBytes)))
		var sizes []int64
		for _, bt := range batches {
			if len(frames) > 0 && seg.Size+int64(len(frames)) >= g.store.segmentBytes {
				break
			}
			at := len(frames)
			frames, _ = beginFrame(frames)
			frames = bt.append(frames)
			endFrame(frames, at)
			sizes = append(sizes, int64(len(frames)-at))
		}
		*buf = frames
		if err := appendFile(seg.path, seg.Size, frames); err != nil {
			return err
		}
		g.unsynced[seg.path] = true
		for i, size := range sizes {
			seg.note(batches[i], size)
		}
		batches = batches[len(sizes):]
	}
	return nil
}

// batches sorts events by stream, keeping each stream's order, numbers them,
// and makes the streams that aren't there yet.
func (g *Group) batches(events []pendingEvent, now int64) ([]*batch, error) {
	var list []*batch
	var created []byte
	last := map[string]*batch{}
	var bt *batch
	for i := range events {
		e := &events[i]
		if bt == nil || e.stream != events[i-1].stream {
			bt = last[e.stream]
		}
		if bt == nil || bt.size+len(e.Message) > batchBytes {
			info := g.streams.byName[e.stream]
			if info == nil {
				created, info = g.streams.create(created, e.stream, now)
			}
			bt = &batch{stream: info.id, ingested: now, size: frameRoom}
			last[e.stream] = bt
			list = append(list, bt)
		}
		bt.events = append(bt.events, e.Event)
		bt.size += len(e.Message) + eventRoom
	}
	if created != nil {
		if err := g.writeStreams(created); err != nil {
			g.loaded = false // forget the streams that couldn't be made
			return nil, err
		}
	}
	next := g.nextSeq()
	for _, bt := range list {
		bt.firstSeq = next
		next += uint64(len(bt.events))
	}
	return list, nil
}

func (g *Group) writeStreams(frames []byte) error {
	if err := g.streams.write(frames); err != nil {
		return err
	}
	g.unsynced[g.streams.path] = true
	return nil
}

func (g *Group) nextSeq() uint64 {
	if n := len(g.segments); n > 0 {
		return g.segments[n-1].NextSeq
	}
	return 0
}

// active returns the segment to write to, sealing the last one if it is full.
func (g *Group) active() (*segment, error) {
	if n := len(g.segments); n > 0 {
		last := g.segments[n-1]
		if last.Size < g.store.segmentBytes {
			return last, nil
		}
		if err := last.saveIndex(); err != nil {
			return nil, err
		}
	}
	return g.startSegment()
}

func (g *Group) startSegment() (*segment, error) {
	seg := newSegment(g.dir, g.nextSeq())
	if err := appendFile(seg.path, 0, nil); err != nil {
		return nil, err
	}
	g.unsynced[g.dir] = true
	g.segments = append(g.segments, seg)
	return seg, nil
}

// load reads the group's directory, or makes it, and cuts off what a crash tore.
func (g *Group) load() error {
	if g.loaded {
		return nil
	}
	err := os.Mkdir(g.dir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err == nil {
		name := strings.Join([]string{g.id.Account, g.id.Region, g.id.Name}, "\n")
		path := filepath.Join(g.dir, nameFile)
		if err := os.WriteFile(path, []byte(name+"\n"), 0o600); err != nil {
			return err
		}
		g.unsynced[path] = true
		g.unsynced[g.store.dir] = true
		g.unsynced[g.dir] = true
	}
	return g.recover()
}

func (g *Group) recover() error {
	streams, err := loadStreams(g.dir)
	if err != nil {
		return err
	}
	segments, err := listSegments(g.dir)
	if err != nil {
		return err
	}
	for i, seg := range segments {
		last := i == len(segments)-1
		if seg.loadIndex() {
			if last {
				// It is about to be out of date.
				if err := os.Remove(seg.indexPath()); err != nil {
					return err
				}
			}
			continue
		}
		fileSize, err := seg.scan()
		if err != nil {
			return err
		}
		switch {
		case fileSize == seg.Size && last:
		case last:
			if err := os.Truncate(seg.path, seg.Size); err != nil {
				return err
			}
			g.store.log.Info("log segment was torn and cut", "segment", seg.path, "bytes", fileSize-seg.Size)
		default:
			if fileSize != seg.Size {
				g.store.log.Warn("log segment is damaged; what is behind the damage is lost",
					"segment", seg.path, "bytes", fileSize-seg.Size)
			}
			if err := seg.saveIndex(); err != nil {
				return err
			}
		}
	}
	// A power cut may have taken streams whose events it left: those events are
	// lost, and their numbers mustn't be given to others.
	for _, seg := range segments {
		for id := range seg.Streams {
			streams.nextID = max(streams.nextID, id+1)
		}
	}
	g.streams, g.segments, g.loaded = streams, segments, true
	return nil
}

// sync has on disk what was written, streams before the events that name them.
func (g *Group) sync() error {
	g.io.Lock()
	defer g.io.Unlock()
	paths := make([]string, 0, len(g.unsynced))
	for path := range g.unsynced {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, func(a, b string) int { return strings.Compare(syncOrder(a), syncOrder(b)) })
	for _, path := range paths {
		if err := syncPath(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("logstore: sync %s: %w", g.id.Name, err)
		}
		delete(g.unsynced, path)
	}
	return nil
}

func syncOrder(path string) string {
	if filepath.Base(path) == streamsFile {
		return "0" + path
	}
	return "1" + path
}

// ready makes the group's files and index complete; io must be held.
func (g *Group) ready() error {
	if err := g.flush(); err != nil {
		return err
	}
	if g.loaded {
		return nil
	}
	// Looking at a group doesn't make it.
	if _, err := os.Stat(g.dir); errors.Is(err, fs.ErrNotExist) {
		g.streams = &streamTable{path: filepath.Join(g.dir, streamsFile), nextID: 1,
			byName: map[string]*streamInfo{}, byID: map[uint64]*streamInfo{}}
		g.segments = nil
		return nil
	}
	if err := g.load(); err != nil {
		return fmt.Errorf("logstore: open %s: %w", g.id.Name, err)
	}
	return nil
}

// CreateStream makes an empty stream; it is on disk on return.
func (g *Group) CreateStream(name string, at time.Time) error {
	if err := g.createStream(name, at); err != nil {
		return err
	}
	return g.sync()
}

func (g *Group) createStream(name string, at time.Time) error {
	g.io.Lock()
	defer g.io.Unlock()
	if err := g.ready(); err != nil {
		return err
	}
	if err := g.load(); err != nil {
		return fmt.Errorf("logstore: open %s: %w", g.id.Name, err)
	}
	if g.streams.byName[name] != nil {
		return ErrStreamExists
	}
	frame, _ := g.streams.create(nil, name, at.UnixMilli())
	if err := g.writeStreams(frame); err != nil {
		g.loaded = false
		return fmt.Errorf("logstore: create stream: %w", err)
	}
	return nil
}

// DeleteStream removes a stream and with it its events; it is on disk on return.
func (g *Group) DeleteStream(name string) error {
	if err := g.deleteStream(name); err != nil {
		return err
	}
	return g.sync()
}

func (g *Group) deleteStream(name string) error {
	g.io.Lock()
	defer g.io.Unlock()
	if err := g.ready(); err != nil {
		return err
	}
	info := g.streams.byName[name]
	if info == nil {
		return ErrNoStream
	}
	if err := g.writeStreams(deletedFrame(info.id)); err != nil {
		return fmt.Errorf("logstore: delete stream: %w", err)
	}
	g.streams.drop(info)
	return nil
}

// Streams returns the streams by name.
func (g *Group) Streams() ([]Stream, error) {
	g.io.Lock()
	defer g.io.Unlock()
	if err := g.ready(); err != nil {
		return nil, err
	}
	sums := map[uint64]*usage{}
	for _, seg := range g.segments {
		for id, u := range seg.Streams {
			if g.streams.byID[id] == nil {
				continue
			}
			if sums[id] == nil {
				sums[id] = &usage{}
			}
			sums[id].add(*u)
		}
	}
	list := make([]Stream, 0, len(g.streams.byName))
	for _, info := range g.streams.byName {
		s := Stream{Name: info.name, Created: info.created}
		if u := sums[info.id]; u != nil {
			s.Bytes, s.FirstEvent, s.LastEvent, s.LastIngested = u.Bytes, u.MinTime, u.MaxTime, u.LastIngested
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Stream) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// HasStream tells whether there is a stream of that name.
func (g *Group) HasStream(name string) (bool, error) {
	g.io.Lock()
	defer g.io.Unlock()
	if err := g.ready(); err != nil {
		return false, err
	}
	return g.streams.byName[name] != nil, nil
}

// Bytes is the size of the group's events as AWS counts.
func (g *Group) Bytes() (int64, error) {
	g.io.Lock()
	defer g.io.Unlock()
	if err := g.ready(); err != nil {
		return 0, err
	}
	var n int64
	for _, seg := range g.segments {
		for id, u := range seg.Streams {
			if g.streams.byID[id] != nil {
				n += u.Bytes
			}
		}
	}
	return n, nil
}

// DropBefore removes the segments all of whose events are older than t and
// tells how many there were. Younger segments keep the old events in them.
func (g *Group) DropBefore(t time.Time) (int, error) {
	g.io.Lock()
	defer g.io.Unlock()
	if err := g.ready(); err != nil {
		return 0, err
	}
	var keep []*segment
	var drop []*segment
	for _, seg := range g.segments {
		if len(seg.Blocks) > 0 && seg.maxTime() < t.UnixMilli() {
			drop = append(drop, seg)
		} else {
			keep = append(keep, seg)
		}
	}
	if len(drop) == 0 {
		return 0, nil
	}
	if len(keep) == 0 {
		// An empty one remembers the numbering.
		seg, err := g.startSegment()
		if err != nil {
			return 0, fmt.Errorf("logstore: %w", err)
		}
		keep = append(keep, seg)
	}
	g.segments = keep
	var errs []error
	for _, seg := range drop {
		errs = append(errs, seg.remove())
		delete(g.unsynced, seg.path)
	}
	return len(drop), errors.Join(errs...)
}

// Deleted tells that the handle is dead.
func (g *Group) Deleted() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.deleted
}
