//go:build unix

package integrate

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// preparePeek readies isOpen, so that it allocates nothing.
func (c *upstream) preparePeek() {
	sc, ok := c.nc.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	c.raw = raw
	c.peek = func(fd uintptr) bool {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		c.silent = err == unix.EAGAIN
		return true
	}
}

// isOpen tells whether an unused connection is open and nothing unasked has
// come. A connection that can't be looked at counts as open.
func (c *upstream) isOpen() bool {
	if c.raw == nil {
		return true
	}
	return c.raw.Read(c.peek) == nil && c.silent
}
