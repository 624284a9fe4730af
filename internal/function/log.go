package function

import (
	"bytes"
	"io"
	"strconv"
	"sync"
	"time"
)

const (
	// maxLogEvent is the most bytes of one log event.
	maxLogEvent = 256<<10 - 26
	maxLogTail  = 4 << 10
)

// terminal serialises what many environments print.
type terminal struct {
	mu   sync.Mutex
	to   io.Writer
	line []byte
}

// show prints an event, each line after the function's name.
func (t *terminal) show(name string, message []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line = t.line[:0]
	for line := range bytes.Lines(bytes.ReplaceAll(message, []byte{'\r'}, []byte{'\n'})) {
		t.line = append(t.line, name...)
		t.line = append(t.line, " | "...)
		t.line = append(t.line, bytes.TrimRight(line, "\n")...)
		t.line = append(t.line, '\n')
	}
	// There is nobody to tell when the terminal is gone.
	_, _ = t.to.Write(t.line)
}

// logWriter makes the log events of one environment.
type logWriter struct {
	source   *LogSource
	sink     LogSink
	terminal *terminal
	clock    func() time.Time
	json     *jsonLog // nil: the platform's lines are text

	mu      sync.Mutex
	partial []byte // of a line being printed
	scratch []byte
	tailing bool
	tail    []byte
}

// event appends one log event of the function's own.
func (l *logWriter) event(message []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	l.put(message, true)
}

// print takes raw output and makes an event of each line.
func (l *logWriter) print(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			l.partial = append(l.partial, b...)
			if len(l.partial) >= maxLogEvent {
				l.flush()
			}
			return
		}
		if len(l.partial) == 0 {
			l.put(b[:i], true)
		} else {
			l.partial = append(l.partial, b[:i]...)
			l.flush()
		}
		b = b[i+1:]
	}
}

// end makes an event of an unfinished line.
func (l *logWriter) end() {
	l.mu.Lock()
	l.flush()
	l.mu.Unlock()
}

func (l *logWriter) flush() {
	if len(l.partial) > 0 {
		l.put(l.partial, true)
		l.partial = l.partial[:0]
	}
}

// put writes one event, in pieces when it is over the limit. AWS's events end in a newline.
func (l *logWriter) put(message []byte, show bool) {
	at := l.clock()
	for {
		piece := message[:min(len(message), maxLogEvent)]
		message = message[len(piece):]
		if show && l.terminal != nil {
			l.terminal.show(l.source.Function, piece)
		}
		if l.tailing || l.sink != nil {
			l.scratch = append(append(l.scratch[:0], piece...), '\n')
			l.emit(at, l.scratch)
		}
		if len(message) == 0 {
			return
		}
	}
}

func (l *logWriter) emit(at time.Time, line []byte) {
	if l.tailing {
		l.tail = append(l.tail, line...)
		if over := len(l.tail) - maxLogTail; over > maxLogTail {
			l.tail = l.tail[:copy(l.tail, l.tail[over:])]
		}
	}
	if l.sink != nil {
		l.sink.Append(l.source, at, line)
	}
}

// unseen reports whether nobody would see a platform line.
func (l *logWriter) unseen() bool { return l.sink == nil && !l.tailing }

// initStart writes the line that begins an environment's log stream.
func (l *logWriter) initStart(runtime string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.json != nil {
		l.emitAll(l.clock(), l.json.initStart(l.clock(), runtime))
		return
	}
	l.scratch = append(append(append(l.scratch[:0], "INIT_START Runtime Version: "...), runtime...), '\n')
	l.emit(l.clock(), l.scratch)
}

// initReport writes the line that an init phase leaves when it fails.
func (l *logWriter) initReport(took time.Duration, status, errorType string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.json != nil {
		l.emitAll(l.clock(), l.json.initReport(l.clock(), took, status, errorType))
		return
	}
	b := append(l.scratch[:0], "INIT_REPORT Init Duration: "...)
	b = appendMillis(b, took)
	b = append(b, " ms\tPhase: init\tStatus: "...)
	b = append(b, status...)
	if errorType != "" {
		b = append(append(b, "\tError Type: "...), errorType...)
	}
	l.scratch = append(b, '\n')
	l.emit(l.clock(), l.scratch)
}

// begin writes the line that begins an invocation, and starts its tail when one is wanted.
func (l *logWriter) begin(requestID, version string, tail bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tailing = tail
	l.tail = l.tail[:0]
	if l.unseen() {
		return
	}
	if l.json != nil {
		l.emitAll(l.clock(), l.json.start(l.clock(), requestID, version))
		return
	}
	b := append(append(l.scratch[:0], "START RequestId: "...), requestID...)
	l.scratch = append(append(append(b, " Version: "...), version...), '\n')
	l.emit(l.clock(), l.scratch)
}

// platformError writes what the service itself says about a failure, such as a timeout.
func (l *logWriter) platformError(message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	if l.json != nil {
		// The events of the end carry the error's type.
		if l.terminal != nil {
			l.terminal.show(l.source.Function, []byte(message))
		}
		return
	}
	l.put([]byte(message), true)
}

// finish writes the lines that end an invocation and returns its tail. Status is empty, "timeout" or "error".
func (l *logWriter) finish(r *Result, status string) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	if l.unseen() {
		return nil
	}
	at := l.clock()
	if l.json != nil {
		l.emitAll(at, l.json.end(at, r, status)...)
		return l.endTail()
	}
	l.scratch = append(append(append(l.scratch[:0], "END RequestId: "...), r.RequestID...), '\n')
	l.emit(at, l.scratch)

	b := append(append(l.scratch[:0], "REPORT RequestId: "...), r.RequestID...)
	b = append(appendMillis(append(b, "\tDuration: "...), r.Duration), " ms\tBilled Duration: "...)
	b = strconv.AppendInt(b, r.BilledDuration.Milliseconds(), 10)
	b = strconv.AppendInt(append(b, " ms\tMemory Size: "...), int64(r.MemoryMB), 10)
	b = strconv.AppendInt(append(b, " MB\tMax Memory Used: "...), int64(r.MaxMemoryMB), 10)
	b = append(b, " MB\t"...)
	if r.InitDuration > 0 {
		b = append(appendMillis(append(b, "Init Duration: "...), r.InitDuration), " ms\t"...)
	}
	if status != "" {
		b = append(append(append(b, "Status: "...), status...), '\t')
		if status == "error" {
			b = append(append(append(b, "Error Type: "...), r.ErrorType...), '\t')
		}
	}
	l.scratch = append(b, '\n')
	l.emit(at, l.scratch)
	return l.endTail()
}

// endTail returns the tail of the invocation that ends, nil when none was wanted.
func (l *logWriter) endTail() []byte {
	if !l.tailing {
		return nil
	}
	l.tailing = false
	return bytes.Clone(l.tail[max(0, len(l.tail)-maxLogTail):])
}

// emitAll writes those of the lines that there are.
func (l *logWriter) emitAll(at time.Time, lines ...[]byte) {
	for _, line := range lines {
		if line != nil {
			l.emit(at, line)
		}
	}
}

// appendMillis appends a duration in milliseconds with two decimals.
func appendMillis(b []byte, d time.Duration) []byte {
	return strconv.AppendFloat(b, float64(d.Microseconds())/1000, 'f', 2, 64)
}
