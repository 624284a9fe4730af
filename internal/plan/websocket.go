package plan

import "time"

// What only WebSocket APIs have. Stages, routes and exchanges of other APIs have
// nil for it.

// The route keys that API Gateway itself calls.
const (
	ConnectRouteKey    = "$connect"
	DisconnectRouteKey = "$disconnect"
)

// A SocketStage is what a stage of a WebSocket API has beside what every stage
// has. Its Default is the $default route; Routes of Stage is empty.
type SocketStage struct {
	// Select makes the key of a message's route: the API's route selection
	// expression.
	Select Selector
	// Keys are the routes of messages by key, without those that begin with "$".
	Keys map[string]*Route
	// Connect and Disconnect are the routes of those events; nil without one.
	Connect, Disconnect *Route
	// ExecutionLog takes what is written of the execution of requests; nil when
	// no route of the stage logs.
	ExecutionLog ExecutionLog
}

// A Selector is a compiled selection expression.
type Selector interface {
	// Select returns what the expression is for a message; "" where it leads
	// nowhere. The text is good until the exchange ends.
	Select(x *Exchange) string
}

// A SocketRoute is what a route of a WebSocket API has beside what every route
// has.
type SocketRoute struct {
	// APIKey checks the API key of a handshake; nil when none is asked for.
	APIKey APIKeyCheck
	// Validator checks messages against their model; nil without one.
	Validator Validator
	// TwoWay tells that the integration's response goes back to the client.
	TwoWay bool
	// Log is how much of the route's requests the execution log takes.
	Log ExecutionLogging
}

// A SocketEvent is what happened on a connection.
type SocketEvent uint8

// The events of a connection.
const (
	SocketConnect SocketEvent = iota + 1
	SocketMessage
	SocketDisconnect
)

// String returns AWS's name of the event.
func (e SocketEvent) String() string {
	switch e {
	case SocketConnect:
		return "CONNECT"
	case SocketMessage:
		return "MESSAGE"
	case SocketDisconnect:
		return "DISCONNECT"
	}
	return ""
}

// A Socket is one event of a connection: an exchange has one if it is a
// WebSocket API's. Of a message the body is Request.Body and RequestID is AWS's
// extended request id; there are no headers and no query. Of a disconnect
// there is no body.
type Socket struct {
	Event SocketEvent
	// ConnectionID is the connection's id, MessageID that of the message, which
	// only messages have: 11 bytes in base64 for URLs each.
	ConnectionID, MessageID string
	// ConnectedAt is when the handshake began.
	ConnectedAt time.Time
	// UserAgent is that of the handshake; the address is Request.Source.
	UserAgent string
	// DisconnectCode and DisconnectReason are why the connection ended.
	DisconnectCode   int
	DisconnectReason string
	// Subprotocol is what the integration of $connect chose, "" for none.
	Subprotocol string
}
