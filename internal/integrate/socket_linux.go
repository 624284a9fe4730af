package integrate

import "golang.org/x/sys/unix"

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
