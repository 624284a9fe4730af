package function

import (
	"bytes"
	"errors"
	"os"
	"time"
)

// managed talks to a bootstrap in frames.
type managed struct {
	socket *os.File
	frames frameReader
	out    []byte
	log    *logWriter
	drain  func() // takes what the process has printed so far

	// writing tells when a big payload is written; nil when none is on its way.
	writing chan error

	// Of the invocation under way.
	streamed    bool
	streamStart bool
	streamErr   error
	collected   []byte // a streamed answer that nobody streams
	contentType string
}

func newManaged(socket *os.File, log *logWriter, drain func()) *managed {
	return &managed{socket: socket, frames: frameReader{source: socket}, log: log, drain: drain}
}

func (m *managed) ready(deadline time.Time) (*answer, error) {
	if err := m.socket.SetReadDeadline(deadline); err != nil {
		return nil, errGone
	}
	for {
		kind, size, err := m.frames.next()
		if err != nil {
			return nil, socketError(err)
		}
		switch kind {
		case frameReady:
			return nil, m.frames.skip()
		case frameInitError:
			a, err := m.failure(size)
			a.fatal = true
			return &a, err
		case frameLog, framePrint:
			if err := m.output(kind, size); err != nil {
				return nil, err
			}
		default:
			return nil, errFrame
		}
	}
}

// bigPayload is from where on the payload is written on its own and not copied behind its header.
const bigPayload = 64 << 10

func (m *managed) send(inv *Invocation, deadline time.Time) error {
	m.streamed, m.streamStart, m.streamErr, m.collected, m.contentType = false, false, nil, nil, ""
	if err := m.socket.SetDeadline(deadline); err != nil {
		return errGone
	}
	big := len(inv.Payload) > bigPayload
	m.out = appendInvoke(m.out[:0], deadline.UnixMilli(), inv, !big)
	if _, err := m.socket.Write(m.out); err != nil {
		return socketError(err)
	}
	if big {
		// A process that is still printing doesn't read until its output is taken.
		writing := make(chan error, 1)
		m.writing = writing
		go func() {
			_, err := m.socket.Write(inv.Payload)
			writing <- err
		}()
	}
	return nil
}

// written waits until the payload is the caller's again. It is over with the invocation's deadline at the latest.
func (m *managed) written() error {
	if m.writing == nil {
		return nil
	}
	err := <-m.writing
	m.writing = nil
	return err
}

func (m *managed) receive(deadline time.Time, stream Stream) (answer, error) {
	for {
		kind, size, err := m.frames.next()
		if err == nil {
			var a answer
			var done bool
			a, done, err = m.frame(kind, size, stream)
			if done && err == nil {
				if m.written() != nil {
					a.fatal = true // it answered without reading its event
				}
				return a, nil
			}
		}
		if err == nil {
			continue
		}
		err = socketError(err)
		if !errors.Is(err, errDeadline) {
			// The other end is closed or is not to be listened to: nothing more will be written.
			_ = m.socket.SetWriteDeadline(time.Unix(1, 0))
		}
		// What became of the writing shows in what is read.
		_ = m.written()
		if !errors.Is(err, errDeadline) || !time.Now().Before(deadline) {
			return answer{}, err
		}
		// An interrupt sets a deadline in the past.
		if m.socket.SetReadDeadline(deadline) != nil {
			return answer{}, errGone
		}
		return answer{}, errInterrupted
	}
}

// frame handles one frame of an invocation; done says that it was the last.
func (m *managed) frame(kind byte, size int, stream Stream) (a answer, done bool, err error) {
	switch kind {
	case frameResult:
		if size > maxResponsePayload {
			return responseTooLarge(), true, m.frames.skip()
		}
		body, err := m.frames.body()
		return answer{payload: bytes.Clone(body)}, true, err
	case frameError, frameFatal:
		a, err := m.failure(size)
		a.fatal = kind == frameFatal
		return a, true, err
	case frameStreamStart:
		if size > 1<<10 {
			return a, false, errFrame
		}
		body, err := m.frames.body()
		if err != nil {
			return a, false, err
		}
		m.contentType = string(body)
		m.streamed = true
		if stream != nil {
			m.streamStart = true
			m.streamErr = stream.Start(m.contentType)
		}
		return a, false, nil
	case frameStreamData:
		return a, false, m.frames.copyTo(func(b []byte) { m.take(b, stream) })
	case frameStreamEnd:
		return m.endStream(size)
	case frameLog, framePrint:
		return a, false, m.output(kind, size)
	default:
		return a, false, errFrame
	}
}

// take passes on a piece of a streamed answer, or collects it. After a handover of the invocation (stream is nil but
// had been started) it is dropped.
func (m *managed) take(b []byte, stream Stream) {
	switch {
	case stream != nil:
		if m.streamErr == nil {
			_, m.streamErr = stream.Write(b)
		}
	case !m.streamStart && len(m.collected) <= maxResponsePayload:
		m.collected = append(m.collected, b...)
	}
}

func (m *managed) endStream(size int) (answer, bool, error) {
	if size > 0 {
		a, err := m.failure(size)
		a.streamed = m.streamStart
		return a, true, err
	}
	err := m.frames.skip()
	if m.streamStart {
		return answer{streamed: true, contentType: m.contentType}, true, err
	}
	if len(m.collected) > maxResponsePayload {
		return responseTooLarge(), true, err
	}
	return answer{payload: m.collected, contentType: m.contentType}, true, err
}

func (m *managed) failure(size int) (answer, error) {
	if size > maxResponsePayload {
		return responseTooLarge(), m.frames.skip()
	}
	body, err := m.frames.body()
	if err != nil {
		return answer{}, err
	}
	return answer{payload: bytes.Clone(body), errorType: errorTypeOf(body), failed: true}, nil
}

// output takes what the process logs.
func (m *managed) output(kind byte, size int) error {
	if kind == framePrint {
		return m.frames.copyTo(m.log.print)
	}
	if size > 4*maxLogEvent {
		// Nobody reads a line of megabytes: its start is enough.
		rest := maxLogEvent
		var head []byte
		err := m.frames.copyTo(func(b []byte) {
			n := min(rest, len(b))
			head = append(head, b[:n]...)
			rest -= n
		})
		if err == nil {
			m.log.event(head)
		}
		return err
	}
	body, err := m.frames.body()
	if err != nil {
		return err
	}
	m.drain()
	m.log.event(body)
	return nil
}

func (m *managed) interrupt() { _ = m.socket.SetReadDeadline(time.Unix(1, 0)) }

func (m *managed) close() { _ = m.socket.Close() }

func socketError(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errDeadline
	case errors.Is(err, errFrame):
		return err
	default:
		return errGone
	}
}
