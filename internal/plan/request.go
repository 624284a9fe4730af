package plan

import (
	"io"
	"net/netip"
)

// A Header is one header line as it was received or will be sent: its own
// casing, its own place in the order.
type Header struct {
	Name, Value string
}

// Headers is a flat list of header lines in arrival order.
type Headers []Header

// Get returns the first value of a header, compared without regard to case,
// and "" when there is none.
func (h Headers) Get(name string) string {
	v, _ := h.Lookup(name)
	return v
}

// Lookup is Get that also tells whether the header is there.
func (h Headers) Lookup(name string) (string, bool) {
	for i := range h {
		if EqualFold(h[i].Name, name) {
			return h[i].Value, true
		}
	}
	return "", false
}

// EqualFold compares two header names without regard to ASCII case.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if 'A' <= x && x <= 'Z' {
			x += 'a' - 'A'
		}
		if 'A' <= y && y <= 'Z' {
			y += 'a' - 'A'
		}
		if x != y {
			return false
		}
	}
	return true
}

// A Request is what every front (HTTP/1.1, HTTP/2, WebSocket, test-invoke)
// converts to. Its strings are views of a buffer that belongs to the front:
// they are valid until the Exchange ends, and whoever keeps one longer clones
// it.
type Request struct {
	// Method is the method as received, or the one that the client of a REST API
	// asked for instead. Sent is then the one that was received; it is empty
	// otherwise.
	Method, Sent string
	// Path is the path as received: percent-encoded, never cleaned, without the
	// query. It begins with "/".
	Path string
	// Query is what followed "?", as received and without the "?".
	Query string
	// Host is the Host header (or :authority) as received, port included.
	Host string
	// Proto is "HTTP/1.1", "HTTP/1.0", "HTTP/2.0" or "HTTP/3.0".
	Proto string
	// Secure tells that the client came over TLS, and TLS how; TLS is nil where a
	// trusted proxy says that it did, and in tests of methods.
	Secure bool
	TLS    *Handshake
	// SourceName stands in place of the client's address if the request came over
	// no connection, as that of a test; else "".
	SourceName string
	// Source is the client's address and port; LocalPort the port it reached.
	Source    netip.AddrPort
	LocalPort uint16
	// Entrance is that of the listener; nil is the internet's.
	Entrance *Entrance
	// Headers are all header lines, Host included, in order and case.
	Headers Headers
	// Body is the whole body once a step has asked for it with Exchange.ReadBody.
	Body []byte
	// BodyReader yields the body; nil when the request has none. ContentLength
	// is the announced size, or -1 when it isn't known before the end.
	BodyReader    io.Reader
	ContentLength int64
	// Done is closed when the client has gone away. It may be nil.
	Done <-chan struct{}
}

// IsHead tells that the request came as HEAD, whose answer has no body.
func (q *Request) IsHead() bool {
	if q.Sent != "" {
		return q.Sent == "HEAD"
	}
	return q.Method == "HEAD"
}

// A Response is what a step leaves for serve to write. Content-Length,
// Connection, Date and the gateway's own headers are added by serve.
type Response struct {
	Status  int
	Headers Headers
	// Body is the whole body; BodyStream, when not nil, is used instead and is
	// closed after the last byte. StreamLength is its size, or -1.
	Body         []byte
	BodyStream   io.ReadCloser
	StreamLength int64
}

// Add appends a header line.
func (r *Response) Add(name, value string) {
	r.Headers = append(r.Headers, Header{name, value})
}
