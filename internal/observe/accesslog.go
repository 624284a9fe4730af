package observe

import (
	"time"

	"gatehouse/internal/plan"
)

// An AccessLog is the access log of a stage.
type AccessLog struct {
	writer *LogWriter
	format *Format
	to     *destination
}

// AccessLog makes an access log whose lines go to the stream of a group in sink.
func (w *LogWriter) AccessLog(format *Format, sink Sink, group, stream string) *AccessLog {
	return &AccessLog{w, format, newDestination(sink, group, stream)}
}

// Log takes the line of a finished exchange.
func (a *AccessLog) Log(x *plan.Exchange, latency time.Duration) {
	l, waiting := a.writer.enter(1)
	if l == nil {
		return
	}
	l.text = a.format.Append(l.text, x, latency)
	l.lines = append(l.lines, entry{a.to, x.Start.Add(latency), len(l.text)})
	a.writer.leave(l, waiting)
}
