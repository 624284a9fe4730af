package frame

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"testing"
)

// The examples of RFC 6455, section 5.7, and what no proper client sends.
func TestBytes(t *testing.T) {
	for _, test := range []struct {
		name  string
		frame Frame
		want  string
	}{
		{"unmasked text", Frame{Opcode: Text, Unmasked: true, Payload: []byte("Hello")}, "810548656c6c6f"},
		{"masked text", TextOf("Hello"), "818537fa213d7f9f4d5158"},
		{"first fragment", Frame{Opcode: Text, More: true, Unmasked: true, Payload: []byte("Hel")}, "010348656c"},
		{"last fragment", Frame{Opcode: Continuation, Unmasked: true, Payload: []byte("lo")}, "80026c6f"},
		{"ping", Frame{Opcode: Ping, Unmasked: true, Payload: []byte("Hello")}, "890548656c6c6f"},
		{"pong", Frame{Opcode: Pong, Payload: []byte("Hello")}, "8a8537fa213d7f9f4d5158"},
		{"long way to say five", Frame{Opcode: Text, Unmasked: true, LengthBytes: 8, Payload: []byte("Hello")}, "817f000000000000000548656c6c6f"},
		{"reserved bits", Frame{Opcode: 3, RSV: 5, Unmasked: true}, "d300"},
		{"a lie", Frame{Opcode: Binary, Unmasked: true, Announce: 256}, "827e0100"},
		{"close", Frame{Opcode: Close, Unmasked: true, Payload: CloseWith(1000, "x").Payload}, "880303e878"},
	} {
		if got := hex.EncodeToString(test.frame.Bytes()); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestRead(t *testing.T) {
	for _, size := range []int{0, 125, 126, 65535, 65536} {
		for _, unmasked := range []bool{true, false} {
			sent := Frame{Opcode: Binary, More: true, RSV: 2, Unmasked: unmasked, Payload: bytes.Repeat([]byte("x"), size)}
			got, err := Read(bufio.NewReader(bytes.NewReader(sent.Bytes())))
			if err != nil || !bytes.Equal(got.Payload, sent.Payload) || !bytes.Equal(got.Raw, sent.Bytes()) || got.Opcode != Binary || !got.More || got.RSV != 2 {
				t.Errorf("%d bytes: %s, %v", size, got, err)
			}
		}
	}
}

func TestAccept(t *testing.T) {
	if got := Accept(Key); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("got %s", got)
	}
}
