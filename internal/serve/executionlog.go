package serve

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"gatehouse/internal/plan"
)

// What the execution log of a REST API's stage tells of a request, and that of a
// WebSocket API of a connection's event (socketlog.go). The lines between those
// here come from the steps themselves.

// beginTrace gives a matched exchange a trace if its method is logged.
func (s *Server) beginTrace(x *plan.Exchange) {
	if s.trace(x, x.Route.Rest.Log) && x.Trace.WantsInfo() {
		x.Trace.Info("Extended Request Id: %s", x.ExtendedRequestID)
	}
}

// trace gives an exchange a trace if that is logged, and tells whether it is.
func (s *Server) trace(x *plan.Exchange, logging plan.ExecutionLogging) bool {
	if logging.Level == plan.LogOff || executionLog(x.Stage) == nil {
		return false
	}
	x.Trace = s.traces.Get().(*plan.Trace)
	x.Trace.Begin(logging, s.Clock)
	return true
}

// traceRefused tells why a client wasn't let in to a domain with mutual TLS, which
// is before its request is a method's.
func (s *Server) traceRefused(x *plan.Exchange, err error) {
	var fault *plan.Fault
	if x.Domain == nil || x.Stage == nil || x.Stage.Rest == nil || !errors.As(err, &fault) || fault.Kind != plan.Forbidden {
		return
	}
	// The method says what is logged, and nothing else of it counts.
	sent, method := x.Request.Sent, x.Request.Method
	if x.Stage.Match(x) == nil {
		s.beginTrace(x)
	}
	x.Route, x.Params, x.Request.Sent, x.Request.Method = nil, x.Params[:0], sent, method
	if x.Trace != nil {
		x.Trace.Error("%s", fault.Reason)
	}
}

// executionLog is the execution log of a stage, nil for none.
func executionLog(stage *plan.Stage) plan.ExecutionLog {
	switch {
	case stage.Rest != nil:
		return stage.Rest.ExecutionLog
	case stage.Socket != nil:
		return stage.Socket.ExecutionLog
	}
	return nil
}

// endTrace hands the trace of an answered exchange to the stage's log.
func (s *Server) endTrace(x *plan.Exchange) {
	t := x.Trace
	if t == nil {
		return
	}
	if t.WantsInfo() && x.Integration.RequestID != "" {
		t.Info("AWS Integration Endpoint RequestId : %s", x.Integration.RequestID)
	}
	if t.WantsInfo() && x.Stage.Rest != nil && x.Stage.Rest.Tracing {
		t.Info("X-ray Tracing ID : Root=%s", x.TraceRoot)
	}
	executionLog(x.Stage).LogExecution(x)
	x.Trace = nil
	s.traces.Put(t)
}

// tracedKey is the API key of a request as the log shows it: the one that is
// checked, and where none is, the one that was sent.
func tracedKey(x *plan.Exchange) string {
	key := x.APIKey
	if key == "" {
		key = x.Request.Headers.Get(apiKeyHeader)
	}
	return plan.Masked(key)
}

const apiKeyHeader = "x-api-key"

// traceKey tells that the request's API key is checked.
func traceKey(x *plan.Exchange) {
	if t := x.Trace; t.WantsInfo() {
		t.Info("Verifying Usage Plan for request: %s. API Key: %s API Stage: %s/%s", x.RequestID, tracedKey(x), x.Stage.API.ID, x.Stage.Name)
	}
}

// tracePassedKey tells that the key, or its absence, was found right.
func tracePassedKey(x *plan.Exchange) {
	t := x.Trace
	if !t.WantsInfo() {
		return
	}
	key := tracedKey(x)
	if x.Route.Rest.APIKey == nil {
		t.Info("API Key %s authorized because method '%s' does not require API Key. Request will not contribute to throttle or quota limits", key, x.Route.Key)
	}
	t.Info("Usage Plan check succeeded for API Key %s and API Stage %s/%s", key, x.Stage.API.ID, x.Stage.Name)
}

// traceRequest tells what a method is executed with. It reads the body if the
// log shows that.
func traceRequest(x *plan.Exchange) error {
	t := x.Trace
	t.Info("Starting execution for request: %s", x.RequestID)
	t.Info("HTTP Method: %s, Resource Path: %s", x.Request.Method, x.StagePath)
	// A test has a key that nobody sent.
	if key := tracedKey(x); key != "" && x.Request.SourceName == "" {
		t.Info("API Key: %s", key)
	}
	if !t.WantsData() {
		return nil
	}
	t.DataInfo("Method request path: %s", tracedPath(x))
	t.DataInfo("Method request query string: %s", tracedQuery(x.Request.Query))
	t.DataHeaders("Method request headers", x.Request.Headers)
	if err := x.ReadBody(); err != nil {
		return err
	}
	t.DataBody("Method request body before transformations", x.Request.Body)
	return nil
}

// traceResponse tells what a method answers.
func traceResponse(x *plan.Exchange) {
	t := x.Trace
	if t.WantsData() {
		t.DataResponse("Method response body after transformations", &x.Response)
		// AWS tells the trace first.
		headers := slices.Clone(x.Response.Headers)
		if last := len(headers) - 1; last > 0 && headers[last].Name == traceHeader {
			headers = slices.Insert(headers[:last], 0, headers[last])
		}
		t.DataHeaders("Method response headers", headers)
	}
	t.Info("Successfully completed execution")
	t.Info("Method completed with status: %d", x.Response.Status)
}

// traceFault tells why a request failed, unless a step did, and how it ends: a
// method that nobody was allowed to call, or that wasn't looked for, doesn't end.
func traceFault(x *plan.Exchange, fault *plan.Fault) {
	t := x.Trace
	if !t.Failed() {
		t.Error("%s", failure(x, fault))
	}
	if x.Socket == nil && x.Route != nil && fault.Kind != plan.Unauthorized && fault.Kind != plan.AuthorizerMisconfigured {
		t.Error("Method completed with status: %d", x.Response.Status)
	}
}

// failure words a fault as AWS does in execution logs. UNVERIFIED: the words of
// all but the timeout and errors of the configuration.
func failure(x *plan.Exchange, fault *plan.Fault) string {
	switch fault.Kind {
	case plan.ConfigurationError:
		return "Execution failed due to configuration error: " + fault.Reason
	case plan.IntegrationTimeout:
		return "Execution failed due to a timeout error"
	case plan.IntegrationUnreachable:
		return "Execution failed due to a network error communicating with endpoint"
	case plan.InternalFailure:
		return "Execution failed due to an internal error"
	case plan.Unauthorized:
		return "Unauthorized request: " + x.RequestID
	case plan.AccessDenied:
		return "The client is not authorized to perform this operation."
	case plan.BadRequestBody:
		return "Request body does not match model schema for content type " +
			plan.MediaType(x.Request.Headers.Get("content-type")) + ": " + fault.Validation
	case plan.BadRequestParameters:
		return "Execution failed: " + x.Error.Message
	default:
		return "Execution failed: " + fault.Reason
	}
}

// tracedPath is the path variables as the log shows maps.
func tracedPath(x *plan.Exchange) string {
	b := []byte("{")
	for i, value := range x.Params {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(append(b, x.Route.ParamNames[i]...), '=')
		b = plan.AppendDecoded(b, value)
	}
	return string(append(b, '}'))
}

// tracedQuery is a query as the log shows maps: decoded, sorted, and of several
// values of a name the last. Secrets are masked.
func tracedQuery(query string) string {
	values := map[string]string{}
	var names []string
	for field := range strings.SplitSeq(query, "&") {
		if field == "" {
			continue
		}
		name, value, _ := strings.Cut(field, "=")
		name, value = unescaped(name), unescaped(value)
		if _, known := values[name]; !known {
			names = append(names, name)
		}
		values[name] = value
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + "=" + plan.MaskedParameter(name, values[name])
	}
	return "{" + strings.Join(names, ", ") + "}"
}

// unescaped decodes a part of a query, or leaves it as it is if it can't be.
func unescaped(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
}
