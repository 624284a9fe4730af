package serve

import (
	"crypto/sha1"
	"encoding/base64"
	"net"
	"time"

	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
	"gatehouse/internal/socket"
)

// maxSocketURL is the longest URL of a WebSocket API.
const maxSocketURL = 4096

// isSocket tells whether an exchange is for a WebSocket API.
func isSocket(x *plan.Exchange) bool { return x.API != nil && x.API.Protocol == plan.WebSocket }

// serveConnect runs a handshake in AWS's order. Afterwards the exchange has the
// response of $connect, which accepted decides by.
func (s *Server) serveConnect(x *plan.Exchange) error {
	if err := checkHandshake(x); err != nil {
		return err
	}
	if s.Sockets == nil {
		return &plan.Fault{Kind: plan.NotImplemented, Reason: "connections aren't served here"}
	}
	x.Socket = &plan.Socket{
		Event: plan.SocketConnect, ConnectionID: s.newID(),
		ConnectedAt: x.Start, UserAgent: x.Request.Headers.Get("user-agent"),
	}
	if x.Stage.Socket == nil {
		// UNVERIFIED: the answer of a stage that was never deployed.
		return &plan.Fault{Kind: plan.Forbidden, Reason: "stage " + x.Stage.Name + " serves nothing"}
	}
	r := x.Stage.Socket.Connect
	if r == nil {
		if err := limitAccount(x, s.Clock()); err != nil {
			return err
		}
		x.Response.Status = 200
		return nil
	}
	x.Route = r
	s.traceEvent(x)
	if r.Authorizer != nil {
		if err := r.Authorizer.Authorize(x); err != nil {
			return err
		}
	}
	if r.Socket != nil && r.Socket.APIKey != nil {
		if err := r.Socket.APIKey.CheckAPIKey(x); err != nil {
			return err
		}
	}
	if err := s.limit(x); err != nil {
		return err
	}
	if r.Socket != nil && r.Socket.Validator != nil {
		if err := r.Socket.Validator.Validate(x); err != nil {
			return err
		}
	}
	return callIntegration(x)
}

// callIntegration takes an event of a connection to its route's integration
// and back.
func callIntegration(x *plan.Exchange) error {
	r := x.Route
	if r.Integration == nil {
		// UNVERIFIED: what AWS does on a route without a target.
		return &plan.Fault{Kind: plan.IntegrationFailure, Reason: "route " + r.Key + " has no integration"}
	}
	if r.MapRequest != nil {
		if err := r.MapRequest.Map(x); err != nil {
			return err
		}
	}
	if err := r.Integration.Integrate(x); err != nil {
		return err
	}
	if r.MapResponse != nil {
		if err := r.MapResponse.Map(x); err != nil {
			return err
		}
	}
	traceOutcome(x)
	return nil
}

// checkHandshake checks what RFC 6455 section 4.2.1 asks of a client.
func checkHandshake(x *plan.Exchange) error {
	q := &x.Request
	if x.StagePath != "/" {
		// UNVERIFIED: a path behind the stage.
		return &plan.Fault{Kind: plan.Forbidden, Reason: "a WebSocket API has nothing at " + x.StagePath}
	}
	if q.Method != "GET" || q.Proto != "HTTP/1.1" || !listed(q.Headers, "upgrade", "websocket") || !listed(q.Headers, "connection", "upgrade") {
		return &plan.Fault{Kind: plan.UpgradeRequired, Reason: "not a WebSocket handshake"}
	}
	if q.Headers.Get("sec-websocket-version") != "13" {
		return &plan.Fault{Kind: plan.UpgradeRequired, Reason: "a WebSocket version other than 13"}
	}
	// Section 11.3 lets neither come twice.
	for _, name := range []string{"sec-websocket-key", "sec-websocket-version"} {
		if count(q.Headers, name) > 1 {
			return &plan.Fault{Kind: plan.BadRequest, Reason: "more than one " + name}
		}
	}
	key, err := base64.StdEncoding.DecodeString(q.Headers.Get("sec-websocket-key"))
	if err != nil || len(key) != 16 {
		return &plan.Fault{Kind: plan.BadRequest, Reason: "Sec-WebSocket-Key isn't 16 bytes in base64"}
	}
	if q.ContentLength != 0 {
		return &plan.Fault{Kind: plan.BadRequest, Reason: "a handshake with a body"}
	}
	return nil
}

// listed tells whether a header, which may come on several lines, lists a token.
func listed(h plan.Headers, name, token string) bool {
	for i := range h {
		if plan.EqualFold(h[i].Name, name) && http1.HasToken(h[i].Value, token) {
			return true
		}
	}
	return false
}

// count tells on how many lines a header comes.
func count(h plan.Headers, name string) int {
	n := 0
	for i := range h {
		if plan.EqualFold(h[i].Name, name) {
			n++
		}
	}
	return n
}

// newID makes the id of a connection.
func (s *Server) newID() string {
	var text [requestIDLength]byte
	return string(s.appendID(text[:0]))
}

// accepted tells whether an exchange opened a connection.
func accepted(x *plan.Exchange) bool {
	return x.Socket != nil && x.Socket.Event == plan.SocketConnect && x.Fault == nil && x.Response.Status/100 == 2
}

// handOver answers a handshake that was accepted and gives the connection to
// the sockets: of this conn nothing is kept but its place in the watch's count.
func (c *conn) handOver(x *plan.Exchange) {
	if x.Response.BodyStream != nil {
		c.s.closeStream(x.Response.BodyStream)
	}
	buf := c.s.buffers.Get().(*[]byte)
	defer c.s.buffers.Put(buf)
	var buffered []byte
	if c.reader.Buffered() > 0 {
		buffered, _ = c.reader.Peek() // there is something, so it can't fail
	}
	if over, ok := c.rw.(interface{ NetConn() net.Conn }); ok {
		if under, ok := over.NetConn().(*handedConn); ok {
			under.c = nil
		}
	}
	c.handed = true
	c.s.watch.hand(c)
	if err := c.nc.SetDeadline(time.Time{}); err != nil {
		c.s.log.Debug("cannot lift a deadline", "error", err)
	}
	se := newSession(c, x)
	c.s.Sockets.Adopt(socket.Opening{
		Conn: c.rw, Greeting: appendGreeting((*buf)[:0], c.s, x), Buffered: buffered,
		ID: se.id, APIID: se.apiID, Stage: se.stage,
		ConnectedAt: se.connectedAt, SourceIP: se.source.Addr(), UserAgent: se.userAgent,
		Handler: se,
	})
}

// appendGreeting appends the 101 that opens a connection.
func appendGreeting(out []byte, s *Server, x *plan.Exchange) []byte {
	out = http1.AppendStatus(out, 101, "Switching Protocols")
	out = http1.AppendHeader(out, "date", s.dates.text(s.Clock()))
	out = http1.AppendHeader(out, "connection", "upgrade")
	out = http1.AppendHeader(out, "upgrade", "websocket")
	out = append(out, "sec-websocket-accept: "...)
	sum := sha1.Sum([]byte(x.Request.Headers.Get("sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	out = base64.StdEncoding.AppendEncode(out, sum[:])
	out = append(out, "\r\n"...)
	// Only what the integration chose: AWS doesn't choose among the offers.
	if p := x.Socket.Subprotocol; p != "" && http1.ValidName(p) {
		out = http1.AppendHeader(out, "sec-websocket-protocol", p)
	}
	out = http1.AppendHeader(out, "apigw-requestid", x.RequestID)
	return append(out, "\r\n"...)
}

// answerSocketFault makes the answer to a handshake that was refused.
func (s *Server) answerSocketFault(x *plan.Exchange, fault *plan.Fault) {
	status, message := socketFaultOf(fault.Kind)
	x.Error = plan.GatewayError{Type: restFaultOf(fault.Kind).response, Raised: true, Message: message, Validation: fault.Validation}
	x.Response = plan.Response{Status: status, Headers: x.Response.Headers[:0], Body: []byte(`{"message":"` + message + `"}`)}
	x.Response.Add("content-type", "application/json")
	if status == 403 {
		// What SDKs call an error of @connections on a stage that isn't there.
		x.Response.Add("x-amzn-ErrorType", "ForbiddenException")
	}
	if fault.Kind == plan.UpgradeRequired {
		x.Response.Add("sec-websocket-version", "13")
	}
}

// socketFaultOf is how a WebSocket API refuses a handshake. UNVERIFIED: the
// texts, but for Forbidden.
func socketFaultOf(kind plan.FaultKind) (status int, message string) {
	switch kind {
	case plan.BadRequest, plan.BadRequestBody, plan.BadRequestParameters:
		return 400, "Bad Request"
	case plan.Unauthorized:
		return 401, "Unauthorized"
	case plan.AccessDenied, plan.Forbidden, plan.RouteNotFound, plan.InvalidAPIKey,
		plan.Unsigned, plan.IncompleteSignature, plan.InvalidSignature, plan.ExpiredToken, plan.UnrecognizedClient:
		return 403, "Forbidden"
	case plan.URITooLong:
		return 414, "Request-URI Too Long"
	case plan.UpgradeRequired:
		return 426, "Upgrade Required"
	case plan.Throttled:
		return 429, "Too Many Requests"
	case plan.QuotaExceeded:
		return 429, "Limit Exceeded"
	case plan.HeadersTooLarge:
		return 431, "Request Header Fields Too Large"
	case plan.ClientGone:
		return 499, "Client Closed Request"
	case plan.NotImplemented:
		return 501, "Not Implemented"
	case plan.IntegrationFailure, plan.IntegrationTimeout, plan.IntegrationUnreachable, plan.FunctionFailure:
		return 502, "Internal server error"
	default:
		return 500, "Internal server error"
	}
}
