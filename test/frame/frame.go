package frame

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// An Opcode is what a frame is.
type Opcode byte

// The opcodes of RFC 6455.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

var opcodeNames = map[Opcode]string{
	Continuation: "continuation", Text: "text", Binary: "binary", Close: "close", Ping: "ping", Pong: "pong",
}

// String returns the RFC's name of an opcode, or its number.
func (o Opcode) String() string {
	if name := opcodeNames[o]; name != "" {
		return name
	}
	return fmt.Sprintf("opcode %d", byte(o))
}

// A Frame is one frame of either direction.
type Frame struct {
	Opcode Opcode
	// More tells that FIN isn't set: the message goes on in another frame.
	More bool
	// RSV are the reserved bits, the first one being 4.
	RSV byte
	// Unmasked leaves out the mask, which clients must have and servers mustn't.
	Unmasked bool
	// Key masks; when it is zero, that of the RFC's examples does.
	Key [4]byte
	// LengthBytes is how many bytes the length takes beside the seven bits: 2 or
	// 8; 0 is as few as are needed.
	LengthBytes int
	// Announce is the length to write instead of the payload's, if it isn't 0.
	Announce uint64
	Payload  []byte
	// Raw is the frame as it came; Read sets it.
	Raw []byte
}

// exampleKey is the masking key of RFC 6455, section 5.7.
var exampleKey = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// Bytes returns the frame as it goes over the wire.
func (f Frame) Bytes() []byte {
	first := byte(f.Opcode)&0x0f | f.RSV<<4
	if !f.More {
		first |= 0x80
	}
	length := uint64(len(f.Payload))
	if f.Announce != 0 {
		length = f.Announce
	}
	var mask byte = 0x80
	if f.Unmasked {
		mask = 0
	}
	out := []byte{first}
	switch {
	case f.LengthBytes == 8 || f.LengthBytes == 0 && length > 0xffff:
		out = binary.BigEndian.AppendUint64(append(out, mask|127), length)
	case f.LengthBytes == 2 || length > 125:
		out = binary.BigEndian.AppendUint16(append(out, mask|126), uint16(length))
	default:
		out = append(out, mask|byte(length))
	}
	if f.Unmasked {
		return append(out, f.Payload...)
	}
	key := f.Key
	if key == [4]byte{} {
		key = exampleKey
	}
	out = append(out, key[:]...)
	for i, b := range f.Payload {
		out = append(out, b^key[i&3])
	}
	return out
}

// String shows a frame for a message.
func (f Frame) String() string {
	more := ""
	if f.More {
		more = ", more to come"
	}
	if code, reason, ok := f.CloseCode(); ok && f.Opcode == Close {
		return fmt.Sprintf("close %d %q", code, reason)
	}
	const most = 300
	if len(f.Payload) > most {
		return fmt.Sprintf("%s of %d bytes%s: %q…", f.Opcode, len(f.Payload), more, f.Payload[:most])
	}
	return fmt.Sprintf("%s%s: %q", f.Opcode, more, f.Payload)
}

// CloseCode returns the code and the reason in a close frame; ok is false if it
// has none.
func (f Frame) CloseCode() (code int, reason string, ok bool) {
	if len(f.Payload) < 2 {
		return 0, "", false
	}
	return int(binary.BigEndian.Uint16(f.Payload)), string(f.Payload[2:]), true
}

// CloseWith returns a close frame; code 0 leaves out both code and reason.
func CloseWith(code int, reason string) Frame {
	f := Frame{Opcode: Close}
	if code != 0 {
		f.Payload = append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
	}
	return f
}

// TextOf returns a whole text message.
func TextOf(text string) Frame { return Frame{Opcode: Text, Payload: []byte(text)} }

// most is how long a frame may be that is read; no test expects longer ones.
const most = 16 << 20

// Read reads one frame.
func Read(r *bufio.Reader) (Frame, error) {
	var raw []byte
	take := func(n int) ([]byte, error) {
		at := len(raw)
		raw = append(raw, make([]byte, n)...)
		_, err := io.ReadFull(r, raw[at:])
		return raw[at:], err
	}
	head, err := take(2)
	if err != nil {
		return Frame{}, err
	}
	f := Frame{Opcode: Opcode(head[0] & 0x0f), More: head[0]&0x80 == 0, RSV: head[0] >> 4 & 7, Unmasked: head[1]&0x80 == 0}
	length := uint64(head[1] & 0x7f)
	switch length {
	case 126:
		f.LengthBytes = 2
	case 127:
		f.LengthBytes = 8
	}
	if f.LengthBytes > 0 {
		b, err := take(f.LengthBytes)
		if err != nil {
			return f, err
		}
		length = 0
		for _, x := range b {
			length = length<<8 | uint64(x)
		}
	}
	if length > most {
		return f, fmt.Errorf("a frame of %d bytes", length)
	}
	if !f.Unmasked {
		key, err := take(4)
		if err != nil {
			return f, err
		}
		copy(f.Key[:], key)
	}
	payload, err := take(int(length))
	if err != nil {
		return f, err
	}
	f.Payload = append([]byte{}, payload...)
	if !f.Unmasked {
		for i := range f.Payload {
			f.Payload[i] ^= f.Key[i&3]
		}
	}
	f.Raw = raw
	return f, nil
}
