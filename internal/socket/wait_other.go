//go:build !linux

package socket

import "net"

// A waiter waits for a connection to have something to read with a buffer of
// one byte: waiting without one is done on Linux only.
type waiter struct{}

func (c *Conn) prepareWait(*net.TCPConn) {}

func (c *Conn) waitRead() error { return c.readByte() }
