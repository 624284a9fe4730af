package integrate

import (
	"strconv"

	"gatehouse/internal/plan"
)

// What execution logs tell of calls of functions. AWS writes its own call of
// the Lambda service; the headers here are those of it that the gateway's call
// has a counterpart of, so neither a signature nor keys.

// traceRequest tells of the call that is about to be made.
func (l *restLambda) traceRequest(x *plan.Exchange, payload []byte) {
	t := x.Trace
	if !t.WantsInfo() {
		return
	}
	if !t.WantsData() {
		traceCall(x, l.uri, nil, nil)
		return
	}
	api := x.Stage.API.ID
	headers := plan.Headers{
		{Name: "x-amzn-lambda-integration-tag", Value: x.RequestID},
		{Name: "x-amzn-apigateway-api-id", Value: api},
		{Name: "X-Amz-Source-Arn", Value: SourceARN(x)},
		{Name: "Accept", Value: "application/json"},
		{Name: "User-Agent", Value: "AmazonAPIGateway_" + api},
		{Name: traceIDHeader, Value: x.TraceHeader},
		{Name: "Content-Type", Value: "application/json"},
	}
	if x.Mapped.On {
		headers = append(headers, x.Mapped.Headers...)
	}
	traceCall(x, l.uri, headers, payload)
}

// traceResponse tells of the answer to the call. x.Integration has its status.
func (l *restLambda) traceResponse(x *plan.Exchange, result *InvocationResult) {
	t := x.Trace
	if !t.WantsInfo() {
		return
	}
	t.Info("Received response. Status: %d, Integration latency: %d ms", x.Integration.Status, x.Integration.Latency.Milliseconds())
	if !t.WantsData() {
		return
	}
	headers := plan.Headers{
		{Name: "Content-Type", Value: "application/json"},
		{Name: "Content-Length", Value: strconv.Itoa(len(result.Payload))},
	}
	if result.RequestID != "" {
		headers = append(headers, plan.Header{Name: "x-amzn-RequestId", Value: result.RequestID})
	}
	if result.FunctionError != "" {
		headers = append(headers, plan.Header{Name: "X-Amz-Function-Error", Value: result.FunctionError})
	}
	headers = append(headers, plan.Header{Name: traceIDHeader, Value: x.TraceHeader})
	t.DataHeaders("Endpoint response headers", headers)
	t.DataBody("Endpoint response body before transformations", result.Payload)
}
