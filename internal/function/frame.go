package function

import (
	"encoding/binary"
	"errors"
	"io"
)

// The bootstraps of managed runtimes and this package exchange frames over a socket pair: the body's length (4 bytes,
// big endian), the kind (1 byte), the body.
const (
	frameInvoke      = 'I' // to the process: an event, see appendInvoke
	frameReady       = 'R' // the handler is loaded
	frameInitError   = 'F' // the handler couldn't be loaded: an error document; the process exits
	frameResult      = 'O' // the answer
	frameError       = 'E' // the handler failed: an error document
	frameFatal       = 'X' // as frameError, and the process exits
	frameStreamStart = 'S' // a streamed answer begins: its content type
	frameStreamData  = 'D'
	frameStreamEnd   = 'Z' // nothing, or the error document of what broke the stream
	frameLog         = 'L' // one log event
	framePrint       = 'P' // raw output, split into events by lines
)

const frameHeaderLen = 5

// errFrame says that the process doesn't speak the protocol.
var errFrame = errors.New("function: the process sent a malformed frame")

// appendInvoke appends the frame of one event. Its body is the deadline (8 bytes, milliseconds since 1970), five
// strings each after its length (4 bytes), and the payload, which is left out when it is to be written on its own.
func appendInvoke(b []byte, deadlineMillis int64, inv *Invocation, withPayload bool) []byte {
	size := 8 + 5*4 + len(inv.RequestID) + len(inv.InvokedARN) + len(inv.TraceID) + len(inv.ClientContext) +
		len(inv.CognitoIdentity) + len(inv.Payload)
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	b = append(b, frameInvoke)
	b = binary.BigEndian.AppendUint64(b, uint64(deadlineMillis))
	for _, s := range [...]string{inv.RequestID, inv.InvokedARN, inv.TraceID} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	for _, s := range [...][]byte{inv.ClientContext, inv.CognitoIdentity} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	if withPayload {
		b = append(b, inv.Payload...)
	}
	return b
}

// frameReader reads frames. After a deadline it can be used again: what has arrived is kept.
type frameReader struct {
	source io.Reader
	buf    []byte
	start  int // of what is unread
	end    int

	// The header of the frame whose body is being read; left counts the bytes still to come.
	kind byte
	left int
	open bool
}

// next returns the kind and length of the next frame. Its body must then be taken by body, skip or copyTo.
func (f *frameReader) next() (kind byte, size int, err error) {
	if !f.open {
		if err := f.fill(frameHeaderLen); err != nil {
			return 0, 0, err
		}
		f.left = int(binary.BigEndian.Uint32(f.buf[f.start:]))
		f.kind = f.buf[f.start+4]
		f.start += frameHeaderLen
		f.open = true
	}
	return f.kind, f.left, nil
}

// body returns the frame's body, valid until the next call. Callers bound its size first.
func (f *frameReader) body() ([]byte, error) {
	if err := f.fill(f.left); err != nil {
		return nil, err
	}
	b := f.buf[f.start : f.start+f.left]
	f.start += f.left
	f.left, f.open = 0, false
	return b, nil
}

// copyTo hands the rest of the body to take, piece by piece.
func (f *frameReader) copyTo(take func([]byte)) error {
	for f.left > 0 {
		if f.start == f.end {
			if err := f.fill(1); err != nil {
				return err
			}
		}
		n := min(f.left, f.end-f.start)
		take(f.buf[f.start : f.start+n])
		f.start += n
		f.left -= n
	}
	f.open = false
	return nil
}

// skip drops the rest of the body.
func (f *frameReader) skip() error { return f.copyTo(func([]byte) {}) }

// Buffers start at smallFrame; one that grew past keepFrame for a big body is given back afterwards.
const (
	smallFrame = 8 << 10
	keepFrame  = 256 << 10
)

// fill reads until n bytes are there to take.
func (f *frameReader) fill(n int) error {
	if f.end-f.start >= n {
		return nil
	}
	if f.start == f.end {
		f.start, f.end = 0, 0
		if cap(f.buf) > keepFrame && n <= smallFrame {
			f.buf = nil
		}
	}
	if len(f.buf)-f.start < n {
		buf := f.buf
		if len(buf) < n {
			buf = make([]byte, max(n, smallFrame))
		}
		f.end = copy(buf, f.buf[f.start:f.end])
		f.start = 0
		f.buf = buf
	}
	for f.end-f.start < n {
		got, err := f.source.Read(f.buf[f.end:])
		f.end += got
		if err != nil && f.end-f.start < n {
			return err
		}
		if got == 0 && err == nil {
			return io.ErrNoProgress
		}
	}
	return nil
}
