package plan

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadBody(t *testing.T) {
	long := strings.Repeat("0123456789", 30_000)
	for _, test := range []struct {
		name   string
		reader io.Reader
		length int64
		want   string
	}{
		{"announced", strings.NewReader("hello"), 5, "hello"},
		{"not announced", strings.NewReader("hello"), -1, "hello"},
		{"long", strings.NewReader(long), int64(len(long)), long},
		{"long, byte by byte", iotest.OneByteReader(strings.NewReader(long)), -1, long},
		{"end with the data", iotest.DataErrReader(strings.NewReader("hello")), 5, "hello"},
		{"empty", strings.NewReader(""), 0, ""},
		{"announced too long", strings.NewReader("hello"), 1 << 40, "hello"},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := Exchange{Scratch: []byte("kept")}
			x.Request.BodyReader, x.Request.ContentLength = test.reader, test.length
			kept := x.Scratch
			if err := x.ReadBody(); err != nil || string(x.Request.Body) != test.want {
				t.Fatalf("%d bytes, %v", len(x.Request.Body), err)
			}
			if string(kept) != "kept" || !bytes.HasPrefix(x.Scratch, kept) {
				t.Error("earlier scratch memory was lost")
			}
			if err := x.ReadBody(); err != nil || string(x.Request.Body) != test.want {
				t.Errorf("again: %d bytes, %v", len(x.Request.Body), err)
			}
		})
	}
	var x Exchange
	if err := x.ReadBody(); err != nil || x.Request.Body != nil {
		t.Errorf("no body: %q, %v", x.Request.Body, err)
	}
	x.Request.BodyReader = iotest.ErrReader(io.ErrUnexpectedEOF)
	if err := x.ReadBody(); !errors.Is(err, io.ErrUnexpectedEOF) || x.Request.Body != nil {
		t.Errorf("broken body: %q, %v", x.Request.Body, err)
	}
}

func TestResponseLength(t *testing.T) {
	stream := io.NopCloser(strings.NewReader(""))
	for _, test := range []struct {
		name       string
		method     string
		response   Response
		length     int64
		sent, both int64
	}{
		{"body", "GET", Response{Body: []byte("hello")}, 10, 5, 15},
		{"no body came", "GET", Response{Body: []byte("hello")}, -1, 5, 5},
		{"HEAD", "HEAD", Response{Body: []byte("hello")}, 0, 0, 0},
		{"stream", "GET", Response{BodyStream: stream, StreamLength: 77}, 1, 77, 78},
		{"stream that never began", "GET", Response{BodyStream: stream, StreamLength: -1}, 0, 0, 0},
	} {
		x := Exchange{Response: test.response}
		x.Request.Method, x.Request.ContentLength = test.method, test.length
		if sent, both := x.ResponseLength(), x.DataProcessed(); sent != test.sent || both != test.both {
			t.Errorf("%s: %d and %d, want %d and %d", test.name, sent, both, test.sent, test.both)
		}
	}
}

func TestReset(t *testing.T) {
	x := Exchange{RequestID: "r", Fault: &Fault{}, Params: []string{"a"}, Scratch: make([]byte, 3, 100)}
	x.Request.Headers = Headers{{"a", "b"}}
	x.Response.Add("c", "d")
	x.Reset()
	if x.RequestID != "" || x.Fault != nil || len(x.Params)+len(x.Scratch)+len(x.Request.Headers)+len(x.Response.Headers) != 0 {
		t.Errorf("%+v", x)
	}
	if cap(x.Params) != 1 || cap(x.Scratch) != 100 || cap(x.Request.Headers) != 1 || cap(x.Response.Headers) != 1 {
		t.Error("memory was dropped")
	}
	if x.Request.Headers[:1][0] != (Header{}) || x.Params[:1][0] != "" {
		t.Error("strings of the old request are kept alive")
	}
}
