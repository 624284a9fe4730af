package http1

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"gatehouse/internal/plan"
)

func newReader(src io.Reader) *Reader {
	r := &Reader{}
	r.Reset(src, make([]byte, 4096))
	return r
}

// Messages come out the same however they arrive.
func TestReaderSplits(t *testing.T) {
	long := strings.Repeat("x", 9000)
	text := "POST /a?b HTTP/1.1\r\nHost: h\r\nX-Long: " + long + "\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n2328\r\n" + long + "\r\n0\r\nT: v\r\n\r\n" +
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	for name, src := range map[string]io.Reader{
		"at once": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)),
		"halves": iotest.HalfReader(strings.NewReader(text)), "with the end": iotest.DataErrReader(strings.NewReader(text)),
	} {
		t.Run(name, func(t *testing.T) {
			r := newReader(src)
			var q plan.Request
			head, err := r.Head(20_000)
			if err != nil {
				t.Fatal(err)
			}
			f, err := ParseRequest(head, &q)
			if err != nil {
				t.Fatal(err)
			}
			var b Body
			b.Reset(r, f, 0)
			got, err := io.ReadAll(&b)
			if err != nil || string(got) != "hello"+long || !b.Done() {
				t.Errorf("body of %d bytes, %v", len(got), err)
			}
			// The head is as it was, whatever was read behind it.
			if q.Path != "/a" || q.Query != "b" || q.Host != "h" || q.Headers.Get("x-long") != long {
				t.Errorf("the head changed: %.60v", q)
			}
			r.Next()
			if head, err = r.Head(1000); err != nil {
				t.Fatal(err)
			}
			if _, err := ParseRequest(head, &q); err != nil || q.Method != "GET" {
				t.Errorf("second request: %v %v", q.Method, err)
			}
			r.Next()
			if _, err := r.Head(1000); !errors.Is(err, io.EOF) {
				t.Errorf("at the end: %v", err)
			}
		})
	}
}

func TestReaderLimits(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: " + strings.Repeat("h", 100) + "\r\n\r\n"
	if _, err := newReader(strings.NewReader(head)).Head(len(head)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := newReader(strings.NewReader(head)).Head(len(head) - 1); !errors.Is(err, ErrHeadTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := newReader(strings.NewReader("GET / HT")).Head(100); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut short: %v", err)
	}
}

func TestValidValue(t *testing.T) {
	for i := range 256 {
		c := byte(i)
		want := c == '\t' || (c >= ' ' && c != 0x7f)
		for _, pad := range []string{"", "aaaaaaaa", "aaa\x80\x9f\xff\taaaaaaaaaa"} {
			for _, v := range []string{string([]byte{c}) + pad, pad + string([]byte{c}), pad + string([]byte{c}) + pad} {
				if got := ValidValue(v); got != want {
					t.Errorf("%q: %t, want %t", v, got, want)
				}
			}
		}
	}
}

func TestHosts(t *testing.T) {
	for _, test := range []struct {
		line, host, want string // want is the Host that counts, "" for a refusal
	}{
		{"GET / HTTP/1.1", "Host: h:80\r\n", "h:80"},
		{"GET / HTTP/1.1", "Host: h:\r\n", "h:"},
		{"GET / HTTP/1.1", "Host: [::1]\r\n", "[::1]"},
		{"GET / HTTP/1.1", "Host: [::1]:80\r\n", "[::1]:80"},
		{"GET / HTTP/1.1", "Host: h:x\r\n", ""},
		{"GET / HTTP/1.1", "Host: h:80x\r\n", ""},
		{"GET / HTTP/1.1", "Host: [::1]:x\r\n", ""},
		{"GET / HTTP/1.1", "", ""},
		{"GET http://h/ HTTP/1.1", "", ""},
		{"GET http://h/ HTTP/1.0", "", "h"},
		{"GET http://h/ HTTP/1.0", "Host: i\r\n", ""},
		{"GET http://a@h/ HTTP/1.0", "", ""},
		{"GET http:/// HTTP/1.0", "", ""},
	} {
		var q plan.Request
		_, err := ParseRequest([]byte(test.line+"\r\n"+test.host+"\r\n"), &q)
		if (err == nil) != (test.want != "") || err == nil && q.Host != test.want {
			t.Errorf("%s, %q: %q, %v, want %q", test.line, test.host, q.Host, err, test.want)
		}
	}
}

func TestKeepAlive(t *testing.T) {
	for value, want := range map[string]int{
		"timeout=5": 5, "max=3, Timeout=7": 7, "timeout=0": 0, "timeout=99999999999": 1<<31 - 1,
		"": -1, "5": -1, "timeout": -1, "timeout=": -1, "timeout=-1": -1, "timeout=1.5": -1, "xtimeout=5": -1,
	} {
		got, ok := KeepAlive(plan.Headers{{Name: "Keep-Alivf", Value: "timeout=1"}, {Name: "keep-ALIVE", Value: value}})
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %d, %t", value, got, ok)
		}
	}
}

func TestBeginsResponse(t *testing.T) {
	for text, want := range map[string]bool{
		"H": true, "HTTP/1.1 200": true, "HTTP/1.0": true, "\r\nHTTP": true, "": true,
		"HTTP/2": false, "http/1.1": false, "220 mail": false, "\x15\x03": false, "<html>": false,
	} {
		if got := BeginsResponse([]byte(text)); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}

// Chunks of a byte are fine, whatever their number; extensions that outweigh
// the data aren't.
func TestChunkExtensions(t *testing.T) {
	for _, tt := range []struct {
		chunk  string
		chunks int
		wantOK bool
	}{
		{"1\r\na\r\n", 100_000, true},
		{"1;name=value\r\na\r\n", 10_000, true},
		{"3e8;" + strings.Repeat("e", 1900) + "\r\n" + strings.Repeat("a", 1000) + "\r\n", 100, true},
		{"1;" + strings.Repeat("e", 1000) + "\r\na\r\n", 16, true},
		{"1;" + strings.Repeat("e", 1000) + "\r\na\r\n", 17, false},
	} {
		var b Body
		b.Reset(newReader(strings.NewReader(strings.Repeat(tt.chunk, tt.chunks)+"0\r\n\r\n")), Framing{Length: -1, Chunked: true}, 0)
		_, err := io.Copy(io.Discard, &b)
		var syntax *SyntaxError
		if (err == nil) != tt.wantOK || err != nil && !errors.As(err, &syntax) {
			t.Errorf("%d × %.20q: %v", tt.chunks, tt.chunk, err)
		}
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	head := []byte("GET /r1/items/42?expand=price HTTP/1.1\r\nHost: abc.execute-api.localhost\r\nUser-Agent: x\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n")
	q := plan.Request{Headers: make(plan.Headers, 0, 8)}
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := ParseRequest(head, &q); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// What is taken can be written down again and reads the same, byte by byte.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte("GET /a?b HTTP/1.1\r\nHost: h\r\nX-a: b\r\n\r\n"))
	f.Add([]byte("POST http://h/%41 HTTP/1.1\r\nhost:h\r\nContent-Length: 3\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.0\r\nConnection: keep-alive, x\r\nTransfer-Encoding: chunked\r\n\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		var q plan.Request
		framing, err := ParseRequest(head, &q)
		if err != nil {
			return
		}
		if q.Path == "" || q.Path[0] != '/' || strings.ContainsAny(q.Path+q.Query, " \r\n\x00#") || strings.Contains(q.Path, "?") {
			t.Fatalf("target %q ? %q", q.Path, q.Query)
		}
		out := []byte(q.Method + " " + q.Path)
		if q.Query != "" {
			out = append(out, "?"+q.Query...)
		}
		out = append(out, " "+q.Proto+"\r\n"...)
		for _, h := range q.Headers {
			if !ValidName(h.Name) || !ValidValue(h.Value) || strings.ContainsAny(h.Value, "\r\n\x00") {
				t.Fatalf("header %q: %q", h.Name, h.Value)
			}
			out = AppendHeader(out, h.Name, h.Value)
		}
		out = append(out, "\r\n"...)
		var again plan.Request
		second, err := ParseRequest(out, &again)
		if err != nil {
			t.Fatalf("%q became %q: %v", head, out, err)
		}
		if second != framing || again.Path != q.Path || again.Query != q.Query || again.Host != q.Host || len(again.Headers) != len(q.Headers) {
			t.Fatalf("%q became %q", head, out)
		}
		if _, err := newReader(bytes.NewReader(out)).Head(len(out)); err != nil {
			t.Fatalf("the reader doesn't take %q: %v", out, err)
		}
	})
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"/", "/a?b", "http://h/x", "HTTP://H?q", "*", "//h/x", "/%zz", "http://h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		q := plan.Request{Host: "h"}
		if ParseTarget(target, &q) != nil {
			return
		}
		rest := q.Path
		if strings.Contains(target, "?") {
			rest += "?" + q.Query
		}
		if target[0] == '/' && rest != target {
			t.Fatalf("%q became %q", target, rest)
		}
	})
}

// A response never reads past itself, however it is framed.
func FuzzParseResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), "GET")
	f.Add([]byte("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"), "GET")
	f.Add([]byte("HTTP/1.0 304 x\r\nContent-Length: 9\r\n\r\n"), "HEAD")
	f.Fuzz(func(t *testing.T, text []byte, method string) {
		r := newReader(bytes.NewReader(text))
		head, err := r.Head(64 << 10)
		if err != nil {
			return
		}
		var res ResponseHead
		if ParseResponse(head, method, &res) != nil {
			return
		}
		if res.Status < 100 || res.Status > 999 || res.Length < -1 || (res.Length < 0 && !res.Chunked && !res.Close) {
			t.Fatalf("%q: %+v", text, res)
		}
		var b Body
		b.Reset(r, res.Framing, 1<<20)
		n, err := io.Copy(io.Discard, &b)
		if res.Length >= 0 && (n > res.Length || (err == nil && n != res.Length)) {
			t.Fatalf("%q: read %d of %d, %v", text, n, res.Length, err)
		}
		if (err == nil) != b.Done() {
			t.Fatalf("%q: %v, done %t", text, err, b.Done())
		}
	})
}
