package serve

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"gatehouse/internal/plan"
)

// A coding is a content coding of HTTP.
type coding uint8

const (
	identity coding = iota
	gzipCoding
	deflateCoding
)

func (c coding) String() string { return [...]string{"identity", "gzip", "deflate"}[c] }

const (
	acceptEncoding  = "Accept-Encoding"
	contentEncoding = "Content-Encoding"
	// compressionLevel is where more effort begins to save little.
	compressionLevel = 3
)

// compressors are the writers of content codings and the readers of the common
// one, for their memory.
type compressors struct {
	gzip, zlib sync.Pool // *gzip.Writer, *zlib.Writer
	readers    sync.Pool // *gzip.Reader
}

// A compressor is a writer of a content coding.
type compressor interface {
	io.WriteCloser
	Reset(w io.Writer)
}

func (c *compressors) get(of coding) (compressor, *sync.Pool, error) {
	if of == gzipCoding {
		if w, ok := c.gzip.Get().(compressor); ok {
			return w, &c.gzip, nil
		}
		w, err := gzip.NewWriterLevel(io.Discard, compressionLevel)
		return w, &c.gzip, err
	}
	if w, ok := c.zlib.Get().(compressor); ok {
		return w, &c.zlib, nil
	}
	w, err := zlib.NewWriterLevel(io.Discard, compressionLevel)
	return w, &c.zlib, err
}

// compress gives the response of a REST API's method the content coding that the
// client likes best, if the API has compression on, the body is long enough and
// the integration didn't choose a coding itself. A response that goes out while
// it comes has none.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-enable-compression.html
//
// UNVERIFIED: that what the gateway itself answers is never compressed, and that
// no Vary header is added.
func (s *Server) compress(x *plan.Exchange) error {
	r := &x.Response
	if x.Stage.Rest.MinCompression < 0 || r.BodyStream != nil && x.Route.Rest.Streams {
		return nil
	}
	header, sent := x.Request.Headers.Lookup(acceptEncoding)
	if !sent || r.Status < 200 || r.Status == 204 || r.Status == 304 {
		return nil
	}
	chosen := acceptedCoding(header)
	if _, has := r.Headers.Lookup(contentEncoding); has || chosen == identity {
		return nil
	}
	if r.BodyStream != nil {
		if r.StreamLength >= 0 && r.StreamLength < int64(x.Stage.Rest.MinCompression) {
			return nil
		}
		if err := x.ReadResponse(); err != nil {
			return &plan.Fault{Kind: plan.IntegrationUnreachable, Reason: "the response broke off: " + err.Error(), Cause: err}
		}
	}
	if len(r.Body) == 0 || len(r.Body) < x.Stage.Rest.MinCompression {
		return nil
	}
	w, pool, err := s.compressors.get(chosen)
	if err != nil {
		return err
	}
	start := len(x.Scratch)
	w.Reset((*scratch)(x))
	_, err = w.Write(r.Body)
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	w.Reset(io.Discard)
	pool.Put(w)
	r.Body = x.Scratch[start:len(x.Scratch):len(x.Scratch)]
	r.Add(contentEncoding, chosen.String())
	return nil
}

// scratch is an exchange's Scratch as a writer.
type scratch plan.Exchange

func (s *scratch) Write(p []byte) (int, error) {
	s.Scratch = append(s.Scratch, p...)
	return len(p), nil
}

// acceptedCoding is the coding with the highest weight among those that an
// Accept-Encoding header names, the first of several. "*" names none.
func acceptedCoding(header string) coding {
	best, most := identity, 0.0
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		var c coding
		switch name = strings.TrimSpace(name); {
		case plan.EqualFold(name, "gzip"):
			c = gzipCoding
		case plan.EqualFold(name, "deflate"):
			c = deflateCoding
		case plan.EqualFold(name, "identity"):
			c = identity
		default:
			continue
		}
		// Of equal weights a coding is worth more than none.
		if q := weight(parameters); q > most || q == most && q > 0 && best == identity {
			best, most = c, q
		}
	}
	return best
}

// weight is the q among the parameters of a header's item; 1 if there is none,
// 0 if it is no weight.
func weight(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(p, "=")
		if !plan.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(0 <= q && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
