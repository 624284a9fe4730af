package integrate

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// silent tells whether the connection behind fd is open and nothing waits to be
// read. Every request on a kept connection asks, so it is the cheapest question:
// a look at one byte, by a call that the scheduler needn't hear of because it
// never waits.
func silent(fd uintptr) bool {
	var b [1]byte
	_, _, err := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b)), 1, unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	return err == unix.EAGAIN
}

// unacknowledged is the number of written bytes that the other side's machine
// hasn't acknowledged, 0 when that can't be told. After the other side's end
// was read it says what was on its way when that side closed: the kernel takes
// the acknowledgement of a segment before its FIN. After a reset it says
// nothing.
func (s *socket) unacknowledged() (n int) {
	if s.raw == nil {
		return 0
	}
	err := s.raw.Control(func(fd uintptr) {
		var err error
		if n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err != nil {
			n = 0
		}
	})
	if err != nil {
		return 0
	}
	return n
}
