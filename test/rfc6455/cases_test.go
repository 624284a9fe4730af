package rfc6455

import (
	"bytes"
	"fmt"
	"strings"

	"gatehouse/test/frame"
)

// A testCase is one fact about a connection.
type testCase struct {
	// section is that of RFC 6455, or "limits" for what API Gateway adds.
	section, what string
	// pieces are sent one by one, the next one when the one before can have
	// arrived.
	pieces [][]byte
	// echoes are the messages that must come back, in any order, pongs the pongs
	// in this order.
	echoes, pongs []string
	// close is the code with which the gateway must end the connection; 0 is that
	// it goes on, until the test ends it.
	close int
	// answer is the code of the answer to a close frame that is in the pieces,
	// bare that the answer has none.
	answer int
	bare   bool
}

// A group is the cases of one subject.
type group struct {
	name  string
	cases []testCase
}

func groups() []group {
	return []group{
		{"Lengths", lengths()}, {"Pings and pongs", pings()}, {"Reserved bits", reservedBits()}, {"Opcodes", opcodes()}, {"Fragments", fragments()},
		{"UTF-8", utf8Cases()}, {"Close codes", closeCodes()}, {"Closing", closing()}, {"Masks", masks()}, {"Limits", limits()},
	}
}

const (
	protocolError = 1002
	noBinary      = 1003
	notUTF8       = 1007
	tooBig        = 1009
)

// Limits of API Gateway.
const (
	frameLimit   = 32 << 10
	messageLimit = 128 << 10
)

// empty is what an empty message comes back as: to a template, no body is {}.
const empty = "{}"

// send is one piece with these frames.
func send(frames ...frame.Frame) [][]byte {
	var b []byte
	for _, f := range frames {
		b = append(b, f.Bytes()...)
	}
	return [][]byte{b}
}

// octets are pieces of one byte each.
func octets(frames ...frame.Frame) [][]byte {
	var pieces [][]byte
	for _, b := range send(frames...)[0] {
		pieces = append(pieces, []byte{b})
	}
	return pieces
}

func x(n int) string { return strings.Repeat("x", n) }

func text(s string) frame.Frame { return frame.TextOf(s) }

// begin and more are frames of a message that goes on, last is its end.
func begin(s string) frame.Frame {
	return frame.Frame{Opcode: frame.Text, More: true, Payload: []byte(s)}
}
func more(s string) frame.Frame {
	return frame.Frame{Opcode: frame.Continuation, More: true, Payload: []byte(s)}
}
func last(s string) frame.Frame {
	return frame.Frame{Opcode: frame.Continuation, Payload: []byte(s)}
}
func ping(s string) frame.Frame { return frame.Frame{Opcode: frame.Ping, Payload: []byte(s)} }
func pong(s string) frame.Frame { return frame.Frame{Opcode: frame.Pong, Payload: []byte(s)} }

func lengths() []testCase {
	var cases []testCase
	for _, n := range []int{1, 125, 126, 127, 128, 255, 256, frameLimit - 1, frameLimit} {
		cases = append(cases, testCase{section: "5.2", what: fmt.Sprintf("a text of %d bytes", n), pieces: send(text(x(n))), echoes: []string{x(n)}})
	}
	lengthOf := func(bytes int) frame.Frame {
		return frame.Frame{Opcode: frame.Text, LengthBytes: bytes, Payload: []byte("Hello")}
	}
	announced := func(n uint64) frame.Frame {
		return frame.Frame{Opcode: frame.Text, LengthBytes: 8, Announce: n}
	}
	return append(cases,
		testCase{section: "5.2", what: "an empty text", pieces: send(text("")), echoes: []string{empty}},
		testCase{section: "5.2", what: "a text that comes byte by byte", pieces: octets(text(x(200))), echoes: []string{x(200)}},
		testCase{section: "5.2", what: "300 texts in one piece", pieces: send(repeat(300, text("Hello"))...), echoes: repeat(300, "Hello")},
		testCase{section: "5.2", what: "5 bytes announced in 2 bytes: the sender's fault, but clear", pieces: send(lengthOf(2)), echoes: []string{"Hello"}},
		testCase{section: "5.2", what: "5 bytes announced in 8 bytes: the sender's fault, but clear", pieces: send(lengthOf(8)), echoes: []string{"Hello"}},
		testCase{section: "5.2", what: "a length with its highest bit set", pieces: send(announced(1 << 63)), close: protocolError},
		testCase{section: "5.2", what: "a length with all bits set", pieces: send(announced(1<<64 - 1)), close: protocolError},
		testCase{section: "5.2", what: "the longest length there is", pieces: send(announced(1<<63 - 1)), close: tooBig},
		testCase{section: "5.2", what: "four gigabytes", pieces: send(announced(1 << 32)), close: tooBig},
	)
}

func repeat[T any](n int, v T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}

func pings() []testCase {
	var many []frame.Frame
	var pongs []string
	for i := range 10 {
		many = append(many, ping(fmt.Sprint(i)))
		pongs = append(pongs, fmt.Sprint(i))
	}
	return []testCase{
		{section: "5.5.2", what: "an empty ping", pieces: send(ping("")), pongs: []string{""}},
		{section: "5.5.2", what: "a ping with a text", pieces: send(ping("Hello")), pongs: []string{"Hello"}},
		{section: "5.5.2", what: "a ping with bytes that are no text", pieces: send(ping("\x00\xff\xfe\xfd")), pongs: []string{"\x00\xff\xfe\xfd"}},
		{section: "5.5.2", what: "a ping of 125 bytes", pieces: send(ping(x(125))), pongs: []string{x(125)}},
		{section: "5.5.2", what: "a ping that comes byte by byte", pieces: octets(ping(x(125))), pongs: []string{x(125)}},
		{section: "5.5.2", what: "10 pings", pieces: send(many...), pongs: pongs},
		{section: "5.5.2", what: "10 pings that come byte by byte", pieces: octets(many...), pongs: pongs},
		{section: "5.5", what: "a ping of 126 bytes", pieces: send(ping(x(126))), close: protocolError},
		{section: "5.5", what: "a ping of 125 bytes announced in 2 bytes", pieces: send(frame.Frame{Opcode: frame.Ping, LengthBytes: 2, Payload: []byte(x(125))}), pongs: []string{x(125)}},
		{section: "5.5", what: "a ping in fragments", pieces: send(frame.Frame{Opcode: frame.Ping, More: true, Payload: []byte("x")}), close: protocolError},
		{section: "5.5.3", what: "a pong nobody asked for", pieces: send(pong(""), text("x")), echoes: []string{"x"}},
		{section: "5.5.3", what: "a pong with a text", pieces: send(pong("Hello"), ping("x")), pongs: []string{"x"}},
		{section: "5.5", what: "a pong of 126 bytes", pieces: send(pong(x(126))), close: protocolError},
		{section: "5.5", what: "a pong in fragments", pieces: send(frame.Frame{Opcode: frame.Pong, More: true}), close: protocolError},
	}
}

func reservedBits() []testCase {
	var cases []testCase
	for rsv := range byte(8) {
		if rsv == 0 {
			continue
		}
		cases = append(cases, testCase{section: "5.2", what: fmt.Sprintf("reserved bits %03b of a text", rsv), pieces: send(frame.Frame{Opcode: frame.Text, RSV: rsv, Payload: []byte("x")}), close: protocolError})
	}
	for _, o := range []frame.Opcode{frame.Binary, frame.Ping, frame.Pong, frame.Close} {
		cases = append(cases, testCase{section: "5.2", what: fmt.Sprintf("a reserved bit of a %s", o), pieces: send(frame.Frame{Opcode: o, RSV: 4}), close: protocolError})
	}
	return append(cases, testCase{section: "5.2", what: "a reserved bit of a continuation", pieces: send(begin("x"), frame.Frame{Opcode: frame.Continuation, RSV: 4}), close: protocolError})
}

func opcodes() []testCase {
	var cases []testCase
	for _, o := range []frame.Opcode{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		cases = append(cases,
			testCase{section: "5.2", what: fmt.Sprintf("opcode %d, empty", o), pieces: send(frame.Frame{Opcode: o}), close: protocolError},
			testCase{section: "5.2", what: fmt.Sprintf("opcode %d within a message", o), pieces: send(begin("x"), frame.Frame{Opcode: o, Payload: []byte("x")}, last("x")), close: protocolError})
	}
	return append(cases,
		testCase{section: "limits", what: "a binary message", pieces: send(frame.Frame{Opcode: frame.Binary, Payload: []byte{0, 255}}), close: noBinary},
		testCase{section: "limits", what: "a binary message in fragments", pieces: send(frame.Frame{Opcode: frame.Binary, More: true}), close: noBinary})
}

func fragments() []testCase {
	hundred := []frame.Frame{begin("x")}
	for range 98 {
		hundred = append(hundred, more("x"))
	}
	hundred = append(hundred, last("x"))
	return []testCase{
		{section: "5.4", what: "two fragments", pieces: send(begin("Hel"), last("lo")), echoes: []string{"Hello"}},
		{section: "5.4", what: "two fragments that come byte by byte", pieces: octets(begin("Hel"), last("lo")), echoes: []string{"Hello"}},
		{section: "5.4", what: "100 fragments", pieces: send(hundred...), echoes: []string{x(100)}},
		{section: "5.4", what: "empty fragments", pieces: send(begin(""), more(""), last("")), echoes: []string{empty}},
		{section: "5.4", what: "empty fragments around a full one", pieces: send(begin(""), more("Hello"), last("")), echoes: []string{"Hello"}},
		{section: "5.4", what: "two messages in fragments", pieces: send(begin("a"), last("b"), begin("c"), last("d")), echoes: []string{"ab", "cd"}},
		{section: "5.4", what: "a ping between fragments", pieces: send(begin("Hel"), ping("x"), last("lo")), echoes: []string{"Hello"}, pongs: []string{"x"}},
		{section: "5.4", what: "a ping between fragments is answered before the message ends", pieces: send(begin("Hel"), ping("x")), pongs: []string{"x"}},
		{section: "5.4", what: "pings between all fragments, byte by byte", pieces: octets(begin("a"), ping("1"), more("b"), ping("2"), last("c")), echoes: []string{"abc"}, pongs: []string{"1", "2"}},
		{section: "5.4", what: "a pong between fragments", pieces: send(begin("Hel"), pong("x"), last("lo")), echoes: []string{"Hello"}},
		{section: "5.4", what: "a continuation of nothing", pieces: send(last("x")), close: protocolError},
		{section: "5.4", what: "a continuation of nothing that goes on", pieces: send(more("x"), last("x")), close: protocolError},
		{section: "5.4", what: "a continuation of a message that is over", pieces: send(begin("a"), last("b"), last("c")), echoes: []string{"ab"}, close: protocolError},
		{section: "5.4", what: "a text within a message", pieces: send(begin("a"), text("b")), close: protocolError},
		{section: "5.4", what: "a text within a message that goes on itself", pieces: send(begin("a"), begin("b"), last("c")), close: protocolError},
		{section: "5.4", what: "a binary frame within a message", pieces: send(begin("a"), frame.Frame{Opcode: frame.Binary}), close: protocolError},
	}
}

// closeFrame is a close frame with any payload.
func closeFrame(payload string) frame.Frame {
	return frame.Frame{Opcode: frame.Close, Payload: []byte(payload)}
}

func closeCodes() []testCase {
	var cases []testCase
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		cases = append(cases, testCase{section: "7.4", what: fmt.Sprintf("a close with %d", code), pieces: send(frame.CloseWith(code, "")), answer: code})
	}
	for _, code := range []int{1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases, testCase{section: "7.4", what: fmt.Sprintf("a close with %d, which no frame may have", code), pieces: send(frame.CloseWith(code, "")), close: protocolError})
	}
	return append(cases, testCase{section: "7.4", what: "a close with 0, which no frame may have", pieces: send(closeFrame("\x00\x00")), close: protocolError})
}

func closing() []testCase {
	return []testCase{
		{section: "5.5.1", what: "a close without a code", pieces: send(frame.CloseWith(0, "")), bare: true},
		{section: "5.5.1", what: "a close with a reason", pieces: send(frame.CloseWith(1000, "häß 你好")), answer: 1000},
		{section: "5.5.1", what: "a close with the longest reason", pieces: send(frame.CloseWith(1000, x(123))), answer: 1000},
		{section: "5.5.1", what: "a close that comes byte by byte", pieces: octets(frame.CloseWith(1000, "bye")), answer: 1000},
		{section: "5.5", what: "a close that is too long", pieces: send(frame.CloseWith(1000, x(124))), close: protocolError},
		{section: "5.5", what: "a close in fragments", pieces: send(frame.Frame{Opcode: frame.Close, More: true}), close: protocolError},
		{section: "5.5.1", what: "a close with half a code", pieces: send(closeFrame("\x03")), close: protocolError},
		{section: "5.5.1", what: "a close whose reason isn't UTF-8", pieces: send(frame.CloseWith(1000, "\xff")), close: notUTF8},
		{section: "5.5.1", what: "a close whose reason breaks off in a letter", pieces: send(frame.CloseWith(1000, "\xf0\x9f\x98")), close: notUTF8},
		{section: "5.5.1", what: "a close within a message", pieces: send(begin("x"), frame.CloseWith(1000, "")), answer: 1000},
		{section: "5.5.1", what: "a second close", pieces: send(frame.CloseWith(1000, ""), frame.CloseWith(1001, "")), answer: 1000},
		{section: "5.5.1", what: "a ping behind a close", pieces: send(frame.CloseWith(1000, ""), ping("x")), answer: 1000},
		{section: "5.5.1", what: "a text behind a close", pieces: send(frame.CloseWith(1000, ""), text("x")), answer: 1000},
		{section: "5.5.1", what: "nonsense behind a close", pieces: send(frame.CloseWith(1000, ""), frame.Frame{Opcode: 15, RSV: 7}), answer: 1000},
		{section: "5.5.1", what: "256 KB behind a close", pieces: append(send(frame.CloseWith(1000, "")), send(repeat(8, text(x(frameLimit)))...)...), answer: 1000},
		{section: "7.1.7", what: "256 KB behind an offence", pieces: append(send(frame.Frame{Opcode: 15}), send(repeat(8, text(x(frameLimit)))...)...), close: protocolError},
	}
}

func masks() []testCase {
	key := func(k ...byte) frame.Frame {
		f := text("Hello, masks")
		copy(f.Key[:], k)
		return f
	}
	unmasked := func(f frame.Frame) frame.Frame {
		f.Unmasked = true
		return f
	}
	zero := append([]byte{0x81, 0x85, 0, 0, 0, 0}, "Hello"...)
	return []testCase{
		{section: "5.3", what: "a key of zeros", pieces: [][]byte{zero}, echoes: []string{"Hello"}},
		{section: "5.3", what: "a key of ones", pieces: send(key(255, 255, 255, 255)), echoes: []string{"Hello, masks"}},
		{section: "5.3", what: "another key in each frame", pieces: send(key(1, 2, 3, 4), key(5, 6, 7, 8)), echoes: repeat(2, "Hello, masks")},
		{section: "5.3", what: "a mask over lengths that four doesn't divide, byte by byte", pieces: octets(begin(x(5)), more(x(6)), last(x(7))), echoes: []string{x(18)}},
		{section: "5.1", what: "a text without a mask", pieces: send(unmasked(text("x"))), close: protocolError},
		{section: "5.1", what: "an empty text without a mask", pieces: send(unmasked(text(""))), close: protocolError},
		{section: "5.1", what: "a continuation without a mask", pieces: send(begin("x"), unmasked(last("x"))), close: protocolError},
		{section: "5.1", what: "a ping without a mask", pieces: send(unmasked(ping("x"))), close: protocolError},
		{section: "5.1", what: "a close without a mask", pieces: send(unmasked(frame.CloseWith(1000, ""))), close: protocolError},
	}
}

func limits() []testCase {
	quarter := x(frameLimit)
	small := []frame.Frame{begin(x(1024))}
	for range messageLimit/1024 - 2 {
		small = append(small, more(x(1024)))
	}
	small = append(small, last(x(1024)))
	return []testCase{
		{section: "limits", what: "the longest frame in pieces", pieces: split(send(text(quarter))[0], 1000), echoes: []string{quarter}},
		{section: "limits", what: "a frame that is a byte too long", pieces: send(text(x(frameLimit + 1))), close: tooBig},
		{section: "limits", what: "a frame that is too long, seen by its header", pieces: [][]byte{text(x(frameLimit + 1)).Bytes()[:8]}, close: tooBig},
		{section: "limits", what: "a fragment that is a byte too long", pieces: send(begin("x"), last(x(frameLimit+1))), close: tooBig},
		{section: "limits", what: "the longest message", pieces: send(begin(quarter), more(quarter), more(quarter), last(quarter)), echoes: []string{x(messageLimit)}},
		{section: "limits", what: "the longest message in 128 fragments", pieces: send(small...), echoes: []string{x(messageLimit)}},
		{section: "limits", what: "pings don't count", pieces: send(begin(quarter), more(quarter), ping(x(125)), more(quarter), ping(""), last(quarter)), echoes: []string{x(messageLimit)}, pongs: []string{x(125), ""}},
		{section: "limits", what: "a message that is a byte too long", pieces: send(begin(quarter), more(quarter), more(quarter), more(quarter), last("x")), close: tooBig},
		{section: "limits", what: "a message that is too long before it ends", pieces: send(begin(quarter), more(quarter), more(quarter), more(quarter), more(quarter)), close: tooBig},
		{section: "limits", what: "an empty fragment behind the longest message", pieces: send(begin(quarter), more(quarter), more(quarter), more(quarter), last("")), echoes: []string{x(messageLimit)}},
	}
}

// split cuts bytes into pieces of some size.
func split(b []byte, size int) [][]byte {
	var pieces [][]byte
	for len(b) > size {
		pieces = append(pieces, bytes.Clone(b[:size]))
		b = b[size:]
	}
	return append(pieces, b)
}
