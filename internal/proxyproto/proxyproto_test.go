package proxyproto_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"gatehouse/internal/proxyproto"
)

const v2 = "\r\n\r\n\x00\r\nQUIT\n"

var cases = []struct {
	name, text string
	want       string // source and destination, "none", or "" for an error
}{
	{"IPv4", "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "192.0.2.1:56324 198.51.100.2:443"},
	{"IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "[2001:db8::1]:1 [2001:db8::2]:65535"},
	{"unknown", "PROXY UNKNOWN\r\n", "none"},
	{"unknown with addresses", "PROXY UNKNOWN ff:: ff:: 1 2\r\n", "none"},
	{"mapped", "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1:1 [::1]:2"},
	{"kinds mixed", "PROXY TCP4 ::1 ::2 1 2\r\n", ""},
	{"one address missing", "PROXY TCP4 192.0.2.1 56324 443\r\n", ""},
	{"a port too high", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n", ""},
	{"a port with zeros", "PROXY TCP4 192.0.2.1 192.0.2.2 01 443\r\n", ""},
	{"a signed port", "PROXY TCP4 192.0.2.1 192.0.2.2 +1 443\r\n", ""},
	{"a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", ""},
	{"no carriage return", "PROXY TCP4 192.0.2.1 192.0.2.2 1 443\n", ""},
	{"two spaces", "PROXY  TCP4 192.0.2.1 192.0.2.2 1 443\r\n", ""},
	{"too long", "PROXY UNKNOWN " + strings.Repeat("x", 120) + "\r\n", ""},
	{"a request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"nothing", "", ""},
	{"cut short", "PROXY TCP4 192.0.2.1", ""},
	{"v2 IPv4", v2 + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb", "192.0.2.1:56324 198.51.100.2:443"},
	{"v2 IPv6", v2 + "\x21\x21\x00\x24" + strings.Repeat("\x20", 16) + strings.Repeat("\x30", 16) + "\x00\x01\x00\x02", "[2020:2020:2020:2020:2020:2020:2020:2020]:1 [3030:3030:3030:3030:3030:3030:3030:3030]:2"},
	{"v2 with more", v2 + "\x21\x11\x00\x10\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb\x04\x00\x01x", "192.0.2.1:56324 198.51.100.2:443"},
	{"v2 local", v2 + "\x20\x00\x00\x00", "none"},
	{"v2 of a UNIX socket", v2 + "\x21\x31\x00\x01x", "none"},
	{"v2 too short for its family", v2 + "\x21\x11\x00\x04\xc0\x00\x02\x01", ""},
	{"v2 too long", v2 + "\x21\x11\xff\xff", ""},
	{"version 3", v2 + "\x31\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb", ""},
	{"v2 cut short", v2 + "\x21\x11\x00\x0c\xc0", ""},
}

func describe(h proxyproto.Header, err error) string {
	switch {
	case err != nil:
		return ""
	case !h.Source.IsValid():
		return "none"
	}
	return h.Source.String() + " " + h.Destination.String()
}

func TestRead(t *testing.T) {
	for _, test := range cases {
		const rest = "GET / HTTP/1.1\r\n"
		r := strings.NewReader(test.text + rest)
		if test.want == "" {
			r = strings.NewReader(test.text)
		}
		h, err := proxyproto.Read(r)
		if got := describe(h, err); got != test.want {
			t.Errorf("%s: %q, want %q (%v)", test.name, got, test.want, err)
		}
		if left, _ := io.ReadAll(r); test.want != "" && string(left) != rest {
			t.Errorf("%s: %q is left", test.name, left)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, test := range cases {
		f.Add([]byte(test.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := bytes.NewReader(text)
		h, err := proxyproto.Read(r)
		if read := len(text) - r.Len(); read > 16+4096 {
			t.Errorf("%d bytes were read", read)
		}
		if err == nil && h.Source.IsValid() != h.Destination.IsValid() {
			t.Errorf("half a header: %v", h)
		}
	})
}
