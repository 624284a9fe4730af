package logstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var testID = GroupID{Account: "000000000000", Region: "us-east-1", Name: "/aws/lambda/hello"}

func openStore(t testing.TB, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func read(t testing.TB, g *Group, q Query) []string {
	t.Helper()
	var got []string
	for r, err := range g.Events(q) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %d %s", r.Stream, r.Timestamp, r.Message))
	}
	return got
}

func check(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestAppendAndRead(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	g := s.Group(testID)
	check(t, "nothing", read(t, g, Query{}))
	g.Append("a", Event{10, "one"}, Event{30, "three"})
	g.Append("b", Event{20, "two"})
	g.Append("a", Event{5, "late"})
	check(t, "all", read(t, g, Query{}), "a 5 late", "a 10 one", "b 20 two", "a 30 three")
	check(t, "backward", read(t, g, Query{Backward: true}), "a 30 three", "b 20 two", "a 10 one", "a 5 late")
	check(t, "one stream", read(t, g, Query{Streams: []string{"a"}}), "a 5 late", "a 10 one", "a 30 three")
	check(t, "no such stream", read(t, g, Query{Streams: []string{"x"}}))
	check(t, "no streams", read(t, g, Query{Streams: []string{}}))
	check(t, "range", read(t, g, Query{Start: 10, End: 30}), "a 10 one", "b 20 two")

	streams, err := g.Streams()
	if err != nil || len(streams) != 2 || streams[0].Name != "a" || streams[0].FirstEvent != 5 || streams[0].LastEvent != 30 ||
		streams[0].Bytes != 3*EventOverheadBytes+12 || streams[0].LastIngested == 0 {
		t.Errorf("Streams = %+v, %v", streams, err)
	}
	if n, err := g.Bytes(); n != 4*EventOverheadBytes+15 || err != nil {
		t.Errorf("Bytes = %d, %v", n, err)
	}
}

func TestPosition(t *testing.T) {
	for _, p := range []Position{{0, 0, true}, {1700000000000, 42, true}, {1<<63 - 1, 1<<64 - 1, true}} {
		text := p.String()
		got, err := ParsePosition(text)
		if err != nil || got != p || len(text) != 56 {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "1", strings.Repeat("9", 56), strings.Repeat("x", 56), "-" + strings.Repeat("1", 55)} {
		if _, err := ParsePosition(bad); !errors.Is(err, ErrBadPosition) {
			t.Errorf("ParsePosition(%q) = %v", bad, err)
		}
	}
}

func TestStreams(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	g := s.Group(testID)
	at := time.UnixMilli(777)
	if err := g.CreateStream("a", at); err != nil {
		t.Fatal(err)
	}
	if err := g.CreateStream("a", at); !errors.Is(err, ErrStreamExists) {
		t.Errorf("creating it again = %v", err)
	}
	if err := g.DeleteStream("b"); !errors.Is(err, ErrNoStream) {
		t.Errorf("deleting another = %v", err)
	}
	g.Append("a", Event{1, "old"})
	g.Append("b", Event{2, "b"})
	if err := g.DeleteStream("a"); err != nil {
		t.Fatal(err)
	}
	check(t, "after the delete", read(t, g, Query{}), "b 2 b")
	g.Append("a", Event{3, "new"})
	check(t, "made anew", read(t, g, Query{}), "b 2 b", "a 3 new")
	if n, err := g.Bytes(); n != 2*EventOverheadBytes+4 || err != nil {
		t.Errorf("Bytes = %d, %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, dir, Options{})
	g = s.Group(testID)
	check(t, "reopened", read(t, g, Query{}), "b 2 b", "a 3 new")
	g.Append("a", Event{4, "newer"})
	check(t, "and appended", read(t, g, Query{}), "b 2 b", "a 3 new", "a 4 newer")
}

func TestDeleteGroup(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	old := s.Group(testID)
	old.Append("a", Event{1, "old"})
	if err := s.Delete(testID); err != nil {
		t.Fatal(err)
	}
	if old.Append("a", Event{2, "into the void"}) {
		t.Error("a deleted group took an event")
	}
	for _, err := range old.Events(Query{}) {
		if !errors.Is(err, ErrDeleted) {
			t.Errorf("Events of a deleted group = %v", err)
		}
	}
	g := s.Group(testID)
	check(t, "made anew", read(t, g, Query{}))
	g.Append("a", Event{3, "new"})
	check(t, "after an event", read(t, g, Query{}), "a 3 new")
	if s.Dropped() != 1 {
		t.Errorf("Dropped = %d", s.Dropped())
	}
	if err := s.Delete(GroupID{Name: "never there"}); err != nil {
		t.Errorf("deleting nothing = %v", err)
	}
}

func TestQueueIsBounded(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{QueueBytes: 10 * (eventCost + 1), WriteEvery: time.Hour})
	g := s.Group(testID)
	taken := 0
	for range 25 {
		if g.Append("a", Event{1, "x"}) {
			taken++
		}
	}
	if taken != 10 || s.Dropped() != 15 {
		t.Errorf("taken %d, dropped %d", taken, s.Dropped())
	}
	if got := read(t, g, Query{}); len(got) != 10 {
		t.Errorf("%d events stored", len(got))
	}
	if !g.Append("a", Event{1, "x"}) {
		t.Error("the queue stayed full")
	}
}

func TestLongMessageIsCut(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	g := s.Group(testID)
	long := strings.Repeat("é", MaxEventBytes) // two bytes each, and an odd limit would split one
	g.Append("a", Event{1, "x" + long})
	var got strings.Builder
	for r, err := range g.Events(Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Message) > MaxEventBytes || strings.ContainsRune(r.Message, '\ufffd') {
			t.Errorf("a piece of %d bytes", len(r.Message))
		}
		got.WriteString(r.Message)
	}
	if got.String() != "x"+long {
		t.Error("the pieces aren't the whole")
	}
}

// TestAgainstModel appends at random times to many small segments, reopens now
// and then, and compares random queries with a sorted list.
func TestAgainstModel(t *testing.T) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	opts := Options{SegmentBytes: 2000, WriteEvery: time.Hour}
	s := openStore(t, dir, opts)
	type modelled struct {
		stream string
		Event
		n int
	}
	var model []modelled
	for round := range 60 {
		g := s.Group(testID)
		for range rng.IntN(20) {
			m := modelled{fmt.Sprint("s", rng.IntN(4)), Event{int64(round*10 + rng.IntN(40)), fmt.Sprint("m", len(model))}, len(model)}
			// One at a time, so that the order of storing is the model's.
			g.Append(m.stream, m.Event)
			if err := g.Flush(); err != nil {
				t.Fatal(err)
			}
			model = append(model, m)
		}
		if round%10 == 9 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openStore(t, dir, opts)
			g = s.Group(testID)
		}
		q := Query{Backward: rng.IntN(2) == 0, Start: int64(rng.IntN(300))}
		if rng.IntN(2) == 0 {
			q.End = q.Start + int64(rng.IntN(300)) + 1
		}
		if rng.IntN(2) == 0 {
			q.Streams = []string{"s1", "s3"}
		}
		var want []string
		for _, m := range model {
			if m.Timestamp >= q.Start && (q.End == 0 || m.Timestamp < q.End) && (q.Streams == nil || slices.Contains(q.Streams, m.stream)) {
				want = append(want, fmt.Sprintf("%020d %020d %s %d %s", m.Timestamp, m.n, m.stream, m.Timestamp, m.Message))
			}
		}
		slices.Sort(want)
		if q.Backward {
			slices.Reverse(want)
		}
		for i := range want {
			want[i] = want[i][42:]
		}
		check(t, fmt.Sprintf("%+v", q), read(t, g, q), want...)

		// The same in pages.
		var got []string
		for len(got) < len(want) {
			n := 0
			for r, err := range g.Events(q) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%s %d %s", r.Stream, r.Timestamp, r.Message))
				q.After = r.Position()
				if n++; n == 7 {
					break
				}
			}
			if n == 0 {
				break
			}
		}
		check(t, "in pages", got, want...)
	}
	if segments, err := filepath.Glob(filepath.Join(dir, "*", "*.seg")); len(segments) < 5 || err != nil {
		t.Errorf("%d segments: the test shows too little", len(segments))
	}
}

func TestDropBefore(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{SegmentBytes: 1})
	g := s.Group(testID)
	for i := range 5 {
		g.Append("a", Event{int64(i), fmt.Sprint(i)})
		if err := g.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	n, err := g.DropBefore(time.UnixMilli(3))
	if n != 3 || err != nil {
		t.Errorf("DropBefore = %d, %v", n, err)
	}
	check(t, "left", read(t, g, Query{}), "a 3 3", "a 4 4")
	if n, err = g.DropBefore(time.UnixMilli(100)); n != 2 || err != nil {
		t.Errorf("DropBefore = %d, %v", n, err)
	}
	check(t, "none left", read(t, g, Query{}))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, dir, Options{SegmentBytes: 1})
	g = s.Group(testID)
	if next, err := g.NextSeq(); next != 5 || err != nil {
		t.Errorf("NextSeq = %d, %v: numbers must not come again", next, err)
	}
	streams, err := g.Streams()
	if err != nil || len(streams) != 1 || streams[0].LastEvent != 0 {
		t.Errorf("the stream stays, without events: %+v, %v", streams, err)
	}
}

// segmentsOf closes the store and returns the group's segment files.
func segmentsOf(t *testing.T, s *Store, dir string) []string {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(dir, "*", "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	g := s.Group(testID)
	var ends []int64
	for i := range 4 {
		g.Append("a", Event{int64(i), fmt.Sprint("message ", i)})
		if err := g.Flush(); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, g.segments[0].Size)
	}
	path := segmentsOf(t, s, dir)[0]
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		for _, tail := range []string{"", "\x00\x00\x00\x00\x00\x00\x00\x00\x00", "garbage that is longer than a frame's head"} {
			if err := os.WriteFile(path, append(slices.Clone(whole[:cut]), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			g := s.Group(testID)
			survivors := 0
			for _, end := range ends {
				if int64(cut) >= end {
					survivors++
				}
			}
			if got := read(t, g, Query{}); len(got) != survivors {
				t.Fatalf("cut at %d: %q, want %d events", cut, got, survivors)
			}
			g.Append("a", Event{100, "after"})
			if got := read(t, g, Query{}); len(got) != survivors+1 {
				t.Fatalf("cut at %d, appended: %q", cut, got)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  int
	}{
		{"index gone", func(t *testing.T, dir string) { damage(t, dir, "00000000000000000001.idx", nil) }, 3},
		{"index damaged", func(t *testing.T, dir string) { damage(t, dir, "00000000000000000001.idx", []byte("deadbeef\n{}")) }, 3},
		{"sealed segment damaged", func(t *testing.T, dir string) {
			damage(t, dir, "00000000000000000001.idx", nil)
			damage(t, dir, "00000000000000000001.seg", []byte("garbage and more garbage"))
		}, 2},
		{"sealed segment damaged under its index", func(t *testing.T, dir string) {
			path := filepath.Join(dir, "00000000000000000001.seg")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)-1] ^= 1
			damage(t, dir, "00000000000000000001.seg", b)
		}, 2},
		{"streams gone", func(t *testing.T, dir string) { damage(t, dir, streamsFile, nil) }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, dir, Options{SegmentBytes: 1})
			g := s.Group(testID)
			for i := range 3 {
				g.Append("a", Event{int64(i), "x"})
				if err := g.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			test.spoil(t, g.dir)
			g = openStore(t, dir, Options{SegmentBytes: 1}).Group(testID)
			if got := read(t, g, Query{}); len(got) != test.want {
				t.Errorf("read %q, want %d events", got, test.want)
			}
			g.Append("b", Event{9, "y"})
			if got := read(t, g, Query{Streams: []string{"b"}}); !reflect.DeepEqual(got, []string{"b 9 y"}) {
				t.Errorf("a new stream has %q", got)
			}
		})
	}
}

// TestIndexOfTheLastSegment has the index there after a clean end, used and gone
// once the segment can grow.
func TestIndexOfTheLastSegment(t *testing.T) {
	dir := t.TempDir()
	indexes := func() int {
		t.Helper()
		list, err := filepath.Glob(filepath.Join(dir, "*", "*.idx"))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	s := openStore(t, dir, Options{})
	s.Group(testID).Append("a", Event{1, "x"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if indexes() != 1 {
		t.Error("no index after Close")
	}
	s = openStore(t, dir, Options{})
	g := s.Group(testID)
	check(t, "by the index", read(t, g, Query{}), "a 1 x")
	if indexes() != 0 {
		t.Error("the index is still there")
	}
	g.Append("a", Event{2, "y"})
	check(t, "grown", read(t, g, Query{}), "a 1 x", "a 2 y")
}

func damage(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	err := os.Remove(path)
	if content != nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFollow(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{WriteEvery: time.Millisecond})
	g := s.Group(testID)
	g.Append("a", Event{50, "before"})
	from, err := g.NextSeq()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan string)
	ended := make(chan error, 1)
	go func() {
		for r, err := range g.Follow(ctx, from) {
			if err != nil {
				ended <- err
				return
			}
			got <- r.Message
		}
		ended <- nil
	}()
	for i := range 5 {
		message := fmt.Sprint("m", i)
		g.Append("b", Event{int64(10 - i), message}) // ever older: following goes by arrival
		if m := <-got; m != message {
			t.Errorf("followed %q, want %q", m, message)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("a cancelled Follow = %v", err)
	}
	go func() {
		var last error
		for _, err := range g.Follow(t.Context(), from) {
			last = cmp.Or(err, last)
			if err == nil {
				got <- ""
			}
		}
		ended <- last
	}()
	for range 5 {
		<-got
	}
	if err := s.Delete(testID); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrDeleted) {
		t.Errorf("Follow of a group that is deleted = %v", err)
	}
}

func TestWriterSyncsByItself(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{WriteEvery: time.Millisecond, SyncEvery: time.Millisecond})
	g := s.Group(testID)
	g.Append("a", Event{1, "x"})
	deadline := time.Now().Add(time.Minute)
	for {
		g.io.Lock()
		clean := g.loaded && len(g.unsynced) == 0 && len(g.segments) == 1 && g.segments[0].Size > 0
		g.io.Unlock()
		if clean {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("not written and synced")
		}
		time.Sleep(time.Millisecond) // polling: the disk has no channel
	}
}

func TestFailingDisk(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{WriteEvery: time.Hour})
	g := s.Group(testID)
	// A file where the group's directory should be.
	if err := os.WriteFile(g.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	g.Append("a", Event{1, "lost"})
	if err := g.Flush(); err == nil {
		t.Error("Flush kept quiet")
	}
	if s.Dropped() != 1 {
		t.Errorf("Dropped = %d", s.Dropped())
	}
	if err := os.Remove(g.dir); err != nil {
		t.Fatal(err)
	}
	g.Append("a", Event{2, "kept"})
	check(t, "after the repair", read(t, g, Query{}), "a 2 kept")
}

// FuzzRecover asks that whatever a segment and a streams file hold, the group
// opens, reads without error and takes events.
func FuzzRecover(f *testing.F) {
	table := &streamTable{nextID: 1, byName: map[string]*streamInfo{}, byID: map[uint64]*streamInfo{}}
	streams, _ := table.create(nil, "a", 1)
	frame, at := beginFrame(nil)
	frame = (&batch{stream: 1, events: []Event{{1, "x"}, {2, "y"}}}).append(frame)
	endFrame(frame, at)
	f.Add(frame, streams)
	f.Add(append(slices.Clone(frame), frame...), streams)
	f.Add(frame[:len(frame)-1], streams[:len(streams)-1])
	f.Add([]byte{}, []byte{})
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, segment, streams []byte) {
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		g := s.Group(testID)
		err = errors.Join(os.Mkdir(g.dir, 0o700),
			os.WriteFile(filepath.Join(g.dir, "00000000000000000000.seg"), segment, 0o600),
			os.WriteFile(filepath.Join(g.dir, streamsFile), streams, 0o600))
		if err != nil {
			t.Fatal(err)
		}
		before := len(read(t, g, Query{}))
		g.Append("new stream", Event{1, "x"})
		if after := len(read(t, g, Query{})); after != before+1 {
			t.Errorf("%d events, then %d", before, after)
		}
		if err := errors.Join(s.Delete(testID), s.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add((&batch{stream: 1, firstSeq: 9, ingested: -1, events: []Event{{1, "x"}, {-2, ""}}}).append(nil))
	f.Fuzz(func(t *testing.T, payload []byte) {
		bt, err := decodeBatch(payload)
		if err != nil {
			return
		}
		again, err := decodeBatch(bt.append(nil))
		if err != nil || !reflect.DeepEqual(again, bt) {
			t.Errorf("%+v became %+v, %v", bt, again, err)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	s := openStore(b, b.TempDir(), Options{QueueBytes: 1 << 40})
	g := s.Group(testID)
	line := strings.Repeat("x", 300)
	b.ReportAllocs()
	for b.Loop() {
		g.Append("stream", Event{1, line})
	}
}

// Lines of one stream, as an access log has them, on their way to the file.
func BenchmarkFlush(b *testing.B) {
	s := openStore(b, b.TempDir(), Options{})
	g := s.Group(testID)
	const lines = 5000
	line := strings.Repeat("x", 150)
	b.SetBytes(lines * int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		for range lines {
			g.Append("stream", Event{1, line})
		}
		if err := g.Flush(); err != nil {
			b.Fatal(err)
		}
	}
}
