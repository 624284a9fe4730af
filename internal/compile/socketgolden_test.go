package compile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/plan"
)

// printSocket prints what a WebSocket API's stage runs: each route, and what
// becomes of an event of it.
func printSocket(b *strings.Builder, s *plan.Stage) {
	if s.Socket == nil {
		b.WriteString("    serves nothing\n")
		return
	}
	fmt.Fprintf(b, "    execution log %v\n", s.Socket.ExecutionLog)
	for _, body := range []string{`{"action": "join", "a": {"b": 1}}`, `{}`, "text"} {
		x := socketEvent(s, nil, plan.SocketMessage, body)
		fmt.Fprintf(b, "    %s selects %q\n", body, s.Socket.Select.Select(x))
	}
	printSocketRoute(b, s, s.Socket.Connect, plan.SocketConnect, "")
	printSocketRoute(b, s, s.Socket.Disconnect, plan.SocketDisconnect, "")
	printSocketRoute(b, s, s.Default, plan.SocketMessage, `{"room": "r", "kind": "pet"}`)
	for _, key := range slices.Sorted(maps.Keys(s.Socket.Keys)) {
		printSocketRoute(b, s, s.Socket.Keys[key], plan.SocketMessage, `{"room": "r", "kind": "pet"}`)
	}
}

func socketEvent(s *plan.Stage, r *plan.Route, event plan.SocketEvent, body string) *plan.Exchange {
	x := &plan.Exchange{API: s.API, Stage: s, Route: r, RequestID: "id", Socket: &plan.Socket{Event: event, ConnectionID: "connection"}}
	x.Request.Body = []byte(body)
	if event == plan.SocketConnect {
		x.Request.Method, x.Request.Query = "GET", "token=t"
		x.Request.Headers = plan.Headers{{Name: "X-Client", Value: "c"}}
	}
	return x
}

func printSocketRoute(b *strings.Builder, s *plan.Stage, r *plan.Route, event plan.SocketEvent, body string) {
	if r == nil {
		return
	}
	x := socketEvent(s, r, event, body)
	fmt.Fprintf(b, "    route %s %q two-way=%v key=%v log=%+v\n", r.ID, r.Key, r.Socket.TwoWay, r.Socket.APIKey != nil, r.Socket.Log)
	if r.Authorizer != nil {
		fmt.Fprintf(b, "      authorizer: %v\n", r.Authorizer.Authorize(x))
	}
	if r.Socket.Validator != nil {
		fmt.Fprintf(b, "      validator: %v\n", r.Socket.Validator.Validate(x))
	}
	fmt.Fprintf(b, "      integration %v\n", r.Integration)
	if refusal, ok := r.Integration.(interface{ Integrate(*plan.Exchange) error }); ok && fmt.Sprintf("%T", r.Integration) == "compile.misconfigured" {
		fmt.Fprintf(b, "      fails: %v\n", refusal.Integrate(x))
	}
	if r.MapRequest != nil {
		err := r.MapRequest.Map(x)
		fmt.Fprintf(b, "      maps the request to ?%s %v %v %q, %v\n", x.Mapped.Query, x.Mapped.Headers, x.Mapped.URIParams, x.Mapped.Body, err)
	}
	if r.MapResponse != nil {
		for _, status := range []int{200, 404} {
			x.Integration.Status, x.Response = status, plan.Response{Status: status, Body: []byte(`{"code": 503}`)}
			err := r.MapResponse.Map(x)
			fmt.Fprintf(b, "      maps a %d to %d %q, %v\n", status, x.Response.Status, x.Response.Body, err)
		}
	}
	if r.Limit != nil {
		fmt.Fprintf(b, "      limit %v\n", r.Limit)
	}
	if r.Metrics != nil {
		fmt.Fprintf(b, "      metrics %v\n", r.Metrics)
	}
}
