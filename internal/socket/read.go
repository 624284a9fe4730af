package socket

import (
	"errors"
	"fmt"
	"io"
	"net"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// readBuffer is the size of the buffers that are lent to connections while
// there is something to read.
const readBuffer = 4096

// maxKept is the longest buffer that is kept for another use.
const maxKept = 64 << 10

// An input is what a connection is reading. It belongs to the connection's
// goroutine.
type input struct {
	header [ws.MaxHeaderSize - 2]byte
	first  [1]byte
	waiter

	// rest, in the memory of in, was read but not consumed; in is nil while the
	// connection is idle.
	in   *[]byte
	rest []byte

	message    *[]byte // what has come of a message; nil for none
	checked    int     // how much of it is known to be text
	fragmented bool    // its last frame is still to come
}

// A failure is why the server ends a connection over what a client sent.
type failure struct {
	code int
	why  string
}

func (f *failure) Error() string { return f.why }

func failed(code int, format string, args ...any) error {
	return &failure{code, fmt.Sprintf(format, args...)}
}

// errClosed tells that the client has sent its close frame.
var errClosed = errors.New("the client closed the connection")

// errCrowded ends a connection whose message there is no room for.
var errCrowded = &failure{tryAgainLater, "no room for a long message"}

// begin readies reading, where buffered was read before.
func (c *Conn) begin(buffered []byte) {
	if tcp, ok := c.nc.(*net.TCPConn); ok {
		c.prepareWait(tcp)
	}
	if len(buffered) > 0 {
		c.in = c.r.buffer()
		*c.in = append((*c.in)[:0], buffered...)
		c.rest = *c.in
	}
}

// read reads frames until the connection is to end.
func (c *Conn) read() {
	for {
		err := c.frame()
		if err == nil {
			continue
		}
		var f *failure
		if errors.As(err, &f) {
			c.r.log.Debug("ending a connection", "connection", c.id, "code", f.code, "reason", f.why)
			// What AWS says beside the code isn't known.
			if c.Close(f.code, "") == nil {
				c.linger()
			}
		}
		return
	}
}

// frame reads one frame.
func (c *Conn) frame() error {
	c.relax()
	h, err := ws.ReadHeaderBuffer((*inbound)(c), c.header[:])
	switch {
	case errors.Is(err, ws.ErrHeaderLengthMSB), errors.Is(err, ws.ErrHeaderLengthUnexpected):
		return failed(protocolError, "%v", err)
	case err != nil:
		return err
	}
	state := ws.StateServerSide
	if c.fragmented {
		state |= ws.StateFragmented
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return failed(protocolError, "%v", err)
	}
	if h.OpCode.IsControl() {
		return c.control(h)
	}
	return c.data(h)
}

// data reads a frame of a message, and runs the message after its last one.
func (c *Conn) data(h ws.Header) error {
	switch {
	case h.OpCode == ws.OpBinary:
		return failed(unsupportedData, "a binary frame")
	case h.Length > int64(c.r.MaxFrameBytes):
		return failed(tooBig, "a frame of %d bytes", h.Length)
	}
	if c.message == nil {
		c.beginMessage()
	}
	if len(*c.message)+int(h.Length) > c.r.MaxMessageBytes {
		return failed(tooBig, "a message of more than %d bytes", c.r.MaxMessageBytes)
	}
	c.fragmented = !h.Fin
	var err error
	if *c.message, err = c.payload(h, *c.message); err != nil {
		return err
	}
	var valid bool
	if c.checked, valid = checkText(*c.message, c.checked, h.Fin); !valid {
		return failed(invalidText, "a message that isn't UTF-8")
	}
	if h.Fin {
		message := c.message
		c.message = nil
		c.dispatch(message)
	}
	return nil
}

// beginMessage lends a message its first room.
func (c *Conn) beginMessage() {
	b := c.r.buffer()
	if !c.hold(readBuffer, cap(*b)) { // it was that of a long one
		c.r.release(b)
		b = newBuffer()
	}
	*b = (*b)[:0]
	c.message, c.checked = b, 0
}

// hold has the handler make room for a message that grows from a size to another.
func (c *Conn) hold(from, to int) bool {
	return to <= from || c.handler.Hold(max(0, from-readBuffer), to-max(from, readBuffer))
}

// endMessage gives back all that a message had.
func (c *Conn) endMessage(message *[]byte) {
	if n := cap(*message) - readBuffer; n > 0 {
		c.handler.Free(n)
	}
	c.r.release(message)
}

// payload appends a frame's payload to dst, whose room grows as it comes.
func (c *Conn) payload(h ws.Header, dst []byte) ([]byte, error) {
	left, offset := int(h.Length), 0
	for left > 0 {
		if len(dst) == cap(dst) {
			// A control frame has room from the beginning.
			next := append(dst, 0)[:len(dst)]
			if !c.hold(cap(dst), cap(next)) {
				return dst, errCrowded
			}
			dst = next
		}
		part := dst[len(dst):min(cap(dst), len(dst)+left)]
		n, err := (*inbound)(c).Read(part)
		ws.Cipher(part[:n], h.Mask, offset)
		dst, left, offset = dst[:len(dst)+n], left-n, offset+n
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// checkText checks that text is UTF-8, which may break off if it isn't whole.
// The first so many bytes were checked before.
func checkText(text []byte, before int, whole bool) (checked int, valid bool) {
	end := len(text)
	if !whole {
		for back := 1; back < utf8.UTFMax && end-back >= before; back++ {
			if start := end - back; utf8.RuneStart(text[start]) {
				if !utf8.FullRune(text[start:]) {
					end = start
				}
				break
			}
		}
	}
	return end, utf8.Valid(text[before:end])
}

// control reads a control frame and does what it asks for.
func (c *Conn) control(h ws.Header) error {
	buf := c.r.buffer()
	defer c.r.release(buf)
	payload, err := c.payload(h, (*buf)[:0])
	if err != nil {
		return err
	}
	switch h.OpCode {
	case ws.OpPing:
		// UNVERIFIED: that a client's pings keep its connection from being idle.
		c.touch()
		c.pong(payload)
	case ws.OpClose:
		return c.closed(payload)
	}
	return nil
}

// closed answers the client's close frame.
func (c *Conn) closed(payload []byte) error {
	code, reason := noStatus, ""
	if len(payload) == 1 {
		return failed(protocolError, "a close frame with half a code")
	}
	if len(payload) > 1 {
		code, reason = int(payload[0])<<8|int(payload[1]), string(payload[2:])
		if !closeCode(code) {
			return failed(protocolError, "a close frame with code %d", code)
		}
		if !utf8.ValidString(reason) {
			return failed(invalidText, "a close frame whose reason isn't UTF-8")
		}
		payload = payload[:2]
	}
	// The close that began here, if one did, has its own reason.
	_ = c.close(code, reason, payload)
	c.awaitWritten()
	return errClosed
}

// closeCode tells whether a code may stand in a close frame: the registered
// ones and those of applications.
func closeCode(code int) bool {
	switch ws.StatusCode(code) {
	case ws.StatusNoMeaningYet, ws.StatusNoStatusRcvd, ws.StatusAbnormalClosure, ws.StatusTLSHandshake:
		return false
	}
	return code >= 1000 && code <= 1014 || code >= 3000 && code <= 4999
}

// dispatch runs a message once fewer than the most of them run.
func (c *Conn) dispatch(message *[]byte) {
	c.relax()
	c.reading.Store(0) // the client can't help waiting
	c.touch()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.state == open && c.running >= c.r.MaxRunning {
		c.wait()
	}
	if c.state != open {
		c.endMessage(message)
		return
	}
	c.running++
	go c.handle(message)
}

func (c *Conn) handle(message *[]byte) {
	defer func() {
		c.endMessage(message)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running--
		c.change()
	}()
	c.handler.Message(c, *message)
}

// awaitWritten waits until what is queued is out, or can't be written.
func (c *Conn) awaitWritten() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.writing {
		c.wait()
	}
}

// linger ends a connection whose client may still be sending: closed at once,
// the kernel would reset it and take the close frame along. The deadline of the
// close bounds it.
func (c *Conn) linger() {
	c.awaitWritten()
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	buf := c.r.buffer()
	defer c.r.release(buf)
	for {
		if _, err := c.nc.Read((*buf)[:cap(*buf)]); err != nil {
			return
		}
	}
}

// relax gives back what an idle connection doesn't need.
func (c *Conn) relax() {
	if len(c.rest) > 0 {
		c.reading.Store(c.now())
		return
	}
	c.reading.Store(0)
	if c.in != nil {
		c.r.release(c.in)
		c.in, c.rest = nil, nil
	}
}

// releaseInput gives back all that was being read.
func (c *Conn) releaseInput() {
	if c.in != nil {
		c.r.release(c.in)
	}
	if c.message != nil {
		c.endMessage(c.message)
	}
	c.in, c.rest, c.message = nil, nil, nil
}

// inbound is a connection seen as the bytes that come.
type inbound Conn

// Read reads what is buffered, or else from the connection.
func (in *inbound) Read(p []byte) (int, error) {
	c := (*Conn)(in)
	if c.in == nil {
		if err := c.waitRead(); err != nil {
			return 0, err
		}
		c.reading.Store(c.now())
	}
	if len(c.rest) == 0 {
		if len(p) >= readBuffer {
			return c.nc.Read(p)
		}
		buf := (*c.in)[:cap(*c.in)]
		n, err := c.nc.Read(buf)
		if n == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return 0, err
		}
		c.rest = buf[:n]
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// readByte waits for a first byte with no more memory than that.
func (c *Conn) readByte() error {
	if _, err := io.ReadFull(c.nc, c.first[:]); err != nil {
		return err
	}
	c.in = c.r.buffer()
	*c.in = append((*c.in)[:0], c.first[0])
	c.rest = *c.in
	return nil
}

// buffer lends a buffer of some length.
func (r *Registry) buffer() *[]byte { return r.buffers.Get().(*[]byte) }

func newBuffer() *[]byte { return new(make([]byte, 0, readBuffer)) }

// release takes a buffer back that nobody uses any more.
func (r *Registry) release(b *[]byte) {
	if cap(*b) <= maxKept {
		r.buffers.Put(b)
	}
}
