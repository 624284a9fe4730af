package serve

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

// serveStream serves a request that is one of a connection's streams.
func (s *Server) serveStream(c *conn, rw http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(rw)
	w := &streamWriter{rw, control, s.StallTimeout}
	x := s.exchanges.Get().(*plan.Exchange)
	defer s.releaseExchange(x)
	x.Start = s.Clock()
	if len(c.altSvc) > 0 {
		rw.Header()["Alt-Svc"] = c.altSvc
	}
	size, err := convertStream(c, r, &x.Request)
	if err != nil {
		var fault *plan.Fault
		if !errors.As(err, &fault) {
			fault = &plan.Fault{Kind: plan.BadRequest, Reason: err.Error(), Cause: err}
		}
		s.run(x, fault)
		s.respondStream(c, w, x)
		return
	}
	c.forwarded(&x.Request)
	where, fault := s.place(x, c.management, size)
	body := &limitedBody{r: r.Body, control: control, stall: s.StallTimeout, left: s.MaxBodyBytes}
	if c.http3 != nil && fault == nil {
		c.http3.readyStream(rw, r, body)
		x.Request.ContentLength = r.ContentLength
	}
	if where != toAPI {
		body.left = min(body.left, MaxBodyBytes) // what is no API has no limits of its own
	}
	switch where {
	case toConnections:
		r.Body = io.NopCloser(body)
		s.connections(x, c.management).ServeHTTP(w, r)
		return
	case toUserPools:
		r.Body = io.NopCloser(body)
		s.UserPools.ServeHTTP(w, r)
		return
	case toChallenges:
		r.Body = io.NopCloser(body)
		s.Challenges.ServeHTTP(w, r)
		return
	case toManagement, toPages:
		h := s.Management
		if where == toPages {
			h = s.Pages
		}
		body.left = s.MaxManagementBodyBytes
		r.Body = io.NopCloser(body)
		h.ServeHTTP(w, r)
		return
	}
	if r.ContentLength != 0 {
		x.Request.BodyReader = body
	}
	s.run(x, fault)
	s.respondStream(c, w, x)
	s.finish(x)
}

// convertStream makes q of a request and returns the size its head would have in
// HTTP/1.1. Header lines come sorted: net/http doesn't keep their order.
func convertStream(c *conn, r *http.Request, q *plan.Request) (size int, err error) {
	q.Method, q.Host, q.Proto = r.Method, r.Host, "HTTP/2.0"
	q.Secure, q.Source, q.LocalPort, q.Entrance = true, c.source, c.localPort, c.entrance
	if c.http3 != nil {
		// The client may have moved to another address, of which it proved to have it.
		q.Proto, q.Source = http3Proto, addrPort(c.http3.quic.RemoteAddr())
		if r.Method == http.MethodConnect {
			// As RFC 9220, section 3, has it for WebSockets.
			return 0, &plan.Fault{Kind: plan.NotImplemented, Reason: "a tunnel"}
		}
	}
	q.ContentLength, q.Done, q.TLS = r.ContentLength, r.Context().Done(), c.handshake
	if r.Host == "" || !http1.ValidHost(r.Host) {
		return 0, &http1.SyntaxError{Reason: "no valid :authority"}
	}
	// net/http takes any text for a method, spaces and all.
	if err := http1.CheckMethod(q.Method); err != nil {
		return 0, err
	}
	// RFC 9113, section 8.3.1, has no absolute form here.
	if !strings.HasPrefix(r.RequestURI, "/") {
		return 0, &http1.SyntaxError{Reason: ":path doesn't begin with a slash"}
	}
	if err := http1.ParseTarget(r.RequestURI, q); err != nil {
		return 0, err
	}
	size = len(r.Method) + len(r.RequestURI) + len("  HTTP/1.1\r\nhost: \r\n\r\n") + len(r.Host)
	q.Headers = append(q.Headers[:0], plan.Header{Name: "host", Value: r.Host})
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range r.Header[name] {
			if name == "Host" {
				if !plan.EqualFold(value, r.Host) {
					return 0, &http1.SyntaxError{Reason: "host disagrees with :authority"}
				}
				continue
			}
			if !http1.ValidValue(value) {
				return 0, &http1.SyntaxError{Reason: "control character in a header value"}
			}
			q.Headers = append(q.Headers, plan.Header{Name: strings.ToLower(name), Value: value})
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	return size, nil
}

// respondStream writes the exchange's response to a stream.
func (s *Server) respondStream(c *conn, w *streamWriter, x *plan.Exchange) {
	r := &x.Response
	if r.BodyStream != nil {
		defer s.closeStream(r.BodyStream)
	}
	o := outcomeOf(x)
	o.altSvc = len(c.altSvc) > 0
	header := w.Header()
	for i := range r.Headers {
		if h := &r.Headers[i]; o.passes(*h) {
			header.Add(strings.Clone(h.Name), strings.Clone(h.Value))
		}
	}
	if header.Get("Date") == "" {
		header.Set("Date", s.dates.text(s.Clock()))
	}
	if header.Get("Content-Type") == "" {
		header["Content-Type"] = nil // or net/http would guess one
	}
	if o.announce {
		header.Set("Content-Length", strconv.FormatInt(o.length, 10))
	}
	if onManagementOrigin(x) && fromBrowser(x.Request.Headers) {
		header.Add("Content-Security-Policy", sandbox)
	}
	if isREST(x) {
		header.Set("X-Amzn-Requestid", strings.Clone(x.RequestID))
		header.Set("X-Amz-Apigw-Id", strings.Clone(x.ExtendedRequestID))
	} else {
		header.Set("Apigw-Requestid", strings.Clone(x.RequestID))
	}
	w.WriteHeader(r.Status)
	if !o.body {
		if c.http3 != nil && !o.announce && !o.ownLength {
			// Or quic-go would announce that there is nothing.
			if err := w.flush(); err != nil {
				s.log.Debug("cannot write a response", "request", x.RequestID, "error", err)
			}
		}
		return
	}
	if r.BodyStream != nil {
		s.copyStream(w, x)
		return
	}
	if _, err := w.Write(r.Body); err != nil {
		s.log.Debug("cannot write a response", "request", x.RequestID, "error", err)
	}
}

// streamPiece is how much of a body the client has to take before it stalls.
const streamPiece = 32 << 10

// A streamWriter writes a response for as long as the client takes it: the
// connection may be alive while a stream isn't read.
type streamWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
}

func (w *streamWriter) Write(p []byte) (written int, err error) {
	for len(p) > 0 && err == nil {
		if err = w.control.SetWriteDeadline(time.Now().Add(w.stall)); err != nil {
			break
		}
		var n int
		n, err = w.ResponseWriter.Write(p[:min(len(p), streamPiece)])
		p, written = p[n:], written+n
	}
	return written, err
}

// flush sends what was written so far, for as long as the client takes it.
func (w *streamWriter) flush() error {
	if err := w.control.SetWriteDeadline(time.Now().Add(w.stall)); err != nil {
		return err
	}
	return w.control.Flush()
}

// FlushError sends what was written so far. What follows may take its time.
func (w *streamWriter) FlushError() error {
	if err := w.control.Flush(); err != nil {
		return err
	}
	return w.control.SetWriteDeadline(time.Time{})
}

// Unwrap is for an http.ResponseController.
func (w *streamWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// copyStream copies a response that is still being made, and resets the stream
// when it breaks off.
func (s *Server) copyStream(w *streamWriter, x *plan.Exchange) {
	buf := make([]byte, streamPiece)
	r := &x.Response
	length := r.StreamLength
	r.StreamLength = 0
	for {
		n, end, err := nextPiece(r, buf, length)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			r.StreamLength += int64(n)
			if err := w.FlushError(); err != nil {
				return
			}
		}
		if end {
			return
		}
		if err != nil {
			s.brokeOff(x, err)
			s.finish(x)
			panic(http.ErrAbortHandler)
		}
	}
}

// limitedBody is a request's body with the API's limit, which may make no
// progress for as long as stall.
type limitedBody struct {
	r       io.Reader
	control *http.ResponseController
	stall   time.Duration
	pace    pace
	left    int64
	ahead   []byte // read, and not yet asked for
	err     error
}

// begin waits for the body and tells whether there is one.
func (b *limitedBody) begin() bool {
	buf := make([]byte, 512)
	n, err := 0, error(nil)
	for n == 0 && err == nil {
		n, err = b.Read(buf)
	}
	b.ahead = buf[:n]
	return n > 0 || err != io.EOF //nolint:errorlint // a reader's io.EOF is never wrapped
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if len(b.ahead) > 0 {
		n := copy(p, b.ahead)
		b.ahead = b.ahead[n:]
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	start := time.Now()
	if b.err = b.control.SetReadDeadline(start.Add(b.pace.left(b.stall))); b.err != nil {
		return 0, b.err
	}
	// One byte past the limit tells a body that is too long from one that fits.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.pace.note(n, time.Since(start))
	if int64(n) > b.left {
		n, err = int(b.left), http1.ErrBodyTooLarge
	}
	b.left -= int64(n)
	b.err = err
	return n, err
}

// Err is the error that ended the body; io.EOF when it was read whole.
func (b *limitedBody) Err() error { return b.err }
