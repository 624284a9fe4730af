package function

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strconv"
)

// owns reports whether the other end of a loopback connection is held by one of the environment's processes.
func (m *meter) owns(conn net.Conn) bool {
	peer, local := peerOf(conn)
	if peer == nil || local == nil {
		return false
	}
	inode := socketInode(peer, local)
	return inode != "" && m.holds(m.root, "socket:["+inode+"]")
}

func (m *meter) holds(pid int, link string) bool {
	if holdsFile(pid, link) {
		return true
	}
	for _, child := range childrenOf(pid) {
		if m.holds(child, link) {
			return true
		}
	}
	return false
}

func holdsFile(pid int, link string) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, fd := range fds {
		if to, err := os.Readlink(dir + "/" + fd.Name()); err == nil && to == link {
			return true
		}
	}
	return false
}

// socketInode finds the socket whose own end is local and whose other end is remote; empty when there is none.
func socketInode(local, remote *net.TCPAddr) string {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	ends := []byte(" " + hexAddress(local) + " " + hexAddress(remote) + " ")
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Bytes()
		if !bytes.Contains(line, ends) {
			continue
		}
		if fields := bytes.Fields(line); len(fields) > 9 && string(fields[9]) != "0" {
			return string(fields[9])
		}
	}
	return ""
}

// hexAddress spells an IPv4 address as /proc/net/tcp does: the address as a number of this machine, then the port.
func hexAddress(a *net.TCPAddr) string {
	ip := a.IP.To4()
	if ip == nil {
		return "-"
	}
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(ip), a.Port)
}
