package lambdaevent

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"gatehouse/internal/plan"
)

// What the payload versions show of a request, in the forms they share.

// clfTime is the time format of access logs and events.
const clfTime = "02/Jan/2006:15:04:05 -0700"

// A pair is a name with one of its values.
type pair struct {
	name, value string
}

// pairsOnStack is how many pairs of headers or query parameters are sorted
// without asking for memory.
const pairsOnStack = 48

// since returns what was appended to the exchange's scratch memory from start
// on. It stays as it is until the exchange ends, so it can be seen as a string.
func since(x *plan.Exchange, start int) string {
	return unsafe.String(unsafe.SliceData(x.Scratch[start:]), len(x.Scratch)-start)
}

// decodedPath returns an encoded path as HTTP APIs show it to functions.
func decodedPath(x *plan.Exchange, path string) string {
	path = plan.CutPath(path)
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	start := len(x.Scratch)
	x.Scratch = plan.AppendDecoded(x.Scratch, path)
	return since(x, start)
}

// eventPath is the path an event carries: path, or the one that parameter
// mapping put in its place.
// UNVERIFIED: that overwrite:path shows in events, and that requestContext
// keeps the path of the request.
func eventPath(x *plan.Exchange, path string) string {
	if x.Mapped.Path == "" {
		return path
	}
	return decodedPath(x, x.Mapped.Path)
}

// decodedQuery returns a name or value of a query decoded.
func decodedQuery(x *plan.Exchange, text string) string {
	if strings.IndexByte(text, '%') < 0 && strings.IndexByte(text, '+') < 0 {
		return text
	}
	start := len(x.Scratch)
	x.Scratch = plan.AppendDecodedQuery(x.Scratch, text)
	return since(x, start)
}

// appendQuery appends the decoded parameters of the query, sorted by name,
// those of one name in their order.
func appendQuery(pairs []pair, x *plan.Exchange) []pair {
	for rest := x.OutboundQuery(); rest != ""; {
		var piece string
		piece, rest, _ = strings.Cut(rest, "&")
		pairs = appendParameter(pairs, x, piece)
	}
	slices.SortStableFunc(pairs, comparePairs)
	return pairs
}

// appendParameter appends one parameter of a query, decoded.
func appendParameter(pairs []pair, x *plan.Exchange, piece string) []pair {
	if piece == "" {
		return pairs
	}
	name, value, _ := strings.Cut(piece, "=")
	return append(pairs, pair{decodedQuery(x, name), decodedQuery(x, value)})
}

func comparePairs(a, b pair) int { return strings.Compare(a.name, b.name) }

// The headers the gateway sets itself, in the casing payload 1.0 shows.
const (
	contentLength  = "Content-Length"
	forwardedFor   = "X-Forwarded-For"
	forwardedPort  = "X-Forwarded-Port"
	forwardedProto = "X-Forwarded-Proto"
	traceID        = "X-Amzn-Trace-Id"
	host           = "Host"
	userAgent      = "User-Agent"
)

// appendHeaders appends the headers an event shows: those of the client in
// arrival order, without what concerns the connection only, and those the
// gateway adds. withCookies tells whether the Cookie lines are among them.
func appendHeaders(pairs []pair, x *plan.Exchange, withCookies bool) []pair {
	var client string
	for _, h := range x.OutboundHeaders() {
		name := h.Name
		switch headerClass(name) {
		case headerDropped:
			continue
		case headerCookie:
			if !withCookies {
				continue
			}
		case headerForwardedFor:
			client = join(x, client, h.Value)
			continue
		case headerHost:
			name = host
		case headerUserAgent:
			name = userAgent
		}
		pairs = append(pairs, pair{name, h.Value})
	}

	length := int64(len(x.Request.Body))
	if x.Request.Body == nil {
		length = x.Request.ContentLength // authorizers hear of bodies that aren't read yet
	}
	if length >= 0 {
		start := len(x.Scratch)
		x.Scratch = strconv.AppendInt(x.Scratch, length, 10)
		pairs = append(pairs, pair{contentLength, since(x, start)})
	}

	start := len(x.Scratch)
	x.Scratch = append(append(x.Scratch, "Root="...), x.TraceRoot...)
	return appendGatewayHeaders(pairs, x, since(x, start), client)
}

// appendGatewayHeaders appends the headers that the gateway adds: the trace and
// what it knows of the connection. client is what the client said of those it
// forwards for.
func appendGatewayHeaders(pairs []pair, x *plan.Exchange, trace, client string) []pair {
	request := &x.Request
	pairs = append(pairs, pair{traceID, trace}, pair{forwardedFor, join(x, client, sourceIP(x))})

	start := len(x.Scratch)
	x.Scratch = strconv.AppendUint(x.Scratch, uint64(request.LocalPort), 10)
	pairs = append(pairs, pair{forwardedPort, since(x, start)})

	proto := "http"
	if request.Secure {
		proto = "https"
	}
	return append(pairs, pair{forwardedProto, proto})
}

// join returns a and b with ", " between them.
func join(x *plan.Exchange, a, b string) string {
	if a == "" {
		return b
	}
	start := len(x.Scratch)
	x.Scratch = append(append(append(x.Scratch, a...), ", "...), b...)
	return since(x, start)
}

// What becomes of a client's header.
type class uint8

const (
	headerKept class = iota
	headerDropped
	headerCookie
	headerForwardedFor
	headerHost
	headerUserAgent
	headerAuthorization
)

// headerClass tells what becomes of a client's header. The length picks the few
// names worth comparing.
func headerClass(name string) class {
	is := func(other string) bool { return plan.EqualFold(name, other) }
	switch len(name) {
	case 2:
		if is("te") {
			return headerDropped
		}
	case 4:
		if is("host") {
			return headerHost
		}
	case 6:
		if is("cookie") {
			return headerCookie
		}
		if is("expect") {
			return headerDropped
		}
	case 7:
		if is("trailer") || is("upgrade") {
			return headerDropped
		}
	case 10:
		if is("user-agent") {
			return headerUserAgent
		}
		if is("connection") || is("keep-alive") {
			return headerDropped
		}
	case 14:
		if is("content-length") {
			return headerDropped
		}
	case 15:
		if is("x-forwarded-for") {
			return headerForwardedFor
		}
		if is("x-amzn-trace-id") {
			return headerDropped
		}
	case 16:
		if is("x-forwarded-port") || is("proxy-connection") {
			return headerDropped
		}
	case 17:
		if is("x-forwarded-proto") || is("transfer-encoding") {
			return headerDropped
		}
	}
	return headerKept
}

// sourceIP returns the client's address.
func sourceIP(x *plan.Exchange) string {
	address := x.Request.Source.Addr()
	if !address.IsValid() {
		return x.Request.SourceName
	}
	start := len(x.Scratch)
	x.Scratch = address.Unmap().AppendTo(x.Scratch)
	return since(x, start)
}

// appendBody appends the body as a JSON string and tells whether it is in
// base64. HTTP APIs have no binary media types: a few types are text and
// everything else is binary.
func appendBody(dst []byte, x *plan.Exchange) ([]byte, bool) {
	if isText(x.OutboundHeaders().Get("content-type")) {
		return appendString(dst, view(x.Request.Body)), false
	}
	return appendBase64(dst, x.Request.Body), true
}

// appendBase64 appends bytes as a JSON string of base64.
func appendBase64(dst, body []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, body)
	return append(dst, '"')
}

// isText tells whether a body of that Content-Type is handed over as text.
func isText(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.Trim(mediaType, " \t")
	if len(mediaType) >= 5 && plan.EqualFold(mediaType[:5], "text/") {
		return true
	}
	return plan.EqualFold(mediaType, "application/json") ||
		plan.EqualFold(mediaType, "application/xml") ||
		plan.EqualFold(mediaType, "application/javascript")
}

// appendPathParameters appends the path variables as an object, sorted by name.
func appendPathParameters(dst []byte, x *plan.Exchange) []byte {
	var stack [16]pair
	pairs := stack[:0]
	for i, name := range x.Route.ParamNames {
		pairs = append(pairs, pair{name, decodedPath(x, x.Params[i])})
	}
	return appendObject(dst, pairs)
}

// appendStageVariables appends the stage's variables as an object, sorted by name.
func appendStageVariables(dst []byte, x *plan.Exchange) []byte {
	var stack [16]pair
	pairs := stack[:0]
	for name, value := range x.Stage.Variables {
		pairs = append(pairs, pair{name, value})
	}
	return appendObject(dst, pairs)
}

// appendObject sorts pairs, whose names differ, and appends them as an object.
func appendObject(dst []byte, pairs []pair) []byte {
	slices.SortFunc(pairs, comparePairs)
	dst = append(dst, '{')
	for i, p := range pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, p.name)
		dst = append(dst, ':')
		dst = appendString(dst, p.value)
	}
	return append(dst, '}')
}

// run returns how many of the sorted pairs have the name of the first.
func run(pairs []pair) int {
	n := 1
	for n < len(pairs) && pairs[n].name == pairs[0].name {
		n++
	}
	return n
}
