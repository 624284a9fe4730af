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
	if isREST(x) {
		s.identifyREST(x)
		return
	}
	var random [11]byte
	binary.LittleEndian.PutUint64(random[:], s.Random())
	r := s.Random()
	random[8], random[9], random[10] = byte(r), byte(r>>8), byte(r>>16)
	start := len(x.Scratch)
	x.Scratch = base64.URLEncoding.AppendEncode(x.Scratch, random[:])
	x.RequestID = tail(x.Scratch, start)

	if root := traceRoot(x.Request.Headers.Get(traceHeader)); root != "" {
		x.TraceRoot = root
		return
	}
	x.TraceRoot = s.newTraceRoot(x, r>>24)
}

// traceHeader is the X-Ray header.
const traceHeader = "X-Amzn-Trace-Id"

// newTraceRoot makes the root of a trace that begins here. random are 32 bits
// of it.
func (s *Server) newTraceRoot(x *plan.Exchange, random uint64) string {
	start := len(x.Scratch)
	x.Scratch = append(x.Scratch, "1-"...)
	x.Scratch = appendHex(x.Scratch, uint64(x.Start.Unix()), 8)
	x.Scratch = append(x.Scratch, '-')
	x.Scratch = appendHex(x.Scratch, s.Random(), 16)
	x.Scratch = appendHex(x.Scratch, random, 8)
	return tail(x.Scratch, start)
}

// identifyREST is identify for REST APIs: a UUID, an extended id and the trace
// as integrations get it.
func (s *Server) identifyREST(x *plan.Exchange) {
	x.RequestID = x.Request.Headers.Get("x-amzn-RequestId")
	if !isUUID(x.RequestID) {
		x.RequestID = s.newUUID(x)
	}
	var random [11]byte
	binary.LittleEndian.PutUint64(random[:], s.Random())
	r := s.Random()
	random[8], random[9], random[10] = byte(r), byte(r>>8), byte(r>>16)
	start := len(x.Scratch)
	x.Scratch = base64.URLEncoding.AppendEncode(x.Scratch, random[:])
	x.ExtendedRequestID = tail(x.Scratch, start)

	header := x.Request.Headers.Get(traceHeader)
	x.TraceRoot = traceRoot(header)
	if x.TraceRoot == "" {
		x.TraceRoot = s.newTraceRoot(x, r>>24)
		start = len(x.Scratch)
		x.Scratch = append(append(x.Scratch, "Root="...), x.TraceRoot...)
		x.TraceHeader = tail(x.Scratch, start)
		return
	}
	x.TraceHeader = header
	if strings.Contains(header, "Parent=") {
		return
	}
	// A trace that begins at the client gets the gateway as its parent.
	start = len(x.Scratch)
	x.Scratch = append(append(x.Scratch, "Root="...), x.TraceRoot...)
	x.Scratch = append(x.Scratch, ";Parent="...)
	x.Scratch = appendHex(x.Scratch, s.Random(), 16)
	_, rest, _ := strings.Cut(header, x.TraceRoot)
	x.Scratch = append(x.Scratch, rest...)
	x.TraceHeader = tail(x.Scratch, start)
}

// newUUID makes a random UUID (RFC 9562, version 4).
func (s *Server) newUUID(x *plan.Exchange) string {
	high, low := s.Random(), s.Random()
	high = high&^0xf000 | 0x4000
	low = low&^(3<<62) | 2<<62
	start := len(x.Scratch)
	x.Scratch = appendHex(x.Scratch, high>>32, 8)
	x.Scratch = append(x.Scratch, '-')
	x.Scratch = appendHex(x.Scratch, high>>16, 4)
	x.Scratch = append(x.Scratch, '-')
	x.Scratch = appendHex(x.Scratch, high, 4)
	x.Scratch = append(x.Scratch, '-')
	x.Scratch = appendHex(x.Scratch, low>>48, 4)
	x.Scratch = append(x.Scratch, '-')
	x.Scratch = appendHex(x.Scratch, low, 12)
	return tail(x.Scratch, start)
}

// isUUID tells whether text is a UUID in lower case.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		switch i {
		case 8, 13, 18, 23:
			if text[i] != '-' {
				return false
			}
		default:
			if !isHex(text[i : i+1]) {
				return false
			}
		}
	}
	return true
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
