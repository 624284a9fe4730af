package frame

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

// Key is the Sec-WebSocket-Key of all handshakes, RFC 6455's example.
const Key = "dGhlIHNhbXBsZSBub25jZQ=="

// Accept returns the Sec-WebSocket-Accept that proves that a key was seen.
func Accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Request returns a handshake: GET for the target with the header lines and
// whatever they leave out of Host, Upgrade, Connection, Sec-WebSocket-Key and
// Sec-WebSocket-Version.
func Request(target, host string, lines ...string) []byte {
	given := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		given.Add(textproto.TrimString(name), textproto.TrimString(value))
	}
	var b strings.Builder
	b.WriteString("GET " + target + " HTTP/1.1\r\n")
	for _, d := range [][2]string{{"Host", host}, {"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Key", Key}, {"Sec-WebSocket-Version", "13"}} {
		if given.Get(d[0]) == "" {
			b.WriteString(d[0] + ": " + d[1] + "\r\n")
		}
	}
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// A Conn is a WebSocket connection after its handshake.
type Conn struct {
	net.Conn
	// Reader is what comes, buffered. Use nothing else to read.
	Reader *bufio.Reader
}

// Dial connects to an address and shakes hands. The answer's body is read; an
// answer other than 101 is an error that says which.
func Dial(address, target, host string, lines ...string) (*Conn, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if _, err := c.Write(Request(target, host, lines...)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	conn := &Conn{Conn: c, Reader: bufio.NewReader(c)}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	res, err := http.ReadResponse(conn.Reader, nil)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(res.Body)
		return nil, errors.Join(fmt.Errorf("the handshake was answered %s %s", res.Status, body), c.Close())
	}
	return conn, nil
}

// patience is how long a handshake may take.
const patience = 40 * time.Second

// Send sends frames.
func (c *Conn) Send(frames ...Frame) error {
	var b []byte
	for _, f := range frames {
		b = append(b, f.Bytes()...)
	}
	_, err := c.Write(b)
	return err
}

// SendText sends a text message.
func (c *Conn) SendText(text string) error { return c.Send(TextOf(text)) }

// Receive reads the next frame, for which it waits so long.
func (c *Conn) Receive(wait time.Duration) (Frame, error) {
	if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return Frame{}, err
	}
	return Read(c.Reader)
}

// Ended waits for the end of the connection; any byte before it is an error. A
// reset is an end too.
func (c *Conn) Ended(wait time.Duration) error {
	f, err := c.Receive(wait)
	var timeout net.Error
	switch {
	case err == nil:
		return fmt.Errorf("instead of the end: %s", f)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("the connection hasn't ended after %s", wait)
	}
	return nil
}

// Silent returns an error if anything comes within the time, even the end.
func (c *Conn) Silent(wait time.Duration) error {
	if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	_, err := c.Reader.Peek(1)
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil
	case err != nil:
		return fmt.Errorf("the connection ended: %w", err)
	}
	f, err := c.Receive(wait)
	if err != nil {
		return err
	}
	return fmt.Errorf("a frame came: %s", f)
}
