package proxyproto

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

const (
	// signature begins version 2. Version 1 is longer than it, too.
	signature = "\r\n\r\n\x00\r\nQUIT\n"
	// maxLine is the longest line of version 1.
	maxLine = 107
	// maxBlock bounds what follows the signature in version 2: addresses and
	// what else a proxy tells, a certificate's names at most.
	maxBlock = 4096
)

// A Header is whom a connection is forwarded for.
type Header struct {
	// Source is the client and Destination what it connected to. Both are invalid
	// where the proxy speaks for itself, as in health checks, or doesn't know.
	Source, Destination netip.AddrPort
}

// errSyntax is for what is no header.
var errSyntax = errors.New("not the PROXY protocol")

// Read reads a header and nothing behind it. It fails for whatever isn't one:
// a proxy that was told to send headers and doesn't mustn't be taken for a client.
func Read(r io.Reader) (Header, error) {
	var b [maxLine]byte
	start := b[:len(signature)]
	if _, err := io.ReadFull(r, start); err != nil {
		return Header{}, fmt.Errorf("%w: %w", errSyntax, err)
	}
	if string(start) == signature {
		return readBlock(r)
	}
	if !strings.HasPrefix(string(start), "PROXY ") {
		return Header{}, errSyntax
	}
	// What follows the line is the client's: it is read byte by byte.
	n := len(start)
	for b[n-1] != '\n' {
		if n == maxLine {
			return Header{}, fmt.Errorf("%w: the line is too long", errSyntax)
		}
		if _, err := io.ReadFull(r, b[n:n+1]); err != nil {
			return Header{}, fmt.Errorf("%w: %w", errSyntax, err)
		}
		n++
	}
	return parseLine(string(b[:n]))
}

// parseLine parses version 1: "PROXY TCP4 1.2.3.4 5.6.7.8 1234 80\r\n".
func parseLine(line string) (Header, error) {
	text, ok := strings.CutSuffix(line, "\r\n")
	if !ok {
		return Header{}, fmt.Errorf("%w: the line doesn't end", errSyntax)
	}
	fields := strings.Split(text, " ")
	if fields[1] == "UNKNOWN" {
		return Header{}, nil
	}
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return Header{}, fmt.Errorf("%w: %q", errSyntax, text)
	}
	source, err := addrPort(fields[2], fields[4])
	if err != nil {
		return Header{}, err
	}
	destination, err := addrPort(fields[3], fields[5])
	if err != nil {
		return Header{}, err
	}
	if is4 := fields[1] == "TCP4"; source.Addr().Is4() != is4 || destination.Addr().Is4() != is4 {
		return Header{}, fmt.Errorf("%w: an address is of the other kind: %q", errSyntax, text)
	}
	return unmapped(source, destination), nil
}

func addrPort(address, port string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Zone() != "" {
		return netip.AddrPort{}, fmt.Errorf("%w: address %q", errSyntax, address)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || len(port) > 1 && port[0] == '0' {
		return netip.AddrPort{}, fmt.Errorf("%w: port %q", errSyntax, port)
	}
	return netip.AddrPortFrom(a, uint16(n)), nil
}

// readBlock reads version 2 behind the signature.
func readBlock(r io.Reader) (Header, error) {
	var fixed [4]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return Header{}, fmt.Errorf("%w: %w", errSyntax, err)
	}
	length := int(binary.BigEndian.Uint16(fixed[2:]))
	if length > maxBlock {
		return Header{}, fmt.Errorf("%w: %d bytes of addresses", errSyntax, length)
	}
	block := make([]byte, length)
	if _, err := io.ReadFull(r, block); err != nil {
		return Header{}, fmt.Errorf("%w: %w", errSyntax, err)
	}
	switch fixed[0] {
	case 0x20: // LOCAL
		return Header{}, nil
	case 0x21: // PROXY
	default:
		return Header{}, fmt.Errorf("%w: version and command %#x", errSyntax, fixed[0])
	}
	switch fixed[1] {
	case 0x11: // TCP over IPv4
		return addresses(block, 4)
	case 0x21: // TCP over IPv6
		return addresses(block, 16)
	}
	// UDP, UNIX sockets and what the proxy can't name: the connection's own
	// addresses count.
	return Header{}, nil
}

// addresses reads two addresses of a size and their ports.
func addresses(block []byte, size int) (Header, error) {
	if len(block) < 2*size+4 {
		return Header{}, fmt.Errorf("%w: the addresses are cut short", errSyntax)
	}
	source, _ := netip.AddrFromSlice(block[:size])
	destination, _ := netip.AddrFromSlice(block[size : 2*size])
	ports := block[2*size:]
	return unmapped(
		netip.AddrPortFrom(source, binary.BigEndian.Uint16(ports)),
		netip.AddrPortFrom(destination, binary.BigEndian.Uint16(ports[2:])),
	), nil
}

// unmapped has addresses of IPv4 in IPv6 as what they are.
func unmapped(source, destination netip.AddrPort) Header {
	return Header{
		Source:      netip.AddrPortFrom(source.Addr().Unmap(), source.Port()),
		Destination: netip.AddrPortFrom(destination.Addr().Unmap(), destination.Port()),
	}
}
