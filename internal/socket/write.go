package socket

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// writePiece is how much one write takes: each shows that the client still
// reads.
const writePiece = 16 << 10

// Send sends a message as Post does, but waits while the client has too much
// to read. It is for who can be kept waiting on this client's behalf: its own
// messages. The errors are ErrGone and ErrTooLarge.
func (c *Conn) Send(data []byte) error {
	if len(data) > c.r.MaxMessageBytes {
		return ErrTooLarge
	}
	data = validText(data)
	c.mu.Lock()
	for c.writable() && c.full(len(data)) {
		c.wait()
	}
	if !c.writable() {
		c.mu.Unlock()
		return ErrGone
	}
	c.queueText(data)
	mine := !c.writing
	c.writing = true
	c.mu.Unlock()
	c.touch()
	// What others add meanwhile isn't this message's to wait for.
	if mine && !c.write() {
		go c.flush()
	}
	return nil
}

// Post sends a message: nil, ErrGone or ErrFull. It doesn't wait.
func (c *Conn) Post(data []byte) error {
	data = validText(data)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.writable() {
		return ErrGone
	}
	if c.full(len(data)) {
		return ErrFull
	}
	c.queueText(data)
	c.touch()
	c.start()
	return nil
}

// pong answers a ping, unless the client doesn't read.
func (c *Conn) pong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writable() && !c.full(len(payload)) {
		c.queue(ws.OpPong, payload)
		c.start()
	}
}

// validText makes valid UTF-8 of data: text frames carry nothing else.
func validText(data []byte) []byte {
	if utf8.Valid(data) {
		return data
	}
	return bytes.ToValidUTF8(data, []byte("\uFFFD"))
}

// writable tells whether frames may still be sent. mu is held, here and below.
func (c *Conn) writable() bool { return c.state == open && !c.broken }

// full tells whether there is no room for so many bytes more.
func (c *Conn) full(more int) bool {
	return c.pending > 0 && c.pending+more > c.r.MaxPendingBytes
}

// start has a goroutine write what is queued.
func (c *Conn) start() {
	if !c.writing {
		c.writing = true
		go c.flush()
	}
}

// queueText queues the frames of a message.
func (c *Conn) queueText(data []byte) {
	op := ws.OpText
	for len(data) > c.r.MaxFrameBytes {
		c.queueFrame(op, false, data[:c.r.MaxFrameBytes])
		op, data = ws.OpContinuation, data[c.r.MaxFrameBytes:]
	}
	c.queueFrame(op, true, data)
}

func (c *Conn) queue(op ws.OpCode, payload []byte) { c.queueFrame(op, true, payload) }

func (c *Conn) queueFrame(op ws.OpCode, fin bool, payload []byte) {
	if c.out == nil {
		c.out = c.r.buffer()
		*c.out = (*c.out)[:0]
	}
	before := len(*c.out)
	*c.out = append(appendHeader(*c.out, op, fin, len(payload)), payload...)
	c.pending += len(*c.out) - before
}

// appendHeader appends the header of an unmasked frame.
func appendHeader(dst []byte, op ws.OpCode, fin bool, length int) []byte {
	first := byte(op)
	if fin {
		first |= 0x80
	}
	switch {
	case length < 126:
		return append(dst, first, byte(length))
	case length <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, first, 126), uint16(length))
	}
	return binary.BigEndian.AppendUint64(append(dst, first, 127), uint64(length))
}

// flush writes until nothing is queued. Like write, it is called with writing
// set and without mu.
func (c *Conn) flush() {
	for !c.write() {
	}
}

// write writes what is queued and tells whether that was all: writing is over
// then.
func (c *Conn) write() (all bool) {
	c.mu.Lock()
	frames := c.out
	c.out = nil
	c.mu.Unlock()
	var err error
	if frames != nil {
		err = c.writePieces(*frames)
		c.r.release(frames)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.broken = true
		c.pending = 0
		if c.out != nil {
			c.r.release(c.out)
			c.out = nil
		}
		c.sever()
	}
	if c.out != nil {
		return false
	}
	c.writing = false
	c.change()
	return true
}

func (c *Conn) writePieces(frames []byte) error {
	for len(frames) > 0 {
		c.writingSince.Store(c.now())
		n, err := c.nc.Write(frames[:min(len(frames), writePiece)])
		frames = frames[n:]
		c.mu.Lock()
		c.pending -= n
		c.change()
		c.mu.Unlock()
		if err != nil {
			return err
		}
	}
	c.writingSince.Store(0)
	return nil
}
