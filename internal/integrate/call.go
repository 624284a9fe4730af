package integrate

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"time"

	"gatehouse/internal/balance"
	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

const (
	// maxBackendHead bounds a response's head.
	maxBackendHead = 64 << 10
	// maxInterim bounds the interim (1xx) responses before the final one.
	maxInterim = 8
)

// A call is one request to a backend.
type call struct {
	x       *plan.Exchange
	backend *backend
	// link leads to what is private, by way of a listener; nil without one. It chooses
	// the backend.
	link     *link
	listener *balance.Listener
	method   string
	host     string // as sent
	// deadline moves on while the client is waited for: the time that an
	// integration has is the backend's.
	deadline time.Time
	// request is what is written at once, rest the body behind it.
	request []byte
	rest    io.Reader
	chunked bool
}

// run calls the backend within a timeout, and leaves in the exchange the response,
// how long it took and, of a fault, what is told of it.
func (c *call) run(timeout time.Duration) error {
	x, clock := c.x, c.owner().Clock
	x.Integration.Called = true
	c.deadline = clock().Add(timeout)
	var err error
	if c.link == nil {
		err = c.do()
	} else {
		err = c.link.do(c)
	}
	// The deadline has moved by the time that the client took.
	x.Integration.Latency = clock().Sub(c.deadline.Add(-timeout))
	if err == nil {
		if x.Trace.WantsInfo() {
			traceAnswer(x)
		}
		return nil
	}
	fault := faultOf(err)
	var syntax *http1.SyntaxError
	if isRest(x) && errors.As(err, &syntax) {
		// UNVERIFIED: that to a REST API what isn't HTTP is a broken network.
		fault.Kind = plan.IntegrationUnreachable
	}
	x.Integration.Error = errorOf(x, fault)
	return fault
}

// owner has the connections to backends.
func (c *call) owner() *Upstreams {
	if c.link != nil {
		return c.link.upstreams
	}
	return c.backend.owner
}

// do calls the backend and leaves the response in the exchange.
//
// A request is sent once. It is sent again only if the kept connection that was
// taken for it had ended:
//   - whatever the method, if the backend certainly never had it, because it
//     closed the connection before;
//   - if it only asks (GET), also after a reset, which is what becomes of a
//     request that reaches a backend as it closes, unread. It may have been read
//     before a reset, so a request that changes something isn't repeated.
//
// AWS tells nothing of its own rule; RFC 9110 section 9.2.2 would allow more.
func (c *call) do() error {
	for {
		u := c.backend.take()
		kept := u != nil
		if !kept {
			var err error
			if u, err = c.backend.dial(c.deadline, c.x.Request.Done); err != nil {
				return c.explain(err)
			}
		}
		again, err := c.try(u)
		if err == nil {
			return nil
		}
		u.close()
		if !again || !kept {
			return c.explain(err)
		}
	}
}

// explain names the client's end as the cause when it is.
func (c *call) explain(err error) error { return explain(err, c.x.Request.Done) }

func explain(err error, done <-chan struct{}) error {
	select {
	case <-done:
		return fmt.Errorf("%w: %w", errClientGone, err)
	default:
		return err
	}
}

// safe tells whether a method only asks, so that a second request does nothing
// that the first may not have done already.
func safe(method string) bool {
	return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE"
}

// try sends the request on u and reads the response. again tells that the
// request may be sent on another connection if u was a kept one.
func (c *call) try(u *upstream) (again bool, err error) {
	u.begin(c.x.Request.Done, c.deadline)
	n, err := u.rw.Write(c.request)
	if err != nil && n == 0 {
		return !isTimeout(err), err
	}
	if c.rest == nil {
		// A backend that refuses a request may answer and close before it has
		// read it all: its answer counts, not the broken pipe.
		again, answerErr := c.await(u)
		if answerErr != nil {
			return again && err == nil, answerErr
		}
		u.head.Close = u.head.Close || err != nil
		return false, c.readBody(u)
	}
	// A copy, so that c itself can stay on the stack.
	long := *c
	err = long.exchange(u, err)
	c.deadline = long.deadline
	if err != nil {
		return false, err
	}
	return false, c.readBody(u)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// exchange sends a long body, and reads the response's head meanwhile: who
// refuses a body may say so before its end. failed is the error of writing what
// comes before.
func (c *call) exchange(u *upstream, failed error) error {
	var (
		answered atomic.Bool
		answer   error
		ended    = make(chan struct{})
	)
	go func() {
		defer close(ended)
		_, answer = c.await(u)
		answered.Store(true)
		u.stopWriting()
	}()
	if failed == nil {
		failed = c.sendRest(u, &answered)
	}
	var client *requestError
	if errors.As(failed, &client) {
		u.sever()
		<-ended
		return failed
	}
	<-ended
	u.head.Close = u.head.Close || failed != nil
	return answer
}

// errAnswered ends the sending of a body that nobody waits for.
var errAnswered = errors.New("the backend has answered before the body's end")

// sendRest sends a long body as it comes from the client.
func (c *call) sendRest(u *upstream, answered *atomic.Bool) error {
	buf := make([]byte, 32<<10)
	const room = 16 // for a chunk's size line and its end
	for {
		n, err := c.readRest(u, buf[room:len(buf)-room])
		if n == 0 && err == io.EOF && !c.chunked { //nolint:errorlint // a reader's io.EOF is never wrapped
			return nil // all is sent, so the connection stays, be there an answer or not
		}
		// In this order: stopWriting, which follows, then isn't undone.
		if answered.Load() {
			return errAnswered
		}
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
		if err == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
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

// readRest reads of the client's body. The backend's time stands still.
func (c *call) readRest(u *upstream, p []byte) (int, error) {
	clock := c.backend.owner.Clock
	start := clock()
	u.limit(time.Time{})
	n, err := c.rest.Read(p)
	c.deadline = c.deadline.Add(clock().Sub(start))
	u.limit(c.deadline)
	return n, err
}

// await waits for the response and reads its head. If there is none, again
// tells that a request without a long body may be sent once more.
func (c *call) await(u *upstream) (again bool, err error) {
	first, err := u.reader.Peek()
	if err == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
		return u.undelivered(len(c.request)), fmt.Errorf("%s closed the connection without an answer: %w", c.backend.addr, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return safe(c.method) && errors.Is(err, syscall.ECONNRESET), err
	}
	if !http1.BeginsResponse(first) {
		// What isn't HTTP may never end.
		return false, &http1.SyntaxError{Reason: fmt.Sprintf("%s answered %.16q, which isn't HTTP/1.1", c.backend.addr, first)}
	}
	return false, c.readHead(u)
}

// readHead reads the final response's head, copies it to Scratch and parses it
// there.
func (c *call) readHead(u *upstream) error {
	x := c.x
	for range maxInterim {
		raw, err := u.reader.Head(maxBackendHead)
		if err != nil {
			return fmt.Errorf("the response of %s: %w", c.backend.addr, unexpected(err))
		}
		start := len(x.Scratch)
		x.Scratch = append(x.Scratch, raw...)
		u.reader.Next()
		u.head.Headers = x.Response.Headers[:0]
		if err := http1.ParseResponse(x.Scratch[start:], c.method, &u.head); err != nil {
			return err
		}
		x.Response.Headers = u.head.Headers
		if u.head.Status >= 200 {
			return nil
		}
		if u.head.Status == 101 {
			return &http1.SyntaxError{Reason: "the backend switched protocols unasked"}
		}
	}
	return &http1.SyntaxError{Reason: "too many interim responses"}
}

// unexpected is the error of a message that ends too soon.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
		return io.ErrUnexpectedEOF
	}
	return err
}

// readBody leaves the response in the exchange: whole when it is short, as a
// stream otherwise.
func (c *call) readBody(u *upstream) error {
	x, r := c.x, &c.x.Response
	x.Integration.Status, x.Integration.FunctionStatus = u.head.Status, u.head.Status
	r.Status, r.Body, r.BodyStream = u.head.Status, nil, nil
	u.keepAlive = -1
	if seconds, ok := http1.KeepAlive(r.Headers); ok {
		u.keepAlive = time.Duration(seconds) * time.Second
	}
	r.Headers = passedBack(r.Headers, u.head.ConnectionNames, isRest(c.x))
	u.head.Headers = nil
	most := c.backend.owner.MaxBodyBytes
	u.body.Reset(&u.reader, u.head.Framing, most)
	if u.head.Length > most {
		return fmt.Errorf("the response of %s: %w", c.backend.addr, http1.ErrBodyTooLarge)
	}

	start := len(x.Scratch)
	for !u.body.Done() {
		have := len(x.Scratch) - start
		// Of a long body, or one whose length isn't known, only what has
		// arrived is taken here.
		if (u.head.Length > maxBuffered || u.head.Length < 0) && (u.reader.Buffered() == 0 || have >= maxBuffered) {
			r.BodyStream = &backendBody{u: u, first: x.Scratch[start:], deadline: c.deadline, since: c.backend.owner.Clock(), done: x.Request.Done}
			r.StreamLength = u.head.Length
			return nil
		}
		x.Scratch = grow(x.Scratch, u.head.Length-int64(have))
		n, err := u.body.Read(x.Scratch[len(x.Scratch):cap(x.Scratch)])
		x.Scratch = x.Scratch[:len(x.Scratch)+n]
		if err != nil && err != io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
			return brokeOff(u, err)
		}
	}
	r.Body = x.Scratch[start:]
	u.release()
	return nil
}

func brokeOff(u *upstream, err error) error {
	return fmt.Errorf("the response of %s broke off: %w", u.addr, err)
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

// passedBack drops the headers that concern the backend's connection. A REST API
// passes on, under another name, what the Connection header said.
func passedBack(headers plan.Headers, names, rest bool) plan.Headers {
	kept := headers[:0]
	if names {
		// The names may stand behind what they name.
		all := append(plan.Headers(nil), headers...)
		for _, h := range all {
			if http1.PassOn(all, h.Name, true) || rest && isConnection(h.Name) {
				kept = append(kept, h)
			}
		}
		return kept
	}
	for _, h := range headers {
		if !http1.HopByHop(h.Name) || rest && isConnection(h.Name) {
			kept = append(kept, h)
		}
	}
	return kept
}

func isConnection(name string) bool { return len(name) == 10 && plan.EqualFold(name, "connection") }

// A backendBody is a response that is still coming.
type backendBody struct {
	u     *upstream
	first []byte
	// deadline is the backend's, as of since; done ends with the client.
	deadline, since time.Time
	done            <-chan struct{}
	// target is where a request ends with the body; nil for none.
	target *balance.Target
}

func (b *backendBody) Read(p []byte) (int, error) {
	if len(b.first) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	// The time that the client took isn't the backend's.
	clock := b.u.owner.Clock
	b.deadline = b.deadline.Add(clock().Sub(b.since))
	b.u.limit(b.deadline)
	n, err := b.u.body.Read(p)
	b.since = clock()
	if err != nil && err != io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
		err = explain(brokeOff(b.u, err), b.done)
	}
	return n, err
}

// Close gives the connection back when the whole response was read, and ends
// it otherwise.
func (b *backendBody) Close() error {
	if b.u != nil {
		b.u.release()
		b.u = nil
		if b.target != nil {
			b.target.End()
		}
	}
	return nil
}
