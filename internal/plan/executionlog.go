package plan

import (
	"fmt"
	"time"
)

// An ExecutionLog takes the trace of one finished exchange. It must not block
// and must not keep any of the exchange's strings.
type ExecutionLog interface {
	LogExecution(x *Exchange)
}

// ExecutionLogging is how much of a method's requests is logged.
type ExecutionLogging struct {
	Level LogLevel
	// Data tells that headers and bodies are logged, too.
	Data bool
}

// A LogLevel is a level of execution logging.
type LogLevel uint8

// The levels of execution logging.
const (
	LogOff LogLevel = iota
	LogError
	LogInfo
)

// A Trace collects the lines of an exchange's execution log. An exchange that
// isn't logged has none: who adds lines asks first, so that they cost nothing
// otherwise.
type Trace struct {
	ExecutionLogging
	// Clock dates the lines.
	Clock func() time.Time
	Lines []TraceLine
}

// A TraceLine is one line of an execution log.
type TraceLine struct {
	At   time.Time
	Text string
}

// Info adds a line that level INFO logs.
func (t *Trace) Info(format string, args ...any) {
	if t.Level >= LogInfo {
		t.add(format, args)
	}
}

// DataInfo adds a line about headers or a body.
func (t *Trace) DataInfo(format string, args ...any) {
	if t.Level >= LogInfo && t.Data {
		t.add(format, args)
	}
}

// Error adds a line that tells of a failure.
func (t *Trace) Error(format string, args ...any) {
	if t.Level >= LogError {
		t.add(format, args)
	}
}

func (t *Trace) add(format string, args []any) {
	t.Lines = append(t.Lines, TraceLine{At: t.Clock(), Text: fmt.Sprintf(format, args...)})
}
