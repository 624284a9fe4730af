package serve

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

const (
	// oneWrite is the longest body that is copied behind its head so that both
	// leave in one write.
	oneWrite = 16 << 10
	// writePiece is how much of a long body one write takes: each shows the
	// watch that the client still reads.
	writePiece = 256 << 10
	// lingerTime bounds how long a client that was refused while it was sending
	// may go on, lingerIdle how long it may pause.
	lingerTime = 30 * time.Second
	lingerIdle = 5 * time.Second
	// reasonHeader is where the operator's clients read why.
	reasonHeader = "x-gatehouse-reason"
	// longestReason is how much of a reason the header tells: reasons quote what
	// the client sent, and clients refuse heads that are too long.
	longestReason = 1 << 10
	// sandbox keeps a page served under management's origin from acting as
	// that origin.
	sandbox = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts"
)

// faultOf is how an HTTP API words a kind of fault.
func faultOf(kind plan.FaultKind) (status int, body string) {
	switch kind {
	case plan.BadRequest:
		return 400, `{"message":"Bad Request"}`
	case plan.Unauthorized:
		return 401, `{"message":"Unauthorized"}`
	case plan.AccessDenied, plan.Forbidden, plan.Unsigned, plan.IncompleteSignature, plan.InvalidSignature, plan.ExpiredToken, plan.UnrecognizedClient:
		return 403, `{"message":"Forbidden"}`
	case plan.RouteNotFound:
		return 404, `{"message":"Not Found"}`
	case plan.RequestTooLarge:
		return 413, `{"message":"Request Entity Too Large"}`
	case plan.URITooLong:
		return 414, `{"message":"Request-URI Too Long"}`
	case plan.Throttled:
		return 429, `{"message":"Too Many Requests"}`
	case plan.HeadersTooLarge:
		return 431, `{"message":"Request Header Fields Too Large"}`
	case plan.ClientGone:
		// UNVERIFIED: what AWS logs for it; 499 is what operators know of nginx.
		return 499, `{"message":"Client Closed Request"}`
	case plan.NotImplemented:
		return 501, `{"message":"Not Implemented"}`
	case plan.IntegrationTimeout, plan.IntegrationUnreachable, plan.Overloaded:
		return 503, `{"message":"Service Unavailable"}`
	default:
		return 500, `{"message":"Internal Server Error"}`
	}
}

// answerFault makes the gateway's own answer of a fault.
func (s *Server) answerFault(x *plan.Exchange, fault *plan.Fault) {
	if stream := x.Response.BodyStream; stream != nil {
		s.closeStream(stream)
	}
	x.Fault = fault
	if isREST(x) {
		s.answerRestFault(x, fault)
		s.reportFault(x, fault)
		return
	}
	if isSocket(x) {
		s.answerSocketFault(x, fault)
		s.reportFault(x, fault)
		return
	}
	status, body := faultOf(fault.Kind)
	x.Response = plan.Response{Status: status, Headers: x.Response.Headers[:0], Body: []byte(body)}
	x.Response.Add("content-type", "application/json")
	if x.API == nil && (x.Domain != nil || fault.Kind == plan.Forbidden) {
		// A domain that leads nowhere refuses as REST APIs do, and so do VPC endpoints.
		x.Response.Add("x-amzn-errortype", forbidden)
	}
	if fault.Challenge != "" {
		x.Response.Add("www-authenticate", fault.Challenge)
	}
	s.reportFault(x, fault)
}

// reportFault tells the operator of a fault, and in development the client. Who
// comes from elsewhere, to a listener for traffic, is a stranger.
func (s *Server) reportFault(x *plan.Exchange, fault *plan.Fault) {
	if s.ShowReasons && fault.Reason != "" && x.Request.Source.Addr().IsLoopback() {
		x.Response.Add(reasonHeader, printable(headOf(fault.Reason)))
	}
	if x.Response.Status >= 500 {
		s.log.Warn("request failed", "request", x.RequestID, "status", x.Response.Status, "reason", fault.Reason, "cause", fault.Cause)
	}
}

func (s *Server) closeStream(stream io.Closer) {
	if err := stream.Close(); err != nil {
		s.log.Debug("cannot close a response stream", "error", err)
	}
}

// headOf cuts a reason to what its header holds.
func headOf(reason string) string {
	const more = " ..."
	if len(reason) <= longestReason {
		return reason
	}
	return reason[:longestReason-len(more)] + more
}

// printable replaces what can't stand in a header.
func printable(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

// An outcome is what the rules of HTTP make of a response, for any front.
type outcome struct {
	// body tells that bytes follow; length is their number, or -1.
	body   bool
	length int64
	// announce tells that the length is announced.
	announce bool
	// rest tells that the API is a REST API.
	rest bool
	// altSvc tells that the gateway's own header of that name is sent.
	altSvc bool
	// ownLength passes the integration's content-length on: a HEAD or 304
	// tells the length of a body it doesn't have.
	ownLength bool
}

func outcomeOf(x *plan.Exchange) outcome {
	r := &x.Response
	if r.Status < 200 || r.Status > 999 {
		// Nothing may end a request with an interim status.
		r.Status = http.StatusInternalServerError
	}
	o := outcome{body: true, announce: true, length: int64(len(r.Body)), rest: isREST(x)}
	if r.BodyStream != nil {
		o.length = r.StreamLength
		o.announce = r.StreamLength >= 0
	}
	switch {
	case r.Status == http.StatusNoContent:
		return outcome{rest: o.rest}
	case r.Status == http.StatusNotModified:
		return outcome{ownLength: true, rest: o.rest}
	case x.Request.IsHead():
		o.body = false
		_, o.ownLength = r.Headers.Lookup("content-length")
		o.announce = o.announce && !o.ownLength
	}
	return o
}

// passes tells whether a header of the integration's response goes to the
// client. Framing is ours, and so is the request id.
func (o *outcome) passes(h plan.Header) bool {
	switch len(h.Name) {
	case 2:
		// AWS passes what a REST API maps to TE, which means nothing to anyone.
		if o.rest && plan.EqualFold(h.Name, "te") {
			return http1.ValidValue(h.Value)
		}
	case 7:
		// A backend's is about where the backend is.
		if o.altSvc && plan.EqualFold(h.Name, "alt-svc") {
			return false
		}
	case 14:
		if plan.EqualFold(h.Name, "content-length") {
			return o.ownLength && http1.ValidValue(h.Value)
		}
	case 15:
		if plan.EqualFold(h.Name, "apigw-requestid") {
			return false
		}
	}
	return !http1.HopByHop(h.Name) && http1.ValidName(h.Name) && http1.ValidValue(h.Value)
}

// respond writes the exchange's response to an HTTP/1.1 client.
func (c *conn) respond(x *plan.Exchange) error {
	r := &x.Response
	if r.BodyStream != nil {
		defer c.s.closeStream(r.BodyStream)
	}
	now := c.s.Clock()
	c.enter(phaseWrite, now)
	o := outcomeOf(x)
	o.altSvc = len(c.altSvc) > 0
	http10 := x.Request.Proto == "HTTP/1.0"
	chunked := o.body && !o.announce && !http10
	// A client that still waits to send its body may send it all the same; what
	// is too much to read past, or can't be, ends the connection as well.
	c.closing = c.closing || c.s.draining.Load() || c.expect || (o.body && !o.announce && http10) ||
		(!c.body.Done() && (c.framing.Length > maxDrain || c.body.Err() != nil))

	buf := c.s.buffers.Get().(*[]byte)
	out := appendHead((*buf)[:0], c.s, x, o, now)
	if o.altSvc {
		out = http1.AppendHeader(out, "alt-svc", c.altSvc[0])
	}
	switch {
	case c.closing:
		out = append(out, "connection: close\r\n"...)
	default:
		out = append(out, "connection: keep-alive\r\n"...)
	}
	if chunked {
		out = append(out, "transfer-encoding: chunked\r\n"...)
	}
	if x.Fault != nil && x.Fault.Kind == plan.UpgradeRequired {
		out = append(out, "upgrade: websocket\r\n"...)
	}
	out = append(out, "\r\n"...)

	var rest []byte
	if o.body && r.BodyStream == nil {
		if len(r.Body) <= oneWrite {
			out = append(out, r.Body...)
		} else {
			rest = r.Body
		}
	}
	_, err := c.rw.Write(out)
	c.s.buffers.Put(buf)
	if err == nil && len(rest) > 0 {
		err = c.writePieces(rest)
	}
	if err == nil && o.body && r.BodyStream != nil {
		err = c.writeStream(x, o.length, chunked)
	}
	return err
}

// appendHead appends the status line and all headers that every front sends.
func appendHead(out []byte, s *Server, x *plan.Exchange, o outcome, now time.Time) []byte {
	r := &x.Response
	out = http1.AppendStatus(out, r.Status, http.StatusText(r.Status))
	dated := false
	for i := range r.Headers {
		h := &r.Headers[i]
		if !o.passes(*h) {
			continue
		}
		dated = dated || plan.EqualFold(h.Name, "date")
		out = http1.AppendHeader(out, h.Name, h.Value)
	}
	if !dated {
		out = http1.AppendHeader(out, "date", s.dates.text(now))
	}
	if o.announce {
		out = append(out, "content-length: "...)
		out = strconv.AppendInt(out, o.length, 10)
		out = append(out, "\r\n"...)
	}
	if onManagementOrigin(x) && fromBrowser(x.Request.Headers) {
		out = http1.AppendHeader(out, "content-security-policy", sandbox)
	}
	if isREST(x) {
		out = http1.AppendHeader(out, "x-amzn-RequestId", x.RequestID)
		return http1.AppendHeader(out, "x-amz-apigw-id", x.ExtendedRequestID)
	}
	return http1.AppendHeader(out, "apigw-requestid", x.RequestID)
}

// writePieces writes a long body, showing progress.
func (c *conn) writePieces(body []byte) error {
	for len(body) > 0 {
		piece := body[:min(len(body), writePiece)]
		if _, err := c.rw.Write(piece); err != nil {
			return err
		}
		body = body[len(piece):]
		c.enter(phaseWrite, c.s.Clock())
	}
	return nil
}

var (
	errShortStream = errors.New("the response ended before its announced length")
	errLongStream  = errors.New("the response goes on beyond its announced length")
)

// nextPiece reads on in a response that is still being made, and tells whether that
// is its end. StreamLength is how much was read before, length what was announced,
// or -1.
func nextPiece(r *plan.Response, buf []byte, length int64) (n int, end bool, err error) {
	n, err = r.BodyStream.Read(buf)
	read := r.StreamLength + int64(n)
	switch {
	case length >= 0 && read > length:
		return int(length - r.StreamLength), false, errLongStream
	case err != io.EOF: //nolint:errorlint // a reader's io.EOF is never wrapped
		return n, false, err
	case read < length:
		return n, false, errShortStream
	}
	return n, true, nil
}

// writeStream copies a response that is still being made. One that breaks off
// ends the connection, so that the client can't take the part for the whole.
func (c *conn) writeStream(x *plan.Exchange, length int64, chunked bool) error {
	r := &x.Response
	buf := make([]byte, 32<<10)
	r.StreamLength = 0
	for {
		c.enter(phaseRunning, c.s.Clock())
		n, end, err := nextPiece(r, buf[chunkRoom:len(buf)-chunkRoom], length)
		if n > 0 {
			c.enter(phaseWrite, c.s.Clock())
			piece := buf[chunkRoom : chunkRoom+n]
			if chunked {
				piece = frameChunk(buf, n)
			}
			if _, err := c.rw.Write(piece); err != nil {
				return err
			}
			r.StreamLength += int64(n)
		}
		if end {
			break
		}
		if err != nil {
			c.s.brokeOff(x, err)
			if length < 0 && !chunked {
				c.reset()
			}
			return err
		}
	}
	if chunked {
		_, err := c.rw.Write([]byte("0\r\n\r\n"))
		return err
	}
	return nil
}

// brokeOff notes that a response whose head is out can't be sent to its end.
func (s *Server) brokeOff(x *plan.Exchange, err error) {
	x.Integration.Error = err.Error()
	level := slog.LevelWarn
	select {
	case <-x.Request.Done:
		level = slog.LevelDebug // nobody misses the rest
	default:
	}
	s.log.Log(s.base, level, "a response broke off", "request", x.RequestID, "error", err)
}

// reset ends the connection with an error for the client, who would take a
// proper end for that of the response.
func (c *conn) reset() {
	var err error
	if tcp, ok := c.nc.(interface{ SetLinger(sec int) error }); ok {
		err = tcp.SetLinger(0)
	}
	// Not TLS's Close, which would say goodbye.
	if err = errors.Join(err, c.nc.Close()); err != nil {
		c.s.log.Debug("cannot reset a connection", "error", err)
	}
}

// chunkRoom is the room left in a buffer for a chunk's size line before the
// data, and for the line end behind.
const chunkRoom = 16

// frameChunk frames the n bytes of data that stand in buf from chunkRoom on.
func frameChunk(buf []byte, n int) []byte {
	var line [chunkRoom]byte
	size := http1.AppendChunkSize(line[:0], n)
	start := chunkRoom - len(size)
	copy(buf[start:], size)
	return append(buf[start:chunkRoom+n], "\r\n"...)
}
