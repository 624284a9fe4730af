package socket

import (
	"crypto/tls"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// A connection is told from one whose client has vanished in two minutes, also
// under TLS.
func TestVanishedClientsAreNoticed(t *testing.T) {
	r := startRegistry(t, Options{})
	h := newRecorder()
	for _, over := range []func(net.Conn) net.Conn{
		func(nc net.Conn) net.Conn { return nc },
		func(nc net.Conn) net.Conn { return tls.Server(nc, &tls.Config{}) },
	} {
		client, server := tcpPair(t)
		defer client.Close()
		c := newConn(r, Opening{Conn: over(server), Handler: h})
		tcp, ok := c.tcp()
		if !ok {
			t.Fatal("the TCP connection isn't found")
		}
		if err := boundUnanswered(tcp); err != nil {
			t.Fatal(err)
		}
		if err := tcp.SetKeepAliveConfig(keepAlive()); err != nil {
			t.Fatal(err)
		}
		raw, err := tcp.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		err = raw.Control(func(fd uintptr) {
			for option, want := range map[int]int{unix.TCP_USER_TIMEOUT: 120_000, unix.TCP_KEEPIDLE: 60, unix.TCP_KEEPINTVL: 15, unix.TCP_KEEPCNT: 4} {
				if got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option); err != nil || got != want {
					t.Errorf("TCP option %d is %d, %v, want %d", option, got, err, want)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		server.Close()
	}
}
