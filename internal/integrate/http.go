package integrate

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/balance"
	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

const (
	// MaxTimeout is the longest an HTTP API integration may take at AWS, and the
	// default.
	MaxTimeout = 30 * time.Second
	// maxBackendBody is AWS's limit of a response.
	maxBackendBody = 10 << 20
	// maxBuffered is the longest body, of a request or a response, that is held
	// whole; a longer one is passed on as it comes.
	maxBuffered = 64 << 10
)

// HTTPOptions describe an HTTP_PROXY integration.
type HTTPOptions struct {
	// URI is the integration URI, its stage variables replaced.
	URI string
	// Method is the method to call with; "" and "ANY" pass the client's on.
	Method string
	// AppendPath appends the whole path of the request, without its stage, to
	// the URI's: what an integration of a $default route does.
	AppendPath bool
	// Timeout bounds the call from connecting to the last byte; 0 is MaxTimeout.
	Timeout time.Duration
	// ClientCertificate is what an https backend is shown when it asks who calls;
	// nil for nothing. Connections are shared by calls with the same one only.
	ClientCertificate *tls.Certificate
	// ServerName is whom the certificate of a backend has to be for; "" is the host
	// of the URI.
	ServerName string
	// SelfSigned takes certificates whose authority nobody knows, too.
	SelfSigned bool
	// Private is what is called in place of the URI; nil for nothing.
	Private *Private
	// Upstreams has the connections to backends.
	Upstreams *Upstreams
}

// HTTP is an HTTP_PROXY integration: it passes the request to a URL and the
// answer back.
type HTTP struct {
	method     string
	appendPath bool
	timeout    time.Duration
	target     *target
	backend    *backend // what the URI names; nil where there is a link
	link       *link    // to what is private; nil for none
}

// NewHTTP makes an HTTP_PROXY integration. The error says what is wrong with
// its options.
func NewHTTP(o HTTPOptions) (*HTTP, error) {
	t := &target{}
	if o.Private == nil || o.URI != "" {
		var err error
		if t, err = parseURI(o.URI); err != nil {
			return nil, err
		}
	}
	h := &HTTP{method: o.Method, appendPath: o.AppendPath, timeout: o.Timeout, target: t}
	if h.method == "ANY" {
		h.method = ""
	}
	if h.method != "" && !http1.ValidName(h.method) || h.method == "CONNECT" {
		return nil, fmt.Errorf("integration method %q", o.Method)
	}
	if h.timeout == 0 {
		h.timeout = MaxTimeout
	}
	if h.appendPath && len(t.path) > 0 {
		last := &t.path[len(t.path)-1]
		if last.name == "" {
			last.literal = strings.TrimSuffix(last.literal, "/")
		}
	}
	call := t.address()
	call.name = cmp.Or(o.ServerName, call.name)
	if o.SelfSigned {
		call.trust = selfSigned
	}
	if o.Private == nil {
		h.backend = o.Upstreams.backend(call, o.ClientCertificate)
		return h, nil
	}
	var err error
	h.link, err = newLink(&o, call, t.port)
	return h, err
}

// Integrate calls the backend and leaves its response in x.
func (h *HTTP) Integrate(x *plan.Exchange) error {
	c := call{x: x, backend: h.backend, link: h.link, method: h.method}
	if h.link != nil {
		if fault := h.link.find(&c); fault != nil {
			x.Integration.Error = errorOf(x, fault)
			return fault
		}
	}
	if c.method == "" {
		c.method = x.Request.Method
	}
	if err := h.prepare(&c); err != nil {
		return faultOf(c.explain(err))
	}
	if x.Trace.WantsInfo() {
		h.trace(&c)
	}
	return c.run(h.timeout)
}

// prepare writes the request into Scratch, with its body unless that is long.
func (h *HTTP) prepare(c *call) error {
	x := c.x
	q := &x.Request
	body, length := q.Body, q.ContentLength
	mapped, isMapped := x.OutboundBody()
	switch {
	case mapsAll(x) && safe(c.method):
		// REST APIs send no body with what only asks.
		// UNVERIFIED: that WebSocket APIs don't.
		body, length = nil, 0
	case isMapped && len(mapped) > maxBuffered:
		c.rest, length, body = bytes.NewReader(mapped), int64(len(mapped)), nil
	case isMapped:
		body, length = mapped, int64(len(mapped))
	case len(body) > maxBuffered:
		c.rest, length, body = bytes.NewReader(body), int64(len(body)), nil
	case body != nil || q.BodyReader == nil:
	case length > maxBuffered:
		c.rest = q.BodyReader
	default:
		var err error
		if body, c.rest, err = readSmall(x); err != nil {
			return err
		}
	}

	start := len(x.Scratch)
	b := append(x.Scratch, c.method...)
	b = append(b, ' ')
	b = h.appendTarget(b, x)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	c.host = h.host(x)
	b = append(b, c.host...)
	b = append(b, "\r\n"...)
	if mapsAll(x) {
		b = appendMapped(b, x, c.listener)
	} else {
		b = appendPassed(b, x, c.listener)
		b = appendOwn(b, x, c.owner().Random)
	}
	if c.listener != nil && c.listener.Application {
		b = appendForwarded(b, x, c.listener)
	}
	switch {
	case c.rest != nil && length < 0:
		c.chunked = true
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case c.rest != nil:
		b = appendLength(b, length)
	case len(body) > 0 || hasBody(c.method) || isMapped:
		b = appendLength(b, int64(len(body)))
	}
	b = append(b, "\r\n"...)
	if c.chunked && len(body) > 0 {
		b = http1.AppendChunkSize(b, len(body))
		b = append(b, body...)
		b = append(b, "\r\n"...)
	} else {
		b = append(b, body...)
	}
	x.Scratch = b
	c.request = b[start:]
	return nil
}

// host is what the backend gets as its Host header: its own name, or what
// parameter mapping put in its place.
func (h *HTTP) host(x *plan.Exchange) string {
	if x.Mapped.Host != "" && http1.ValidHost(x.Mapped.Host) {
		return x.Mapped.Host
	}
	if h.target.host == "" {
		// UNVERIFIED: that what has no URI gets the client's Host.
		return x.Request.Host
	}
	return h.target.host
}

// hasBody tells whether a request of the method announces even an empty body.
func hasBody(method string) bool {
	return method == "POST" || method == "PUT" || method == "PATCH"
}

// readSmall reads up to maxBuffered bytes of the body into Scratch. rest yields
// what is behind them, nil when that was all.
func readSmall(x *plan.Exchange) (body []byte, rest io.Reader, err error) {
	start := len(x.Scratch)
	for len(x.Scratch)-start < maxBuffered {
		if cap(x.Scratch)-len(x.Scratch) < 512 {
			x.Scratch = append(x.Scratch, make([]byte, max(4096, len(x.Scratch)))...)[:len(x.Scratch)]
		}
		n, err := x.Request.BodyReader.Read(x.Scratch[len(x.Scratch):cap(x.Scratch)])
		x.Scratch = x.Scratch[:len(x.Scratch)+n]
		if err == io.EOF {
			return x.Scratch[start:], nil, nil
		}
		if err != nil {
			return nil, nil, &requestError{err}
		}
	}
	return x.Scratch[start:], x.Request.BodyReader, nil
}

func (h *HTTP) appendTarget(b []byte, x *plan.Exchange) []byte {
	switch {
	case x.Mapped.Path != "":
		// UNVERIFIED: that overwrite:path replaces the URI's own path too.
		b = append(b, x.Mapped.Path...)
	case h.target.host == "":
		// With the stage, as AWS documents.
		b = append(b, plan.CutPath(x.GatewayPath)...)
	default:
		b = h.target.path.appendPath(b, x)
		if h.appendPath {
			b = append(b, plan.CutPath(x.StagePath)...)
		}
	}
	query := x.OutboundQuery()
	if len(h.target.query) == 0 && query == "" {
		return b
	}
	b = append(b, '?')
	b = h.target.query.appendQuery(b, x)
	if query != "" {
		if len(h.target.query) > 0 {
			b = append(b, '&')
		}
		b = append(b, query...)
	}
	return b
}

// appendPassed appends the headers that go on: in order and case, duplicates
// kept. A Connection header speaks of the client's own only.
// A listener, nil for none, may have headers of its own in the place of some.
func appendPassed(b []byte, x *plan.Exchange, l *balance.Listener) []byte {
	headers := x.OutboundHeaders()
	client := headers
	if x.Mapped.On {
		client = headers[:x.Mapped.FromClient]
	}
	names := false
	for i := range client {
		if len(client[i].Name) == 10 && plan.EqualFold(client[i].Name, "connection") {
			names = true
		}
	}
	for i := range headers {
		h := &headers[i]
		switch len(h.Name) {
		case 4:
			if plan.EqualFold(h.Name, "host") {
				continue
			}
		case 6:
			// The gateway itself tells the client to go ahead.
			if plan.EqualFold(h.Name, "expect") {
				continue
			}
		case 14:
			if plan.EqualFold(h.Name, "content-length") {
				continue
			}
		case 15:
			if plan.EqualFold(h.Name, "x-amzn-trace-id") {
				continue
			}
		}
		if l != nil && replaces(l, h.Name) {
			continue
		}
		if http1.PassOn(client, h.Name, names && i < len(client)) {
			b = http1.AppendHeader(b, h.Name, h.Value)
		}
	}
	return b
}

// The headers that AWS adds for a backend of a REST API.
const (
	apiIDHeader   = "X-Amzn-Apigateway-Api-Id"
	traceIDHeader = "X-Amzn-Trace-Id"
)

func isRest(x *plan.Exchange) bool { return x.Stage != nil && x.Stage.Rest != nil }

// mapsAll tells whether everything that a backend gets was mapped to it: on
// REST APIs and on WebSocket APIs, whose messages have no headers to pass on.
func mapsAll(x *plan.Exchange) bool {
	return x.Stage != nil && (x.Stage.Rest != nil || x.Stage.Socket != nil)
}

// traceHeaderOf is the X-Amzn-Trace-Id that an integration gets.
func traceHeaderOf(x *plan.Exchange) string {
	if x.TraceHeader != "" {
		return x.TraceHeader
	}
	return "Root=" + x.TraceRoot
}

// appendMapped appends the headers that a mapping made, and what AWS adds for
// such a backend.
func appendMapped(b []byte, x *plan.Exchange, l *balance.Listener) []byte {
	for i := range x.Mapped.Headers {
		h := &x.Mapped.Headers[i]
		// What maps text to headers checks neither.
		if l != nil && replaces(l, h.Name) {
			continue
		}
		if !plan.EqualFold(h.Name, "host") && http1.ValidName(h.Name) && http1.ValidValue(h.Value) {
			b = http1.AppendHeader(b, h.Name, h.Value)
		}
	}
	b = http1.AppendHeader(b, apiIDHeader, x.Stage.API.ID)
	return http1.AppendHeader(b, traceIDHeader, traceHeaderOf(x))
}

// appendOwn appends what AWS adds towards a backend.
func appendOwn(b []byte, x *plan.Exchange, random func() uint64) []byte {
	q := &x.Request
	b = append(b, "Via: HTTP/1.1 AmazonAPIGateway\r\nForwarded: for="...)
	if a := q.Source.Addr(); a.Is6() {
		b = append(b, `"[`...)
		b = a.AppendTo(b)
		b = append(b, `]"`...)
	} else {
		b = a.AppendTo(b)
	}
	b = append(b, ";host="...)
	if http1.ValidName(q.Host) {
		b = append(b, q.Host...)
	} else {
		// What is no token, as with a port, is quoted (RFC 7239 section 4). A
		// host has neither quotes nor backslashes in it, so it can't end there
		// and go on with an address of the client's choice.
		b = append(b, '"')
		b = append(b, q.Host...)
		b = append(b, '"')
	}
	if q.Secure {
		b = append(b, ";proto=https\r\n"...)
	} else {
		b = append(b, ";proto=http\r\n"...)
	}
	b = append(b, "X-Amzn-Trace-Id: Self=1-"...)
	b = appendHex(b, uint64(x.Start.Unix()), 8)
	b = append(b, '-')
	b = appendHex(b, random(), 16)
	b = appendHex(b, random(), 8)
	b = append(b, ";Root="...)
	b = append(b, x.TraceRoot...)
	return append(b, "\r\n"...)
}

// errorOf is what $context.integration.error says of a fault: AWS's words but on
// HTTP APIs, where nobody recorded them.
func errorOf(x *plan.Exchange, fault *plan.Fault) string {
	if mapsAll(x) {
		switch fault.Kind {
		case plan.IntegrationTimeout:
			return "Execution failed due to a timeout error"
		case plan.IntegrationUnreachable:
			return "Network error communicating with endpoint"
		}
	}
	return fault.Reason
}

func appendLength(b []byte, n int64) []byte {
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, n, 10)
	return append(b, "\r\n"...)
}

// appendHex appends the low digits of v.
func appendHex(dst []byte, v uint64, digits int) []byte {
	for i := digits - 1; i >= 0; i-- {
		dst = append(dst, "0123456789abcdef"[v>>(4*i)&15])
	}
	return dst
}

// A requestError is the failure to read the client's body.
type requestError struct{ cause error }

func (e *requestError) Error() string { return "read the request's body: " + e.cause.Error() }
func (e *requestError) Unwrap() error { return e.cause }

// errClientGone ends a call whose client has gone away.
var errClientGone = errors.New("the client went away")

// faultOf is the fault of a failed call. A timeout is 503 on AWS's HTTP APIs, as
// is a backend that can't be reached.
//
// UNVERIFIED: that an answer which isn't HTTP, or is too long, is 500 as it is
// for functions, and that one which breaks off is 503.
func faultOf(err error) *plan.Fault {
	kind := plan.IntegrationUnreachable
	var (
		request *requestError
		syntax  *http1.SyntaxError
	)
	switch {
	case errors.Is(err, errClientGone):
		kind = plan.ClientGone
	case errors.As(err, &request):
		kind = plan.BadRequest
	case errors.As(err, &syntax), errors.Is(err, http1.ErrHeadTooLarge), errors.Is(err, http1.ErrBodyTooLarge):
		kind = plan.IntegrationFailure
	case isTimeout(err):
		kind = plan.IntegrationTimeout
	}
	return &plan.Fault{Kind: kind, Reason: err.Error(), Cause: err}
}
