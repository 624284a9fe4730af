package integrate

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

const (
	// maxBackendHead bounds a response's head.
	maxBackendHead = 64 << 10
	// maxInterim bounds the interim (1xx) responses before the final one.
	maxInterim = 8
	// trusted is how long an unused connection is believed to be open without
	// looking.
	trusted = time.Second
)

// An upstream is one connection to a backend. One call at a time owns it.
type upstream struct {
	*backend
	nc        net.Conn // as dialled
	rw        net.Conn // nc, or TLS over it
	reader    http1.Reader
	head      http1.ResponseHead
	body      http1.Body
	idleSince time.Time

	raw    syscall.RawConn
	peek   func(fd uintptr) bool
	silent bool // what peek found: open, with nothing to read

	mu   sync.Mutex
	done <-chan struct{} // of the client being served
}

func (c *upstream) serveClient(done <-chan struct{}) {
	c.mu.Lock()
	c.done = done
	c.mu.Unlock()
}

func (c *upstream) clientGone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// cut makes every read and write of the connection fail.
func (c *upstream) cut() {
	if c.nc.SetDeadline(time.Unix(1, 0)) != nil {
		c.closeNet()
	}
}

// closeNet closes the socket. There is nobody to tell when that fails: the
// call has its answer or its own error.
func (c *upstream) closeNet() { _ = c.rw.Close() }

// close ends the connection for good.
func (c *upstream) close() {
	c.owner.mu.Lock()
	delete(c.owner.all, c)
	c.owner.mu.Unlock()
	c.closeNet()
}

// release ends a call: the connection is kept if it stands at the end of the
// response and nothing else came.
func (c *upstream) release() {
	c.serveClient(nil)
	if c.head.Close || !c.body.Done() || c.reader.Buffered() != 0 {
		c.close()
		return
	}
	c.reader.Next()
	c.backend.put(c)
}

// A call is one request to a backend.
type call struct {
	x        *plan.Exchange
	backend  *backend
	method   string
	deadline time.Time
	// request is what is written at once, rest the body behind it.
	request []byte
	rest    io.Reader
	chunked bool
}

// do calls the backend and leaves the response in the exchange.
func (c *call) do() error {
	for {
		u := c.backend.take()
		reused := u != nil
		if reused && !c.trusts(u) {
			u.close()
			continue
		}
		if !reused {
			var err error
			if u, err = c.backend.dial(c.deadline, c.x.Request.Done); err == nil {
				err = u.nc.SetDeadline(c.deadline)
			}
			if err != nil {
				return c.explain(err)
			}
		}
		again, err := c.try(u)
		if err == nil {
			return nil
		}
		u.close()
		if !again || !reused {
			return c.explain(err)
		}
	}
}

// explain names the client's end as the cause when it is.
func (c *call) explain(err error) error {
	select {
	case <-c.x.Request.Done:
		return fmt.Errorf("%w: %w", errClientGone, err)
	default:
		return err
	}
}

// trusts tells whether an unused connection may be used without harm: a
// request that can't be sent twice mustn't meet a backend that has hung up.
func (c *call) trusts(u *upstream) bool {
	if u.nc.SetDeadline(c.deadline) != nil {
		return false
	}
	if c.rest == nil && safe(c.method) && c.backend.owner.Clock().Sub(u.idleSince) < trusted {
		return true
	}
	return u.isOpen()
}

// safe tells whether a method only asks, so that a second request does nothing
// that the first may not have done already.
func safe(method string) bool {
	return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE"
}

// try sends the request on u and reads the response. again tells that the
// backend has done nothing with it, as far as can be known, and that it can be
// sent once more.
func (c *call) try(u *upstream) (again bool, err error) {
	u.serveClient(c.x.Request.Done)
	n, err := u.rw.Write(c.request)
	if err != nil && n == 0 {
		return !isTimeout(err), err
	}
	if err == nil && c.rest != nil {
		if err = c.sendRest(u); err != nil {
			var client *requestError
			if errors.As(err, &client) {
				return false, err
			}
		}
	}
	// A backend that refuses a long body may answer and close while it is
	// being sent: its answer counts, not the broken pipe.
	wrote := err
	head, err := c.readHead(u)
	if err != nil {
		if wrote != nil {
			err = wrote
		}
		return c.rest == nil && safe(c.method) && head == nil && u.reader.Buffered() == 0 && !isTimeout(err), err
	}
	if wrote != nil {
		u.head.Close = true
	}
	return false, c.readBody(u)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// sendRest sends a long body as it comes from the client.
func (c *call) sendRest(u *upstream) error {
	buf := make([]byte, 32<<10)
	const room = 16 // for a chunk's size line and its end
	for {
		n, err := c.rest.Read(buf[room : len(buf)-room])
		if n > 0 {
			piece := buf[room : room+n]
			if c.chunked {
				var line [room]byte
				size := http1.AppendChunkSize(line[:0], n)
				start := room - len(size)
				copy(buf[start:], size)
				piece = append(buf[start:room+n], "\r\n"...)
			}
			if _, err := u.rw.Write(piece); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return &requestError{err}
		}
	}
	if c.chunked {
		_, err := u.rw.Write([]byte("0\r\n\r\n"))
		return err
	}
	return nil
}

// readHead reads the final response's head, copies it to Scratch and parses it
// there. It returns what it had of a head when it fails.
func (c *call) readHead(u *upstream) ([]byte, error) {
	x := c.x
	for range maxInterim {
		raw, err := u.reader.Head(maxBackendHead)
		if err != nil {
			if err == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
				err = fmt.Errorf("%s closed the connection without an answer: %w", c.backend.addr, io.ErrUnexpectedEOF)
			}
			return nil, err
		}
		start := len(x.Scratch)
		x.Scratch = append(x.Scratch, raw...)
		u.reader.Next()
		u.head.Headers = x.Response.Headers[:0]
		if err := http1.ParseResponse(x.Scratch[start:], c.method, &u.head); err != nil {
			return raw, err
		}
		x.Response.Headers = u.head.Headers
		if u.head.Status >= 200 {
			return raw, nil
		}
		if u.head.Status == 101 {
			return raw, &http1.SyntaxError{Reason: "the backend switched protocols unasked"}
		}
	}
	return []byte{}, &http1.SyntaxError{Reason: "too many interim responses"}
}

// readBody leaves the response in the exchange: whole when it is short, as a
// stream otherwise.
func (c *call) readBody(u *upstream) error {
	x, r := c.x, &c.x.Response
	x.Integration.Status, x.Integration.FunctionStatus = u.head.Status, u.head.Status
	r.Status, r.Body, r.BodyStream = u.head.Status, nil, nil
	r.Headers = passedBack(r.Headers, u.head.ConnectionNames)
	u.head.Headers = nil
	u.body.Reset(&u.reader, u.head.Framing, maxBackendBody)
	if u.head.Length > maxBackendBody {
		return fmt.Errorf("the response of %s: %w", c.backend.addr, http1.ErrBodyTooLarge)
	}

	start := len(x.Scratch)
	for !u.body.Done() {
		have := len(x.Scratch) - start
		// Of a long body, or one whose length isn't known, only what has
		// arrived is taken here.
		if (u.head.Length > maxBuffered || u.head.Length < 0) && (u.reader.Buffered() == 0 || have >= maxBuffered) {
			r.BodyStream = &backendBody{u: u, first: x.Scratch[start:]}
			r.StreamLength = u.head.Length
			return nil
		}
		x.Scratch = grow(x.Scratch, u.head.Length-int64(have))
		n, err := u.body.Read(x.Scratch[len(x.Scratch):cap(x.Scratch)])
		x.Scratch = x.Scratch[:len(x.Scratch)+n]
		if err != nil && err != io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
			return fmt.Errorf("the response of %s broke off: %w", c.backend.addr, err)
		}
	}
	r.Body = x.Scratch[start:]
	u.release()
	return nil
}

// grow makes room for want more bytes, or for some when want isn't known.
func grow(b []byte, want int64) []byte {
	room := int64(cap(b) - len(b))
	if want < 0 || want > maxBuffered {
		want = 2048
	}
	if room >= want && room > 0 {
		return b
	}
	return append(b, make([]byte, want)...)[:len(b)]
}

// passedBack drops the headers that concern the backend's connection.
func passedBack(headers plan.Headers, names bool) plan.Headers {
	kept := headers[:0]
	if names {
		// The names may stand behind what they name.
		all := append(plan.Headers(nil), headers...)
		for _, h := range all {
			if http1.PassOn(all, h.Name, true) {
				kept = append(kept, h)
			}
		}
		return kept
	}
	for _, h := range headers {
		if !http1.HopByHop(h.Name) {
			kept = append(kept, h)
		}
	}
	return kept
}

// A backendBody is a response that is still coming.
type backendBody struct {
	u     *upstream
	first []byte
}

func (b *backendBody) Read(p []byte) (int, error) {
	if len(b.first) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.u.body.Read(p)
}

// Close gives the connection back when the whole response was read, and ends
// it otherwise.
func (b *backendBody) Close() error {
	if b.u != nil {
		b.u.release()
		b.u = nil
	}
	return nil
}
