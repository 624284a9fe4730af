package integrate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/lambdaevent"
	"gatehouse/internal/plan"
)

// A restLambda calls a function for a REST API or a WebSocket API and words what
// goes wrong as AWS does in execution logs and $context.integration.error.
type restLambda struct {
	lambdaCaller
	// uri is where AWS invokes the function.
	uri string
}

func (s *LambdaService) restAPI(target LambdaTarget) restLambda {
	if target.Timeout == 0 {
		target.Timeout = restTimeout
	}
	return restLambda{lambdaCaller{s, target}, invocationURI(target)}
}

// invocationURI is the URI of a function's invocations in the function's region.
func invocationURI(target LambdaTarget) string {
	version, calls := "2015-03-31", "/invocations"
	if target.PayloadFormat == PayloadFormatStream {
		version, calls = "2021-11-15", "/response-streaming-invocations"
	}
	arn, region := target.FunctionARN, ""
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		region = parts[3]
	}
	if target.Qualifier != "" {
		arn += ":" + target.Qualifier
	}
	return "https://lambda." + region + ".amazonaws.com/" + version + "/functions/" + arn + calls
}

// A lambdaProxy is an AWS_PROXY integration of a REST API with a function.
type lambdaProxy struct{ restLambda }

// Integrate calls the function with the exchange as its event and makes the
// response of its reply.
func (l *lambdaProxy) Integrate(x *plan.Exchange) error {
	if err := l.readBody(x); err != nil {
		return err
	}
	payload := l.payload(x, lambdaevent.REST)
	l.traceRequest(x, payload)
	result, err := l.call(x, payload)
	if err != nil {
		return err
	}
	if result.FunctionError != "" {
		return l.functionFailed(x, result)
	}
	if err := lambdaevent.RESTReply(result.Payload, x); err != nil {
		return l.malformed(x, err)
	}
	x.Integration.FunctionStatus = x.Response.Status
	return nil
}

// A lambdaBody is an AWS integration with a function: the mapped
// body is the event, and the result is what integration responses map.
type lambdaBody struct{ restLambda }

// Integrate calls the function and leaves its result, or the document of its
// error, for an integration response to be selected and mapped.
func (l *lambdaBody) Integrate(x *plan.Exchange) error {
	if err := l.readBody(x); err != nil {
		return err
	}
	body, mapped := x.OutboundBody()
	if !mapped {
		body = x.Request.Body
	}
	l.traceRequest(x, body)
	payload := bytes.Clone(body)
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if !json.Valid(payload) {
		return l.notJSON(x, payload)
	}
	switch kind := invocationType(x); kind {
	case "", "RequestResponse":
		return l.wait(x, payload)
	case "Event":
		return l.queue(x, payload)
	default:
		return l.lambdaRefused(x, 400, "the invocation type "+kind+" isn't one that can be mapped", nil)
	}
}

// invocationType is what a mapping says of how the function is invoked.
func invocationType(x *plan.Exchange) string {
	if !x.Mapped.On {
		return ""
	}
	return x.Mapped.Headers.Get("X-Amz-Invocation-Type")
}

// wait calls the function and waits for its result.
func (l *lambdaBody) wait(x *plan.Exchange, payload []byte) error {
	result, err := l.call(x, payload)
	if err != nil {
		return err
	}
	x.Integration.FunctionStatus = 200
	if result.FunctionError != "" {
		x.Integration.Failed, x.Integration.Selection = true, errorMessage(result.Payload)
	}
	x.Response.Status, x.Response.Body = 200, result.Payload
	x.Response.Add("Content-Type", "application/json")
	return nil
}

// queue leaves the event for later. Lambda says no more than that it has it.
func (l *lambdaBody) queue(x *plan.Exchange, payload []byte) error {
	if err := l.permitted(x); err != nil {
		return err
	}
	if l.service.events == nil {
		return l.lambdaRefused(x, 500, "there is no queue for asynchronous invocations", nil)
	}
	start := l.service.clock()
	err := l.service.events.Queue(l.invocation(x, payload))
	x.Integration.Called = true
	x.Integration.Latency = l.service.clock().Sub(start)
	if err != nil {
		return l.refused(x, err)
	}
	x.Integration.Status, x.Integration.FunctionStatus = 202, 202
	l.traceResponse(x, &InvocationResult{})
	x.Response.Status = 200
	x.Response.Add("Content-Type", "application/json")
	return nil
}

func (l *restLambda) readBody(x *plan.Exchange) error {
	if err := x.ReadBody(); err != nil {
		return &plan.Fault{Kind: plan.BadRequest, Reason: "the request's body can't be read: " + err.Error(), Cause: err}
	}
	return nil
}

func (l *restLambda) invocation(x *plan.Exchange, payload []byte) Invocation {
	return Invocation{FunctionARN: l.target.FunctionARN, Qualifier: l.target.Qualifier, TraceID: traceHeaderOf(x), Payload: payload}
}

// call invokes the function. Its error is what clients are told.
func (l *restLambda) call(x *plan.Exchange, payload []byte) (InvocationResult, error) {
	if err := l.permitted(x); err != nil {
		return InvocationResult{}, err
	}
	result, err := l.invoke(x, l.invocation(x, payload))
	if err != nil {
		return result, l.refused(x, err)
	}
	x.Integration.Status, x.Integration.RequestID = 200, result.RequestID
	l.traceResponse(x, &result)
	return result, nil
}

// What AWS's execution logs say of calls that fail.
const (
	noPermission   = "Execution failed due to configuration error: Invalid permissions on Lambda function"
	timedOut       = "Execution failed due to a timeout error"
	malformedReply = "Execution failed due to configuration error: Malformed Lambda proxy response"
	rateExceeded   = "Execution failed due to configuration error: Rate Exceeded."
	internalError  = "Execution failed due to an internal error"
	// notBase64 and notJSONBody are UNVERIFIED.
	notBase64   = "Execution failed due to configuration error: Unable to base64 decode the body."
	notJSONBody = "Could not parse request body into json: "
)

// permitted returns the fault of an API that may not invoke the function.
func (l *restLambda) permitted(x *plan.Exchange) error {
	if l.target.Permitted == nil {
		return nil
	}
	err := l.target.Permitted(x)
	if err == nil {
		return nil
	}
	x.Integration.Called = true
	var role *RoleError
	if errors.As(err, &role) {
		return l.fail(x, plan.IntegrationFailure, "Execution failed due to configuration error: "+role.Error(), nil)
	}
	x.Integration.Status = 403
	return l.fail(x, plan.IntegrationFailure, noPermission, err)
}

// A RoleError says that an integration's role can't be assumed.
type RoleError struct{ RoleARN string }

func (e *RoleError) Error() string {
	return "API Gateway does not have permission to assume the provided role " + e.RoleARN
}

// refused is the fault of a function that wasn't run, or not to its end.
func (l *restLambda) refused(x *plan.Exchange, err error) error {
	switch {
	case errors.Is(err, errLambdaTimeout):
		return l.fail(x, plan.IntegrationTimeout, timedOut, err)
	case errors.Is(err, errLambdaClientGone):
		x.Integration.Error = err.Error()
		return &plan.Fault{Kind: plan.ClientGone, Reason: "the function's answer has no reader", Cause: err}
	}
	var status interface{ Status() int }
	if !errors.As(err, &status) {
		// UNVERIFIED: what AWS logs of a function that isn't there.
		return l.fail(x, plan.IntegrationFailure, internalError, err)
	}
	return l.lambdaRefused(x, status.Status(), "the function can't be invoked", err)
}

// lambdaRefused is the fault of a call that the Lambda service refuses with a
// status.
func (l *restLambda) lambdaRefused(x *plan.Exchange, status int, reason string, cause error) error {
	x.Integration.Status, x.Integration.RequestID = status, l.service.newID()
	if t := x.Trace; t != nil {
		t.Error("Lambda invocation failed with status: %d. Lambda request id: %s", status, x.Integration.RequestID)
	}
	switch status {
	case 413:
		// UNVERIFIED: that an event over Lambda's limit is answered like a body
		// over the gateway's own.
		return l.fail(x, plan.RequestTooLarge, internalError, cause)
	case 429:
		return l.fail(x, plan.IntegrationFailure, rateExceeded, cause)
	default:
		if cause == nil {
			cause = errors.New(reason)
		}
		return l.fail(x, plan.IntegrationFailure, internalError, cause)
	}
}

// notJSON is the fault of an event that Lambda wouldn't take.
// UNVERIFIED: the gateway response it comes as, and that a WebSocket API says no
// more than that something is wrong.
func (l *restLambda) notJSON(x *plan.Exchange, payload []byte) error {
	err := json.Unmarshal(payload, new(any))
	x.Integration.Status = 400
	if x.Socket != nil {
		return l.fail(x, plan.IntegrationFailure, fmt.Sprint(notJSONBody, err), nil)
	}
	fault := l.fail(x, plan.BadRequestBody, fmt.Sprint(notJSONBody, err), nil)
	fault.Message = fault.Reason
	return fault
}

// functionFailed is the fault of a proxy whose function failed.
func (l *restLambda) functionFailed(x *plan.Exchange, result InvocationResult) error {
	words := "Lambda execution failed with status 200 due to customer function error: " +
		cut(errorMessage(result.Payload), maxErrorText) + ". Lambda request id: " + result.RequestID
	return l.fail(x, plan.FunctionFailure, words, nil)
}

// malformed is the fault of a proxy whose function answered nonsense.
func (l *restLambda) malformed(x *plan.Exchange, err error) error {
	if errors.Is(err, lambdaevent.ErrNotBase64) {
		return l.fail(x, plan.ConfigurationError, notBase64, err)
	}
	return l.fail(x, plan.FunctionFailure, malformedReply, err)
}

// fail reports why there is no response in AWS's words; the cause is for the
// operator only.
func (l *restLambda) fail(x *plan.Exchange, kind plan.FaultKind, words string, cause error) *plan.Fault {
	if t := x.Trace; t != nil {
		t.Error("%s", words)
	}
	x.Integration.Error = words
	reason := words
	if cause != nil {
		reason += ": " + cause.Error()
	}
	return &plan.Fault{Kind: kind, Reason: reason, Cause: cause}
}

// errorMessage is the errorMessage of a function's error document; what isn't a
// string there stands as JSON.
func errorMessage(payload []byte) string {
	var doc struct {
		ErrorMessage json.RawMessage `json:"errorMessage"`
	}
	if json.Unmarshal(payload, &doc) != nil {
		return "" // and the error document isn't one
	}
	var text string
	if json.Unmarshal(doc.ErrorMessage, &text) == nil {
		return text
	}
	return string(doc.ErrorMessage)
}

// cut returns the beginning of text, of whole characters.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}
