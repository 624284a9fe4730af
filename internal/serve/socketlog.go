package serve

import "gatehouse/internal/plan"

// What the execution log of a WebSocket API's stage tells of an event of a
// connection, apart from what the steps tell.
// UNVERIFIED: all of it, which only another implementation and memory say.

// traceEvent gives an event whose route is known a trace if the route is logged.
func (s *Server) traceEvent(x *plan.Exchange) {
	if x.Route.Socket == nil || !s.trace(x, x.Route.Socket.Log) {
		return
	}
	t := x.Trace
	if !t.WantsInfo() {
		return
	}
	t.Info("Extended Request Id: %s", x.RequestID)
	t.Info("Starting execution for request: %s", x.RequestID)
	t.Info("WebSocket Request Route: [%s]", x.Route.Key)
	switch x.Socket.Event {
	case plan.SocketConnect:
		t.Info("Client [UserAgent: %s, SourceIp: %s] is connecting to WebSocket API [%s].", x.Socket.UserAgent, x.Request.Source.Addr().Unmap(), x.API.ID)
		t.DataHeaders("Request headers", x.Request.Headers)
	case plan.SocketMessage:
		t.Info("WebSocket API [%s] received message from client [Connection Id: %s].", x.API.ID, x.Socket.ConnectionID)
		t.DataBody("Request body", x.Request.Body)
	}
}

// traceOutcome tells what an event that didn't fail has come to.
func traceOutcome(x *plan.Exchange) {
	t := x.Trace
	if !t.WantsInfo() {
		return
	}
	switch x.Socket.Event {
	case plan.SocketConnect:
		if accepted(x) {
			t.Info("Client [Connection Id: %s] connected to API [%s] successfully.", x.Socket.ConnectionID, x.API.ID)
		}
	case plan.SocketMessage:
		t.Info("Message from client [Connection Id: %s] sent to API [%s] with response status code [%d].", x.Socket.ConnectionID, x.API.ID, x.Response.Status)
	case plan.SocketDisconnect:
		t.Info("Client [Connection Id: %s] disconnected from API [%s] with integration response status code [%d]. Close reason: [%d: %s]",
			x.Socket.ConnectionID, x.API.ID, x.Response.Status, x.Socket.DisconnectCode, x.Socket.DisconnectReason)
	}
}
