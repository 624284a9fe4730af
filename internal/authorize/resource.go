package authorize

import (
	"strings"
	"unsafe"

	"gatehouse/internal/plan"
)

// Resource is the ARN that policies are asked about for a matched exchange, and
// that functions get as methodArn or routeArn:
// arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}, or the
// key of a WebSocket API's route behind the stage. Method and path are those of
// the request, not the route's own.
//
// The path is decoded as it was matched, and a REST API's ends where matching
// ended it: a request is authorised as what it is routed to, however it spells
// its path. The text lives in Scratch, as long as the exchange.
//
// UNVERIFIED: that AWS decodes it.
func Resource(x *plan.Exchange) string {
	start := len(x.Scratch)
	x.Scratch = appendResource(x.Scratch, x)
	b := x.Scratch[start:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func appendResource(dst []byte, x *plan.Exchange) []byte {
	api := x.Stage.API
	dst = append(dst, "arn:aws:execute-api:"...)
	dst = append(dst, api.Region...)
	dst = append(dst, ':')
	dst = append(dst, api.AccountID...)
	dst = append(dst, ':')
	dst = append(dst, api.ID...)
	dst = append(dst, '/')
	dst = append(dst, x.Stage.Name...)
	dst = append(dst, '/')
	if api.Protocol == plan.WebSocket {
		return append(dst, x.Route.Key...)
	}
	dst = append(dst, x.Request.Method...)
	path := x.StagePath
	if api.Protocol == plan.REST {
		path = strings.TrimRight(path, "/")
	}
	if path == "" {
		path = "/"
	}
	return plan.AppendDecoded(dst, path)
}
