package serve

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

// manage hands a request to an http.Handler, as net/http would.
func (c *conn) manage(x *plan.Exchange, h http.Handler) bool {
	ctx, cancel := context.WithCancel(c.s.base)
	defer cancel()
	c.cancel.Store(&cancel)
	defer c.cancel.Store(nil)

	r, err := httpRequest(ctx, &x.Request)
	if err != nil {
		return c.refuse(x, &http1.SyntaxError{Reason: err.Error()})
	}
	r.TLS, r.RemoteAddr, r.Close = c.state, c.source.String(), c.framing.Close
	w := &managementWriter{c: c, method: r.Method, http10: x.Request.Proto == "HTTP/1.0", header: http.Header{}}
	w.out = bufio.NewWriterSize(c.rw, readBuffer)
	if !w.serve(h, r) {
		return false
	}
	return w.end() == nil && c.settle()
}

// httpRequest makes a net/http request of ours. It copies: handlers may keep
// strings.
func httpRequest(ctx context.Context, q *plan.Request) (*http.Request, error) {
	target := q.Path
	if q.Query != "" {
		target += "?" + q.Query
	}
	target = strings.Clone(target)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, err
	}
	header := make(http.Header, len(q.Headers))
	for _, h := range q.Headers {
		if plan.EqualFold(h.Name, "host") {
			continue
		}
		header.Add(strings.Clone(h.Name), strings.Clone(h.Value))
	}
	r := &http.Request{
		Method: strings.Clone(q.Method), URL: u, RequestURI: target,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Host: strings.Clone(q.Host),
		Body: http.NoBody, ContentLength: q.ContentLength,
	}
	if q.Proto == "HTTP/1.0" {
		r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	}
	if q.BodyReader != nil {
		r.Body = io.NopCloser(q.BodyReader)
	}
	if q.ContentLength < 0 {
		r.TransferEncoding = []string{"chunked"}
	}
	return r.WithContext(ctx), nil
}

// A managementWriter is the http.ResponseWriter of a management call. A short
// response is announced with its length, a longer or flushed one is chunked.
type managementWriter struct {
	c       *conn
	method  string
	http10  bool
	header  http.Header
	out     *bufio.Writer
	status  int
	pending []byte // of the body, before the head is sent
	sent    bool   // the head is
	chunked bool
	length  int64 // announced by the handler, or -1
	written int64
	err     error
}

// serve runs the handler and tells whether it came to its end.
func (w *managementWriter) serve(h http.Handler, r *http.Request) (ok bool) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		// A handler panics with ErrAbortHandler to cut the connection.
		if err, isErr := p.(error); !isErr || !errors.Is(err, http.ErrAbortHandler) {
			w.c.s.log.Error("a management call panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
		}
		ok = false
	}()
	h.ServeHTTP(w, r)
	return true
}

// Header returns the headers to be sent.
func (w *managementWriter) Header() http.Header { return w.header }

// WriteHeader sets the status.
func (w *managementWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *managementWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if !w.sent && len(w.pending)+len(p) <= readBuffer {
		w.pending = append(w.pending, p...)
		return len(p), nil
	}
	if !w.sent {
		w.sendHead(-1)
	}
	w.writeBody(p)
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// FlushError sends what was written so far.
func (w *managementWriter) FlushError() error {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if !w.sent {
		w.sendHead(-1)
	}
	w.flush()
	return w.err
}

// Flush is FlushError for an http.Flusher.
func (w *managementWriter) Flush() {
	_ = w.FlushError() // kept in w.err, which the next Write returns
}

func (w *managementWriter) flush() {
	if w.err != nil {
		return
	}
	w.c.enter(phaseWrite, w.c.s.Clock())
	w.err = w.out.Flush()
	w.c.enter(phaseRunning, w.c.s.Clock())
}

func (w *managementWriter) bodyless() bool {
	return w.method == http.MethodHead || w.status == http.StatusNoContent || w.status == http.StatusNotModified
}

// sendHead writes the head and what of the body waited for it. length is the
// whole body's, or -1.
func (w *managementWriter) sendHead(length int64) {
	w.sent, w.length = true, length
	if announced := w.header.Get("Content-Length"); announced != "" {
		if n, err := strconv.ParseInt(announced, 10, 64); err == nil && n >= 0 {
			w.length = n
		}
	}
	w.header.Del("Content-Length")
	w.header.Del("Transfer-Encoding")
	if w.header.Get("Connection") == "close" {
		w.c.closing = true
	}
	w.header.Del("Connection")
	if w.header.Get("Date") == "" {
		w.header.Set("Date", w.c.s.dates.text(w.c.s.Clock()))
	}

	if len(w.c.altSvc) > 0 {
		w.header["Alt-Svc"] = w.c.altSvc
	}
	head := http1.AppendStatus(nil, w.status, http.StatusText(w.status))
	for name, values := range w.header {
		for _, value := range values {
			if http1.ValidName(name) && http1.ValidValue(value) {
				head = http1.AppendHeader(head, name, value)
			}
		}
	}
	switch {
	case w.status == http.StatusNoContent:
	case w.length >= 0:
		head = http1.AppendHeader(head, "Content-Length", strconv.FormatInt(w.length, 10))
	case w.bodyless():
	case w.http10:
		w.c.closing = true
	default:
		w.chunked = true
		head = http1.AppendHeader(head, "Transfer-Encoding", "chunked")
	}
	if w.c.closing {
		head = http1.AppendHeader(head, "Connection", "close")
	} else if w.http10 {
		head = http1.AppendHeader(head, "Connection", "keep-alive")
	}
	w.write(append(head, "\r\n"...))
	pending := w.pending
	w.pending = nil
	w.writeBody(pending)
}

func (w *managementWriter) writeBody(p []byte) {
	if len(p) == 0 || w.bodyless() {
		return
	}
	w.written += int64(len(p))
	if w.length >= 0 && w.written > w.length {
		w.err = http.ErrContentLength
		return
	}
	if w.chunked {
		w.write(http1.AppendChunkSize(nil, len(p)))
	}
	w.write(p)
	if w.chunked {
		w.write([]byte("\r\n"))
	}
}

func (w *managementWriter) write(p []byte) {
	for len(p) > 0 && w.err == nil {
		piece := p[:min(len(p), writePiece)]
		w.c.enter(phaseWrite, w.c.s.Clock())
		_, w.err = w.out.Write(piece)
		p = p[len(piece):]
	}
	w.c.enter(phaseRunning, w.c.s.Clock())
}

// end sends what is left once the handler returned.
func (w *managementWriter) end() error {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if !w.sent {
		w.sendHead(int64(len(w.pending)))
	}
	if w.chunked {
		w.write([]byte("0\r\n\r\n"))
	}
	w.flush()
	if w.err == nil && !w.bodyless() && w.length >= 0 && w.written != w.length {
		return http.ErrContentLength
	}
	return w.err
}
