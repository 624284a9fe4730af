package serve_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"gatehouse/internal/serve"
)

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
	} {
		if got := sendHTTP2(t, g.addr, config, tt.method, tt.path); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%.40q %q: %q, want %s", tt.method, tt.path, got, tt.want)
		}
	}
}

// sendHTTP2 sends a request as no proper client would, and returns status and
// body of the answer.
func sendHTTP2(t *testing.T, addr string, config *tls.Config, method, path string) string {
	t.Helper()
	c := tls.Client(dial(t, addr), config)
	defer c.Close()
	var block bytes.Buffer
	fields := hpack.NewEncoder(&block)
	for _, f := range []hpack.HeaderField{
		{Name: ":method", Value: method}, {Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: "abc.execute-api.localhost"}, {Name: ":path", Value: path},
	} {
		if err := fields.WriteField(f); err != nil {
			t.Fatal(err)
		}
	}
	framer := http2.NewFramer(c, c)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
	answer := ""
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
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
