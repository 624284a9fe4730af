package script

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gatehouse/test/frame"
)

// socketPatience is how long a script waits for a frame; generous, because
// functions start meanwhile and tests share the machine.
const socketPatience = 30 * time.Second

// cmdWS connects WebSocket clients and has them talk.
func cmdWS(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: ws connect|send|expect|close|closed NAME ...")
	}
	verb, name, args := args[0], args[1], args[2:]
	s := sceneOf(ts)
	if verb == "connect" {
		s.connect(ts, neg, name, args)
		return
	}
	if neg {
		ts.Fatalf("only ws connect can fail")
	}
	conn := s.sockets[name]
	if conn == nil {
		ts.Fatalf("there is no connection %s", name)
	}
	switch {
	case verb == "send" && len(args) == 1:
		ts.Check(conn.SendText(args[0]))
	case verb == "expect" && len(args) == 1:
		s.expectMessage(ts, conn, args[0])
	case verb == "close" && len(args) <= 1:
		code := 0
		if len(args) == 1 {
			code = closeCode(ts, args[0])
		}
		ts.Check(conn.Send(frame.CloseWith(code, "")))
		if _, err := untilClose(conn); err != nil {
			ts.Fatalf("%s: %v", name, err)
		}
		ts.Check(conn.Ended(socketPatience))
		s.drop(ts, name)
	case verb == "closed" && len(args) == 1:
		got, err := untilClose(conn)
		if err != nil {
			ts.Fatalf("%s: %v", name, err)
		}
		if code, _, _ := got.CloseCode(); code != closeCode(ts, args[0]) {
			ts.Fatalf("%s: the gateway closed with %s, want %s", name, got, args[0])
		}
		s.drop(ts, name)
	default:
		ts.Fatalf("usage: ws %s NAME ...: see the package's comment", verb)
	}
}

// connect opens a connection under a name, or, when it is to fail, prints what
// the handshake was answered.
func (s *scene) connect(ts *testscript.TestScript, neg bool, name string, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: ws connect NAME URL")
	}
	u, err := url.Parse(args[0])
	ts.Check(err)
	if s.sockets[name] != nil {
		ts.Fatalf("there is a connection %s already", name)
	}
	var lines []string
	if header := ts.Getenv("HEADER"); header != "" {
		lines = append(lines, header)
	}
	// The host names of APIs needn't resolve on this machine.
	conn, err := frame.Dial(ts.Getenv("ADDR"), u.RequestURI(), u.Host, lines...)
	switch {
	case neg && err == nil:
		ts.Check(conn.Close())
		ts.Fatalf("%s is connected", name)
	case neg:
		_, err = fmt.Fprintln(ts.Stdout(), err)
		ts.Check(err)
		return
	case err != nil:
		ts.Fatalf("%s: %v", name, err)
	}
	if s.sockets == nil {
		s.sockets = map[string]*frame.Conn{}
		s.t.Cleanup(func() {
			for _, conn := range s.sockets {
				_ = conn.Close()
			}
		})
	}
	s.sockets[name] = conn
}

// expectMessage reads a whole text message, prints it and wants it to match.
func (s *scene) expectMessage(ts *testscript.TestScript, conn *frame.Conn, pattern string) {
	want, err := regexp.Compile(pattern)
	ts.Check(err)
	var message strings.Builder
	for more, opcode := true, frame.Text; more; opcode = frame.Continuation {
		f, err := conn.Receive(socketPatience)
		if err != nil {
			ts.Fatalf("instead of a message that matches %s: %v", pattern, err)
		}
		if f.Opcode != opcode {
			ts.Fatalf("instead of a message that matches %s: %s", pattern, f)
		}
		message.Write(f.Payload)
		more = f.More
	}
	_, err = fmt.Fprintln(ts.Stdout(), message.String())
	ts.Check(err)
	if !want.MatchString(message.String()) {
		ts.Fatalf("the message %s doesn't match %s", message.String(), pattern)
	}
}

// untilClose reads up to the gateway's close frame; any other frame before it is
// an error.
func untilClose(conn *frame.Conn) (frame.Frame, error) {
	f, err := conn.Receive(socketPatience)
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			return f, errors.New("the connection ended without a close frame")
		}
		return f, err
	}
	if f.Opcode != frame.Close {
		return f, fmt.Errorf("instead of a close frame: %s", f)
	}
	return f, nil
}

// drop forgets a connection that was closed.
func (s *scene) drop(ts *testscript.TestScript, name string) {
	ts.Check(s.sockets[name].Close())
	delete(s.sockets, name)
}

func closeCode(ts *testscript.TestScript, text string) int {
	code, err := strconv.Atoi(text)
	ts.Check(err)
	return code
}
