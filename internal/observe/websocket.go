package observe

import (
	"sync/atomic"
	"time"

	"gatehouse/internal/plan"
)

// Events count what happened on the connections of a WebSocket API, as
// CloudWatch names it.
type Events struct {
	// Connects is the number of handshakes that came as far as $connect.
	Connects uint64
	// Messages is the number of messages from clients and to them.
	Messages uint64
	// ClientErrors is the number of events that the gateway refused before an
	// integration was called.
	ClientErrors uint64
	// IntegrationErrors is the number of errors that integrations answered,
	// ExecutionErrors that of failures to call one.
	IntegrationErrors, ExecutionErrors uint64
}

func (e Events) minus(earlier Events) Events {
	return Events{
		Connects:          e.Connects - earlier.Connects,
		Messages:          e.Messages - earlier.Messages,
		ClientErrors:      e.ClientErrors - earlier.ClientErrors,
		IntegrationErrors: e.IntegrationErrors - earlier.IntegrationErrors,
		ExecutionErrors:   e.ExecutionErrors - earlier.ExecutionErrors,
	}
}

// events are Events while they are counted.
type events struct {
	connects, messages, clientErrors, integrationErrors, executionErrors atomic.Uint64
}

func (e *events) totals() Events {
	return Events{
		Connects:          e.connects.Load(),
		Messages:          e.messages.Load(),
		ClientErrors:      e.clientErrors.Load(),
		IntegrationErrors: e.integrationErrors.Load(),
		ExecutionErrors:   e.executionErrors.Load(),
	}
}

// count counts an event that is over. A message that was answered is two.
func (e *events) count(x *plan.Exchange) {
	refused := false
	switch fault := x.Fault; {
	case fault == nil:
		if x.Integration.Called && x.Integration.FunctionStatus >= 400 {
			e.integrationErrors.Add(1)
		}
	case isRefusal(fault.Kind):
		refused = true
		e.clientErrors.Add(1)
	case fault.Kind == plan.FunctionFailure:
		e.integrationErrors.Add(1)
	case fault.Kind != plan.ClientGone:
		e.executionErrors.Add(1)
	}
	if x.Socket == nil {
		return // no handshake
	}
	switch x.Socket.Event {
	case plan.SocketConnect:
		if !refused {
			e.connects.Add(1)
		}
	case plan.SocketMessage:
		e.messages.Add(1)
		if x.Fault == nil && len(x.Response.Body) > 0 && x.Route != nil && x.Route.Socket != nil && x.Route.Socket.TwoWay {
			e.messages.Add(1)
		}
	}
}

// isRefusal tells the faults that come before an integration.
func isRefusal(kind plan.FaultKind) bool {
	switch kind {
	case plan.BadRequest, plan.Unauthorized, plan.AccessDenied, plan.RouteNotFound, plan.RequestTooLarge, plan.URITooLong,
		plan.HeadersTooLarge, plan.UpgradeRequired, plan.Throttled, plan.Forbidden, plan.BadRequestBody, plan.BadRequestParameters,
		plan.UnsupportedMediaType, plan.InvalidAPIKey, plan.QuotaExceeded, plan.ExpiredToken, plan.InvalidSignature:
		return true
	}
	return false
}

// countEvent counts an event of a connection. Latency is told of integrations
// only.
func (n *counts) countEvent(x *plan.Exchange) {
	n.events.count(x)
	if x.Integration.Called {
		n.countIntegration(&n.shards[shardOf()], max(x.Integration.Latency, 0))
	}
}

// CountPosted counts a message that was sent to a client by @connections.
func (c *Counters) CountPosted() { c.begin().events.messages.Add(1) }

func (n *counts) countIntegration(s *shard, latency time.Duration) {
	s.integration.observe(latency)
	s.buckets[bucket(latency)].integration.Add(1)
}
