package serve_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

func TestHeadLimit(t *testing.T) {
	management := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "management") })
	g := startGateway(t, serve.Options{Management: management}, route(t, "$default", answer("ok")))
	head := func(host string, size int) string {
		head := "GET / HTTP/1.1\r\nHost: " + host + "\r\nX-Fill: "
		return head + strings.Repeat("a", size-len(head)-4) + "\r\n\r\n"
	}
	tests := []struct {
		name, raw  string
		wantStatus int
		wantBody   string
	}{
		{"traffic at the limit", head("abc.execute-api.localhost", serve.MaxHeadBytes), 200, "ok"},
		{"traffic over the limit", head("abc.execute-api.localhost", serve.MaxHeadBytes+1), 431, `{"message":"Request Header Fields Too Large"}`},
		{"management has more room", head("localhost", serve.MaxHeadBytes+1), 200, "management"},
		{"nobody has that much", head("localhost", 70_000), 431, `{"message":"Request Header Fields Too Large"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, body := send(t, g.addr, tt.raw)
			if res.StatusCode != tt.wantStatus || body != tt.wantBody {
				t.Errorf("got %d %s, want %d %s", res.StatusCode, body, tt.wantStatus, tt.wantBody)
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	g := startGateway(t, serve.Options{MaxBodyBytes: 1000}, route(t, "POST /echo", step(echo)), route(t, "POST /deaf", answer("ok")))
	const tooLarge = `{"message":"Request Entity Too Large"}`
	body := strings.Repeat("b", 1000)
	post := "POST /echo HTTP/1.1\r\n" + host
	tests := []struct {
		name, raw  string
		wantStatus int
		wantBody   string
	}{
		{"announced, at the limit", post + "Content-Length: 1000\r\n\r\n" + body, 200, body},
		{"announced, over it, not sent", post + "Content-Length: 1001\r\n\r\n", 413, tooLarge},
		{"announced, far over it", post + "Content-Length: 3000\r\n\r\n" + body + body + body, 413, tooLarge},
		{"chunked, at the limit", post + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + body + "\r\n0\r\n\r\n", 200, body},
		{"chunked, over it", post + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + body + "\r\n1\r\na\r\n0\r\n\r\n", 413, tooLarge},
		{"one huge chunk", post + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413, tooLarge},
		{"no route is found first", "POST /none HTTP/1.1\r\n" + host + "Content-Length: 1001\r\n\r\n", 404, `{"message":"Not Found"}`},
		{"not even looked at", "POST /deaf HTTP/1.1\r\n" + host + "Content-Length: 1000\r\n\r\n" + body, 200, "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, got := send(t, g.addr, tt.raw)
			if res.StatusCode != tt.wantStatus || got != tt.wantBody {
				t.Errorf("got %d %.80s, want %d %.80s", res.StatusCode, got, tt.wantStatus, tt.wantBody)
			}
		})
	}
	if got := g.counts.lastStatus.Load(); got == 0 {
		t.Error("refusals weren't counted")
	}
}

// A client that reads nothing before it has sent all still gets the answer to a
// body that is too long, and the connection ends in order.
func TestRefusedUpload(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate, MaxBodyBytes: 1000}, route(t, "POST /echo", step(echo)))
	const size = 32 << 20 // more than the kernel holds
	body := strings.Repeat("b", 1<<20)
	for name, head := range map[string]string{
		"announced":        "POST /echo HTTP/1.1\r\n" + host + fmt.Sprintf("Content-Length: %d\r\n\r\n", size),
		"one chunk":        "POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n", size),
		"without a route":  "POST /none HTTP/1.1\r\n" + host + fmt.Sprintf("Content-Length: %d\r\n\r\n", size),
		"ill-formed chunk": "POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n!\r\n",
		"no request":       "nonsense\r\n\r\n",
	} {
		for _, over := range []string{"plain", "TLS"} {
			t.Run(over+" "+name, func(t *testing.T) {
				want := 413
				switch name {
				case "without a route":
					want = 404
				case "ill-formed chunk", "no request":
					want = 400
				}
				c := dial(t, g.addr)
				if over == "TLS" {
					o := trust(t, a)
					o.ServerName = "abc.execute-api.localhost"
					c = tls.Client(c, o)
				}
				if _, err := io.WriteString(c, head); err != nil {
					t.Fatal(err)
				}
				for range size >> 20 {
					if _, err := io.WriteString(c, body); err != nil {
						t.Fatalf("the connection broke: %v", err)
					}
				}
				r := bufio.NewReader(c)
				if res, _ := receive(t, r, "POST"); res.StatusCode != want || !res.Close {
					t.Errorf("got %d, close %t, want %d and the end of the connection", res.StatusCode, res.Close, want)
				}
				if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
					t.Errorf("then %q, %v", rest, err)
				}
			})
		}
	}
}

// A body that nobody read isn't taken for the next request.
func TestUnreadBody(t *testing.T) {
	g := startGateway(t, serve.Options{}, route(t, "POST /deaf", answer("deaf")), route(t, "$default", answer("other")))
	c := dial(t, g.addr)
	hidden := "GET /hidden HTTP/1.1\r\n" + host + "\r\n"
	raw := fmt.Sprintf("POST /deaf HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", host, len(hidden), hidden)
	if _, err := io.WriteString(c, raw+"POST /deaf HTTP/1.1\r\n"+host+"Content-Length: 0\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for range 2 {
		if _, body := receive(t, r, "POST"); body != "deaf" {
			t.Errorf("got %q", body)
		}
	}
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
		t.Errorf("then %q, %v", rest, err)
	}
}

// "100 Continue" is sent when a step reads the body, so only once the route
// took the request.
func TestExpectContinue(t *testing.T) {
	g := startGateway(t, serve.Options{MaxBodyBytes: 100}, route(t, "POST /echo", step(echo)))
	const expect = "Expect: 100-continue\r\n"
	t.Run("accepted", func(t *testing.T) {
		c := dial(t, g.addr)
		r := bufio.NewReader(c)
		if _, err := io.WriteString(c, "POST /echo HTTP/1.1\r\n"+host+expect+"Content-Length: 2\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := r.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("got %q, %v", line, err)
		}
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "hi"); err != nil {
			t.Fatal(err)
		}
		if res, body := receive(t, r, "POST"); res.StatusCode != 200 || body != "hi" {
			t.Errorf("got %d %q", res.StatusCode, body)
		}
	})
	for name, head := range map[string]string{
		"no route":  "POST /none HTTP/1.1\r\n" + host + expect + "Content-Length: 2\r\n\r\n",
		"too large": "POST /echo HTTP/1.1\r\n" + host + expect + "Content-Length: 200\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			res, _ := send(t, g.addr, head)
			if res.StatusCode < 400 || !res.Close {
				t.Errorf("got %d, close %t", res.StatusCode, res.Close)
			}
		})
	}
}

// closed tells whether the server ends a connection, and what it sent.
func closed(t *testing.T, c net.Conn) string {
	t.Helper()
	rest, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is open after %s", patience)
	}
	return string(rest)
}

// Clients that send slowly or nothing are dropped, and hold up nobody.
func TestSlowClients(t *testing.T) {
	const limit = 2 * time.Second // enough for the other one on a busy machine
	o := serve.Options{HeadTimeout: limit, IdleTimeout: limit, StallTimeout: limit, Certificate: certificate(t).Certificate}
	g := startGateway(t, o, route(t, "$default", step(echo)))
	for name, raw := range map[string]string{
		"nothing sent":   "",
		"half a head":    "GET / HTTP/1.1\r\nHost: abc",
		"half a body":    "POST / HTTP/1.1\r\n" + host + "Content-Length: 10\r\n\r\nhalf",
		"half a chunk":   "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\nha",
		"half a hello":   "\x16\x03\x01\x02\x00\x01",
		"idle afterward": "GET / HTTP/1.1\r\n" + host + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, g.addr)
			if _, err := io.WriteString(c, raw); err != nil {
				t.Fatal(err)
			}
			// Another one is served meanwhile.
			if res, _ := send(t, g.addr, "GET / HTTP/1.1\r\n"+host+"\r\n"); res.StatusCode != 200 {
				t.Errorf("got %d", res.StatusCode)
			}
			closed(t, c)
		})
	}
}

// A client that reads slowly stalls only itself.
func TestClientThatDoesNotRead(t *testing.T) {
	big := strings.Repeat("x", 9<<20)
	g := startGateway(t, serve.Options{StallTimeout: 300 * time.Millisecond}, route(t, "$default", answer(big)))
	c := dial(t, g.addr)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	g.counts.awaitLogged(t, 1)
}

// An HTTP/2 stream whose body doesn't come is answered, and holds up nobody,
// whomever it is for.
func TestStalledHTTP2Body(t *testing.T) {
	a := certificate(t)
	management := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	g := startGateway(t, serve.Options{StallTimeout: 200 * time.Millisecond, Certificate: a.Certificate, Management: management}, route(t, "$default", step(echo)))
	client := g.client(t, trust(t, a))
	client.Timeout = patience
	for _, host := range []string{"abc.execute-api.localhost", "localhost"} {
		body, stalled := io.Pipe()
		defer stalled.Close()
		res, err := client.Post("https://"+host+"/", "text/plain", body)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.ProtoMajor != 2 || res.StatusCode != 500 {
			t.Errorf("%s: got %s %d", host, res.Proto, res.StatusCode)
		}
	}
}

// A body that comes byte by byte isn't waited for without end, even if no byte
// takes long.
func TestTrickledBody(t *testing.T) {
	// Each look at the clock takes a second: every read does.
	var ticks atomic.Int64
	first := time.Now()
	clock := func() time.Time { return first.Add(time.Duration(ticks.Add(1)) * time.Second) }
	g := startGateway(t, serve.Options{Clock: clock, HeadTimeout: time.Hour}, route(t, "$default", step(echo)))
	chunks := func(n, size int) string {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", size, strings.Repeat("b", size))
		return "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat(chunk, n) + "0\r\n\r\n"
	}
	if res, body := send(t, g.addr, chunks(100, 1000)); res.StatusCode != 200 || len(body) != 100_000 {
		t.Errorf("1000 bytes a second: %d with %d bytes", res.StatusCode, len(body))
	}
	trickled := strings.Repeat("1\r\nb\r\n", 100)
	for name, raw := range map[string]string{
		"a byte a second": chunks(100, 1),
		// What came fast isn't saved up for later.
		"then a byte a second": strings.TrimSuffix(chunks(100, 1000), "0\r\n\r\n") + trickled + "0\r\n\r\n",
	} {
		c := dial(t, g.addr)
		if _, err := io.WriteString(c, raw); err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(c); len(got) > 0 { // the connection may end with a reset
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A trickle is a body of which a byte comes at every tick.
type trickle struct{ ticks <-chan time.Time }

func (b trickle) Read(p []byte) (int, error) {
	<-b.ticks
	p[0] = 'b'
	return 1, nil
}

func TestTrickledHTTP2Body(t *testing.T) {
	a := certificate(t)
	g := startGateway(t, serve.Options{StallTimeout: 200 * time.Millisecond, Certificate: a.Certificate}, route(t, "$default", step(echo)))
	ticker := time.NewTicker(10 * time.Millisecond) // 100 bytes a second
	defer ticker.Stop()
	client := g.client(t, trust(t, a))
	client.Timeout = patience
	res, err := client.Post("https://abc.execute-api.localhost/", "text/plain", trickle{ticker.C})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.ProtoMajor != 2 || res.StatusCode != 500 {
		t.Errorf("got %s %d", res.Proto, res.StatusCode)
	}
}

func TestConnectionLimit(t *testing.T) {
	g := startGateway(t, serve.Options{MaxConnections: 2}, route(t, "$default", answer("ok")))
	get := "GET / HTTP/1.1\r\n" + host + "\r\n"
	first, second := dial(t, g.addr), dial(t, g.addr)
	for _, c := range []net.Conn{first, second} {
		if _, err := io.WriteString(c, get); err != nil {
			t.Fatal(err)
		}
		receive(t, bufio.NewReader(c), "GET")
	}
	if got := closed(t, dial(t, g.addr)); got != "" {
		t.Errorf("the third connection got %q", got)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for {
		c := dial(t, g.addr)
		_, err := io.WriteString(c, get)
		if err == nil {
			if _, err = http.ReadResponse(bufio.NewReader(c), nil); err == nil {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no connection once another had ended: %v", err)
		}
	}
}

// A client that goes away ends what works for it.
func TestClientGone(t *testing.T) {
	entered, left := make(chan struct{}), make(chan struct{})
	wait := step(func(x *plan.Exchange) error {
		close(entered)
		<-x.Request.Done
		close(left)
		return &plan.Fault{Kind: plan.IntegrationFailure, Reason: "the client went away"}
	})
	g := startGateway(t, serve.Options{}, route(t, "$default", wait))
	c := dial(t, g.addr)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"+host+"\r\nGET /pipelined HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-left:
	case <-time.After(patience):
		t.Fatal("the step wasn't told")
	}
}
