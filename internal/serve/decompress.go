package serve

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"gatehouse/internal/plan"
)

// decompress takes the content coding off a request's body if the API has
// compression on, so that all steps see what the client meant. A coding that
// AWS doesn't know, or a body that isn't coded so, is an unsupported media type.
func (s *Server) decompress(x *plan.Exchange) error {
	q := &x.Request
	if x.Stage.Rest.MinCompression < 0 || q.BodyReader == nil {
		return nil
	}
	header := codings(q.Headers)
	var open func(*bufio.Reader) (io.ReadCloser, error)
	switch name := strings.TrimSpace(header); {
	case name == "", plan.EqualFold(name, "identity"):
		return nil
	case plan.EqualFold(name, "gzip"):
		r, _ := s.compressors.readers.Get().(*gzip.Reader)
		if r == nil {
			r = new(gzip.Reader)
		}
		defer s.compressors.readers.Put(r)
		open = func(source *bufio.Reader) (io.ReadCloser, error) { return r, r.Reset(source) }
	case plan.EqualFold(name, "deflate"):
		open = openDeflate
	default:
		return &plan.Fault{Kind: plan.UnsupportedMediaType, Reason: "the content coding " + header + " isn't supported"}
	}
	body, err := s.readCoded(x, open)
	switch {
	case errors.Is(err, errTooLong):
		return &plan.Fault{Kind: plan.RequestTooLarge, Reason: "the body is over the limit once it is decompressed"}
	case bodyFault(x) != nil:
		return bodyFault(x)
	case err != nil:
		return &plan.Fault{Kind: plan.UnsupportedMediaType, Reason: "the body isn't what its Content-Encoding says: " + err.Error(), Cause: err}
	}
	q.Body, q.ContentLength = body, int64(len(body))
	// UNVERIFIED: that integrations don't hear of the coding.
	q.Headers = slices.DeleteFunc(q.Headers, func(h plan.Header) bool { return plan.EqualFold(h.Name, contentEncoding) })
	return nil
}

// codings joins the lines of Content-Encoding: each names a coding of the same
// body.
func codings(headers plan.Headers) string {
	all := ""
	for _, h := range headers {
		switch {
		case !plan.EqualFold(h.Name, contentEncoding):
		case all == "":
			all = h.Value
		default:
			all += ", " + h.Value
		}
	}
	return all
}

var errTooLong = errors.New("the body is over the limit")

// readCoded reads the whole body through a decoder into Scratch. What follows
// the coded data is an error, too.
func (s *Server) readCoded(x *plan.Exchange, open func(*bufio.Reader) (io.ReadCloser, error)) ([]byte, error) {
	from := x.Request.BodyReader
	if x.Request.Body != nil {
		from = bytes.NewReader(x.Request.Body) // an authorizer has read it
	}
	source := bufio.NewReader(from)
	if _, err := source.Peek(1); err == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
		return []byte{}, nil // no body: nothing to decode
	}
	decoder, err := open(source)
	if err != nil {
		return nil, err
	}
	start := len(x.Scratch)
	x.Scratch = slices.Grow(x.Scratch, 4096)
	for {
		n, err := decoder.Read(x.Scratch[len(x.Scratch):cap(x.Scratch)])
		x.Scratch = x.Scratch[:len(x.Scratch)+n]
		if int64(len(x.Scratch)-start) > s.MaxBodyBytes {
			return nil, errTooLong
		}
		if err == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
			break
		}
		if err != nil {
			return nil, err
		}
		if err := x.GrowScratch(start); err != nil {
			return nil, err
		}
	}
	if err := decoder.Close(); err != nil {
		return nil, err
	}
	if _, err := source.ReadByte(); err != io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
		return nil, errors.New("there is more behind it")
	}
	return x.Scratch[start:len(x.Scratch):len(x.Scratch)], nil
}

// openDeflate opens what is called deflate: zlib's format, or as many send it,
// the bare data.
func openDeflate(source *bufio.Reader) (io.ReadCloser, error) {
	head, err := source.Peek(2)
	if err == nil && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(source)
	}
	return flate.NewReader(source), nil
}
