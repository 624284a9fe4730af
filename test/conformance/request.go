package conformance

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// answerTimeout is how long an answer may take; the longest that an HTTP API
// waits for an integration is 30 seconds.
const answerTimeout = 40 * time.Second

// A field is a header line.
type field struct{ name, value string }

// An answer is an HTTP response as it came over the wire.
type answer struct {
	line   string
	status int
	// lines are the header lines as they came, headers what they say.
	lines   []string
	headers []field
	body    []byte
	// tls is what the connection agreed on; nil for a plain one.
	tls *tls.ConnectionState
}

// values are those of a header's lines, in order.
func (a *answer) values(name string) []string { return valuesOf(a.headers, name) }

// first is the value of a header's first line, "" without one.
func (a *answer) first(name string) string {
	if values := a.values(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// decode reads the body of an answer that has to be a good one.
func (a *answer) decode(out any) error {
	if a.status >= 300 {
		return fmt.Errorf("the answer is %s", a)
	}
	return json.Unmarshal(a.body, out)
}

func valuesOf(headers []field, name string) []string {
	var values []string
	for _, h := range headers {
		if strings.EqualFold(h.name, name) {
			values = append(values, h.value)
		}
	}
	return values
}

// requestBytes makes the bytes of a request out of its text. The protocol, Host
// and Content-Length are added where the text doesn't have them; all else goes
// out as it stands.
func requestBytes(text, host string) []byte {
	text = strings.TrimSuffix(text, "\n")
	head, body, hasBody := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	line := lines[0]
	if strings.Count(line, " ") == 1 {
		line += " HTTP/1.1"
	}
	var out bytes.Buffer
	out.WriteString(line + "\r\n")
	headers := fieldsOf(lines[1:])
	if len(valuesOf(headers, "host")) == 0 {
		out.WriteString("Host: " + host + "\r\n")
	}
	for _, l := range lines[1:] {
		out.WriteString(l + "\r\n")
	}
	if hasBody && len(valuesOf(headers, "content-length")) == 0 && len(valuesOf(headers, "transfer-encoding")) == 0 {
		out.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	out.WriteString("\r\n" + body)
	return out.Bytes()
}

// bareBytes makes the bytes of a request out of its text as it stands.
func bareBytes(text string) []byte {
	head, body, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\n\n")
	return []byte(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body)
}

func fieldsOf(lines []string) []field {
	var headers []field
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		headers = append(headers, field{name, strings.TrimSpace(value)})
	}
	return headers
}

// send sends a request over a connection of its own and reads the answer. The
// connection is plain if config is nil.
func send(ctx context.Context, base *url.URL, address string, config *tls.Config, request []byte) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := dial(ctx, base, address, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // the answer is complete or has failed
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	a, err := ask(conn, bufio.NewReader(conn), request)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return nil, fmt.Errorf("%w: %w", cause, err)
	}
	return a, err
}

// ask sends a request over a connection and reads the answer. That the other side
// ends the connection without one is a refusal.
func ask(conn net.Conn, r *bufio.Reader, request []byte) (*answer, error) {
	// A request that is refused while it is being sent has its answer already.
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(request)
		sent <- err
	}()
	if _, err := r.Peek(1); err != nil {
		_ = conn.Close()
		return nil, refused(errors.Join(err, <-sent))
	}
	method, _, _ := bytes.Cut(request, []byte(" "))
	a, err := readAnswer(r, string(method))
	if err != nil {
		_ = conn.Close()
		return nil, errors.Join(err, <-sent)
	}
	a.tls = stateOf(conn)
	return a, nil
}

// setHeaders sets the lines to headers whose order and case are lost.
func (a *answer) setHeaders(headers http.Header) {
	for _, name := range sortedKeys(headers) {
		for _, v := range headers[name] {
			a.lines = append(a.lines, name+": "+v)
		}
	}
	a.headers = fieldsOf(a.lines)
}

// addressOf is where to connect to. Names below localhost are this machine,
// which most resolvers don't know.
func addressOf(base *url.URL, address string) string {
	switch {
	case address != "":
		return address
	case isLocal(base):
		return net.JoinHostPort("127.0.0.1", portOf(base))
	}
	return net.JoinHostPort(base.Hostname(), portOf(base))
}

func isLocal(base *url.URL) bool {
	return base.Hostname() == "localhost" || strings.HasSuffix(base.Hostname(), ".localhost")
}

func isSecure(u *url.URL) bool { return u.Scheme == "https" || u.Scheme == "wss" }

// tlsConfig trusts this machine whatever its certificate says.
func tlsConfig(base *url.URL) *tls.Config {
	return &tls.Config{ServerName: base.Hostname(), InsecureSkipVerify: isLocal(base)}
}

// secure is how hands are shaken with the base URL; nil where it is plain.
func secure(base *url.URL) *tls.Config {
	if !isSecure(base) {
		return nil
	}
	return tlsConfig(base)
}

// portOf is the port of a URL, that of its scheme if it has none.
func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case isSecure(u):
		return "443"
	}
	return "80"
}

// readAnswer reads an answer, past interim ones. net/http reads the body; the
// head is kept as it came.
func readAnswer(r *bufio.Reader, method string) (*answer, error) {
	for {
		head, err := readHead(r)
		if err != nil {
			return nil, err
		}
		lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n")
		whole := bufio.NewReader(io.MultiReader(strings.NewReader(head), r))
		res, err := http.ReadResponse(whole, &http.Request{Method: method})
		if err != nil {
			return nil, fmt.Errorf("%w in the answer %q", err, clip(head))
		}
		if res.StatusCode >= 100 && res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		a := &answer{line: lines[0], status: res.StatusCode, lines: lines[1:], headers: fieldsOf(lines[1:])}
		if a.body, err = io.ReadAll(res.Body); err != nil {
			return nil, fmt.Errorf("%w after %d bytes of the body of %q", err, len(a.body), clip(head))
		}
		return a, nil
	}
}

// readHead reads up to and including the first empty line.
func readHead(r *bufio.Reader) (string, error) {
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		head.WriteString(line)
		if err != nil {
			return "", fmt.Errorf("%w after %q", err, clip(head.String()))
		}
		if line == "\r\n" {
			return head.String(), nil
		}
	}
}
