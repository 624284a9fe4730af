//go:build unix

package integrate

import (
	"net"
	"syscall"
)

// A socket is what the kernel knows about a connection.
type socket struct {
	raw    syscall.RawConn // nil for a connection that can't be looked at
	look   func(fd uintptr)
	silent bool // what look found
}

// open readies the socket of a connection, so that looking allocates nothing.
func (s *socket) open(nc net.Conn) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	s.raw = raw
	s.look = func(fd uintptr) { s.silent = silent(fd) }
}

// isSilent tells whether the connection is open and nothing waits to be read.
// One that can't be looked at counts as such.
func (s *socket) isSilent() bool {
	if s.raw == nil {
		return true
	}
	return s.raw.Control(s.look) == nil && s.silent
}
