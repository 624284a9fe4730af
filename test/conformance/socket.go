package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/test/frame"
)

// defaultSocket is the connection that steps are about unless they name
// another.
const defaultSocket = "main"

// frameTimeout is how long a frame may take; the longest that a WebSocket API
// waits for an integration is 29 seconds.
const frameTimeout = 40 * time.Second

// A Send is what a step sends over a connection: one of its fields.
type Send struct {
	// Text is a text message in one frame.
	Text *string `yaml:"text"`
	// Frames go out in one piece.
	Frames []SentFrame `yaml:"frames"`
	// Bytes are those to send, in hexadecimal digits.
	Bytes string `yaml:"bytes"`
}

// A SentFrame is a frame as a case writes it.
type SentFrame struct {
	// Opcode is a name of RFC 6455 or a number; text by default.
	Opcode string `yaml:"opcode"`
	// More leaves out FIN.
	More bool `yaml:"more"`
	RSV  byte `yaml:"rsv"`
	// Unmasked leaves out the mask.
	Unmasked bool `yaml:"unmasked"`
	// LengthBytes is how many bytes the length takes beside its seven bits; as
	// few as are needed by default.
	LengthBytes int `yaml:"lengthBytes"`
	// Text or Hex is the payload.
	Text string `yaml:"text"`
	Hex  string `yaml:"hex"`
}

// A Receive is what must come over a connection next. Text, Matches, JSON and
// ExactJSON are about one text message, which comes in one frame unless Sizes
// says otherwise.
type Receive struct {
	Text      *string `yaml:"text"`
	Matches   string  `yaml:"matches"`
	JSON      any     `yaml:"json"`
	ExactJSON any     `yaml:"exactJson"`
	// Received is the request in the message, when that is the backend's echo.
	Received *Received `yaml:"received"`
	// Sizes are the payloads' lengths of the frames that make the message.
	Sizes []int `yaml:"sizes"`
	// Bytes are those of one whole frame, in hexadecimal digits.
	Bytes string `yaml:"bytes"`
	// Close is the code of a close frame, of which 0 is one without, Reason its
	// text. It is answered, and the connection has to end.
	Close  *int    `yaml:"close"`
	Reason *string `yaml:"reason"`
	// End is the end of the connection without a close frame.
	End bool `yaml:"end"`
	// Nothing is for how many milliseconds nothing may come.
	Nothing int `yaml:"nothing"`
}

// A Close is a close frame that a step sends; the other side has to send one
// back, with the same code, and to end the connection.
type Close struct {
	Code   int    `yaml:"code"`
	Reason string `yaml:"reason"`
}

// hangUp ends the case's connections.
func (r *run) hangUp() {
	for _, c := range r.sockets {
		_ = c.Close()
	}
	for _, c := range r.kept {
		_ = c.Close()
	}
}

func (r *run) socket(s *Step) (*frame.Conn, error) {
	c := r.sockets[s.Socket]
	if c == nil {
		return nil, fmt.Errorf("there is no connection %s", s.Socket)
	}
	return c, nil
}

// connect shakes hands and returns the answer.
func (r *run) connect(ctx context.Context, s *Step) (*answer, error) {
	text, err := expand(s.Connect, r.lookup)
	if err != nil {
		return nil, err
	}
	base, err := r.base(s)
	if err != nil {
		return nil, err
	}
	if text, err = r.signed(s, "GET "+text, base.Host); err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(strings.TrimPrefix(text, "GET "), "\n"), "\n")
	config, err := r.config(s, base, text)
	if err != nil {
		return nil, err
	}
	conn, err := dial(ctx, base, r.world.Address, config)
	if err != nil {
		return nil, err
	}
	c := &frame.Conn{Conn: conn, Reader: bufio.NewReader(conn)}
	if err := errors.Join(c.SetReadDeadline(time.Now().Add(frameTimeout)), writeAll(conn, frame.Request(lines[0], base.Host, lines[1:]...))); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if _, err := c.Reader.Peek(1); err != nil {
		return nil, errors.Join(refused(err), c.Close())
	}
	a, err := readAnswer(c.Reader, "GET")
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	a.tls = stateOf(conn)
	if a.status != 101 {
		return a, c.Close()
	}
	if old := r.sockets[s.Socket]; old != nil {
		_ = old.Close()
	}
	r.sockets[s.Socket] = c
	if got, want := a.first("sec-websocket-accept"), frame.Accept(frame.Key); got != want && len(valuesOf(fieldsOf(lines[1:]), "sec-websocket-key")) == 0 {
		return nil, fmt.Errorf("Sec-WebSocket-Accept is %q, want %q", got, want)
	}
	return a, nil
}

func writeAll(c interface{ Write([]byte) (int, error) }, b []byte) error {
	_, err := c.Write(b)
	return err
}

// send sends what the step says.
func (r *run) send(s *Step) error {
	c, err := r.socket(s)
	if err != nil {
		return err
	}
	switch {
	case s.Send.Text != nil:
		text, err := expand(*s.Send.Text, r.lookup)
		if err != nil {
			return err
		}
		return c.SendText(text)
	case s.Send.Bytes != "":
		b, err := fromHex(s.Send.Bytes)
		if err != nil {
			return err
		}
		return writeAll(c, b)
	}
	var frames []frame.Frame
	for _, f := range s.Send.Frames {
		out, err := f.frame(r.lookup)
		if err != nil {
			return err
		}
		frames = append(frames, out)
	}
	return c.Send(frames...)
}

// frame is a frame as it goes out.
func (f *SentFrame) frame(lookup names) (frame.Frame, error) {
	out := frame.Frame{More: f.More, RSV: f.RSV, Unmasked: f.Unmasked, LengthBytes: f.LengthBytes}
	var err error
	if out.Opcode, err = opcode(f.Opcode); err != nil {
		return out, err
	}
	if f.Hex != "" {
		out.Payload, err = fromHex(f.Hex)
		return out, err
	}
	text, err := expand(f.Text, lookup)
	out.Payload = []byte(text)
	return out, err
}

func opcode(name string) (frame.Opcode, error) {
	if name == "" {
		return frame.Text, nil
	}
	for o := range frame.Opcode(16) {
		if o.String() == name || fmt.Sprint(byte(o)) == name {
			return o, nil
		}
	}
	return 0, fmt.Errorf("there is no opcode %q", name)
}

func fromHex(digits string) ([]byte, error) {
	return hex.DecodeString(strings.Join(strings.Fields(digits), ""))
}

// receive compares what comes next.
func (r *run) receive(s *Step) error {
	c, err := r.socket(s)
	if err != nil {
		return err
	}
	want := s.Receive
	switch {
	case want.Nothing > 0:
		return c.Silent(time.Duration(want.Nothing) * time.Millisecond)
	case want.End:
		return c.Ended(frameTimeout)
	}
	f, err := c.Receive(frameTimeout)
	if err != nil {
		return fmt.Errorf("no frame came: %w", err)
	}
	if !f.Unmasked {
		return fmt.Errorf("the frame is masked: %s", f)
	}
	switch {
	case want.Bytes != "":
		b, err := fromHex(want.Bytes)
		if err == nil && !bytes.Equal(b, f.Raw) {
			err = differ(hex.EncodeToString(f.Raw), hex.EncodeToString(b))
		}
		return err
	case want.Close != nil:
		return r.closed(c, f, want)
	}
	return r.message(c, f, want)
}

// closed compares a close frame and ends the connection as a client does.
func (r *run) closed(c *frame.Conn, f frame.Frame, want *Receive) error {
	code, reason, _ := f.CloseCode()
	if f.Opcode != frame.Close || code != *want.Close {
		return fmt.Errorf("got %s, want close %d", f, *want.Close)
	}
	if want.Reason != nil && reason != *want.Reason {
		return differ(reason, *want.Reason)
	}
	// The other side may have ended already.
	_ = c.Send(frame.CloseWith(code, ""))
	return c.Ended(frameTimeout)
}

// message reads the rest of a text message that begins with a frame, and
// compares it.
func (r *run) message(c *frame.Conn, f frame.Frame, want *Receive) error {
	if f.Opcode != frame.Text || f.RSV != 0 {
		return fmt.Errorf("got %s, want a text", f)
	}
	body, sizes := f.Payload, []int{len(f.Payload)}
	for f.More {
		var err error
		if f, err = c.Receive(frameTimeout); err != nil {
			return fmt.Errorf("the rest of the message: %w", err)
		}
		if f.Opcode != frame.Continuation || f.RSV != 0 || !f.Unmasked {
			return fmt.Errorf("within a message: %s", f)
		}
		body, sizes = append(body, f.Payload...), append(sizes, len(f.Payload))
	}
	if wanted := want.Sizes; wanted == nil && len(sizes) > 1 || wanted != nil && !slices.Equal(wanted, sizes) {
		return fmt.Errorf("the frames have %d bytes, want %v", sizes, or(fmt.Sprint(wanted), "one"))
	}
	m := &match{lookup: r.lookup, bound: r.bound}
	return m.check(&Expect{Body: want.Text, Matches: want.Matches, JSON: want.JSON, ExactJSON: want.ExactJSON, Received: want.Received}, &answer{line: "a message", body: body})
}

// close closes a connection as a client does.
func (r *run) close(s *Step) error {
	c, err := r.socket(s)
	if err != nil {
		return err
	}
	if err := c.Send(frame.CloseWith(s.Close.Code, s.Close.Reason)); err != nil {
		return err
	}
	f, err := c.Receive(frameTimeout)
	if err != nil {
		return fmt.Errorf("no close frame came: %w", err)
	}
	if code, _, _ := f.CloseCode(); f.Opcode != frame.Close || !f.Unmasked || code != s.Close.Code {
		return fmt.Errorf("got %s, want close %d", f, s.Close.Code)
	}
	return c.Ended(frameTimeout)
}
