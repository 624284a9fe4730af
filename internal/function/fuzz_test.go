package function

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// FuzzFrames reads foreign bytes as frames: however they are cut into reads, the frames are the same, and the bodies
// are the bytes that were sent.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 2, frameResult, '{', '}', 0, 0, 0, 0, frameReady})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, frameLog, 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		read := func(source io.Reader) (out []byte, err error) {
			r := frameReader{source: source}
			for {
				kind, size, err := r.next()
				if err != nil {
					return out, err
				}
				out = append(out, kind)
				if size < 1<<10 {
					body, err := r.body()
					out = append(out, body...)
					if err != nil {
						return out, err
					}
					continue
				}
				if err := r.copyTo(func(piece []byte) { out = append(out, piece...) }); err != nil {
					return out, err
				}
			}
		}
		whole, err1 := read(bytes.NewReader(b))
		pieces, err2 := read(iotest.OneByteReader(bytes.NewReader(b)))
		if !bytes.Equal(whole, pieces) || !errors.Is(err1, io.EOF) || !errors.Is(err2, io.EOF) {
			t.Fatalf("got %q (%v) and %q (%v)", whole, err1, pieces, err2)
		}
		var want []byte
		for rest := b; len(rest) >= frameHeaderLen; {
			n := int(binary.BigEndian.Uint32(rest))
			body := rest[frameHeaderLen:]
			want = append(want, rest[4])
			if n > len(body) {
				if n >= 1<<10 {
					want = append(want, body...)
				}
				break
			}
			want = append(want, body[:n]...)
			rest = body[n:]
		}
		if !bytes.Equal(whole, want) {
			t.Fatalf("got %q, want %q", whole, want)
		}
	})
}

// FuzzManaged lets a process answer with foreign bytes: the invocation ends, well or with an error.
func FuzzManaged(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, frameResult, '{', '}'})
	f.Add([]byte{0, 0, 0, 1, frameStreamStart, 'a', 0, 0, 0, 1, frameStreamData, 'b', 0, 0, 0, 0, frameStreamEnd})
	f.Add([]byte{0, 0, 0, 1, framePrint, '\n', 0, 0, 0, 2, frameError, '{', '}'})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newManaged(nil, &logWriter{source: &LogSource{}, clock: time.Now}, func() {})
		m.frames.source = bytes.NewReader(b)
		for {
			kind, size, err := m.frames.next()
			if err != nil {
				return
			}
			a, done, err := m.frame(kind, size, nil)
			if err != nil {
				return
			}
			if done && len(a.payload) > maxResponsePayload {
				t.Fatalf("%d bytes of payload", len(a.payload))
			}
		}
	})
}

// FuzzRuntimeAPI sends foreign requests: each gets an answer, and none disturbs the invocation under way.
func FuzzRuntimeAPI(f *testing.F) {
	f.Add("POST", "/2018-06-01/runtime/invocation/x/response", "", "{}")
	f.Add("POST", "/2018-06-01/runtime/invocation/x/error", "streaming", "")
	f.Add("POST", "/2018-06-01/runtime/init/error", "", "{}")
	f.Add("GET", "/2018-06-01/runtime/invocation/next", "", "")
	f.Fuzz(func(t *testing.T, method, path, mode, body string) {
		if path == "" || path[0] != '/' {
			path = "/" + path
		}
		r, err := http.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Lambda-Runtime-Function-Response-Mode", mode)
		a, err := newRuntimeAPI(discardLogger())
		if err != nil {
			t.Fatal(err)
		}
		defer a.close()
		a.current = testRequestID
		w := httptest.NewRecorder()
		a.server.Handler.ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 {
			t.Fatalf("got status %d", w.Code)
		}
		if !strings.Contains(path, testRequestID) && a.current != testRequestID {
			t.Fatalf("%s %s answered the invocation", method, path)
		}
	})
}
