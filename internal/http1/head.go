package http1

import (
	"bytes"
	"math"
	"unsafe"

	"gatehouse/internal/plan"
)

// maxHeaderLines bounds the header lines of one message, so that a head of
// tiny lines costs no more than one of long ones.
const maxHeaderLines = 1000

// Framing is what a head says about the body behind it and the connection
// under it.
type Framing struct {
	// Length is the size of the body, 0 when there is none, and -1 when only
	// its end tells.
	Length int64
	// Chunked tells that the body is in chunks. In a response, Length -1
	// without Chunked means that the body ends with the connection.
	Chunked bool
	// Close tells that the connection ends after this message.
	Close bool
	// ExpectContinue tells that the client waits for "100 Continue".
	ExpectContinue bool
	// ConnectionNames tells that a Connection header lists header names, which
	// mustn't be passed on either; Named finds them.
	ConnectionNames bool
}

// lines is what parsing the header lines collects.
type lines struct {
	Framing
	hosts     int
	host      string
	length    int64
	hasLength bool
	hasCoding bool
	keepAlive bool
	response  bool
	headers   plan.Headers
}

// ParseRequest reads a whole request head, as Reader.Head returns it, into q:
// method, path, query, host, protocol and headers. The strings are views of
// head.
func ParseRequest(head []byte, q *plan.Request) (Framing, error) {
	eol := bytes.IndexByte(head, '\n')
	if eol < 1 || head[eol-1] != '\r' {
		return Framing{}, syntaxf("request line doesn't end in CRLF")
	}
	line, rest := head[:eol-1], head[eol+1:]

	sp := bytes.IndexByte(line, ' ')
	if sp < 0 {
		return Framing{}, syntaxf("no method")
	}
	q.Method = view(line[:sp])
	if err := CheckMethod(q.Method); err != nil {
		return Framing{}, err
	}
	line = line[sp+1:]
	sp = bytes.IndexByte(line, ' ')
	if sp < 1 {
		return Framing{}, syntaxf("no request target")
	}
	target := line[:sp]
	switch string(line[sp+1:]) {
	case "HTTP/1.1":
		q.Proto = "HTTP/1.1"
	case "HTTP/1.0":
		q.Proto = "HTTP/1.0"
	default:
		return Framing{}, syntaxf("protocol isn't HTTP/1.1 or HTTP/1.0")
	}

	l := lines{headers: q.Headers[:0]}
	if err := l.parse(rest); err != nil {
		return Framing{}, err
	}
	q.Headers, q.Host = l.headers, l.host
	if err := l.frameRequest(q.Proto == "HTTP/1.0"); err != nil {
		return Framing{}, err
	}
	if err := parseTarget(target, q); err != nil {
		return Framing{}, err
	}
	return l.Framing, nil
}

// maxMethod is the longest method.
const maxMethod = 64

// CheckMethod says what is wrong with the method of a request; nil when a
// gateway can serve it and write it into a request line of its own.
func CheckMethod(method string) error {
	if method == "" || len(method) > maxMethod {
		return syntaxf("no method")
	}
	for i := range len(method) {
		if !isToken[method[i]] {
			return syntaxf("byte %#x in the method", method[i])
		}
	}
	if method == "CONNECT" {
		// With a path it means nothing, and who takes it for a tunnel all the
		// same reads what follows as he likes.
		return syntaxf("a tunnel isn't served")
	}
	return nil
}

func (l *lines) frameRequest(http10 bool) error {
	switch {
	case l.hosts > 1:
		return syntaxf("%d Host headers", l.hosts)
	case l.hosts == 0 && !http10:
		return syntaxf("no Host header")
	case l.hasCoding && l.hasLength:
		return syntaxf("Content-Length and Transfer-Encoding together")
	case l.hasCoding && !l.Chunked:
		return syntaxf("a transfer coding other than chunked")
	case l.hasCoding && http10:
		return syntaxf("Transfer-Encoding in HTTP/1.0")
	}
	if (l.host == "" && l.hosts > 0) || !ValidHost(l.host) {
		return syntaxf("Host header %.80q", l.host)
	}
	l.Length = l.length
	if l.Chunked {
		l.Length = -1
	}
	if http10 {
		l.ExpectContinue = false
		l.Close = l.Close || !l.keepAlive
	}
	return nil
}

// ParseTarget splits a request target into q's Path and Query. q.Host has to be
// set: a target in absolute form must name it. The asterisk and authority forms
// are for methods a gateway doesn't serve.
func ParseTarget(target string, q *plan.Request) error {
	return parseTarget(unsafe.Slice(unsafe.StringData(target), len(target)), q)
}

func parseTarget(target []byte, q *plan.Request) error {
	if len(target) == 0 || target[0] != '/' {
		var err error
		if target, err = absoluteForm(target, q); err != nil {
			return err
		}
	}
	for _, c := range target {
		if c <= ' ' || c == 0x7f || c == '#' {
			return syntaxf("byte %#x in the request target", c)
		}
	}
	path := target
	q.Query = ""
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		path, q.Query = target[:i], view(target[i+1:])
	}
	if !validEscapes(path) {
		return syntaxf("a percent sign without two hex digits in the path")
	}
	q.Path = view(path)
	return nil
}

// absoluteForm takes scheme and authority off a target in absolute form. The
// authority has to be that of the Host header, which decides who is asked; a
// request of HTTP/1.0 without one is for the authority's.
func absoluteForm(target []byte, q *plan.Request) ([]byte, error) {
	i := bytes.Index(target, []byte("://"))
	if i < 0 || !(plan.EqualFold(view(target[:i]), "http") || plan.EqualFold(view(target[:i]), "https")) {
		return nil, syntaxf("request target is neither a path nor an http URL")
	}
	rest := target[i+3:]
	end := bytes.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if authority := view(rest[:end]); q.Host == "" && q.Proto == "HTTP/1.0" && authority != "" && ValidHost(authority) {
		q.Host = authority
	}
	if q.Host == "" || !plan.EqualFold(view(rest[:end]), q.Host) {
		return nil, syntaxf("request target names another host than the Host header")
	}
	if rest = rest[end:]; len(rest) > 0 && rest[0] == '/' {
		return rest, nil
	}
	return append([]byte{'/'}, rest...), nil
}

func validEscapes(path []byte) bool {
	for {
		i := bytes.IndexByte(path, '%')
		if i < 0 {
			return true
		}
		if i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2]) {
			return false
		}
		path = path[i+3:]
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// parse reads header lines up to and including the empty line at the end.
func (l *lines) parse(b []byte) error {
	for {
		eol := bytes.IndexByte(b, '\n')
		if eol < 1 || b[eol-1] != '\r' {
			return syntaxf("header line doesn't end in CRLF")
		}
		line := b[:eol-1]
		b = b[eol+1:]
		if len(line) == 0 {
			if len(b) != 0 {
				return syntaxf("bytes after the head")
			}
			return nil
		}
		if len(l.headers) == maxHeaderLines {
			return syntaxf("more than %d header lines", maxHeaderLines)
		}
		n := 0
		for n < len(line) && isToken[line[n]] {
			n++
		}
		if n == 0 || n == len(line) || line[n] != ':' {
			// A line that begins with white space, which once continued the
			// line before it, ends here too.
			return syntaxf("header line without a valid name")
		}
		name, value := view(line[:n]), view(trim(line[n+1:]))
		if !ValidValue(value) {
			return syntaxf("control character in the value of header %q", name)
		}
		l.headers = append(l.headers, plan.Header{Name: name, Value: value})
		if err := l.note(name, value); err != nil {
			return err
		}
	}
}

// note looks at the headers that frame the message.
func (l *lines) note(name, value string) error {
	switch len(name) {
	case 4:
		if plan.EqualFold(name, "host") {
			l.hosts++
			l.host = value
		}
	case 6:
		if plan.EqualFold(name, "expect") && plan.EqualFold(value, "100-continue") {
			l.ExpectContinue = true
		}
	case 10:
		if plan.EqualFold(name, "connection") {
			l.noteConnection(value)
		}
	case 14:
		if plan.EqualFold(name, "content-length") {
			return l.noteLength(value)
		}
	case 17:
		if plan.EqualFold(name, "transfer-encoding") {
			if l.hasCoding {
				return syntaxf("several Transfer-Encoding headers")
			}
			l.hasCoding = true
			l.Chunked = plan.EqualFold(value, "chunked")
		}
	}
	return nil
}

func (l *lines) noteConnection(list string) {
	for list != "" {
		var item string
		item, list = cutComma(list)
		switch {
		case plan.EqualFold(item, "close"):
			l.Close = true
		case plan.EqualFold(item, "keep-alive"):
			l.keepAlive = true
		case item != "":
			l.ConnectionNames = true
		}
	}
}

func (l *lines) noteLength(value string) error {
	n, ok := parseLength(value)
	switch {
	case !ok:
		return syntaxf("Content-Length %q", value)
	case l.hasLength && (!l.response || n != l.length):
		return syntaxf("several Content-Length headers")
	}
	l.length, l.hasLength = n, true
	return nil
}

func parseLength(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, n < math.MaxInt64
}

// A ResponseHead is the head of a response.
type ResponseHead struct {
	Status  int
	Headers plan.Headers
	Framing
}

// BeginsResponse tells whether bytes can be the beginning of a response.
func BeginsResponse(b []byte) bool {
	const begin = "HTTP/1."
	n := min(len(b), len(begin))
	return string(b[:n]) == begin[:n] || n > 0 && (b[0] == '\r' || b[0] == '\n')
}

// ParseResponse reads a whole response head into r, whose Headers are reused.
// The strings are views of head. method is that of the request: it decides
// whether a body follows.
func ParseResponse(head []byte, method string, r *ResponseHead) error {
	eol := bytes.IndexByte(head, '\n')
	if eol < 1 || head[eol-1] != '\r' {
		return syntaxf("status line doesn't end in CRLF")
	}
	line := head[:eol-1]
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || (line[7] != '0' && line[7] != '1') || line[8] != ' ' ||
		(len(line) > 12 && line[12] != ' ') {
		return syntaxf("status line %.40q", line)
	}
	r.Status = 0
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return syntaxf("status line %.40q", line)
		}
		r.Status = r.Status*10 + int(c-'0')
	}
	if r.Status < 100 {
		return syntaxf("status %d", r.Status)
	}

	l := lines{headers: r.Headers[:0], response: true}
	if err := l.parse(head[eol+1:]); err != nil {
		return err
	}
	r.Headers = l.headers
	if l.hasCoding && !l.Chunked {
		return syntaxf("a transfer coding other than chunked")
	}
	if line[7] == '0' && (!l.keepAlive || l.hasCoding) {
		l.Close = true
	}
	switch {
	case r.Status < 200, r.Status == 204, r.Status == 304, method == "HEAD":
		l.Length, l.Chunked = 0, false
	case l.Chunked:
		// A length beside the chunks is void, and the connection isn't to be
		// trusted with another message.
		l.Length = -1
		l.Close = l.Close || l.hasLength
	case l.hasLength:
		l.Length = l.length
	default:
		l.Length, l.Close = -1, true
	}
	r.Framing = l.Framing
	return nil
}
