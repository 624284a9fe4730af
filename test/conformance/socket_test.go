package conformance

import (
	"bufio"
	"encoding/hex"
	"io"
	"net"
	"testing"
	"time"

	"gatehouse/test/frame"
)

// newRun is a case on its way that has a connection to the other end of a pipe.
func newRun(t *testing.T) (*run, net.Conn) {
	client, server := net.Pipe()
	t.Cleanup(func() { client.Close(); server.Close() })
	r := &run{scene: newScene(&World{}, "", Setup{}, nil), bound: map[string]string{"known": "Hello"}, sockets: map[string]*frame.Conn{
		"main": {Conn: client, Reader: bufio.NewReader(client)},
	}}
	return r, server
}

func TestReceive(t *testing.T) {
	const hello, fragments, closing = "81 05 48 65 6c 6c 6f", "01 03 48 65 6c 80 02 6c 6f", "88 05 03 e8 62 79 65"
	for _, test := range []struct {
		name string
		// sent comes over the connection, which ends then if it ends.
		sent string
		ends bool
		want Receive
		ok   bool
	}{
		{"a text", hello, false, Receive{Text: new("Hello")}, true},
		{"a text that is known", hello, false, Receive{Text: new("$(known)")}, true},
		{"another text", hello, false, Receive{Text: new("Hallo")}, false},
		{"binary", "82 01 78", false, Receive{Text: new("x")}, false},
		{"a masked text", "81 81 00 00 00 00 78", false, Receive{Text: new("x")}, false},
		{"a reserved bit", "c1 01 78", false, Receive{Text: new("x")}, false},
		{"bytes", hello, false, Receive{Bytes: hello}, true},
		{"a length said otherwise", "81 7e 00 05 48 65 6c 6c 6f", false, Receive{Bytes: hello}, false},
		{"fragments", fragments, false, Receive{Text: new("Hello"), Sizes: []int{3, 2}}, true},
		{"other fragments", fragments, false, Receive{Text: new("Hello"), Sizes: []int{2, 3}}, false},
		{"fragments where one frame is expected", fragments, false, Receive{Text: new("Hello")}, false},
		{"one frame where fragments are expected", hello, false, Receive{Text: new("Hello"), Sizes: []int{3, 2}}, false},
		{"JSON", "81 07 7b 22 61 22 3a 31 7d", false, Receive{ExactJSON: map[string]any{"a": 1}}, true},
		{"other JSON", "81 07 7b 22 61 22 3a 31 7d", false, Receive{JSON: map[string]any{"a": 2}}, false},
		{"a match", hello, false, Receive{Matches: "^H"}, true},
		{"no match", hello, false, Receive{Matches: "^e"}, false},
		{"a close", closing, true, Receive{Close: new(1000), Reason: new("bye")}, true},
		{"another reason", closing, true, Receive{Close: new(1000), Reason: new("")}, false},
		{"another code", closing, true, Receive{Close: new(1001)}, false},
		{"a text instead of a close", hello, true, Receive{Close: new(0)}, false},
		{"more after a close", closing + hello, true, Receive{Close: new(1000)}, false},
		{"a close without a code", "88 00", true, Receive{Close: new(0)}, true},
		{"the end", "", true, Receive{End: true}, true},
		{"not the end", hello, true, Receive{End: true}, false},
		{"the end instead of a text", "", true, Receive{Text: new("x")}, false},
		{"nothing", "", false, Receive{Nothing: 10}, true},
		{"something", hello, false, Receive{Nothing: 1000}, false},
		{"the end instead of nothing", "", true, Receive{Nothing: 1000}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, server := newRun(t)
			sent, err := fromHex(test.sent)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				_, _ = server.Write(sent) // the client may be content earlier
				if test.ends {
					_ = server.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
					_, _ = io.Copy(io.Discard, server)
					_ = server.Close()
				}
			}()
			if err := r.receive(&Step{Socket: "main", Receive: &test.want}); (err == nil) != test.ok {
				t.Error(err)
			}
		})
	}
}

func TestSend(t *testing.T) {
	for _, test := range []struct {
		name string
		send Send
		want string
	}{
		{"a text", Send{Text: new("$(known)")}, "818537fa213d7f9f4d5158"},
		{"bytes", Send{Bytes: "00 fF"}, "00ff"},
		{"frames", Send{Frames: []SentFrame{{Text: "Hel", More: true, Unmasked: true}, {Opcode: "continuation", Hex: "6c 6f", Unmasked: true}}}, "010348656c80026c6f"},
		{"a frame of another kind", Send{Frames: []SentFrame{{Opcode: "11", RSV: 1, Unmasked: true, LengthBytes: 2}}}, "9b7e0000"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, server := newRun(t)
			failed := make(chan error, 1)
			go func() {
				failed <- r.send(&Step{Socket: "main", Send: &test.send})
				r.hangUp()
			}()
			got, err := io.ReadAll(server)
			if hex.EncodeToString(got) != test.want || err != nil {
				t.Errorf("got %x, %v, want %s", got, err, test.want)
			}
			if err := <-failed; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClose(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		ok           bool
	}{
		{"the same code", "880203e8", true},
		{"another code", "880203e9", false},
		{"no code", "8800", false},
		{"a text", "810178", false},
		{"the end", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, server := newRun(t)
			go func() {
				_, _ = frame.Read(bufio.NewReader(server)) // what it is, TestSend knows
				answer, _ := hex.DecodeString(test.answer)
				_, _ = server.Write(answer)
				_ = server.Close()
			}()
			if err := r.close(&Step{Socket: "main", Close: &Close{Code: 1000}}); (err == nil) != test.ok {
				t.Error(err)
			}
		})
	}
}

func TestFind(t *testing.T) {
	b := &Backend{}
	b.keep(&Echo{Line: "GET /a HTTP/1.1", Headers: []string{"X: 1"}, Body: "first"})
	b.keep(&Echo{Line: "GET /a HTTP/1.1", Headers: []string{"X: 2"}, Body: "second"})
	if got := b.Find([]string{"/a", "X: 1"}); got != `{"line":"GET /a HTTP/1.1","headers":["X: 1"],"body":"first"}` {
		t.Errorf("got %s", got)
	}
	if got := b.Find([]string{"/b"}); got != "" {
		t.Errorf("got %s", got)
	}
	for range keptEchoes {
		b.keep(&Echo{Line: "GET /b HTTP/1.1"})
	}
	if len(b.echoes) > keptEchoes || b.Find([]string{"/a"}) != "" {
		t.Errorf("%d requests are kept", len(b.echoes))
	}
}
