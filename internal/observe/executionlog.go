package observe

import "gatehouse/internal/plan"

// An ExecutionLog is the execution log of a stage of a REST API.
type ExecutionLog struct {
	writer *LogWriter
	to     *destination
}

// ExecutionLog makes an execution log whose lines go to the stream of a group in
// sink.
func (w *LogWriter) ExecutionLog(sink Sink, group, stream string) *ExecutionLog {
	return &ExecutionLog{w, newDestination(sink, group, stream)}
}

// LogExecution takes the lines of a finished exchange's trace, each behind the
// id of the request. They stay together.
func (e *ExecutionLog) LogExecution(x *plan.Exchange) {
	lines := x.Trace.Lines
	if len(lines) == 0 {
		return
	}
	l, waiting := e.writer.enter(len(lines))
	if l == nil {
		return
	}
	for i := range lines {
		l.text = append(l.text, '(')
		l.text = append(l.text, x.RequestID...)
		l.text = append(l.text, ") "...)
		l.text = append(l.text, lines[i].Text...)
		l.lines = append(l.lines, entry{e.to, lines[i].At, len(l.text)})
	}
	e.writer.leave(l, waiting)
}
