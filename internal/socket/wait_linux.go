package socket

import (
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// boundUnanswered bounds how long what was sent may stay unanswered: keep-alive
// asks only when nothing is on its way, and by default the kernel goes on for a
// quarter of an hour.
func boundUnanswered(tcp *net.TCPConn) error {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(vanished.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}

// A waiter waits for a TCP connection to have something to read without a
// buffer to read it into.
type waiter struct {
	raw syscall.RawConn // nil for connections that aren't TCP's own
	try func(fd uintptr) bool
	err error // of try
}

func (c *Conn) prepareWait(tcp *net.TCPConn) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return // closed: reading it will tell
	}
	c.raw, c.try = raw, c.readNow
}

// waitRead waits for something to read and reads it into a fresh buffer.
func (c *Conn) waitRead() error {
	if c.raw == nil {
		return c.readByte()
	}
	if err := c.raw.Read(c.try); err != nil {
		return err
	}
	return c.err
}

// readNow reads what is there; false means that there is nothing yet.
func (c *Conn) readNow(fd uintptr) bool {
	b := c.r.buffer()
	for {
		n, err := syscall.Read(int(fd), (*b)[:cap(*b)])
		switch {
		case err == syscall.EINTR: //nolint:errorlint // a system call's own number
			continue
		case err == nil && n > 0:
			c.in, c.rest = b, (*b)[:n]
			return true
		}
		c.r.release(b)
		if err == syscall.EAGAIN { //nolint:errorlint // a system call's own number
			return false
		}
		if c.err = err; err == nil {
			c.err = io.EOF
		}
		return true
	}
}
