package rfc6455

import (
	"fmt"

	"gatehouse/test/frame"
)

// utf8Cases are texts that are UTF-8 and texts that aren't, whole and in
// fragments that cut through letters.
func utf8Cases() []testCase {
	var cases []testCase
	for _, t := range []struct{ what, text string }{
		{"letters of one to four bytes", "a\u00e4\u4f60\U0001f600"},
		{"the first of two bytes, U+0080", "\u0080"},
		{"the last of two bytes, U+07FF", "\u07ff"},
		{"the first of three bytes, U+0800", "\u0800"},
		{"the last before the surrogates, U+D7FF", "\ud7ff"},
		{"the first behind the surrogates, U+E000", "\ue000"},
		{"the replacement character, U+FFFD", "\ufffd"},
		{"a noncharacter, U+FFFE", "\ufffe"},
		{"a noncharacter, U+FFFF", "\uffff"},
		{"the first of four bytes, U+10000", "\U00010000"},
		{"the last of all, U+10FFFF", "\U0010ffff"},
		{"a zero", "a\x00b"},
		{"a byte order mark", "\ufeffx"},
	} {
		cases = append(cases, testCase{section: "8.1", what: t.what, pieces: send(text(t.text)), echoes: []string{t.text}})
	}
	const letters = "\u00e4\u4f60\U0001f600"
	for at := 1; at < len(letters); at++ {
		cases = append(cases, testCase{
			section: "5.6", what: fmt.Sprintf("letters of two to four bytes, cut at byte %d", at),
			pieces: send(begin(letters[:at]), last(letters[at:])), echoes: []string{letters},
		})
	}
	var each []frame.Frame
	for i := range len(letters) {
		each = append(each, more(letters[i:i+1]))
	}
	each[0].Opcode = frame.Text
	each[len(each)-1].More = false
	cases = append(cases,
		testCase{section: "5.6", what: "a fragment for each byte of letters", pieces: send(each...), echoes: []string{letters}},
		testCase{section: "5.6", what: "a fragment for each byte of letters, with pings between them", pieces: send(pinged(each)...), echoes: []string{letters}, pongs: repeat(len(each)-1, "x")},
		testCase{section: "5.6", what: "a letter cut by an empty fragment", pieces: send(begin("\xe4"), more(""), last("\xbd\xa0")), echoes: []string{"\u4f60"}},
		testCase{section: "5.6", what: "letters that come byte by byte", pieces: octets(text(letters)), echoes: []string{letters}})
	for _, t := range []struct{ what, text string }{
		{"a continuation byte alone", "\x80"},
		{"the last continuation byte alone", "\xbf"},
		{"six continuation bytes", "\x80\x81\x82\x83\x84\x85"},
		{"the first byte of two alone", "\xc3"},
		{"the first byte of two and a space", "\xc3 "},
		{"two bytes of three", "\xe4\xbd"},
		{"three bytes of four", "\xf0\x9f\x98"},
		{"three bytes of four and a letter", "\xf0\x9f\x98x"},
		{"a slash in two bytes", "\xc0\xaf"},
		{"a slash in three bytes", "\xe0\x80\xaf"},
		{"a slash in four bytes", "\xf0\x80\x80\xaf"},
		{"a zero in two bytes", "\xc0\x80"},
		{"U+07FF in three bytes", "\xe0\x9f\xbf"},
		{"U+FFFF in four bytes", "\xf0\x8f\xbf\xbf"},
		{"the first surrogate, U+D800", "\xed\xa0\x80"},
		{"the last surrogate, U+DFFF", "\xed\xbf\xbf"},
		{"a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80"},
		{"beyond the last of all, U+110000", "\xf4\x90\x80\x80"},
		{"five bytes", "\xf8\x88\x80\x80\x80"},
		{"six bytes", "\xfc\x84\x80\x80\x80\x80"},
		{"FE", "\xfe"},
		{"FF", "\xff"},
		{"a bad byte behind a good text", x(1000) + "\xff"},
		{"a bad byte in the middle of a long text", x(5000) + "\xff" + x(5000)},
	} {
		cases = append(cases, testCase{section: "8.1", what: "not UTF-8: " + t.what, pieces: send(text(t.text)), close: notUTF8})
	}
	return append(cases,
		testCase{section: "8.1", what: "not UTF-8 across fragments", pieces: send(begin("\xf0\x9f"), last("\x98x")), close: notUTF8},
		testCase{section: "8.1", what: "a surrogate across fragments", pieces: send(begin("\xed"), last("\xa0\x80")), close: notUTF8},
		testCase{section: "8.1", what: "a message that ends in half a letter", pieces: send(begin("x"), last("\xf0\x9f")), close: notUTF8},
		testCase{section: "8.1", what: "a message whose empty end leaves half a letter", pieces: send(begin("\xf0\x9f"), last("")), close: notUTF8},
		testCase{section: "8.1", what: "a bad byte is told before the message ends", pieces: send(begin("\xff")), close: notUTF8},
		testCase{section: "8.1", what: "a letter that can't become good is told before the message ends", pieces: send(begin("\xed\xa0")), close: notUTF8},
		testCase{section: "8.1", what: "two messages don't share a letter", pieces: send(text("\xe4\xbd"), text("\xa0")), close: notUTF8})
}

// pinged puts a ping between frames.
func pinged(frames []frame.Frame) []frame.Frame {
	var out []frame.Frame
	for i, f := range frames {
		if i > 0 {
			out = append(out, ping("x"))
		}
		out = append(out, f)
	}
	return out
}
