package serve_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

// api is the host of the API.
const api = "abc.execute-api.localhost"

// What HTTP/1.1 has no words for is no request in HTTP/2 either: it would be
// written into the request line of a backend.
func TestHTTP2RequestLines(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate}, route(t, "$default", answer("reached")))
	config := trust(t, a)
	config.ServerName, config.NextProtos = "localhost", []string{"h2"}
	for _, tt := range []struct{ method, path, want string }{
		{"GET", "/", "200 reached"},
		{"PURGE", "/a%20b?c", "200 reached"},
		{"GET /smuggled", "/", "400"},
		{"GET /smuggled HTTP/1.1", "/", "400"},
		{"GÉT", "/", "400"},
		{"G(T", "/", "400"},
		{strings.Repeat("A", 65), "/", "400"},
		{"OPTIONS", "*", "400"},
		{"GET", "/a b", "400"},
		{"GET", "/a#b", "400"},
		{"GET", "https://localhost/", "400"},
		{"GET", "https://abc.execute-api.localhost/", "400"},
	} {
		if got := sendHTTP2(t, g.addr, config, tt.method, tt.path); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%.40q %q: %q, want %s", tt.method, tt.path, got, tt.want)
		}
	}
}

// A stream whose client takes nothing ends, although its connection lives.
func TestHTTP2ClientThatDoesNotRead(t *testing.T) {
	a := certificate(t)
	body := strings.Repeat("x", 1<<20)
	streamed := step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.StreamLength = 200, -1
		x.Response.BodyStream = io.NopCloser(strings.NewReader(body))
		return nil
	})
	ended := make(chan error, 1)
	management := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.WriteString(w, body)
		ended <- err
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate, StallTimeout: 300 * time.Millisecond, Management: management},
		route(t, "GET /whole", answer(body)), route(t, "GET /streamed", streamed))
	config := trust(t, a)
	config.ServerName, config.NextProtos = "localhost", []string{"h2"}
	for _, at := range []struct{ host, path string }{{api, "/whole"}, {api, "/streamed"}, {"localhost", "/"}} {
		c := openHTTP2(t, g.addr, config)
		c.request("GET", at.host, at.path)
		for {
			frame := c.next()
			if ping, ok := frame.(*http2.PingFrame); ok && !ping.IsAck() {
				if err := c.WritePing(true, ping.Data); err != nil {
					t.Fatal(err)
				}
			}
			if end, ok := frame.(*http2.RSTStreamFrame); ok && end.StreamID == 1 {
				break
			}
		}
	}
	g.counts.awaitLogged(t, 2)
	if err := <-ended; err == nil {
		t.Error("a management call wrote to somebody who doesn't read")
	}
}

// A response may pause for as long as its backend does.
func TestHTTP2PausingBackend(t *testing.T) {
	a := certificate(t)
	paused := step(func(x *plan.Exchange) error {
		first, second := io.Pipe()
		time.AfterFunc(time.Second, func() {
			_, _ = io.WriteString(second, "b")
			second.Close()
		})
		x.Response.Status, x.Response.StreamLength = 200, -1
		x.Response.BodyStream = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(strings.NewReader("a"), first), first}
		return nil
	})
	g := startGateway(t, serve.Options{Certificate: a.Certificate, StallTimeout: 300 * time.Millisecond}, route(t, "$default", paused))
	res, err := g.client(t, trust(t, a)).Get("https://abc.execute-api.localhost/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); string(body) != "ab" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

// sendHTTP2 sends a request as no proper client would, and returns status and
// body of the answer.
func sendHTTP2(t *testing.T, addr string, config *tls.Config, method, path string) string {
	t.Helper()
	c := openHTTP2(t, addr, config)
	c.request(method, api, path)
	answer := ""
	for {
		frame := c.next()
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			answer = f.PseudoValue("status") + " "
		case *http2.DataFrame:
			answer += string(f.Data())
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return answer + f.Header().String()
		}
		if frame.Header().StreamID == 1 && frame.Header().Flags.Has(http2.FlagDataEndStream) {
			return answer
		}
	}
}

// An http2Conn is a connection whose frames a test makes itself. It never asks
// for more than the first bytes of a body.
type http2Conn struct {
	*http2.Framer
	t *testing.T
}

func openHTTP2(t *testing.T, addr string, config *tls.Config) http2Conn {
	t.Helper()
	c := tls.Client(dial(t, addr), config)
	t.Cleanup(func() { c.Close() })
	framer := http2.NewFramer(c, c)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100}); err != nil {
		t.Fatal(err)
	}
	return http2Conn{framer, t}
}

// request sends a request without a body on the first stream.
func (c http2Conn) request(method, host, path string) {
	c.t.Helper()
	var block bytes.Buffer
	fields := hpack.NewEncoder(&block)
	for _, f := range []hpack.HeaderField{
		{Name: ":method", Value: method}, {Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: host}, {Name: ":path", Value: path},
	} {
		if err := fields.WriteField(f); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}); err != nil {
		c.t.Fatal(err)
	}
}

func (c http2Conn) next() http2.Frame {
	c.t.Helper()
	frame, err := c.ReadFrame()
	if err != nil {
		c.t.Fatal(err)
	}
	return frame
}
