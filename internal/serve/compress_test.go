package serve_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

// encoded is text in a content coding. "raw" is deflate without zlib's frame.
func encoded(t testing.TB, coding, text string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "raw":
		var err error
		if w, err = flate.NewWriter(&b, 6); err != nil {
			t.Fatal(err)
		}
	default:
		return text
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func decoded(t testing.TB, coding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// answersWith is a method that answers with a body and headers.
func answersWith(t testing.TB, key string, status int, body string, headers ...plan.Header) *plan.Route {
	return route(t, key, step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.Body = status, []byte(body)
		x.Response.Headers = append(x.Response.Headers, headers...)
		return nil
	}))
}

// streams is a method that answers with a stream.
func streams(t testing.TB, key, body string, length int64, straight bool) *plan.Route {
	r := route(t, key, step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.StreamLength = 200, length
		x.Response.BodyStream = io.NopCloser(strings.NewReader(body))
		return nil
	}))
	r.Rest = &plan.Method{Streams: straight}
	return r
}

func TestCompression(t *testing.T) {
	text := strings.Repeat("what is said again and again ", 50)
	g := startREST(t, serve.Options{}, plan.RestStage{MinCompression: 100},
		answersWith(t, "ANY /long", 200, text),
		answersWith(t, "GET /exact", 200, text[:100]),
		answersWith(t, "GET /short", 200, text[:99]),
		answersWith(t, "GET /empty", 200, ""),
		answersWith(t, "GET /coded", 200, text, plan.Header{Name: "content-encoding", Value: "br"}),
		answersWith(t, "GET /none", 204, ""),
		streams(t, "GET /known", text, int64(len(text)), false),
		streams(t, "GET /little", text[:50], 50, false),
		streams(t, "GET /unknown", text, -1, false),
		streams(t, "GET /straight", text, -1, true),
		route(t, "GET /failed", step((&fails{Kind: plan.FunctionFailure, Reason: "it failed"}).Integrate)),
	)
	for _, test := range []struct{ path, accept, coding, want string }{
		{"long", "gzip", "gzip", text},
		{"long", "deflate", "deflate", text},
		{"long", "identity", "", text},
		{"long", "br", "", text},
		{"long", "*", "", text},
		{"long", "", "", text},
		{"long", "gzip, deflate, br", "gzip", text},
		{"long", "deflate, gzip", "deflate", text},
		{"long", "identity, gzip", "gzip", text},
		{"long", "gzip;q=0.4, DEFLATE ; q=0.5", "deflate", text},
		{"long", "gzip;q=0.4, identity;q=0.5", "", text},
		{"long", "gzip;q=0, *", "", text},
		{"long", "gzip;q=2", "", text},
		{"exact", "gzip", "gzip", text[:100]},
		{"short", "gzip", "", text[:99]},
		{"empty", "gzip", "", ""},
		{"coded", "gzip", "br", text},
		{"none", "gzip", "", ""},
		{"known", "gzip", "gzip", text},
		{"little", "gzip", "", text[:50]},
		{"unknown", "gzip", "gzip", text},
		{"unknown", "", "", text},
		{"straight", "gzip", "", text},
		{"failed", "gzip", "", `{"message": "Internal server error"}`},
	} {
		accept := ""
		if test.accept != "" {
			accept = "Accept-Encoding: " + test.accept + "\r\n"
		}
		res, body := send(t, g.addr, "GET /dev/"+test.path+" HTTP/1.1\r\n"+host+accept+"\r\n")
		if got := res.Header.Get("Content-Encoding"); got != test.coding {
			t.Errorf("%s for %q: coding %q, want %q", test.path, test.accept, got, test.coding)
			continue
		}
		if test.coding == "gzip" || test.coding == "deflate" {
			if res.ContentLength != int64(len(body)) {
				t.Errorf("%s for %q: %d bytes, announced %d", test.path, test.accept, len(body), res.ContentLength)
			}
			body = decoded(t, test.coding, body)
		}
		if body != test.want {
			t.Errorf("%s for %q: %q", test.path, test.accept, body)
		}
		if res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: content type %q", test.path, res.Header.Get("Content-Type"))
		}
	}
	// HEAD is told what GET is, without the body.
	_, body := send(t, g.addr, "GET /dev/long HTTP/1.1\r\n"+host+"Accept-Encoding: gzip\r\n\r\n")
	c := dial(t, g.addr)
	if _, err := io.WriteString(c, "HEAD /dev/long HTTP/1.1\r\n"+host+"Accept-Encoding: gzip\r\n\r\nGET /dev/empty HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if res, nothing := receive(t, r, http.MethodHead); res.ContentLength != int64(len(body)) || res.Header.Get("Content-Encoding") != "gzip" || nothing != "" {
		t.Errorf("HEAD: length %d of %d, %q, body %q", res.ContentLength, len(body), res.Header, nothing)
	}
	if res, _ := receive(t, r, http.MethodGet); res.ContentLength != 0 || res.StatusCode != 200 {
		t.Errorf("after HEAD: %d, %d", res.StatusCode, res.ContentLength)
	}
}

func TestNoCompression(t *testing.T) {
	text := strings.Repeat("a", 1000)
	g := startREST(t, serve.Options{}, plan.RestStage{MinCompression: -1}, answersWith(t, "GET /long", 200, text), route(t, "POST /echo", step(echo)))
	if res, body := send(t, g.addr, "GET /dev/long HTTP/1.1\r\n"+host+"Accept-Encoding: gzip\r\n\r\n"); body != text || res.Header.Get("Content-Encoding") != "" {
		t.Errorf("%q %q", res.Header, body)
	}
	coded := encoded(t, "gzip", text)
	if _, body := send(t, g.addr, fmt.Sprintf("POST /dev/echo HTTP/1.1\r\n%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", host, len(coded), coded)); body != coded {
		t.Errorf("a body was decoded: %q", body)
	}
}

// A stream that breaks off while it is being compressed isn't an answer.
func TestCompressionOfBrokenStream(t *testing.T) {
	broken := route(t, "GET /broken", step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.StreamLength = 200, -1
		x.Response.BodyStream = io.NopCloser(io.MultiReader(strings.NewReader("part"), brokenReader{}))
		return nil
	}))
	g := startREST(t, serve.Options{}, plan.RestStage{}, broken)
	if res, body := send(t, g.addr, "GET /dev/broken HTTP/1.1\r\n"+host+"Accept-Encoding: gzip\r\n\r\n"); res.StatusCode != 504 ||
		body != `{"message": "Network error communicating with endpoint"}` {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

// readBack answers with the body that the steps see, its length and coding.
func readBack(x *plan.Exchange) error {
	if err := x.ReadBody(); err != nil {
		return err
	}
	x.Response.Status = 200
	x.Response.Body = fmt.Appendf(nil, "%d %q %s", x.Request.ContentLength, x.Request.Headers.Get("content-encoding"), x.Request.Body)
	return nil
}

func TestDecompression(t *testing.T) {
	const text = `{"a":1}`
	read := route(t, "POST /read", step(readBack))
	g := startREST(t, serve.Options{MaxBodyBytes: 10_000}, plan.RestStage{MinCompression: 1000}, read)
	seen := func(coding string) string { return fmt.Sprintf("%d %q %s", len(text), coding, text) }
	const unsupported, tooLong = `{"message": "Unsupported Media Type"}`, "HTTP content length exceeded 10485760 bytes."
	for _, test := range []struct {
		name, coding, body string
		status             int
		want               string
	}{
		{"gzip", "gzip", encoded(t, "gzip", text), 200, seen("")},
		{"case", " GZip", encoded(t, "gzip", text), 200, seen("")},
		{"deflate", "deflate", encoded(t, "deflate", text), 200, seen("")},
		{"bare deflate", "deflate", encoded(t, "raw", text), 200, seen("")},
		{"identity", "identity", text, 200, seen("identity")},
		{"nothing", "gzip", encoded(t, "gzip", ""), 200, `0 "" `},
		{"two members", "gzip", encoded(t, "gzip", text[:3]) + encoded(t, "gzip", text[3:]), 200, seen("")},
		{"br", "br", text, 415, unsupported},
		{"twice", "gzip, gzip", encoded(t, "gzip", encoded(t, "gzip", text)), 415, unsupported},
		{"twice, in two lines", "gzip\r\nContent-Encoding: gzip", encoded(t, "gzip", encoded(t, "gzip", text)), 415, unsupported},
		{"not gzip", "gzip", text, 415, unsupported},
		{"not deflate", "deflate", "\xff\xff\xff" + text, 415, unsupported},
		{"cut", "gzip", encoded(t, "gzip", text)[:20], 415, unsupported},
		{"more", "gzip", encoded(t, "gzip", text) + "more", 415, unsupported},
		{"more behind deflate", "deflate", encoded(t, "deflate", text) + "more", 415, unsupported},
		{"wrong sum", "gzip", encoded(t, "gzip", text)[:25] + "abcd\x07\x00\x00\x00", 415, unsupported},
		{"most", "gzip", encoded(t, "gzip", strings.Repeat("a", 10_000)), 200, `10000 "" ` + strings.Repeat("a", 10_000)},
		{"bomb", "gzip", encoded(t, "gzip", strings.Repeat("a", 10_001)), 413, tooLong},
		{"great bomb", "gzip", encoded(t, "gzip", strings.Repeat("a", 5_000_000)), 413, tooLong},
	} {
		res, body := send(t, g.addr, fmt.Sprintf("POST /dev/read HTTP/1.1\r\n%sContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", host, test.coding, len(test.body), test.body))
		if res.StatusCode != test.status || body != test.want {
			t.Errorf("%s: %d %.200q, want %d %.200q", test.name, res.StatusCode, body, test.status, test.want)
		}
	}
	// In chunks, and with another request behind.
	coded := encoded(t, "gzip", text)
	c := dial(t, g.addr)
	if _, err := fmt.Fprintf(c, "POST /dev/read HTTP/1.1\r\n%sContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n"+
		"POST /dev/read HTTP/1.1\r\n%sContent-Length: 2\r\n\r\nok", host, coded[:5], len(coded)-5, coded[5:], host); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if _, body := receive(t, r, "POST"); body != seen("") {
		t.Errorf("in chunks: %q", body)
	}
	if _, body := receive(t, r, "POST"); body != `2 "" ok` {
		t.Errorf("behind it: %q", body)
	}
	// A body over the limit as it comes is what it is, coded or not.
	long := strings.Repeat("x", 10_001)
	if res, body := send(t, g.addr, fmt.Sprintf("POST /dev/read HTTP/1.1\r\n%sContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", host, len(long), long)); res.StatusCode != 413 || body != tooLong {
		t.Errorf("too long: %d %q", res.StatusCode, body)
	}
	// One that isn't HTTP isn't a matter of its coding.
	if res, _ := send(t, g.addr, "POST /dev/read HTTP/1.1\r\n"+host+"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"); res.StatusCode != 400 {
		t.Errorf("bad chunks: %d", res.StatusCode)
	}
}

// REST APIs tell their ids and a content type on every front.
func TestRESTHeadersOverHTTP2(t *testing.T) {
	authority := certificate(t)
	g := startREST(t, serve.Options{Certificate: authority.Certificate}, plan.RestStage{MinCompression: 1}, answersWith(t, "GET /x", 200, "text"), answersWith(t, "GET /empty", 204, ""))
	client := g.client(t, trust(t, authority))
	for path, length := range map[string]int64{"x": 29, "empty": 0} {
		q, err := http.NewRequest("GET", "https://abc.execute-api.localhost/dev/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Accept-Encoding", "gzip")
		res, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.ProtoMajor != 2 || len(res.Header.Get("X-Amzn-Requestid")) != 36 || len(res.Header.Get("X-Amz-Apigw-Id")) != 16 ||
			res.Header.Get("Apigw-Requestid") != "" || res.Header.Get("Content-Type") != "application/json" || int64(len(body)) != length {
			t.Errorf("%s: %s %q %q", path, res.Proto, res.Header, body)
		}
	}
}
