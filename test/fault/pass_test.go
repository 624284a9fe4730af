package fault

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// All methods and any bytes of any number get to the backend and back.
func TestBinaryBodies(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s: %v", r.Method, err)
		}
		w.Header().Set("X-Seen", fmt.Sprintf("%s %s %x", r.Method, r.URL.RequestURI(), sha256.Sum256(body)))
		if r.Method != "HEAD" {
			_, _ = w.Write(body)
		}
	}))
	defer backend.Close()
	a := newAPI(t)
	a.route(t, "ANY /base/{proxy+}", backend.URL+"/{proxy}", ample)
	a.mark(t)
	client := a.http(t)
	random := rand.NewChaCha8([32]byte{})
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "DELETE"} {
		for _, size := range []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1_000_000} {
			for _, announced := range []bool{true, false} {
				body := make([]byte, size)
				if _, err := random.Read(body); err != nil {
					t.Fatal(err)
				}
				req, err := http.NewRequestWithContext(t.Context(), method, "http://"+a.host+"/base/a%20b//c?q=%20&q", io.MultiReader(bytes.NewReader(body)))
				if err != nil {
					t.Fatal(err)
				}
				if announced {
					req.ContentLength = int64(size)
				}
				res, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(res.Body)
				if err = errors.Join(err, res.Body.Close()); err != nil {
					t.Fatal(err)
				}
				if want := fmt.Sprintf("%s /a%%20b//c?q=%%20&q %x", method, sha256.Sum256(body)); res.Header.Get("X-Seen") != want {
					t.Errorf("%d bytes, announced %t: the backend saw %s, want %s", size, announced, res.Header.Get("X-Seen"), want)
				}
				if method != "HEAD" && !bytes.Equal(got, body) {
					t.Errorf("%s %d bytes, announced %t: other bytes came back", method, size, announced)
				}
			}
		}
	}
	backend.Close()
	client.CloseIdleConnections()
	a.nothingLeft(t)
}

// Headers of a connection stay on it, in both directions; the backend learns of
// the client what AWS tells it.
func TestHopByHop(t *testing.T) {
	heads := make(chan string, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b strings.Builder
		if err := r.Header.WriteSubset(&b, map[string]bool{"Content-Length": true}); err != nil {
			t.Error(err)
		}
		heads <- b.String()
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close() //nolint:errcheck // the answer tells
		_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: x\r\n" +
			"Proxy-Connection: x\r\nTE: x\r\nTrailer: x\r\nUpgrade: x\r\nX-End: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
		_ = rw.Flush()
	}))
	defer backend.Close()
	a := newAPI(t)
	a.route(t, "$default", backend.URL, ample)
	c := a.dial(t)
	c.send("POST / HTTP/1.1\r\nHost: " + a.host + "\r\nConnection: x-hop, close\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: x\r\n" +
		"Proxy-Connection: x\r\nTE: trailers\r\nTrailer: x\r\nUpgrade: x\r\nExpect: 100-continue\r\nX-End: 1\r\nForwarded: for=192.0.2.1\r\n" +
		"X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793\r\nContent-Length: 2\r\n\r\n")
	if res, _ := c.receive(); res.StatusCode != http.StatusContinue {
		t.Fatalf("got %d before the body was sent", res.StatusCode)
	}
	c.send("hi")
	res, body := c.receive()
	if res.StatusCode != 200 || body != "hi" {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
	for _, name := range []string{"Date", "Content-Length", "Apigw-Requestid", "X-End", "Connection"} {
		res.Header.Del(name)
	}
	if len(res.Header) > 0 {
		t.Errorf("the client got %v as well", res.Header)
	}
	got := regexp.MustCompile(`Self=1-[0-9a-f]{8}-[0-9a-f]{24}`).ReplaceAllString(<-heads, "Self=SELF")
	want := "Forwarded: for=192.0.2.1\r\nForwarded: for=127.0.0.1;host=" + a.host + ";proto=http\r\nVia: HTTP/1.1 AmazonAPIGateway\r\n" +
		"X-Amzn-Trace-Id: Self=SELF;Root=1-5759e988-bd862e3fe1be46a994272793\r\nX-End: 1\r\n"
	if got != want {
		t.Errorf("the backend got\n%s\nwant\n%s", got, want)
	}
	c.closed()
}
