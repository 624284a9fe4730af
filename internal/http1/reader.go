package http1

import (
	"bytes"
	"io"
)

// minRead is the least room a read into the buffer is given.
const minRead = 512

// A Reader reads messages from a connection through one buffer. The head of
// the message at hand stays where it is until Next, so that views of it are
// good that long. The zero Reader is ready after Reset.
type Reader struct {
	src io.Reader
	buf []byte
	// buf[:keep] is the head at hand, buf[r:w] what was read but not consumed.
	keep, r, w int
	err        error
}

// Reset makes r read from src into buf, which must not be empty.
func (r *Reader) Reset(src io.Reader, buf []byte) {
	*r = Reader{src: src, buf: buf}
}

// Buffer returns the buffer, which may have been replaced by a longer one.
func (r *Reader) Buffer() []byte { return r.buf }

// SetBuffer replaces the buffer of a reader that has nothing buffered.
func (r *Reader) SetBuffer(buf []byte) {
	r.buf = buf
	r.keep, r.r, r.w = 0, 0, 0
}

// Buffered tells how many bytes were read but not consumed.
func (r *Reader) Buffered() int { return r.w - r.r }

// Peek returns what is buffered, after reading once if that is nothing.
func (r *Reader) Peek() ([]byte, error) {
	if r.r == r.w {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	return r.buf[r.r:r.w], nil
}

// Next ends the message at hand: its head may be overwritten.
func (r *Reader) Next() {
	r.keep = 0
	if r.r == r.w {
		r.r, r.w = 0, 0
	}
}

// Head reads one message head, through its empty line. It returns io.EOF when
// the connection ended before a first byte, ErrHeadTooLarge past max bytes,
// and a *SyntaxError for lines that end in a bare LF.
func (r *Reader) Head(max int) ([]byte, error) {
	// Empty lines before a message are skipped, as RFC 9112 section 2.2 asks.
	skipped := 0
	for {
		if r.r == r.w {
			if err := r.fill(); err != nil {
				return nil, err
			}
		}
		if c := r.buf[r.r]; c != '\r' && c != '\n' {
			break
		}
		r.r++
		if skipped++; skipped > 8 {
			return nil, syntaxf("empty lines before the message")
		}
	}
	searched := 0
	for {
		have := r.buf[r.r:r.w]
		if i := bytes.Index(have[searched:], []byte("\r\n\r\n")); i >= 0 {
			n := searched + i + 4
			if n > max {
				return nil, ErrHeadTooLarge
			}
			r.r += n
			r.keep = r.r
			return have[:n], nil
		}
		if len(have) > max {
			return nil, ErrHeadTooLarge
		}
		if i := bytes.IndexByte(have[searched:], '\n'); i >= 0 && (searched+i == 0 || have[searched+i-1] != '\r') {
			return nil, syntaxf("a line ends in a bare LF")
		}
		searched = len(have) - min(len(have), 3)
		if err := r.fill(); err != nil {
			if err == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// fill reads more behind what is buffered, making room first.
func (r *Reader) fill() error {
	if r.err != nil {
		return r.err
	}
	if r.r == r.w {
		r.r, r.w = r.keep, r.keep
	}
	if len(r.buf)-r.w < minRead {
		r.makeRoom()
	}
	n, err := r.src.Read(r.buf[r.w:])
	r.w += n
	if err != nil {
		r.err = err
	}
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// makeRoom moves what is buffered to the front, or into a new buffer when a
// head in use or sheer size stands in the way. Views keep the old one alive.
func (r *Reader) makeRoom() {
	n := r.w - r.r
	if r.keep == 0 && r.r > 0 && len(r.buf)-n >= minRead {
		copy(r.buf, r.buf[r.r:r.w])
		r.r, r.w = 0, n
		return
	}
	size := len(r.buf)
	for size-n < minRead {
		size *= 2
	}
	if n >= len(r.buf)/2 {
		size = max(size, 2*len(r.buf))
	}
	buf := make([]byte, size)
	copy(buf, r.buf[r.r:r.w])
	r.buf, r.keep, r.r, r.w = buf, 0, 0, n
}

// Read reads what is buffered, then from the connection.
func (r *Reader) Read(p []byte) (int, error) {
	if r.r < r.w {
		n := copy(p, r.buf[r.r:r.w])
		r.r += n
		return n, nil
	}
	if r.err != nil {
		return 0, r.err
	}
	if len(p) >= minRead {
		return r.src.Read(p)
	}
	if err := r.fill(); err != nil {
		return 0, err
	}
	n := copy(p, r.buf[r.r:r.w])
	r.r += n
	return n, nil
}

// line reads up to CRLF and returns what is before it, at most max bytes. The
// result is good until the next read.
func (r *Reader) line(max int) ([]byte, error) {
	for {
		have := r.buf[r.r:r.w]
		if i := bytes.IndexByte(have, '\n'); i >= 0 {
			if i == 0 || have[i-1] != '\r' {
				return nil, syntaxf("a line ends in a bare LF")
			}
			if i-1 > max {
				return nil, syntaxf("a line is too long")
			}
			r.r += i + 1
			return have[:i-1], nil
		}
		if len(have) > max+1 {
			return nil, syntaxf("a line is too long")
		}
		if err := r.fill(); err != nil {
			if err == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}
