package lambdaevent

import (
	"errors"

	"gatehouse/internal/plan"
)

// WebSocketReply turns the result of a function behind an AWS_PROXY integration
// of a WebSocket API into the response of x: an object of statusCode, headers,
// multiValueHeaders, body and isBase64Encoded, each of which may be missing.
//
// Of a handshake the status decides whether there is a connection, and the
// header Sec-WebSocket-Protocol, which becomes Socket.Subprotocol, which
// protocol it speaks. Of a message the body is what a two-way route sends; it is
// text, so isBase64Encoded means nothing.
//
// It uses the result up as Reply20 does; with an error the response is empty.
// UNVERIFIED: that other members are let pass, which those of a REST API's reply
// aren't, and that a base64 body stays one.
func WebSocketReply(result []byte, x *plan.Exchange) error {
	var r restReply
	if err := r.parse(result, r.reply.member); err != nil {
		return err
	}
	if r.value[0] != '{' {
		return errors.New("the result isn't an object")
	}
	if err := fill(&x.Response, r.setStatus, r.setLines, r.setBody); err != nil {
		return err
	}
	if x.Socket.Event == plan.SocketConnect {
		x.Socket.Subprotocol = x.Response.Headers.Get(subprotocol)
	}
	return nil
}

// subprotocol is the header by which a function says what a connection speaks.
const subprotocol = "Sec-WebSocket-Protocol"
