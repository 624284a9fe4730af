package integrate

import (
	"strings"

	"gatehouse/internal/plan"
)

// What the execution log of a REST API tells of the call of a backend. A reader
// of x.Trace asks first whether it wants this.

// traceCall tells what is sent where.
func traceCall(x *plan.Exchange, uri string, headers plan.Headers, body []byte) {
	t := x.Trace
	uri = plan.MaskedURI(uri)
	t.Info("Endpoint request URI: %s", uri)
	t.DataHeaders("Endpoint request headers", headers)
	t.DataBody("Endpoint request body after transformations", body)
	t.Info("Sending request to %s", uri)
}

// traceAnswer tells what came back.
func traceAnswer(x *plan.Exchange) {
	t := x.Trace
	t.Info("Received response. Status: %d, Integration latency: %d ms", x.Integration.Status, x.Integration.Latency.Milliseconds())
	t.DataHeaders("Endpoint response headers", x.Response.Headers)
	t.DataResponse("Endpoint response body before transformations", &x.Response)
}

// trace tells what a call is about to send. Of a body that is passed on as it
// comes from the client nothing is told; data tracing has it read before.
func (h *HTTP) trace(c *call) {
	x := c.x
	var uri strings.Builder
	uri.WriteString("http://")
	if h.target.tls {
		uri.Reset()
		uri.WriteString("https://")
	}
	uri.WriteString(h.target.host)
	uri.Write(h.appendTarget(nil, x))
	if !x.Trace.WantsData() {
		traceCall(x, uri.String(), nil, nil)
		return
	}
	body, mapped := x.OutboundBody()
	switch {
	case safe(c.method):
		body = nil
	case !mapped:
		body = x.Request.Body
	}
	headers := append(plan.Headers(nil), x.Mapped.Headers...)
	headers = append(headers, plan.Header{Name: apiIDHeader, Value: x.Stage.API.ID}, plan.Header{Name: traceIDHeader, Value: x.TraceHeader})
	traceCall(x, uri.String(), headers, body)
}
