package observe

import (
	"slices"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

func TestExecutionLog(t *testing.T) {
	sink := &memorySink{}
	w := NewLogWriter(LogWriterOptions{})
	log := w.ExecutionLog(sink, "group", "stream")
	x := testExchange()
	x.Trace = &plan.Trace{}
	log.LogExecution(x) // nothing happened that is logged
	x.Trace.Lines = []plan.TraceLine{{At: x.Start, Text: "one\nline"}, {At: x.Start.Add(time.Second), Text: "another"}}
	log.LogExecution(x)
	w.Close()
	want := []string{"group/stream 15:08:21 (JKJaXmPLvHcESHA=) one\nline", "group/stream 15:08:22 (JKJaXmPLvHcESHA=) another"}
	if !slices.Equal(sink.lines, want) {
		t.Errorf("lines %q", sink.lines)
	}
	log.LogExecution(x)
	if w.Dropped() != 2 {
		t.Errorf("%d lines were dropped after Close, want 2", w.Dropped())
	}
}
