package socket

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// Whatever a client sends, messages are text within the limits, the handler is
// told of the end once, and nothing is left.
func FuzzFrames(f *testing.F) {
	for _, frames := range [][]ws.Frame{
		{text("hello")},
		{frame(ws.OpText, false, "a"), frame(ws.OpPing, true, "p"), frame(ws.OpContinuation, true, "b")},
		{frame(ws.OpText, false, "\xe2\x82"), frame(ws.OpContinuation, true, "\xac")},
		{text(strings.Repeat("x", 200)), closeWith(1000, "bye")},
		{ws.NewBinaryFrame([]byte("x"))},
		{closeWith(1005, "")},
		{reserved(text("x"), 4)},
	} {
		var all []byte
		for _, fr := range frames {
			all = append(all, ws.MustCompileFrame(ws.MaskFrameInPlace(fr))...)
		}
		f.Add(all, uint8(7))
	}
	const maxFrame, maxMessage = 128, 300
	f.Fuzz(func(t *testing.T, sent []byte, piece uint8) {
		r := New(Options{MaxFrameBytes: maxFrame, MaxMessageBytes: maxMessage, CloseTimeout: 50 * time.Millisecond})
		h := newRecorder()
		h.message = func(c *Conn, text string) {
			if len(text) > maxMessage || !utf8.ValidString(text) {
				t.Errorf("the message %q", text)
			}
			_ = c.Send([]byte(text))
		}
		server, nc := net.Pipe()
		c := adopt(t, r, "id", h, server, nc)
		heard := make(chan struct{})
		go func() { _, _ = io.Copy(io.Discard, c.r); close(heard) }()
		for len(sent) > 0 {
			n := min(len(sent), int(piece)+1)
			if _, err := nc.Write(sent[:n]); err != nil {
				break // the server has seen enough
			}
			sent = sent[n:]
		}
		nc.Close()
		<-heard
		select {
		case <-h.ended:
		case <-time.After(time.Minute):
			t.Fatal("the connection never ended")
		}
		select {
		case again := <-h.ended:
			t.Errorf("the end was told again: %s", again)
		default:
		}
		if r.Len() != 0 {
			t.Error("the connection is still there")
		}
		r.Stop()
	})
}
