package observe

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/internal/contextvar"
)

// A memorySink remembers lines; it fails when told to.
type memorySink struct {
	mu      sync.Mutex
	lines   []string
	flushes int
	err     error
	block   chan struct{} // when not nil, Append waits for it to close
}

func (m *memorySink) Append(group, stream string, when time.Time, message []byte) error {
	if m.block != nil {
		<-m.block
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.lines = append(m.lines, fmt.Sprintf("%s/%s %s %s", group, stream, when.UTC().Format(time.TimeOnly), message))
	return nil
}

func (m *memorySink) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.lines)
}

func (m *memorySink) Flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flushes++
	return m.err
}

func mustFormat(t testing.TB, text string) *Format {
	t.Helper()
	f, err := ParseFormat(text, contextvar.Lookup)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAccessLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewLogWriter(LogWriterOptions{})
		defer w.Close()
		sink, text := &memorySink{}, &bytes.Buffer{}
		a := w.AccessLog(mustFormat(t, "$context.requestId"), sink, "group", "a")
		file := w.AccessLog(mustFormat(t, "$context.requestId"), NewTextSink(text), "", "")
		b := w.AccessLog(mustFormat(t, "$context.status $context.requestId"), sink, "group", "b")
		x := testExchange()
		a.Log(x, time.Second)
		file.Log(x, time.Second)
		b.Log(x, time.Second)
		if got := sink.count(); got != 0 {
			t.Errorf("%d requests waited for the sink", got)
		}
		time.Sleep(gather)
		synctest.Wait()
		got := map[string]bool{}
		for _, line := range sink.lines {
			got[line] = true
		}
		if len(sink.lines) != 2 || !got["group/a 15:08:22 JKJaXmPLvHcESHA="] || !got["group/b 15:08:22 201 JKJaXmPLvHcESHA="] {
			t.Errorf("lines %q", sink.lines)
		}
		if text.String() != "JKJaXmPLvHcESHA=\n" || sink.flushes != 2 {
			t.Errorf("text %q, %d flushes", text, sink.flushes)
		}
	})
}

func TestAccessLogClose(t *testing.T) {
	sink := &memorySink{}
	w := NewLogWriter(LogWriterOptions{})
	a := w.AccessLog(mustFormat(t, "$context.requestId"), sink, "g", "s")
	var requests sync.WaitGroup
	const each = 500
	for range 8 {
		requests.Go(func() {
			x := testExchange()
			for range each {
				a.Log(x, 0)
			}
		})
	}
	requests.Wait()
	w.Close()
	w.Close()
	if len(sink.lines) != 8*each || w.Dropped() != 0 || w.Failed() != 0 {
		t.Errorf("%d lines, %d dropped, %d failed", len(sink.lines), w.Dropped(), w.Failed())
	}
	a.Log(testExchange(), 0)
	if w.Dropped() != 1 {
		t.Error("a line after Close wasn't counted")
	}
}

// A sink that hangs costs lines, not requests, and not memory without bound.
func TestAccessLogHangingSink(t *testing.T) {
	sink := &memorySink{block: make(chan struct{})}
	w := NewLogWriter(LogWriterOptions{})
	x := testExchange()
	x.Request.Headers[0].Value = strings.Repeat("x", 64<<10)
	a := w.AccessLog(mustFormat(t, "$context.requestId $context.identity.userAgent"), sink, "g", "s")
	const sent = 1000
	for range sent {
		a.Log(x, 0)
	}
	waiting := 0
	for i := range w.lanes {
		l := &w.lanes[i]
		l.mu.Lock()
		waiting += len(l.text)
		l.mu.Unlock()
	}
	if limit := lanes * (maxLaneBytes + 65<<10); waiting > limit || w.Dropped() == 0 {
		t.Errorf("%d bytes wait, %d lines dropped", waiting, w.Dropped())
	}
	close(sink.block)
	w.Close()
	if got := uint64(len(sink.lines)) + w.Dropped(); got != sent {
		t.Errorf("%d lines written or dropped, want %d", got, sent)
	}
}

func TestAccessLogFailingSink(t *testing.T) {
	sink := &memorySink{err: errors.New("disk full")}
	w := NewLogWriter(LogWriterOptions{})
	w.AccessLog(mustFormat(t, "$context.requestId"), sink, "g", "s").Log(testExchange(), 0)
	w.Close()
	if w.Failed() != 2 { // the line and the flush
		t.Errorf("%d failures", w.Failed())
	}
}

// A failingWriter fails until it is mended.
type failingWriter struct {
	bytes.Buffer
	broken bool
}

func (f *failingWriter) Write(p []byte) (int, error) {
	if f.broken {
		return 0, errors.New("disk full")
	}
	return f.Buffer.Write(p)
}

func TestTextSinkRecovers(t *testing.T) {
	out := &failingWriter{broken: true}
	s := NewTextSink(out)
	if err := s.Append("", "", time.Time{}, []byte("lost")); err != nil {
		t.Fatal(err)
	}
	if s.Flush() == nil {
		t.Error("no error of a broken writer")
	}
	out.broken = false
	if err := errors.Join(s.Append("", "", time.Time{}, []byte("kept")), s.Flush()); err != nil || out.String() != "kept\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestLogAllocations(t *testing.T) {
	w := NewLogWriter(LogWriterOptions{})
	defer w.Close()
	a := w.AccessLog(mustFormat(t, asJSON), NewTextSink(&bytes.Buffer{}), "g", "s")
	x := testExchange()
	for range 20000 { // until the lanes have their memory
		a.Log(x, latency)
	}
	if n := testing.AllocsPerRun(1000, func() { a.Log(x, latency) }); n > 0 {
		t.Errorf("a line allocates %v times", n)
	}
}

// BenchmarkLog is the whole cost of a line, its batch included.
func BenchmarkLog(b *testing.B) {
	w := &LogWriter{wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1)}
	a := w.AccessLog(mustFormat(b, clf), discardSink{}, "g", "s")
	x := testExchange()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		a.Log(x, latency)
		if i%10000 == 0 {
			w.writeAll(false)
		}
	}
	if w.Dropped() > 0 {
		b.Fatal("lines were dropped")
	}
}

type discardSink struct{}

func (discardSink) Append(string, string, time.Time, []byte) error { return nil }
