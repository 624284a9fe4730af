package socket

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

// What a client sends, and what the server makes of it.
func TestFrames(t *testing.T) {
	for name, c := range map[string]struct {
		send []ws.Frame
		hear []string // messages
		code int      // of the close that follows, 0 for none
		end  string   // what the handler is told; the code if ""
	}{
		"empty message":           {send: []ws.Frame{text("")}, hear: []string{""}},
		"fragments":               {send: []ws.Frame{frame(ws.OpText, false, "a"), frame(ws.OpContinuation, false, ""), frame(ws.OpContinuation, true, "b")}, hear: []string{"ab"}},
		"rune over fragments":     {send: []ws.Frame{frame(ws.OpText, false, "\xe2\x82"), frame(ws.OpContinuation, true, "\xac")}, hear: []string{"€"}},
		"longest frame":           {send: []ws.Frame{text(strings.Repeat("x", MaxFrameBytes))}, hear: []string{strings.Repeat("x", MaxFrameBytes)}},
		"longest message":         {send: repeated("xy", 4, MaxMessageBytes), hear: []string{strings.Repeat("xy", MaxMessageBytes/2)}},
		"frame too long":          {send: []ws.Frame{text(strings.Repeat("x", MaxFrameBytes+1))}, code: 1009},
		"message too long":        {send: append(repeated("xy", 4, MaxMessageBytes)[:3], frame(ws.OpContinuation, false, strings.Repeat("x", MaxFrameBytes)), frame(ws.OpContinuation, true, "x")), code: 1009},
		"binary":                  {send: []ws.Frame{ws.NewBinaryFrame([]byte("x"))}, code: 1003},
		"not UTF-8":               {send: []ws.Frame{text("a\xff")}, code: 1007},
		"not UTF-8, early":        {send: []ws.Frame{frame(ws.OpText, false, "\xc0\xaf")}, code: 1007},
		"half a rune at the end":  {send: []ws.Frame{text("\xe2\x82")}, code: 1007},
		"continuation of nothing": {send: []ws.Frame{frame(ws.OpContinuation, true, "x")}, code: 1002},
		"message within one":      {send: []ws.Frame{frame(ws.OpText, false, "x"), text("y")}, code: 1002},
		"reserved bit":            {send: []ws.Frame{reserved(text("x"), 4)}, code: 1002},
		"reserved opcode":         {send: []ws.Frame{frame(3, true, "x")}, code: 1002},
		"reserved control":        {send: []ws.Frame{frame(11, true, "")}, code: 1002},
		"fragmented ping":         {send: []ws.Frame{frame(ws.OpPing, false, "x")}, code: 1002},
		"long ping":               {send: []ws.Frame{frame(ws.OpPing, true, strings.Repeat("x", 126))}, code: 1002},
		"pong":                    {send: []ws.Frame{frame(ws.OpPong, true, "x"), text("a")}, hear: []string{"a"}},
		"close":                   {send: []ws.Frame{closeWith(1000, "")}, code: 1000},
		"close with a reason":     {send: []ws.Frame{closeWith(1001, "off")}, code: 1001, end: "1001 off"},
		"close of an application": {send: []ws.Frame{closeWith(4999, "")}, code: 4999},
		"close with half a code":  {send: []ws.Frame{frame(ws.OpClose, true, "\x03")}, code: 1002},
		"close with 1005":         {send: []ws.Frame{closeWith(1005, "")}, code: 1002},
		"close with 999":          {send: []ws.Frame{closeWith(999, "")}, code: 1002},
		"close with 2000":         {send: []ws.Frame{closeWith(2000, "")}, code: 1002},
		"close with 5000":         {send: []ws.Frame{closeWith(5000, "")}, code: 1002},
		"close, not UTF-8":        {send: []ws.Frame{closeWith(1000, "\xff")}, code: 1007},
		"fragmented close":        {send: []ws.Frame{frame(ws.OpClose, false, "")}, code: 1002},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRegistry(t, Options{})
			h := newRecorder()
			cl := connect(t, r, "id", h)
			cl.write(c.send...)
			for _, want := range c.hear {
				cl.expectHear(want)
			}
			if c.code == 0 {
				cl.write(closeWith(1000, ""))
				c.code = 1000
			}
			cl.expectClose(c.code, "")
			cl.expectEnd()
			cl.Close()
			if c.end == "" {
				c.end = fmt.Sprint(c.code)
			}
			h.expectEnd(t, c.end)
		})
	}
}

func TestUnmaskedFrame(t *testing.T) {
	r := startRegistry(t, Options{})
	h := newRecorder()
	c := connect(t, r, "id", h)
	if _, err := c.Write(ws.MustCompileFrame(text("x"))); err != nil {
		t.Fatal(err)
	}
	c.expectClose(1002, "")
	c.expectEnd()
}

// A ping in the middle of a message is answered before the message.
func TestPing(t *testing.T) {
	r := startRegistry(t, Options{})
	c := connect(t, r, "id", newRecorder())
	c.write(frame(ws.OpText, false, "a"), frame(ws.OpPing, true, strings.Repeat("p", 125)), frame(ws.OpContinuation, true, "b"))
	if f := c.read(); f.Header.OpCode != ws.OpPong || string(f.Payload) != strings.Repeat("p", 125) {
		t.Errorf("a ping was answered %+v", f)
	}
	c.expectHear("ab")
}

// Frames that come a byte at a time, and many in one piece.
func TestPieces(t *testing.T) {
	r := startRegistry(t, Options{MaxRunning: 1})
	c := connect(t, r, "id", newRecorder())
	frames := ws.MustCompileFrame(ws.MaskFrameInPlace(text(strings.Repeat("x", 200))))
	for i := range frames {
		if _, err := c.Write(frames[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	c.expectHear(strings.Repeat("x", 200))
	var all []byte
	for i := range 500 {
		all = append(all, ws.MustCompileFrame(ws.MaskFrameInPlace(text(fmt.Sprint("message ", i))))...)
	}
	if _, err := c.Write(all); err != nil {
		t.Fatal(err)
	}
	// One at a time they keep their order.
	for i := range 500 {
		c.expectHear(fmt.Sprint("message ", i))
	}
}

func TestPostGetClose(t *testing.T) {
	now := time.Now()
	r := startRegistry(t, Options{Clock: func() time.Time { return now }})
	h := newRecorder()
	c := connect(t, r, "id", h)
	post := strings.Repeat("0123456789abcdef", MaxMessageBytes/16)
	if err := r.Post("api", "prod", "id", []byte(post)); err != nil {
		t.Fatal(err)
	}
	if got, frames := c.hear(); got != post || frames != 4 {
		t.Errorf("heard %d bytes in %d frames", len(got), frames)
	}
	if err := r.Post("api", "prod", "id", []byte(post+"x")); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a post that is too long: %v", err)
	}
	if err := r.Post("api", "prod", "id", []byte("a\xffb")); err != nil {
		t.Fatal(err)
	}
	c.expectHear("a\uFFFDb")
	info, err := r.Get("api", "prod", "id")
	if err != nil || !info.ConnectedAt.Equal(now) || !info.LastActiveAt.Equal(now) || info.UserAgent != "test" {
		t.Errorf("the connection is %+v, %v", info, err)
	}
	for _, key := range [][3]string{{"api", "prod", "other"}, {"api", "dev", "id"}, {"ipa", "prod", "id"}} {
		if err := r.Post(key[0], key[1], key[2], nil); !errors.Is(err, ErrGone) {
			t.Errorf("a post to %v: %v", key, err)
		}
	}
	if err := r.Close("api", "prod", "id"); err != nil {
		t.Fatal(err)
	}
	if err := r.Post("api", "prod", "id", nil); !errors.Is(err, ErrGone) {
		t.Errorf("a post after the close: %v", err)
	}
	if err := r.Close("api", "prod", "id"); !errors.Is(err, ErrGone) {
		t.Errorf("a second close: %v", err)
	}
	if _, err := r.Get("api", "prod", "id"); !errors.Is(err, ErrGone) {
		t.Errorf("get after the close: %v", err)
	}
	c.expectClose(1000, "Connection Closed Normally")
	c.write(closeWith(1000, ""))
	c.expectEnd()
	h.expectEnd(t, "1000 Connection Closed Normally")
}

func TestTimeLimits(t *testing.T) {
	const short = 60 * time.Millisecond
	t.Run("idle", func(t *testing.T) {
		h := newRecorder()
		c := connect(t, startRegistry(t, Options{IdleTimeout: short}), "id", h)
		c.expectClose(1001, "Going away")
		c.write(closeWith(1001, ""))
		c.expectEnd()
		h.expectEnd(t, "1001 Going away")
	})
	t.Run("lifetime", func(t *testing.T) {
		h := newRecorder()
		c := connect(t, startRegistry(t, Options{Lifetime: short}), "id", h)
		c.expectClose(1001, "Going away")
		c.write(closeWith(1001, ""))
		h.expectEnd(t, "1001 Going away")
	})
	t.Run("half a frame", func(t *testing.T) {
		h := newRecorder()
		c := connect(t, startRegistry(t, Options{StallTimeout: short}), "id", h)
		if _, err := c.Write([]byte{0x81}); err != nil {
			t.Fatal(err)
		}
		c.expectClose(1001, "Going away")
		c.Close()
		h.expectEnd(t, "1001 Going away")
	})
	t.Run("a close without an answer", func(t *testing.T) {
		h := newRecorder()
		r := startRegistry(t, Options{CloseTimeout: time.Second}) // within which the close frame has to leave
		c := connect(t, r, "id", h)
		if err := r.Close("api", "prod", "id"); err != nil {
			t.Fatal(err)
		}
		h.expectEnd(t, "1000 Connection Closed Normally")
		c.expectClose(1000, "Connection Closed Normally")
		c.expectEnd()
	})
	t.Run("messages that wait for others", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newRecorder()
			h.message = func(c *Conn, text string) { time.Sleep(3 * time.Second); _ = c.Send([]byte(text)) } // of the bubble
			server, nc := net.Pipe()
			c := adopt(t, startRegistry(t, Options{StallTimeout: 2 * time.Second, MaxRunning: 1}), "id", h, server, nc)
			go func() {
				_, _ = c.Write(bytes.Repeat(ws.MustCompileFrame(ws.MaskFrameInPlace(text("x"))), 3)) // or nothing is heard
			}()
			for range 3 {
				c.expectHear("x")
			}
			c.Close()
			h.expectEnd(t, "1006")
		})
	})
	t.Run("messages keep a connection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newRecorder()
			server, nc := net.Pipe()
			c := adopt(t, startRegistry(t, Options{IdleTimeout: time.Minute}), "id", h, server, nc)
			for range 5 {
				time.Sleep(50 * time.Second) // of the bubble
				c.write(text("x"))
				c.expectHear("x")
			}
			c.Close()
			h.expectEnd(t, "1006")
		})
	})
}

// A client that doesn't read, or next to nothing: posts are refused, memory is
// bounded, and the connection ends.
func TestSlowReader(t *testing.T) {
	t.Run("reads nothing", func(t *testing.T) { testSlowReader(t, func(*client) {}) })
	t.Run("reads a byte now and then", func(t *testing.T) {
		testSlowReader(t, func(c *client) {
			for {
				if _, err := c.Read(make([]byte, 1)); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	})
}

func testSlowReader(t *testing.T, read func(*client)) {
	h := newRecorder()
	r := startRegistry(t, Options{StallTimeout: 200 * time.Millisecond, MaxPendingBytes: 64 << 10})
	c := connect(t, r, "id", h)
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		if err := tcp.SetReadBuffer(4096); err != nil {
			t.Fatal(err)
		}
	}
	var reading sync.WaitGroup
	reading.Go(func() { read(c) })
	defer reading.Wait()
	defer c.Close()
	data := make([]byte, 30_000)
	full := 0
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		err := r.Post("api", "prod", "id", data)
		if errors.Is(err, ErrGone) {
			break
		}
		if errors.Is(err, ErrFull) {
			// Until the kernel's buffers are full, it is for a moment.
			full++
			time.Sleep(time.Millisecond)
		}
	}
	if full == 0 {
		t.Error("no post was refused")
	}
	h.expectEnd(t, "1006")
}

// Replies wait for a client that reads slowly, and it isn't read meanwhile.
func TestBackPressure(t *testing.T) {
	h := newRecorder()
	r := startRegistry(t, Options{MaxPendingBytes: 64 << 10, MaxRunning: 4})
	var running, most atomic.Int32
	h.message = func(c *Conn, text string) {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		_ = c.Send([]byte(strings.Repeat(text, 20_000)))
		running.Add(-1)
	}
	c := connect(t, r, "id", h)
	const messages = 600
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range messages {
			if _, err := c.Write(ws.MustCompileFrame(ws.MaskFrameInPlace(text("x")))); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	time.Sleep(50 * time.Millisecond)
	for range messages {
		c.expectHear(strings.Repeat("x", 20_000))
	}
	<-sent
	if most.Load() > 4 {
		t.Errorf("%d messages ran at a time", most.Load())
	}
}

// The others are served while one connection floods and one doesn't read.
func TestFairness(t *testing.T) {
	r := startRegistry(t, Options{MaxRunning: 2})
	release := make(chan struct{})
	stuck := newRecorder()
	stuck.message = func(*Conn, string) { <-release }
	flood := connect(t, r, "flood", stuck)
	var flooding sync.WaitGroup
	flooding.Go(func() {
		frames := ws.MustCompileFrame(ws.MaskFrameInPlace(text("x")))
		for {
			if _, err := flood.Write(frames); err != nil {
				return
			}
		}
	})
	c := connect(t, r, "id", newRecorder())
	for range 50 {
		c.write(text("x"))
		c.expectHear("x")
	}
	flood.Close()
	flooding.Wait()
	close(release)
}

// $disconnect comes after the messages.
func TestDisconnectedComesLast(t *testing.T) {
	h := newRecorder()
	release, begun := make(chan struct{}), make(chan struct{})
	h.message = func(*Conn, string) { close(begun); <-release }
	c := connect(t, startRegistry(t, Options{}), "id", h)
	c.write(text("x"))
	<-begun
	c.Close()
	select {
	case <-h.ended:
		t.Error("the end was told while a message ran")
	case <-time.After(30 * time.Millisecond):
	}
	close(release)
	h.expectEnd(t, "1006")
}

// A connection that isn't TCP waits with a buffer of one byte.
func TestPipe(t *testing.T) {
	h := newRecorder()
	server, nc := net.Pipe()
	c := adopt(t, startRegistry(t, Options{}), "id", h, server, nc)
	c.write(text("hello"))
	c.expectHear("hello")
	go c.write(closeWith(1000, ""))
	c.expectClose(1000, "")
	nc.Close()
	h.expectEnd(t, "1000")
}

func TestDrainAndCut(t *testing.T) {
	r := startRegistry(t, Options{CloseTimeout: time.Minute})
	h := newRecorder()
	hang := newRecorder()
	hang.message = func(*Conn, string) { <-r.Abandoned() }
	c, deaf := connect(t, r, "a", h), connect(t, r, "b", hang)
	deaf.write(text("x"))
	r.Drain()
	c.expectClose(1001, "Going away")
	c.write(closeWith(1001, ""))
	h.expectEnd(t, "1001 Going away")
	r.Cut()
	hang.expectEnd(t, "1001 Going away")
	late := newRecorder()
	connect(t, r, "c", late)
	late.expectEnd(t, "1001 Going away")
}

// Posts from many sides, an end in the middle: every message that was taken
// comes whole.
func TestConcurrentPosts(t *testing.T) {
	r := startRegistry(t, Options{MaxPendingBytes: 1 << 20})
	c := connect(t, r, "id", newRecorder())
	var posters sync.WaitGroup
	for i := range 8 {
		posters.Go(func() {
			for j := range 200 {
				data := []byte(strings.Repeat(fmt.Sprint(i), 10+j*40))
				for {
					err := r.Post("api", "prod", "id", data)
					if err == nil {
						break
					}
					if !errors.Is(err, ErrFull) {
						t.Error(err)
						return
					}
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	for range 8 * 200 {
		got, _ := c.hear()
		if strings.Trim(got, got[:1]) != "" {
			t.Fatalf("messages were mixed: %.60s", got)
		}
	}
	posters.Wait()
}

// readFrame reads one frame of at most 1 MB.
func readFrame(r io.Reader) (ws.Frame, error) {
	header, err := ws.ReadHeader(r)
	if err != nil {
		return ws.Frame{}, err
	}
	if header.Length > 1<<20 {
		return ws.Frame{}, ws.ErrHeaderLengthUnexpected
	}
	payload := make([]byte, header.Length)
	_, err = io.ReadFull(r, payload)
	return ws.Frame{Header: header, Payload: payload}, err
}

// Long messages take room while they come and while they run, and a message that
// finds none ends its connection.
func TestRoomForMessages(t *testing.T) {
	const size = 20 << 10
	h := newRecorder()
	h.room = 64 << 10
	started, proceed := make(chan struct{}), make(chan struct{})
	h.message = func(*Conn, string) { started <- struct{}{}; <-proceed }
	r := startRegistry(t, Options{})
	c := connect(t, r, "id", h)
	long := strings.Repeat("x", size)
	c.write(text(long), text("short"))
	<-started
	<-started
	one := h.held.Load()
	if one < size-readBuffer || one > 2*size {
		t.Errorf("a message of %d bytes takes %d", size, one)
	}
	c.write(frame(ws.OpText, false, long), frame(ws.OpContinuation, false, long), frame(ws.OpContinuation, false, long))
	c.expectClose(int(tryAgainLater), "")
	close(proceed)
	c.expectEnd()
	c.Close()
	h.expectEnd(t, fmt.Sprint(tryAgainLater))
	if n := h.held.Load(); n != 0 {
		t.Errorf("%d bytes are held in the end", n)
	}
}

// Small messages need no room, even in memory that was a long one's.
func TestShortMessagesWithoutRoom(t *testing.T) {
	h := newRecorder()
	h.room = 1
	r := startRegistry(t, Options{})
	for range 100 {
		r.release(new(make([]byte, 0, maxKept)))
	}
	c := connect(t, r, "id", h)
	for range 10 {
		c.write(text(strings.Repeat("x", readBuffer)))
		c.expectHear(strings.Repeat("x", readBuffer))
	}
}
