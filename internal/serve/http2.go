package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

// An http2Front serves the connections that chose HTTP/2, with net/http.
type http2Front struct {
	s      *Server
	server *http.Server
	handed chan net.Conn
	quit   context.Context
	stop   context.CancelFunc
}

// connKey is the context key of a request's connection. net/http has no other
// way to tell a handler.
type connKey struct{}

func newHTTP2Front(s *Server) *http2Front {
	f := &http2Front{s: s, handed: make(chan net.Conn)}
	f.quit, f.stop = context.WithCancel(context.Background())
	var protocols http.Protocols
	protocols.SetHTTP2(true)
	f.server = &http.Server{
		Handler: f,
		// "OPTIONS *" is answered as in HTTP/1.1.
		DisableGeneralOptionsHandler: true,
		Protocols:                    &protocols,
		ReadHeaderTimeout:            s.HeadTimeout,
		IdleTimeout:                  s.IdleTimeout,
		MaxHeaderBytes:               maxManagementHead,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext:                  func(net.Listener) context.Context { return s.base },
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			// Accept returns nothing else.
			return context.WithValue(ctx, connKey{}, nc.(*tls.Conn).NetConn().(*handedConn).c)
		},
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 250, SendPingTimeout: s.StallTimeout, WriteByteTimeout: s.StallTimeout},
	}
	return f
}

func (f *http2Front) run() {
	if err := f.server.Serve(f); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		f.s.log.Error("the HTTP/2 front stopped", "error", err)
	}
}

// serve hands a connection over and waits for its end.
func (f *http2Front) serve(c *conn, over net.Conn, under *handedConn) {
	c.enter(phaseHTTP2, f.s.Clock())
	select {
	case f.handed <- over:
		<-under.closed
	case <-f.quit.Done():
	}
}

func (f *http2Front) shutdown(ctx context.Context) {
	if err := f.server.Shutdown(ctx); err != nil {
		// Shutdown closes the listener only at its end, Close in any case.
		if err := f.server.Close(); err != nil {
			f.s.log.Debug("cannot close an HTTP/2 connection", "error", err)
		}
	}
	f.stop()
}

// Accept returns the next connection that chose HTTP/2.
func (f *http2Front) Accept() (net.Conn, error) {
	select {
	case nc := <-f.handed:
		return nc, nil
	case <-f.quit.Done():
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (f *http2Front) Close() error {
	f.stop()
	return nil
}

// Addr says that there is no address of its own.
func (f *http2Front) Addr() net.Addr { return &net.TCPAddr{} }

func (f *http2Front) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*conn)
	control := http.NewResponseController(rw)
	w := &http2Writer{rw, control, f.s.StallTimeout}
	x := f.s.exchanges.Get().(*plan.Exchange)
	defer f.s.releaseExchange(x)
	x.Start = f.s.Clock()
	size, err := f.convert(c, r, &x.Request)
	if err != nil {
		f.s.run(x, &plan.Fault{Kind: plan.BadRequest, Reason: err.Error(), Cause: err})
		f.respond(w, x)
		return
	}
	c.forwarded(&x.Request)
	where, fault := f.s.place(x, c.management, size)
	body := &limitedBody{r: r.Body, control: control, stall: f.s.StallTimeout, left: f.s.MaxBodyBytes}
	switch where {
	case toConnections:
		r.Body = io.NopCloser(body)
		f.s.connections(x, c.management).ServeHTTP(w, r)
		return
	case toUserPools:
		r.Body = io.NopCloser(body)
		f.s.UserPools.ServeHTTP(w, r)
		return
	case toChallenges:
		r.Body = io.NopCloser(body)
		f.s.Challenges.ServeHTTP(w, r)
		return
	case toManagement, toPages:
		h := f.s.Management
		if where == toPages {
			h = f.s.Pages
		}
		body.left = f.s.MaxManagementBodyBytes
		r.Body = io.NopCloser(body)
		h.ServeHTTP(w, r)
		return
	}
	if r.ContentLength != 0 {
		x.Request.BodyReader = body
	}
	f.s.run(x, fault)
	f.respond(w, x)
	f.s.finish(x)
}

// convert makes q of a request and returns the size its head would have in
// HTTP/1.1. Header lines come sorted: net/http doesn't keep their order.
func (f *http2Front) convert(c *conn, r *http.Request, q *plan.Request) (size int, err error) {
	q.Method, q.Host, q.Proto = r.Method, r.Host, "HTTP/2.0"
	q.Secure, q.Source, q.LocalPort = true, c.source, c.localPort
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

// respond writes the exchange's response to an HTTP/2 client.
func (f *http2Front) respond(w *http2Writer, x *plan.Exchange) {
	r := &x.Response
	if r.BodyStream != nil {
		defer f.s.closeStream(r.BodyStream)
	}
	o := outcomeOf(x)
	header := w.Header()
	for i := range r.Headers {
		if h := &r.Headers[i]; o.passes(*h) {
			header.Add(strings.Clone(h.Name), strings.Clone(h.Value))
		}
	}
	if header.Get("Date") == "" {
		header.Set("Date", f.s.dates.text(f.s.Clock()))
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
		return
	}
	if r.BodyStream != nil {
		f.stream(w, x)
		return
	}
	if _, err := w.Write(r.Body); err != nil {
		f.s.log.Debug("cannot write a response", "request", x.RequestID, "error", err)
	}
}

// http2Piece is how much of a body the client has to take before it stalls.
const http2Piece = 32 << 10

// An http2Writer writes a response for as long as the client takes it: the
// connection may be alive while a stream isn't read.
type http2Writer struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
}

func (w *http2Writer) Write(p []byte) (written int, err error) {
	for len(p) > 0 && err == nil {
		if err = w.control.SetWriteDeadline(time.Now().Add(w.stall)); err != nil {
			break
		}
		var n int
		n, err = w.ResponseWriter.Write(p[:min(len(p), http2Piece)])
		p, written = p[n:], written+n
	}
	return written, err
}

// FlushError sends what was written so far. What follows may take its time.
func (w *http2Writer) FlushError() error {
	if err := w.control.Flush(); err != nil {
		return err
	}
	return w.control.SetWriteDeadline(time.Time{})
}

// Unwrap is for an http.ResponseController.
func (w *http2Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// stream copies a response that is still being made, and resets the stream
// when it breaks off.
func (f *http2Front) stream(w *http2Writer, x *plan.Exchange) {
	buf := make([]byte, http2Piece)
	r := &x.Response
	r.StreamLength = 0
	for {
		n, err := r.BodyStream.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			r.StreamLength += int64(n)
			if err := w.FlushError(); err != nil {
				return
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			f.s.brokeOff(x, err)
			f.s.finish(x)
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
	err     error
}

func (b *limitedBody) Read(p []byte) (int, error) {
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
