package fault

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// What could be read in two ways never reaches a backend, nor does what is
// hidden in it, and the connection ends.
func TestSmuggling(t *testing.T) {
	b := startBackend(t, map[string]act{"/": say(answered)})
	a := newAPI(t)
	a.route(t, "$default", "http://"+b.addr, ample)
	a.mark(t)
	host := "Host: " + a.host + "\r\n"
	smuggled := "GET /smuggled HTTP/1.1\r\n" + host + "\r\n"
	chunks := "Transfer-Encoding: chunked\r\n"
	for name, raw := range map[string]string{
		"length and chunks":       "POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n" + chunks + "\r\n0\r\n\r\n",
		"chunks and length":       "POST / HTTP/1.1\r\n" + host + chunks + "Content-Length: 5\r\n\r\n0\r\n\r\n",
		"two lengths":             "POST / HTTP/1.1\r\n" + host + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
		"two equal lengths":       "POST / HTTP/1.1\r\n" + host + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
		"folded length":           "POST / HTTP/1.1\r\n" + host + "Content-Length:\r\n 44\r\n\r\n",
		"folded coding":           "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
		"bare LF":                 "POST / HTTP/1.1\n" + host + "\n",
		"bare LF hides a header":  "POST / HTTP/1.1\r\n" + host + "A: b\nContent-Length: 44\r\n\r\n",
		"bare CR hides a header":  "POST / HTTP/1.1\r\n" + host + "A: b\rContent-Length: 44\r\n\r\n",
		"spaced colon":            "POST / HTTP/1.1\r\n" + host + "Content-Length : 44\r\n\r\n",
		"obfuscated coding":       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"chunk size is ambiguous": "POST / HTTP/1.1\r\n" + host + chunks + "\r\n0x0\r\n\r\n",
		"chunk ends in LF":        "POST / HTTP/1.1\r\n" + host + chunks + "\r\n0\n\n",
		"CR in a chunk extension": "POST / HTTP/1.1\r\n" + host + chunks + "\r\n0;a\rb\r\n\r\n",
		"too long a chunk":        "POST / HTTP/1.1\r\n" + host + chunks + "\r\n1\r\nab\r\n0\r\n\r\n",
		"two hosts":               "GET / HTTP/1.1\r\n" + host + "Host: other\r\n\r\n",
		"tunnel":                  "CONNECT / HTTP/1.1\r\n" + host + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := a.dial(t)
			c.send(raw + smuggled)
			if res, body := c.receive(); res.StatusCode != 400 || body != badRequest || !res.Close {
				t.Errorf("got %d %q", res.StatusCode, body)
			}
			c.closed()
		})
	}
	t.Run("chunk extensions are no harm", func(t *testing.T) {
		c := a.dial(t)
		c.send("POST / HTTP/1.1\r\n" + host + chunks + "\r\n5;a=\"b\";c\r\nhello\r\n0;d\r\nX-T: v\r\n\r\n" + "GET / HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n")
		for range 2 {
			if res, body := c.receive(); res.StatusCode != 200 || body != "hi" {
				t.Errorf("got %d %q", res.StatusCode, body)
			}
		}
		c.closed()
	})
	if n := b.count("GET /smuggled"); n != 0 {
		t.Errorf("%d hidden requests reached the backend", n)
	}
	b.close()
	a.nothingLeft(t)
}

// A head of any size and shape gets an answer, and costs nothing afterwards.
func TestHeadBombs(t *testing.T) {
	b := startBackend(t, map[string]act{"/": say(answered)})
	a := newAPI(t)
	a.route(t, "$default", "http://"+b.addr, ample)
	a.mark(t)
	host := "Host: " + a.host + "\r\n"
	for name, tt := range map[string]struct {
		raw  string
		want int
	}{
		"long header":   {"GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 20_000) + "\r\n\r\n", 431},
		"longer header": {"GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 10<<20) + "\r\n\r\n", 431},
		"many headers":  {"GET / HTTP/1.1\r\n" + host + strings.Repeat("a:b\r\n", 1000) + "\r\n", 400},
		"many more":     {"GET / HTTP/1.1\r\n" + host + strings.Repeat("a:b\r\n", 1_000_000) + "\r\n", 431},
		"long target":   {"GET /" + strings.Repeat("x", 10<<20) + " HTTP/1.1\r\n" + host + "\r\n", 431},
		"long name":     {"GET / HTTP/1.1\r\n" + host + strings.Repeat("x", 10<<20) + ": y\r\n\r\n", 431},
		"empty lines":   {strings.Repeat("\r\n", 100_000) + "GET / HTTP/1.1\r\n" + host + "\r\n", 400},
	} {
		t.Run(name, func(t *testing.T) {
			c := a.dial(t)
			c.send(tt.raw)
			if res, body := c.receive(); res.StatusCode != tt.want {
				t.Errorf("got %d %.80q, want %d", res.StatusCode, body, tt.want)
			} else if res.Close {
				c.closed()
			} else if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	b.close()
	a.nothingLeft(t)
}

// Hundred megabytes are refused, however they are announced and whether the
// client reads before it has sent all; the answer can be read.
func TestHugeRequests(t *testing.T) {
	b := startBackend(t, map[string]act{"/": func(c *net.TCPConn, r *http.Request) bool {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return false
		}
		return say(answered)(c, r)
	}})
	a := newAPI(t)
	a.route(t, "$default", "http://"+b.addr, ample)
	a.mark(t)
	const size = 100 << 20
	piece := strings.Repeat("x", 1<<20)
	post := "POST / HTTP/1.1\r\nHost: " + a.host + "\r\n"
	for name, tt := range map[string]struct{ head, before, after, end string }{
		"announced":    {head: fmt.Sprintf("Content-Length: %d\r\n\r\n", size)},
		"in chunks":    {head: "Transfer-Encoding: chunked\r\n\r\n", before: "100000\r\n", after: "\r\n", end: "0\r\n\r\n"},
		"in one chunk": {head: fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", size), end: "\r\n0\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c := a.dial(t)
			c.send(post + tt.head)
			for range size >> 20 {
				c.send(tt.before + piece + tt.after)
			}
			c.send(tt.end)
			if res, body := c.receive(); res.StatusCode != 413 || body != tooLarge || !res.Close {
				t.Errorf("got %d %q, close %t", res.StatusCode, body, res.Close)
			}
			c.closed()
		})
	}
	t.Run("expecting to go ahead", func(t *testing.T) {
		c := a.dial(t)
		c.send(post + fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", size))
		if res, body := c.receive(); res.StatusCode != 413 || body != tooLarge {
			t.Errorf("got %d %q", res.StatusCode, body)
		}
		c.closed()
	})
	client := a.http(t)
	for name, body := range map[string]io.Reader{
		"announced, by net/http": io.LimitReader(rand.Reader, size),
		"in chunks, by net/http": io.MultiReader(io.LimitReader(rand.Reader, size)),
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+a.host+"/", body)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(name, "announced") {
				req.ContentLength = size
			}
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close() //nolint:errcheck // nothing to do about it
			if res.StatusCode != 413 {
				t.Errorf("got %d", res.StatusCode)
			}
		})
	}
	if status, body, err := a.do(t, client, "POST", "/", io.LimitReader(rand.Reader, 10<<20)); status != 200 || body != "hi" || err != nil {
		t.Errorf("what is just short enough: %d %q, %v", status, body, err)
	}
	b.close()
	client.CloseIdleConnections()
	a.nothingLeft(t)
}

// A client that goes away ends its call to the backend, whatever that is doing:
// here it does nothing about the end itself.
func TestClientGone(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	then := func(do func(c *net.TCPConn, r *http.Request)) act {
		return func(c *net.TCPConn, r *http.Request) bool {
			do(c, r)
			arrived <- struct{}{}
			<-release
			return false
		}
	}
	b := startBackend(t, map[string]act{
		"/works":    then(func(*net.TCPConn, *http.Request) {}),
		"/reads":    then(func(_ *net.TCPConn, r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, 1_000_000) }), // the rest never comes
		"/trickles": then(func(c *net.TCPConn, _ *http.Request) { _, _ = io.WriteString(c, chunked+"2\r\nhi\r\n") }),
		"/halts":    then(func(c *net.TCPConn, _ *http.Request) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Len") }),
		"/pours": then(func(c *net.TCPConn, _ *http.Request) {
			// More than the gateway and the kernel take from it.
			go func() {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"+strings.Repeat("x", 10_000_000))
			}()
		}),
	})
	a := newAPI(t)
	a.route(t, "$default", "http://"+b.addr, ample)
	tests := []struct {
		name, request string
		more          int // bytes of a body, as far as they are taken
	}{
		{"before the answer", "GET /works", 0},
		{"in its head", "GET /halts", 0},
		{"in an answer that stalls", "GET /trickles", 0},
		{"in an answer that isn't read", "GET /pours", 0},
		{"while sending", "POST /reads", 1_000_000},
		{"while the backend reads nothing", "POST /works", 9_000_000},
	}
	a.mark(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := a.dial(t)
			c.send(tt.request + " HTTP/1.1\r\nHost: " + a.host + "\r\n")
			if tt.more > 0 {
				c.send("Content-Length: 10000000\r\n")
			}
			c.send("\r\n")
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				_, _ = io.WriteString(c, strings.Repeat("x", tt.more)) // until it is closed
			}()
			<-arrived
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			<-sent
			a.nothingLeft(t)
			release <- struct{}{}
		})
	}
}
