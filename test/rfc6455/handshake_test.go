package rfc6455

// A handshakeCase is one opening handshake and its answer.
type handshakeCase struct {
	section, what string
	// request is the method, protocol and header lines; the rest is filled in.
	method, protocol string
	lines            []string
	// without are names of headers that aren't sent.
	without string
	status  int
	// header is a line that the answer must have.
	header string
}

func handshakes() []handshakeCase {
	const accepted = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
	return []handshakeCase{
		{section: "4.2.2", what: "the RFC's example", status: 101, header: accepted},
		{section: "4.2.2", what: "the answer's Upgrade", status: 101, header: "Upgrade: websocket"},
		{section: "4.2.2", what: "the answer's Connection", status: 101, header: "Connection: upgrade"},
		{section: "4.2.1", what: "names and tokens in capitals", lines: []string{"UPGRADE: WEBSOCKET", "CONNECTION: UPGRADE"}, without: "Upgrade Connection", status: 101, header: accepted},
		{section: "4.2.1", what: "Connection with more tokens", lines: []string{"Connection: keep-alive, Upgrade"}, without: "Connection", status: 101, header: accepted},
		{section: "4.2.1", what: "Connection in two lines", lines: []string{"Connection: keep-alive", "Connection: upgrade"}, without: "Connection", status: 101, header: accepted},
		{section: "4.2.1", what: "white space around the key", lines: []string{"Sec-WebSocket-Key:   dGhlIHNhbXBsZSBub25jZQ==  "}, without: "Sec-WebSocket-Key", status: 101, header: accepted},
		{section: "4.2.1", what: "an Origin and cookies", lines: []string{"Origin: http://example.com", "Cookie: a=b"}, status: 101, header: accepted},
		{section: "4.2.1", what: "no Upgrade", without: "Upgrade", status: 426, header: "Upgrade: websocket"},
		{section: "4.2.1", what: "another Upgrade", lines: []string{"Upgrade: h2c"}, without: "Upgrade", status: 426, header: "Upgrade: websocket"},
		{section: "4.2.1", what: "no Connection", without: "Connection", status: 426},
		{section: "4.2.1", what: "no key", without: "Sec-WebSocket-Key", status: 400},
		{section: "4.2.1", what: "a key of 15 bytes", lines: []string{"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"}, without: "Sec-WebSocket-Key", status: 400},
		{section: "4.2.1", what: "a key that isn't base64", lines: []string{"Sec-WebSocket-Key: ????????????????????????"}, without: "Sec-WebSocket-Key", status: 400},
		{section: "11.3.1", what: "two keys", lines: []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, status: 400},
		{section: "11.3.5", what: "two versions", lines: []string{"Sec-WebSocket-Version: 13"}, status: 400},
		{section: "4.2.2", what: "no version", without: "Sec-WebSocket-Version", status: 426, header: "Sec-WebSocket-Version: 13"},
		{section: "4.4", what: "version 8", lines: []string{"Sec-WebSocket-Version: 8"}, without: "Sec-WebSocket-Version", status: 426, header: "Sec-WebSocket-Version: 13"},
		{section: "4.2.1", what: "POST", method: "POST", lines: []string{"Content-Length: 0"}, status: 426},
		{section: "4.2.1", what: "HTTP/1.0", protocol: "HTTP/1.0", status: 426},
	}
}
