package conformance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// A Backend is what HTTP integrations reach. It answers with what it received,
// as an Echo in JSON. A request whose path has the segment "answer" is answered
// as its query says:
//
//	status=418            the status
//	header=Name:+value    a header line; as often as wanted
//	body=text             the body, with a Content-Length
//	do=chunked            the body in two chunks
//	do=close-delimited    the body without a length; the connection ends it
//	do=early-hints        an interim answer first
//	do=hang               no answer until the caller gives up
//	do=close              the connection closed instead of an answer
//	do=reset              the connection reset instead of an answer
//	do=short              less of the body than was announced
//	do=garbage            bytes that aren't HTTP
//
// Every answer has a header X-Received with the request line, so that what
// came can be seen without a body too.
type Backend struct {
	// URL is where integrations find it, without a slash at the end.
	URL string

	listener net.Listener
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool // nil once it is closed
	// echoes are the latest requests.
	echoes []*Echo
}

// An Echo is a request as the backend received it.
type Echo struct {
	Line string `json:"line"`
	// Headers are the lines in order.
	Headers []string `json:"headers"`
	Body    string   `json:"body"`
}

// NewBackend starts a backend on an address. url is where integrations find
// it; when it is empty that is the address.
func NewBackend(address, url string) (*Backend, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	b := &Backend{URL: strings.TrimSuffix(url, "/"), listener: l, conns: map[net.Conn]bool{}}
	if b.URL == "" {
		b.URL = "http://" + l.Addr().String()
	}
	b.running.Go(b.accept)
	return b, nil
}

// Host is the host and port of the URL, as a Host header has it.
func (b *Backend) Host() string {
	_, host, _ := strings.Cut(b.URL, "://")
	return host
}

// Close ends the backend and all its connections.
func (b *Backend) Close() {
	_ = b.listener.Close()
	b.mu.Lock()
	for c := range b.conns {
		_ = c.Close()
	}
	b.conns = nil
	b.mu.Unlock()
	b.running.Wait()
}

func (b *Backend) accept() {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		closed := b.conns == nil
		if !closed {
			b.conns[c] = true
			b.running.Go(func() { b.serve(c) })
		}
		b.mu.Unlock()
		if closed {
			_ = c.Close()
		}
	}
}

// serve answers requests until one ends the connection.
func (b *Backend) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		b.mu.Lock()
		delete(b.conns, c)
		b.mu.Unlock()
	}()
	r := bufio.NewReader(c)
	for {
		echo, err := readRequest(r)
		if err != nil {
			return
		}
		b.keep(echo)
		if err := respond(c, r, echo); err != nil {
			return
		}
	}
}

func readRequest(r *bufio.Reader) (*Echo, error) {
	head, err := readHead(r)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n")
	echo := &Echo{Line: lines[0], Headers: lines[1:]}
	req, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(head), r)))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(req.Body)
	echo.Body = string(body)
	return echo, err
}

// errEnds ends a connection on purpose.
var errEnds = errors.New("the connection ends here")

func respond(c net.Conn, r *bufio.Reader, echo *Echo) error {
	target := strings.SplitN(echo.Line, " ", 3)[1]
	path, query, _ := strings.Cut(target, "?")
	if !strings.Contains(path+"/", "/answer/") {
		body, err := json.Marshal(echo)
		if err != nil {
			return err
		}
		return write(c, echo, "200", []string{"Content-Type: application/json"}, lengthOf(body), string(body))
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	status := q.Get("status")
	if status == "" {
		status = "200"
	}
	headers, body := q["header"], q.Get("body")
	switch do := q.Get("do"); do {
	case "":
		if status == "204" || status == "304" {
			return write(c, echo, status, headers)
		}
		return write(c, echo, status, headers, lengthOf([]byte(body)), body)
	case "chunked":
		half := len(body) / 2
		chunks := fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", half, body[:half], len(body)-half, body[half:])
		return write(c, echo, status, headers, "Transfer-Encoding: chunked", chunks)
	case "close-delimited":
		return errors.Join(write(c, echo, status, headers, "Connection: close", body), errEnds)
	case "early-hints":
		if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"); err != nil {
			return err
		}
		return write(c, echo, status, headers, lengthOf([]byte(body)), body)
	case "hang":
		_, err := r.ReadByte() // until the caller closes
		return errors.Join(err, errEnds)
	case "close":
		return errEnds
	case "reset":
		if tcp, ok := c.(*net.TCPConn); ok {
			return errors.Join(tcp.SetLinger(0), errEnds)
		}
		return errEnds
	case "short":
		return errors.Join(write(c, echo, status, headers, lengthOf([]byte(body+"more")), body), errEnds)
	case "garbage":
		_, err := io.WriteString(c, "220 this is no HTTP server\r\n\r\n")
		return errors.Join(err, errEnds)
	default:
		return fmt.Errorf("do=%s", do)
	}
}

func lengthOf(body []byte) string { return "Content-Length: " + strconv.Itoa(len(body)) }

// write writes an answer; framing is its last header line, if it has one, and
// the body.
func write(c net.Conn, echo *Echo, status string, headers []string, framing ...string) error {
	code, err := strconv.Atoi(status)
	if err != nil {
		return err
	}
	lines := append([]string{"HTTP/1.1 " + status + " " + http.StatusText(code)}, headers...)
	lines = append(lines, "X-Received: "+echo.Line)
	body := ""
	if len(framing) == 2 {
		lines, body = append(lines, framing[0]), framing[1]
	}
	if strings.HasPrefix(echo.Line, "HEAD ") {
		body = ""
	}
	_, err = io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n"+body)
	return err
}
