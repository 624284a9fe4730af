package serve

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"strings"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/socket"
)

// A session is what a connection of a WebSocket API keeps of its handshake. It
// runs the connection's messages and its end, each with the plan of its moment:
// a deployment changes what open connections run.
type session struct {
	s *Server

	apiID, stage, id, userAgent string
	host, domainName, path      string
	apiKey, apiKeyID            string
	caller                      plan.Caller
	authorization               *plan.Authorization
	authorizerLatency           time.Duration // of its function
	source                      netip.AddrPort
	peer                        netip.Addr // who connected: source, or a proxy
	localPort                   uint16
	secure, pathForm            bool
	basePath                    string
	connectedAt                 time.Time
	admission                   admission
}

// newSession makes the session of an accepted handshake.
func newSession(c *conn, x *plan.Exchange) *session {
	q := &x.Request
	se := &session{
		s: c.s, apiID: x.API.ID, stage: x.Stage.Name, id: x.Socket.ConnectionID,
		userAgent: x.Socket.UserAgent, host: q.Host, domainName: x.DomainName, path: x.GatewayPath,
		basePath: x.BasePath, // of the plan, which keeps it
		apiKey:   x.APIKey, apiKeyID: x.APIKeyID, caller: x.Caller,
		authorization: x.Authorization, authorizerLatency: x.Authorizer.FunctionLatency,
		source: q.Source, peer: c.peer, localPort: q.LocalPort, secure: q.Secure, pathForm: x.PathForm, connectedAt: x.Socket.ConnectedAt,
		admission: newAdmission(x),
	}
	own(
		&se.userAgent, &se.host, &se.domainName, &se.path, &se.apiKey, &se.apiKeyID,
		&se.caller.AccountID, &se.caller.ID, &se.caller.AccessKeyID, &se.caller.ARN,
	)
	return se
}

// own gives strings memory of their own, all in one piece.
func own(texts ...*string) {
	n := 0
	for _, t := range texts {
		n += len(*t)
	}
	var b strings.Builder
	b.Grow(n)
	for _, t := range texts {
		b.WriteString(*t)
	}
	all := b.String()
	for _, t := range texts {
		*t, all = all[:len(*t)], all[len(*t):]
	}
}

// An event is an exchange of a connection with the memory it needs beside.
type event struct {
	plan.Exchange
	socket plan.Socket
}

// begin starts the exchange of an event. It has no stage if that is gone.
func (se *session) begin(kind plan.SocketEvent) *event {
	s := se.s
	e := s.events.Get().(*event)
	x := &e.Exchange
	x.Start = s.Clock()
	x.Memory = s.memory
	x.Socket = &e.socket
	e.socket = plan.Socket{Event: kind, ConnectionID: se.id, ConnectedAt: se.connectedAt, UserAgent: se.userAgent}
	q := &x.Request
	q.Host, q.Path, q.Proto = se.host, se.path, "HTTP/1.1"
	q.Secure, q.Source, q.LocalPort = se.secure, se.source, se.localPort
	q.Done = s.Sockets.Abandoned()
	x.DomainName = se.domainName
	x.DomainPrefix, _, _ = strings.Cut(se.domainName, ".")
	x.StagePath, x.GatewayPath, x.PathForm, x.BasePath = "/", se.path, se.pathForm, se.basePath
	x.APIKey, x.APIKeyID, x.Caller = se.apiKey, se.apiKeyID, se.caller
	x.Authorization, x.Authorizer.FunctionLatency = se.authorization, se.authorizerLatency
	if api, ok := s.Plan.Load().API(se.apiID); ok && api.Protocol == plan.WebSocket {
		x.API, x.Stage = api, api.Stages[se.stage]
	}
	s.identify(x)
	return e
}

// end tells logs and metrics of an event and takes its memory back.
func (se *session) end(e *event) {
	s := se.s
	s.finish(&e.Exchange)
	e.Exchange.Reset()
	e.socket = plan.Socket{}
	if cap(e.Scratch) > maxKeptScratch {
		e.Scratch = nil
	}
	s.events.Put(e)
}

// Hold takes room for more of a message that isn't an exchange yet.
func (se *session) Hold(own, n int) bool {
	return se.s.memory.Take(plan.Network(se.source.Addr()), int64(own), int64(n))
}

// Free gives back what Hold took.
func (se *session) Free(n int) { se.s.memory.Give(plan.Network(se.source.Addr()), int64(n)) }

// Message runs one message and sends what it is answered with.
func (se *session) Message(c *socket.Conn, text []byte) {
	if !se.admitted(c, se.s.Plan.Load(), se.s.Clock()) {
		return
	}
	e := se.begin(plan.SocketMessage)
	defer se.end(e)
	x := &e.Exchange
	x.Request.Body, x.Request.ContentLength = text, int64(len(text))
	x.Socket.MessageID = se.s.scratchID(x)
	reply, err := se.s.runMessage(x)
	if err != nil {
		reply = se.s.faultFrame(x, crowdedFault(x, err))
	}
	if reply == nil {
		return
	}
	if err := c.Send(reply); err != nil {
		se.s.log.Debug("cannot answer a message", "connection", se.id, "request", x.RequestID, "error", err)
	}
}

// runMessage contains what a message's steps do.
func (s *Server) runMessage(x *plan.Exchange) (reply []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			reply, err = nil, s.recovered(x, p)
		}
	}()
	return s.serveMessage(x)
}

// serveMessage runs one message in AWS's order and returns what goes back to
// the client, nil for nothing.
func (s *Server) serveMessage(x *plan.Exchange) ([]byte, error) {
	if x.Stage == nil || x.Stage.Socket == nil {
		// UNVERIFIED: a connection whose stage was deleted.
		return nil, &plan.Fault{Kind: plan.Forbidden, Reason: "the stage of the connection is gone"}
	}
	if err := selectRoute(x); err != nil {
		return nil, err
	}
	s.traceEvent(x)
	if err := s.limit(x); err != nil {
		return nil, err
	}
	r := x.Route
	if r.Socket != nil && r.Socket.Validator != nil {
		if err := r.Socket.Validator.Validate(x); err != nil {
			return nil, err
		}
	}
	if err := callIntegration(x); err != nil {
		return nil, err
	}
	return s.reply(x)
}

// selectRoute finds the route of a message by its key.
func selectRoute(x *plan.Exchange) error {
	stage := x.Stage.Socket
	key := ""
	if stage.Select != nil {
		key = stage.Select.Select(x)
	}
	if x.Route = stage.Keys[key]; x.Route == nil {
		x.Route = x.Stage.Default
	}
	if x.Route == nil {
		return &plan.Fault{Kind: plan.Forbidden, Reason: "no route has the key " + key + " and there is no $default route"}
	}
	return nil
}

// reply is the integration's response if that goes to the client. A response
// that doesn't is read to its end all the same: the backend may care.
func (s *Server) reply(x *plan.Exchange) ([]byte, error) {
	r := &x.Response
	twoWay := x.Route.Socket != nil && x.Route.Socket.TwoWay
	if stream := r.BodyStream; stream != nil {
		limit := int64(s.Sockets.MaxMessageBytes)
		r.BodyStream = limitedStream{io.LimitReader(stream, limit+1), stream}
		if err := x.ReadResponse(); err != nil && twoWay {
			return nil, &plan.Fault{Kind: plan.IntegrationFailure, Reason: "the response broke off: " + err.Error(), Cause: err}
		}
	}
	if !twoWay || len(r.Body) == 0 {
		return nil, nil
	}
	if len(r.Body) > s.Sockets.MaxMessageBytes {
		return nil, &plan.Fault{Kind: plan.IntegrationFailure, Reason: "the response is over the limit of a message"}
	}
	return r.Body, nil
}

// A limitedStream is the beginning of a stream.
type limitedStream struct {
	io.Reader
	io.Closer
}

// faultFrame is the frame that tells a client of a fault; nil when nobody is
// left to read it.
func (s *Server) faultFrame(x *plan.Exchange, err error) []byte {
	var fault *plan.Fault
	if !errors.As(err, &fault) {
		fault = &plan.Fault{Kind: plan.InternalFailure, Reason: err.Error(), Cause: err}
	}
	message, status := messageFaultOf(fault.Kind)
	s.noteFault(x, fault, status, message)
	if fault.Kind == plan.ClientGone {
		return nil
	}
	name, id := `requestId`, x.RequestID
	if fault.Kind == plan.BadRequestBody {
		name, id = `messageId`, x.Socket.MessageID
	}
	start := len(x.Scratch)
	for _, part := range [...]string{`{"message": "`, message, `", "connectionId":"`, x.Socket.ConnectionID, `", "`, name, `":"`, id, `"}`} {
		x.Scratch = append(x.Scratch, part...)
	}
	return x.Scratch[start:]
}

// noteFault leaves in the exchange what logs and metrics tell of a fault.
func (s *Server) noteFault(x *plan.Exchange, fault *plan.Fault, status int, message string) {
	if stream := x.Response.BodyStream; stream != nil {
		s.closeStream(stream)
	}
	x.Fault = fault
	x.Error = plan.GatewayError{Type: restFaultOf(fault.Kind).response, Raised: true, Message: message, Validation: fault.Validation}
	x.Response = plan.Response{Status: status, Headers: x.Response.Headers[:0]}
	if x.Trace != nil {
		traceFault(x, fault)
	}
	if status >= 500 {
		s.log.Warn("an event of a connection failed", "request", x.RequestID, "event", x.Socket.Event.String(), "status", status,
			"reason", fault.Reason, "cause", fault.Cause)
	}
}

// messageFaultOf is how a fault of a message is worded, and the status that
// logs give it.
func messageFaultOf(kind plan.FaultKind) (message string, status int) {
	switch kind {
	case plan.Forbidden, plan.RouteNotFound, plan.AccessDenied:
		return "Forbidden", 403
	case plan.BadRequestBody:
		return "Bad request body", 400
	case plan.UnsupportedMediaType:
		// UNVERIFIED: that it isn't taken for an error of the server.
		return "Unsupported Media Type", 415
	case plan.Throttled:
		return "Too Many Requests", 429
	case plan.IntegrationTimeout:
		return "Endpoint request timed out", 504
	case plan.ClientGone:
		return "Client Closed Request", 499
	default:
		return "Internal server error", 500
	}
}

// What functions are told of a close frame without a code.
const (
	closedWithoutCode = 1005
	noCodeReason      = "Client-side close frame status not set"
)

// Disconnected tells $disconnect of the connection's end, and gives back the
// connection's place.
func (se *session) Disconnected(_ *socket.Conn, code int, reason string) {
	s := se.s
	defer s.watch.release(se.peer)
	turn := s.ends.turn(se.apiID, se.stage)
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-s.Sockets.Abandoned():
	}
	e := se.begin(plan.SocketDisconnect)
	defer se.end(e)
	x := &e.Exchange
	x.Socket.DisconnectCode, x.Socket.DisconnectReason = code, reason
	if code == closedWithoutCode {
		x.Socket.DisconnectReason = noCodeReason
	}
	if x.Stage == nil || x.Stage.Socket == nil || x.Stage.Socket.Disconnect == nil {
		return
	}
	x.Route = x.Stage.Socket.Disconnect
	s.traceEvent(x)
	if err := s.runDisconnect(x); err != nil {
		s.faultFrame(x, err)
	}
	if stream := x.Response.BodyStream; stream != nil {
		s.closeStream(stream)
	}
}

// runDisconnect contains what the steps of $disconnect do. No throttle refuses
// it: backends would keep what is gone.
func (s *Server) runDisconnect(x *plan.Exchange) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.recovered(x, p)
		}
	}()
	return callIntegration(x)
}

// scratchID makes an id of 11 random bytes that lives as long as the exchange.
func (s *Server) scratchID(x *plan.Exchange) string {
	start := len(x.Scratch)
	x.Scratch = s.appendID(x.Scratch)
	return tail(x.Scratch, start)
}

// appendID appends an id of 11 random bytes.
func (s *Server) appendID(dst []byte) []byte {
	var random [11]byte
	binary.LittleEndian.PutUint64(random[:], s.Random())
	r := s.Random()
	random[8], random[9], random[10] = byte(r), byte(r>>8), byte(r>>16)
	return base64.URLEncoding.AppendEncode(dst, random[:])
}
