package fault

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// say is an act that reads the request, answers and keeps the connection.
func say(text string) act {
	return func(c *net.TCPConn, r *http.Request) bool {
		_, bodyErr := io.Copy(io.Discard, r.Body)
		_, err := io.WriteString(c, text)
		return errors.Join(bodyErr, err) == nil
	}
}

// sayAndClose is say that ends the connection, unannounced.
func sayAndClose(text string) act {
	return func(c *net.TCPConn, r *http.Request) bool {
		say(text)(c, r)
		return false
	}
}

// sayAndReset is say that ends the connection with a reset.
func sayAndReset(text string) act {
	return func(c *net.TCPConn, r *http.Request) bool {
		say(text)(c, r)
		_ = c.SetLinger(0) // it is the connection's end in any case
		return false
	}
}

// sayAndStall is say that does nothing more until the gateway hangs up.
func sayAndStall(text string) act {
	return func(c *net.TCPConn, r *http.Request) bool {
		say(text)(c, r)
		_, _ = io.Copy(io.Discard, c) // until the end
		return false
	}
}

// pour is an act that answers with a head and a hundred megabytes.
func pour(head, before, after string) act {
	return func(c *net.TCPConn, r *http.Request) bool {
		say(head)(c, r)
		piece := before + strings.Repeat("x", 1<<20) + after
		for range 100 {
			if _, err := io.WriteString(c, piece); err != nil {
				return false
			}
		}
		return false
	}
}

const (
	answered = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
	chunked  = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	long     = "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"
	injected = "HTTP/1.1 266 Injected\r\nContent-Length: 0\r\n\r\n"
)

// Whatever a backend does to one request, its client gets the right answer and
// the backend the request once; the next request through the same backend gets
// its own answer, and nothing is left behind.
func TestBackends(t *testing.T) {
	tests := []struct {
		name   string
		act    act
		status int
		body   string // "-" is one that breaks off
	}{
		{"closes", sayAndClose(""), 503, unavailable},
		{"resets", sayAndReset(""), 503, unavailable},
		{"closes in the head", sayAndClose("HTTP/1.1 200 OK\r\nCont"), 503, unavailable},
		{"resets in the head", sayAndReset("HTTP/1.1 200 OK\r\nCont"), 503, unavailable},
		{"closes in a short body", sayAndClose("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"), 503, unavailable},
		{"resets in a short body", sayAndReset("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"), 503, unavailable},
		{"closes in a long body", sayAndClose(long + "hi"), 200, "-"},
		{"resets in a long body", sayAndReset(long + "hi"), 200, "-"},
		{"closes in a chunk", sayAndClose(chunked + "5\r\nhi"), 200, "-"},
		{"closes between chunks", sayAndClose(chunked + "2\r\nhi\r\n"), 200, "-"},
		{"closes after answering", sayAndClose(answered), 200, "hi"},
		{"resets after answering", sayAndReset(answered), 200, "hi"},

		{"stalls", sayAndStall(""), 503, unavailable},
		{"stalls in the head", sayAndStall("HTTP/1.1 200 OK\r\nCont"), 503, unavailable},
		{"stalls after an interim answer", sayAndStall("HTTP/1.1 100 Continue\r\n\r\n"), 503, unavailable},
		{"stalls in a short body", sayAndStall("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"), 503, unavailable},
		{"stalls in a long body", sayAndStall(long + "hi"), 200, "-"},
		{"stalls in a chunk", sayAndStall(chunked + "5\r\nhi"), 200, "-"},

		{"speaks another protocol", say("SSH-2.0-OpenSSH_9.2\r\n"), 500, internal},
		{"speaks TLS", say("\x15\x03\x01\x00\x02\x02\x50"), 500, internal},
		{"speaks HTTP/2", say("HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"), 500, internal},
		{"sends garbage", say(strings.Repeat("\x00\xffgarbage", 10_000)), 500, internal},
		{"sends half a status", say("HTTP/1.1 20\r\n\r\n"), 500, internal},
		{"switches protocols", say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), 500, internal},
		{"never gets past interim answers", say(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100)), 500, internal},

		{"sends a huge header", say("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"), 500, internal},
		{"sends a million headers", say("HTTP/1.1 200 OK\r\n" + strings.Repeat("a:b\r\n", 200_000) + "\r\n"), 500, internal},
		{"sends a head without end", pour("HTTP/1.1 200 OK\r\n", "x: ", "\r\n"), 500, internal},

		{"announces 100 MB", pour("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", "", ""), 500, internal},
		{"sends 100 MB in chunks", pour(chunked, "100000\r\n", "\r\n"), 200, "-"},
		{"sends 100 MB until the end", pour("HTTP/1.1 200 OK\r\n\r\n", "", ""), 200, "-"},
		{"sends a chunk of 100 MB", pour(chunked+"6400000\r\n", "", ""), 500, internal},

		{"sends two lengths", say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!"), 500, internal},
		{"sends a length and chunks", say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" + injected), 200, "hi"},
		{"folds a header", say("HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n"), 500, internal},
		{"ends lines with LF", say("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"), 500, internal},
		{"puts CR in a header", say("HTTP/1.1 200 OK\r\nA: b\rC: d\r\nContent-Length: 0\r\n\r\n"), 500, internal},
		{"sends chunk extensions", say(chunked + "2;a=b;c\r\nhi\r\n0;d\r\n\r\n"), 200, "hi"},
		{"sends a trailer", say(chunked + "2\r\nhi\r\n0\r\nX-T: v\r\n\r\n"), 200, "hi"},
		{"sends a bad chunk size", say(chunked + "2x\r\nhi\r\n0\r\n\r\n"), 500, internal},
		{"sends a chunk too long", say(chunked + "2\r\nhi!\r\n0\r\n\r\n"), 500, internal},
		{"sends more than announced", say(answered + injected), 200, "hi"},
		{"sends a body with 204", say("HTTP/1.1 204 No Content\r\nContent-Length: 60\r\n\r\n" + injected), 204, ""},
		{"sends a body with 304", say("HTTP/1.1 304 Not Modified\r\nContent-Length: 60\r\n\r\n" + injected), 304, ""},
		{"sends interim answers", say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answered), 200, "hi"},
		{"says goodbye", func(c *net.TCPConn, r *http.Request) bool {
			say(answered+"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")(c, r)
			return false
		}, 200, "hi"},
	}
	acts := map[string]act{"/ok": func(c *net.TCPConn, r *http.Request) bool {
		text := "for " + r.URL.RawQuery
		return say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text))(c, r)
	}}
	path := func(name string) string { return "/" + strings.ReplaceAll(name, " ", "-") }
	for _, tt := range tests {
		acts[path(tt.name)] = tt.act
	}
	b := startBackend(t, acts)
	a := newAPI(t)
	a.route(t, "ANY /ok", "http://"+b.addr+"/ok", ample)
	for _, tt := range tests {
		timeout := ample
		if strings.HasPrefix(tt.name, "stalls") {
			timeout = 500 * time.Millisecond
			if tt.status == 200 {
				timeout = 2 * time.Second // within which the head comes
			}
		}
		a.route(t, "ANY "+path(tt.name), "http://"+b.addr+path(tt.name), timeout)
	}
	a.mark(t)
	client := a.http(t)
	for _, tt := range tests {
		for _, method := range []string{"GET", "POST"} {
			t.Run(method+" "+tt.name, func(t *testing.T) {
				// A connection is there to be reused.
				if status, body, err := a.do(t, client, "GET", "/ok?before", nil); status != 200 || body != "for before" || err != nil {
					t.Fatalf("before: %d %q, %v", status, body, err)
				}
				var sent io.Reader
				if method == "POST" {
					sent = strings.NewReader("body")
				}
				status, body, err := a.do(t, client, method, path(tt.name), sent)
				switch {
				case status != tt.status:
					t.Errorf("got %d %.80q, want %d", status, body, tt.status)
				case tt.body == "-" && (!errors.Is(err, io.ErrUnexpectedEOF) || len(body) > 10<<20):
					t.Errorf("got %d bytes and %v, want a response that breaks off", len(body), err)
				case tt.body != "-" && (body != tt.body || err != nil):
					t.Errorf("got %.80q, %v, want %q", body, err, tt.body)
				}
				// What only asks is repeated after a reset: mostly it met a
				// backend as it closed an idle connection.
				n := b.count(method + " " + path(tt.name))
				if n != 1 && !(n == 2 && method == "GET" && tt.name == "resets") {
					t.Errorf("the backend saw the request %d times", n)
				}
				if status, body, err := a.do(t, client, "GET", "/ok?after", nil); status != 200 || body != "for after" || err != nil {
					t.Errorf("the next request: %d %q, %v", status, body, err)
				}
			})
		}
	}
	b.close()
	client.CloseIdleConnections()
	a.nothingLeft(t)
}

// A backend that isn't there is 503 for as long as it isn't.
func TestAbsentBackend(t *testing.T) {
	b := startBackend(t, map[string]act{"/": say(answered)})
	a := newAPI(t)
	a.route(t, "$default", "http://"+b.addr, ample)
	a.mark(t)
	client := a.http(t)
	if status, body, err := a.do(t, client, "POST", "/", strings.NewReader("x")); status != 200 || body != "hi" || err != nil {
		t.Errorf("got %d %q, %v", status, body, err)
	}
	b.close()
	for range 3 {
		if status, body, err := a.do(t, client, "POST", "/", strings.NewReader("x")); status != 503 || body != unavailable || err != nil {
			t.Errorf("without a backend: %d %q, %v", status, body, err)
		}
	}
	l, err := net.Listen("tcp", b.addr)
	if err != nil {
		t.Skipf("the backend's port is someone else's now: %v", err)
	}
	again := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "again") })}
	served := make(chan error, 1)
	go func() { served <- again.Serve(l) }()
	if status, body, err := a.do(t, client, "POST", "/", strings.NewReader("x")); status != 200 || body != "again" || err != nil {
		t.Errorf("with a backend again: %d %q, %v", status, body, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	<-served
	client.CloseIdleConnections()
	a.nothingLeft(t)
}

// A backend that closes its connections after each answer, unannounced, costs
// no one who asks an answer. Whoever changes something may be told that it is
// unknown whether it happened, but it never happens twice.
func TestBackendThatClosesIdleConnections(t *testing.T) {
	b := startBackend(t, map[string]act{"/": sayAndClose(answered)})
	a := newAPI(t)
	a.route(t, "$default", "http://"+b.addr, ample)
	a.mark(t)
	client := a.http(t)
	const requests = 300
	for i := range requests {
		if status, body, err := a.do(t, client, "GET", "/", nil); status != 200 || body != "hi" || err != nil {
			t.Fatalf("GET %d: %d %q, %v", i, status, body, err)
		}
	}
	if n := b.count("GET /"); n != requests {
		t.Errorf("the backend saw %d requests for %d", n, requests)
	}
	for range requests {
		before := b.count("POST /")
		status, _, err := a.do(t, client, "POST", "/", strings.NewReader("x"))
		seen := b.count("POST /") - before
		if err != nil || !(status == 200 && seen == 1 || status == 503 && seen <= 1) {
			t.Fatalf("POST: %d, seen %d times, %v", status, seen, err)
		}
	}
	b.close()
	client.CloseIdleConnections()
	a.nothingLeft(t)
}
