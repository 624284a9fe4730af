//go:build unix && !linux

package integrate

import "golang.org/x/sys/unix"

// silent tells whether the connection behind fd is open and nothing waits to be
// read.
func silent(fd uintptr) bool {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(p[:], 0)
	return n == 0 && err == nil
}

// unacknowledged can't be told here.
func (*socket) unacknowledged() int { return 0 }
