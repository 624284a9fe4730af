package authorize

import (
	"path"
	"strings"
	"unsafe"

	"gatehouse/internal/arn"
	"gatehouse/internal/plan"
)

// Resource is the ARN that policies are asked about for a matched exchange, and
// that functions get as methodArn or routeArn:
// arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}, or the
// key of a WebSocket API's route behind the stage. Method and path are those of
// the request, not the route's own.
//
// The path is decoded as it was matched, in which an escaped slash is one for an
// HTTP API and a part of its segment for a REST API, whose path also ends where
// matching ended it: a request is authorised as what it is routed to, however it
// spells its path. The text lives in Scratch, as long as the exchange.
//
// UNVERIFIED: that AWS decodes it.
func Resource(x *plan.Exchange) string {
	start := len(x.Scratch)
	x.Scratch = appendResource(x.Scratch, x)
	b := x.Scratch[start:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func appendResource(dst []byte, x *plan.Exchange) []byte {
	dst = appendStage(dst, x)
	if x.Stage.API.Protocol == plan.WebSocket {
		return append(dst, x.Route.Key...)
	}
	dst = append(append(dst, x.Request.Method...), '/')
	path := x.StagePath[min(1, len(x.StagePath)):]
	if x.Stage.API.Protocol != plan.REST {
		return plan.AppendDecoded(dst, path)
	}
	return appendSegments(dst, strings.TrimRight(path, "/"))
}

// appendStage appends an ARN up to the stage and the slash behind it.
func appendStage(dst []byte, x *plan.Exchange) []byte {
	api := x.Stage.API
	dst = append(dst, "arn:"...)
	dst = append(dst, arn.Partition(api.Region)...)
	dst = append(dst, ":execute-api:"...)
	dst = append(append(dst, api.Region...), ':')
	dst = append(append(dst, api.AccountID...), ':')
	dst = append(append(dst, api.ID...), '/')
	return append(append(dst, x.Stage.Name...), '/')
}

// appendSegments appends a path decoded, but for the slashes in its segments:
// a REST API takes them for a part of one.
func appendSegments(dst []byte, path string) []byte {
	for {
		i := strings.IndexByte(path, '%')
		if i < 0 {
			return append(dst, path...)
		}
		dst = append(dst, path[:i]...)
		path = path[i:]
		switch {
		case len(path) < 3 || !isHex(path[1]) || !isHex(path[2]):
			dst, path = append(dst, '%'), path[1:]
		case path[1] == '2' && path[2]|0x20 == 'f':
			dst, path = append(dst, "%2F"...), path[3:]
		default:
			dst, path = plan.AppendDecoded(dst, path[:3]), path[3:]
		}
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// backendResource is the ARN of what a backend may take a path for that has dot
// segments, also those with parameters ("..;x", which Java's servers resolve),
// empty segments, backslashes, or an escaped slash or question mark; "" if that is
// what the gateway takes it for, too. The gateway routes them as they are. Who may
// not have what they come to may not have them either: a greedy route would hand
// it out behind the policy's back.
//
// UNVERIFIED: that AWS asks about the path as it is alone.
func backendResource(x *plan.Exchange) string {
	if x.Stage.API.Protocol == plan.WebSocket || !ambiguous(x.StagePath) {
		return ""
	}
	sent := x.StagePath
	if x.Stage.API.Protocol == plan.HTTP {
		sent = plan.CutPath(sent) // the backend gets no more
	}
	decoded := plainDots(string(plan.AppendDecoded(nil, sent)))
	resolved := path.Clean(decoded)
	if resolved != "/" && x.Stage.API.Protocol != plan.REST && strings.HasSuffix(decoded, "/") {
		resolved += "/"
	}
	dst := append(append(appendStage(nil, x), x.Request.Method...), resolved...)
	if string(dst) == Resource(x) {
		return ""
	}
	return string(dst)
}

// ambiguous tells whether a path may be another one to a backend.
func ambiguous(path string) bool {
	for i := range len(path) {
		switch path[i] {
		case '%', '\\':
			return true
		case '/':
			if i+1 < len(path) && (path[i+1] == '/' || path[i+1] == '.') {
				return true
			}
		}
	}
	return false
}

// plainDots is a path with slashes for backslashes, and without the parameters of
// its dot segments.
func plainDots(path string) string {
	path = strings.ReplaceAll(path, `\`, "/")
	if !strings.Contains(path, ".;") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if name, _, ok := strings.Cut(s, ";"); ok && (name == "." || name == "..") {
			segments[i] = name
		}
	}
	return strings.Join(segments, "/")
}
