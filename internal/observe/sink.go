package observe

import (
	"bufio"
	"io"
	"time"
)

// A Sink takes lines of logs. It is called by one goroutine at a time
// and must not keep message. One that also has Flush() error is flushed after
// each batch.
type Sink interface {
	Append(group, stream string, when time.Time, message []byte) error
}

// A TextSink writes lines to a file or a terminal, whatever group they are of.
type TextSink struct {
	out io.Writer
	w   *bufio.Writer
}

// NewTextSink returns a sink that writes to w.
func NewTextSink(w io.Writer) *TextSink {
	return &TextSink{w, bufio.NewWriterSize(w, 64<<10)}
}

// Append writes one line.
func (s *TextSink) Append(_, _ string, _ time.Time, message []byte) error {
	if _, err := s.w.Write(message); err != nil {
		return s.retry(err)
	}
	if err := s.w.WriteByte('\n'); err != nil {
		return s.retry(err)
	}
	return nil
}

// Flush writes what is buffered.
func (s *TextSink) Flush() error {
	if err := s.w.Flush(); err != nil {
		return s.retry(err)
	}
	return nil
}

// retry forgets an error, which bufio would answer every later write with: a
// full disk may have room again.
func (s *TextSink) retry(err error) error {
	s.w.Reset(s.out)
	return err
}

// A flusher is a sink that gathers lines.
type flusher interface{ Flush() error }
