package serve

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unsafe"

	"gatehouse/internal/plan"
)

const (
	requestIDLength = 16 // "Mc7UVioPPHcEKPA="
	traceRootLength = 35 // "1-5759e988-bd862e3fe1be46a994272793"
)

// identify gives an exchange its request id and its trace. The strings live in
// Scratch, as long as the exchange.
func (s *Server) identify(x *plan.Exchange) {
	var random [11]byte
	binary.LittleEndian.PutUint64(random[:], s.Random())
	r := s.Random()
	random[8], random[9], random[10] = byte(r), byte(r>>8), byte(r>>16)
	start := len(x.Scratch)
	x.Scratch = base64.StdEncoding.AppendEncode(x.Scratch, random[:])
	x.RequestID = tail(x.Scratch, start)

	if root := traceRoot(x.Request.Headers.Get("X-Amzn-Trace-Id")); root != "" {
		x.TraceRoot = root
		return
	}
	start = len(x.Scratch)
	x.Scratch = append(x.Scratch, "1-"...)
	x.Scratch = appendHex(x.Scratch, uint64(x.Start.Unix()), 8)
	x.Scratch = append(x.Scratch, '-')
	x.Scratch = appendHex(x.Scratch, s.Random(), 16)
	x.Scratch = appendHex(x.Scratch, r>>24, 8)
	x.TraceRoot = tail(x.Scratch, start)
}

// tail is a string over what was appended to b since start. Scratch is only
// ever appended to while the exchange lives, so it doesn't change.
func tail(b []byte, start int) string {
	return unsafe.String(unsafe.SliceData(b[start:]), len(b)-start)
}

// appendHex appends the low digits of v.
func appendHex(dst []byte, v uint64, digits int) []byte {
	for i := digits - 1; i >= 0; i-- {
		dst = append(dst, "0123456789abcdef"[v>>(4*i)&15])
	}
	return dst
}

// traceRoot returns the well-formed root of an X-Amzn-Trace-Id header, or "".
func traceRoot(header string) string {
	for header != "" {
		var field string
		field, header, _ = strings.Cut(header, ";")
		root, ok := strings.CutPrefix(strings.TrimSpace(field), "Root=")
		if !ok {
			continue
		}
		if len(root) != traceRootLength || root[:2] != "1-" || root[10] != '-' || !isHex(root[2:10]) || !isHex(root[11:]) {
			return ""
		}
		return root
	}
	return ""
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
