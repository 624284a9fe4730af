package http1

import (
	"bytes"
	"io"
)

const (
	// maxChunkLine bounds a chunk's size line with its extensions, and a line
	// of the trailer.
	maxChunkLine = 4096
	// maxTrailerLines bounds the trailer; its fields are dropped.
	maxTrailerLines = 64
	// maxExcess bounds what of the chunks' size lines is more than chunks of a
	// byte need, so that a body can't cost many times its size.
	maxExcess = 16 << 10
)

// A Body reads the body behind a head. It ends with io.EOF; a body that is cut
// short ends with io.ErrUnexpectedEOF, one beyond Limit with ErrBodyTooLarge
// and after no more than Limit bytes.
type Body struct {
	// Limit is the most bytes the body may have; 0 means no limit.
	Limit int64

	reader  *Reader
	left    int64 // of the body, or of the chunk at hand; -1: until the end
	read    int64
	excess  int64 // of size lines, with their extensions
	chunked bool
	err     error // sticky
}

// Reset makes b read the body that f describes from r.
func (b *Body) Reset(r *Reader, f Framing, limit int64) {
	*b = Body{Limit: limit, reader: r, left: f.Length, chunked: f.Chunked}
	switch {
	case f.Chunked:
		b.left = 0
	case f.Length == 0:
		b.err = io.EOF
	}
}

// Done tells that the whole body was read: the connection stands at the next
// message.
func (b *Body) Done() bool { return b.err == io.EOF } //nolint:errorlint // this package sets io.EOF itself

// Err is the error that ended the body, nil before its end.
func (b *Body) Err() error { return b.err }

func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.Limit > 0 && !b.chunked && b.left > b.Limit-b.read {
		b.err = ErrBodyTooLarge // announced so
		return 0, b.err
	}
	n, err := b.readSome(p)
	b.read += int64(n)
	if over := b.read - b.Limit; b.Limit > 0 && over > 0 {
		n, err = n-int(over), ErrBodyTooLarge
	}
	if err == nil && b.left == 0 && !b.chunked {
		err = io.EOF
	}
	b.err = err
	return n, err
}

func (b *Body) readSome(p []byte) (int, error) {
	if b.chunked && b.left == 0 {
		if err := b.nextChunk(); err != nil {
			return 0, err
		}
	}
	if b.left < 0 {
		return b.reader.Read(p)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.reader.Read(p)
	b.left -= int64(n)
	if err != nil {
		if err == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	if b.chunked && b.left == 0 {
		return n, b.endOfChunk()
	}
	return n, nil
}

// endOfChunk takes the CRLF behind a chunk's data.
func (b *Body) endOfChunk() error {
	line, err := b.reader.line(maxChunkLine)
	if err != nil {
		return err
	}
	if len(line) != 0 {
		return syntaxf("a chunk is longer than its size")
	}
	return nil
}

// nextChunk reads a chunk's size line; behind the last chunk it also reads the
// trailer and returns io.EOF.
func (b *Body) nextChunk() error {
	line, err := b.reader.line(maxChunkLine)
	if err != nil {
		return err
	}
	size, err := parseChunkSize(line)
	if err != nil {
		return err
	}
	if b.excess = max(b.excess+int64(len(line))-16-2*size, 0); b.excess > maxExcess {
		return syntaxf("more chunk extensions than data")
	}
	if size > 0 {
		b.left = size
		if b.Limit > 0 && size > b.Limit-b.read {
			return ErrBodyTooLarge
		}
		return nil
	}
	for range maxTrailerLines {
		line, err := b.reader.line(maxChunkLine)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return io.EOF
		}
		if i := bytes.IndexByte(line, ':'); i < 0 || !ValidName(view(line[:i])) {
			return syntaxf("trailer line without a valid name")
		}
	}
	return syntaxf("more than %d trailer lines", maxTrailerLines)
}

func parseChunkSize(line []byte) (int64, error) {
	var size int64
	i := 0
	for ; i < len(line) && isHex(line[i]); i++ {
		if i == 15 {
			return 0, syntaxf("chunk size too large")
		}
		size = size<<4 | int64(hexValue(line[i]))
	}
	if i == 0 {
		return 0, syntaxf("a chunk without a size")
	}
	// Only an extension may follow, and nothing in it counts.
	if rest := trim(line[i:]); len(rest) > 0 && (rest[0] != ';' || !ValidValue(view(rest))) {
		return 0, syntaxf("bytes behind a chunk's size")
	}
	return size, nil
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
