package rfc6455

import (
	"bufio"
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/test/frame"
)

// TestTLS speaks over TLS, in whose records frames begin and end anywhere.
func TestTLS(t *testing.T) {
	e := newEcho(t)
	c, err := tls.Dial("tcp", e.address, &tls.Config{ServerName: e.host, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // the test is over
	// The first message comes right behind the handshake.
	if _, err := c.Write(append(frame.Request(target, e.host), frame.TextOf("early").Bytes()...)); err != nil {
		t.Fatal(err)
	}
	conn := &frame.Conn{Conn: c, Reader: bufio.NewReader(c)}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(conn.Reader, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", res, err)
	}
	await := func(want string) {
		t.Helper()
		if f, got, err := next(conn); err != nil || f.Opcode != frame.Text || got != want {
			t.Errorf("got %s, %v, want %.100q", f, err, want)
		}
	}
	await("early")
	quarter := strings.Repeat("x", frameLimit)
	for _, piece := range split(send(begin(quarter), more(quarter), more(quarter), last(quarter))[0], 10_000) {
		if _, err := c.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	await(strings.Repeat(quarter, 4))
	if err := conn.Send(frame.CloseWith(1000, "")); err != nil {
		t.Fatal(err)
	}
	if f, _, err := next(conn); err != nil || f.Opcode != frame.Close {
		t.Errorf("got %s, %v", f, err)
	}
	if err := conn.Ended(patience); err != nil {
		t.Error(err)
	}
}
