package serve_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"gatehouse/internal/serve"
)

const host = "Host: abc.execute-api.localhost\r\n"

// What two parsers could read differently is refused, and the connection ends:
// whatever follows on it can't be told from a smuggled request.
func TestAmbiguousRequestsAreRefused(t *testing.T) {
	reached := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "management") }
	g := startGateway(t, serve.Options{Management: http.HandlerFunc(reached)}, route(t, "$default", step(echo)))
	const smuggled = "GET /smuggled HTTP/1.1\r\n" + host + "\r\n"
	tests := []struct {
		name, raw string
	}{
		{"length and coding", "POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"coding and length", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
		{"two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
		{"two equal lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
		{"list of lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 5, 5\r\n\r\nhello"},
		{"signed length", "POST / HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\nhello"},
		{"hex length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x5\r\n\r\nhello"},
		{"huge length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\nhello"},
		{"empty length", "POST / HTTP/1.1\r\n" + host + "Content-Length:\r\n\r\n"},
		{"identity coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n\r\n"},
		{"unknown coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
		{"coding with a vertical tab", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"},
		{"two codings", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"coding in HTTP/1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"space before the colon", "POST / HTTP/1.1\r\n" + host + "Content-Length : 5\r\n\r\nhello"},
		{"folded line", "GET / HTTP/1.1\r\n" + host + "X-A: b\r\n c\r\n\r\n"},
		{"folded first line", "GET / HTTP/1.1\r\n Host: abc.execute-api.localhost\r\n\r\n"},
		{"bare LF between lines", "GET / HTTP/1.1\n" + host + "\r\n"},
		{"bare LF within lines", "GET / HTTP/1.1\r\nHost: abc.execute-api.localhost\nX-A: b\r\n\r\n"},
		{"bare CR in a value", "GET / HTTP/1.1\r\n" + host + "X-A: b\rX-C: d\r\n\r\n"},
		{"NUL in a value", "GET / HTTP/1.1\r\n" + host + "X-A: b\x00c\r\n\r\n"},
		{"no colon", "GET / HTTP/1.1\r\n" + host + "X-A\r\n\r\n"},
		{"empty name", "GET / HTTP/1.1\r\n" + host + ": b\r\n\r\n"},
		{"name that is no token", "GET / HTTP/1.1\r\n" + host + "X(A): b\r\n\r\n"},
		{"no host", "GET / HTTP/1.1\r\n\r\n"},
		{"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
		{"two hosts", "GET / HTTP/1.1\r\n" + host + "Host: localhost\r\n\r\n"},
		{"two equal hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n"},
		{"host with a path", "GET / HTTP/1.1\r\nHost: abc.execute-api.localhost/x\r\n\r\n"},
		{"host with a port that is none", "GET / HTTP/1.1\r\nHost: abc.execute-api.localhost:x\r\n\r\n"},
		{"host with a user", "GET / HTTP/1.1\r\nHost: a@abc.execute-api.localhost\r\n\r\n"},
		{"absolute form for another host", "GET http://localhost/ HTTP/1.1\r\n" + host + "\r\n"},
		{"absolute form with a user", "GET http://a@abc.execute-api.localhost/ HTTP/1.1\r\n" + host + "\r\n"},
		{"absolute form of another scheme", "GET ftp://abc.execute-api.localhost/ HTTP/1.1\r\n" + host + "\r\n"},
		{"authority form", "CONNECT abc.execute-api.localhost:443 HTTP/1.1\r\n" + host + "\r\n"},
		{"tunnel to a path", "CONNECT / HTTP/1.1\r\n" + host + "\r\n"},
		{"asterisk form", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n"},
		{"relative target", "GET x HTTP/1.1\r\n" + host + "\r\n"},
		{"no target", "GET HTTP/1.1\r\n" + host + "\r\n"},
		{"space in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n"},
		{"control in the target", "GET /a\x01b HTTP/1.1\r\n" + host + "\r\n"},
		{"fragment in the target", "GET /a#b HTTP/1.1\r\n" + host + "\r\n"},
		{"broken escape in the path", "GET /a%2 HTTP/1.1\r\n" + host + "\r\n"},
		{"method that is no token", "G(T / HTTP/1.1\r\n" + host + "\r\n"},
		{"other protocol", "GET / HTTP/2.0\r\n" + host + "\r\n"},
		{"lower-case protocol", "GET / http/1.1\r\n" + host + "\r\n"},
		{"tab for a space", "GET\t/ HTTP/1.1\r\n" + host + "\r\n"},
		{"chunk without a size", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n\r\n\r\n"},
		{"chunk size with a sign", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n"},
		{"chunk size with 0x", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n"},
		{"chunk size that wraps", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\na\r\n0\r\n\r\n"},
		{"chunk longer than its size", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"},
		{"chunk lines that end in LF", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n"},
		{"LF in a chunk extension", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\na\r\n0\r\n\r\n"},
		{"bare CR in a chunk extension", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;a\rb\r\na\r\n0\r\n\r\n"},
		{"chunk extensions without end", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("e", 4000)+"\r\na\r\n", 5) + "0\r\n\r\n"},
		{"folded trailer", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n"},
		{"trailer without a name", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n:x\r\n\r\n"},
		{"endless empty lines", strings.Repeat("\r\n", 20) + "GET / HTTP/1.1\r\n" + host + "\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, g.addr)
			if _, err := io.WriteString(c, tt.raw+smuggled); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(c)
			res, body := receive(t, r, "GET")
			if res.StatusCode != 400 || body != `{"message":"Bad Request"}` {
				t.Errorf("got %d %s", res.StatusCode, body)
			}
			if id := res.Header.Get("apigw-requestid"); len(id) != 16 || id[15] != '=' {
				t.Errorf("request id %q", id)
			}
			if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
				t.Errorf("after the refusal came %q, %v", rest, err)
			}
		})
	}
}

// What is unusual but means one thing only is served, and the connection stays.
func TestUnusualRequestsAreServed(t *testing.T) {
	g := startGateway(t, serve.Options{}, route(t, "$default", step(echo)))
	tests := []struct {
		name, raw, want string
	}{
		{"absolute form", "POST http://ABC.execute-api.localhost/x HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\nhi", "hi"},
		{"absolute form without a path", "GET http://abc.execute-api.localhost HTTP/1.1\r\n" + host + "\r\n", ""},
		{"leading empty line", "\r\nPOST / HTTP/1.1\r\n" + host + "content-length: 2\r\n\r\nhi", "hi"},
		{"chunks, extensions, trailer", "POST / HTTP/1.1\r\n" + host + "transfer-encoding: Chunked\r\n\r\n2;a=b\r\nhi\r\n00A \r\n0123456789\r\n0\r\nX-T: v\r\n\r\n", "hi0123456789"},
		{"white space around values", "POST / HTTP/1.1\r\n" + host + "Content-Length: \t 2 \t\r\n\r\nhi", "hi"},
		{"bytes beyond ASCII", "POST /caf\xc3\xa9 HTTP/1.1\r\n" + host + "X-A: caf\xc3\xa9\r\nContent-Length: 2\r\n\r\nhi", "hi"},
		{"unknown method", "PROPFIND / HTTP/1.1\r\n" + host + "\r\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, g.addr)
			// Pipelined with one more, and again byte by byte.
			if _, err := io.WriteString(c, tt.raw+tt.raw); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(c)
			for i := range 3 {
				if i == 2 {
					for j := range len(tt.raw) {
						if _, err := io.WriteString(c, tt.raw[j:j+1]); err != nil {
							t.Fatal(err)
						}
					}
				}
				res, body := receive(t, r, "GET")
				if res.StatusCode != 200 || body != tt.want {
					t.Fatalf("%d: got %d %q, want %q", i, res.StatusCode, body, tt.want)
				}
			}
		})
	}
}

func TestHTTP10(t *testing.T) {
	g := startGateway(t, serve.Options{}, route(t, "$default", step(echo)))
	c := dial(t, g.addr)
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\n"+host+"Connection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for _, wantClose := range []bool{false, true} {
		res, _ := receive(t, r, "GET")
		if res.StatusCode != 200 || res.Close != wantClose {
			t.Errorf("got %d, close %t, want close %t", res.StatusCode, res.Close, wantClose)
		}
	}
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection stays: %v", err)
	}
}
