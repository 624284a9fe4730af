//go:build !linux

package socket

import "net"

// A waiter waits for a connection to have something to read with a buffer of
// one byte: waiting without one is done on Linux only.
type waiter struct{}

// boundUnanswered leaves what was sent and not answered to the kernel's own
// bounds.
func boundUnanswered(*net.TCPConn) error { return nil }

func (c *Conn) prepareWait(*net.TCPConn) {}

func (c *Conn) waitRead() error { return c.readByte() }
