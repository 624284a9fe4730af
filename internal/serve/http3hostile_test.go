package serve_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

// The frames of HTTP/3 that tests make themselves (RFC 9114, section 7.2).
const (
	frameData    = 0x0
	frameHeaders = 0x1
	framePing    = 0x6 // HTTP/2's, which HTTP/3 doesn't have
	frameGrease  = 0x21
)

// An http3Conn is a connection whose frames a test makes itself.
type http3Conn struct {
	*quic.Conn
	t *testing.T
}

// dialHTTP3 opens a connection. Its client grants a stream as many bytes as window.
func (g *gateway) dialHTTP3(t *testing.T, window uint64) http3Conn {
	t.Helper()
	ctx, cancel := timeout(t)
	defer cancel()
	config := &quic.Config{InitialStreamReceiveWindow: window, MaxStreamReceiveWindow: window, KeepAlivePeriod: 50 * time.Millisecond}
	qc, err := quic.DialAddr(ctx, g.udp, &tls.Config{ServerName: api, NextProtos: []string{"h3"}, InsecureSkipVerify: true}, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = qc.CloseWithError(0x100, "") })
	control, err := qc.OpenUniStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := control.Write([]byte{0, 4, 0}); err != nil { // no settings
		t.Fatal(err)
	}
	return http3Conn{qc, t}
}

// open sends bytes on a stream of its own.
func (c http3Conn) open(raw []byte) *quic.Stream {
	c.t.Helper()
	stream, err := c.OpenStream()
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := stream.Write(raw); err != nil {
		c.t.Fatal(err)
	}
	return stream
}

// frame appends a frame.
func frame(b []byte, kind uint64, payload []byte) []byte {
	b = quicvarint.Append(quicvarint.Append(b, kind), uint64(len(payload)))
	return append(b, payload...)
}

// fields is a block of header lines, "name: value" each.
func fields(t *testing.T, lines ...string) []byte {
	t.Helper()
	var block bytes.Buffer
	encoder := qpack.NewEncoder(&block)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		if err := encoder.WriteField(qpack.HeaderField{Name: name, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	return block.Bytes()
}

// outcome is what becomes of a stream: status and body of the answer, or the code
// that ended the stream or the connection.
func (c http3Conn) outcome(stream *quic.Stream) string {
	c.t.Helper()
	if err := stream.SetReadDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
	raw, err := io.ReadAll(stream)
	var reset *quic.StreamError
	var closed *quic.ApplicationError
	switch {
	case errors.As(err, &reset):
		return fmt.Sprintf("reset %#x", int(reset.ErrorCode))
	case errors.As(err, &closed):
		return fmt.Sprintf("closed %#x", int(closed.ErrorCode))
	case err != nil:
		return err.Error()
	}
	answer := ""
	for r := bytes.NewReader(raw); r.Len() > 0; {
		kind, _ := quicvarint.Read(r)
		size, err := quicvarint.Read(r)
		if err != nil || size > uint64(r.Len()) {
			return "no frames"
		}
		payload := make([]byte, size)
		_, _ = r.Read(payload)
		if kind == frameData {
			answer += " " + string(payload)
			continue
		}
		next := qpack.NewDecoder().Decode(payload)
		status, err := next()
		if err != nil {
			return err.Error()
		}
		answer += status.Value
	}
	return answer
}

func TestHTTP3Malformed(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate}, route(t, "$default", step(echo)))
	g.serveHTTP3(t)
	const (
		method, scheme, path, authority = ":method: POST", ":scheme: https", ":path: /", ":authority: " + api
		malformed, unexpected, badBlock = "reset 0x10e", "closed 0x105", "reset 0x200"
		badRequest                      = `400 {"message":"Bad Request"}`
	)
	with := func(more ...string) []byte {
		return frame(nil, frameHeaders, fields(t, append([]string{method, scheme, path, authority}, more...)...))
	}
	only := func(lines ...string) []byte { return frame(nil, frameHeaders, fields(t, lines...)) }
	for _, test := range []struct {
		name string
		raw  []byte
		want string
	}{
		{"a request", frame(with(), frameData, []byte("hi")), "200 hi"},
		{"a body in pieces, with what nobody knows between", frame(frame(frame(with(), frameData, []byte("h")), frameGrease, []byte("?")), frameData, []byte("i")), "200 hi"},
		{"method twice", only(method, method, scheme, path, authority), malformed},
		{"path twice", only(method, scheme, path, ":path: /other", authority), malformed},
		{"authority twice", only(method, scheme, path, authority, ":authority: other"), malformed},
		{"scheme twice", only(method, scheme, scheme, path, authority), malformed},
		{"a status", with(":status: 200"), malformed},
		{"an unknown one", with(":proto: x"), malformed},
		{"a protocol", only(":method: GET", scheme, path, authority, ":protocol: websocket"), malformed},
		{"a WebSocket", only(":method: CONNECT", scheme, path, authority, ":protocol: websocket"), `501 {"message":"Not Implemented"}`},
		{"a tunnel", only(":method: CONNECT", authority), `501 {"message":"Not Implemented"}`},
		{"a late one", only(method, scheme, path, "accept: */*", authority), malformed},
		{"no method", only(scheme, path, authority), malformed},
		{"no path", only(method, scheme, authority), malformed},
		{"an empty path", only(method, scheme, ":path: ", authority), malformed},
		{"a path that isn't one", only(method, scheme, ":path: other", authority), malformed},
		{"another request line", only(method, scheme, ":path: / HTTP/1.1", authority), badRequest},
		{"a star", only(method, scheme, ":path: *", authority), malformed},
		{"a fragment", only(method, scheme, ":path: /a#b", authority), badRequest},
		{"a URL", only(method, scheme, ":path: https://"+api+"/", authority), malformed},
		{"a method with a space", only(":method: GET /smuggled", scheme, path, authority), malformed},
		{"a long method", only(":method: "+strings.Repeat("A", 65), scheme, path, authority), badRequest},
		{"no authority", only(method, scheme, path), malformed},
		{"an authority with a path", only(method, scheme, path, authority+"/x"), badRequest},
		{"an authority with a user", only(method, scheme, path, ":authority: a@"+api), malformed},
		{"the same host", with("host: " + api), "200"},
		{"a host only", only(method, scheme, path, "host: "+api), "200"},
		{"another host", with("host: other.test"), malformed},
		{"two hosts", only(method, scheme, path, "host: "+api, "host: "+api), malformed},
		{"connection", with("connection: close"), malformed},
		{"transfer-encoding", with("transfer-encoding: chunked"), malformed},
		{"upgrade", with("upgrade: websocket"), malformed},
		{"keep-alive", with("keep-alive: 1"), malformed},
		{"proxy-connection", with("proxy-connection: x"), malformed},
		{"te", with("te: gzip"), malformed},
		{"te for trailers", with("te: trailers"), "200"},
		{"upper case", with("X-Up: 1"), malformed},
		{"a name with a colon", with("a:b: 1"), malformed},
		{"no name", with(": 1"), malformed},
		{"CR and LF in a value", with("x: a\r\nsmuggled: 1"), malformed},
		{"LF in a value", with("x: a\nb"), malformed},
		{"NUL in a value", with("x: a\x00b"), malformed},
		{"LF in a name", with("x\ny: a"), malformed},
		{"a length that is right", frame(with("content-length: 2"), frameData, []byte("hi")), "200 hi"},
		{"the same length twice", frame(with("content-length: 2", "content-length: 2"), frameData, []byte("hi")), "200 hi"},
		{"a length that is too long", frame(with("content-length: 3"), frameData, []byte("hi")), badRequest},
		{"a length that is too short", frame(with("content-length: 1"), frameData, []byte("hi")), malformed},
		{"two lengths", with("content-length: 1", "content-length: 2"), malformed},
		{"no number", with("content-length: x"), malformed},
		{"a negative length", with("content-length: -1"), malformed},
		{"a length with a sign", with("content-length: +2"), malformed},
		{"trailers", frame(frame(with(), frameData, []byte("hi")), frameHeaders, fields(t, "x: 1")), "200 hi"},
		{"a body after trailers", frame(frame(with(), frameHeaders, fields(t, "x: 1")), frameData, []byte("hi")), "500"},
		{"a body first", frame(nil, frameData, []byte("hi")), unexpected},
		{"a frame of HTTP/2", frame(nil, framePing, make([]byte, 8)), unexpected},
		{"a block that is none", frame(nil, frameHeaders, []byte{0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), badBlock},
		{"a block that leans on a table", frame(nil, frameHeaders, []byte{2, 0, 0x80}), badBlock},
		{"a block that is announced too long", quicvarint.Append([]byte{frameHeaders}, 1<<40), "431"},
		{"half a head", with()[:10], "reset 0x10d"},
		{"nothing", nil, "reset 0x10d"},
	} {
		c := g.dialHTTP3(t, 1<<20)
		stream := c.open(test.raw)
		_ = stream.Close() // unless the gateway has ended it already
		if got := c.outcome(stream); !strings.HasPrefix(got, test.want) || test.want == "200" && got != "200" {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		if err := c.CloseWithError(0x100, ""); err != nil {
			t.Error(err)
		}
	}
	// None of them did harm.
	if got := get(t, g.naming(t, api, "HTTP/3.0"), api); got != "200 " {
		t.Errorf("afterwards: %s", got)
	}
}

// Datagrams that are no QUIC are dropped.
func TestHTTP3Noise(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate}, route(t, "$default", answer("x")))
	g.serveHTTP3(t)
	c, err := net.Dial("udp", g.udp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	noise := make([]byte, 1300)
	for i := range 2000 {
		for j := range noise {
			noise[j] = byte(i*7 + j*(i%13))
		}
		noise[0] = byte(i)
		if i%3 == 0 {
			copy(noise[1:], []byte{0, 0, 0, 1, 8}) // version 1, and an identifier
		}
		_, _ = c.Write(noise[:1+i%len(noise)])
	}
	if got := get(t, g.naming(t, api, "HTTP/3.0"), api); got != "200 x" {
		t.Errorf("afterwards: %s", got)
	}
}

// Heads that don't come keep no connection, although its client answers.
func TestHTTP3SlowHeads(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate, IdleTimeout: 2 * time.Second}, route(t, "$default", answer("x")))
	g.serveHTTP3(t)
	head := frame(nil, frameHeaders, fields(t, ":method: GET", ":scheme: https", ":path: /", ":authority: "+api))
	for name, raw := range map[string][]byte{"half a head": head[:10], "half a frame's head": {0x40}, "nothing": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := g.dialHTTP3(t, 1<<20)
			stream := c.open(raw)
			if got := c.outcome(stream); got != "closed 0x100" {
				t.Error(got)
			}
		})
	}
}

// A stream whose client takes nothing ends, whatever of the response is left.
func TestHTTP3ClientThatDoesNotRead(t *testing.T) {
	a := certificate(t)
	body := strings.Repeat("x", 1<<20)
	streamed := step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.StreamLength = 200, -1
		x.Response.BodyStream = io.NopCloser(strings.NewReader(body))
		return nil
	})
	headed := step(func(x *plan.Exchange) error {
		x.Response.Status = 204
		x.Response.Add("x-long", strings.Repeat("x", 8000))
		return nil
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate, StallTimeout: 300 * time.Millisecond},
		route(t, "GET /whole", answer(body)), route(t, "GET /streamed", streamed), route(t, "GET /headed", headed))
	g.serveHTTP3(t)
	c := g.dialHTTP3(t, 100)
	for i, path := range []string{"/whole", "/streamed", "/headed"} {
		stream := c.open(frame(nil, frameHeaders, fields(t, ":method: GET", ":scheme: https", ":path: "+path, ":authority: "+api)))
		_ = stream.Close() // unless the gateway has ended it already
		g.counts.awaitLogged(t, int64(i)+1)
		// What is left after the log has its own time. Reading would let the gateway go on; reading nothing tells only
		// of the end.
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if _, err := stream.Read(nil); err != nil {
				break
			}
		}
		if got := c.outcome(stream); !strings.HasPrefix(got, "reset") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// A client that resets streams has no more of its requests worked on at a time
// than it may have open.
func TestHTTP3RapidReset(t *testing.T) {
	a := certificate(t)
	var working atomic.Int64
	release := make(chan struct{})
	deaf := step(func(x *plan.Exchange) error {
		working.Add(1)
		<-release // its backend doesn't listen
		return nil
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate}, route(t, "$default", deaf))
	g.serveHTTP3(t)
	c := g.dialHTTP3(t, 1<<20)
	head := frame(nil, frameHeaders, fields(t, ":method: GET", ":scheme: https", ":path: /", ":authority: "+api))
	reset := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		stream, err := c.OpenStreamSync(ctx)
		if err != nil {
			return err
		}
		n := working.Load()
		if _, err := stream.Write(head); err != nil {
			return err
		}
		err = stream.Close()
		for working.Load() == n && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		stream.CancelRead(0x10c)
		return err
	}
	for n := range 100 {
		if err := reset(patience); err != nil {
			t.Fatalf("after %d: %v", n, err)
		}
	}
	if err := reset(300 * time.Millisecond); err == nil {
		t.Error("there is room for another one")
	}
	close(release)
	if err := reset(patience); err != nil {
		t.Errorf("once they had ended: %v", err)
	}
}
