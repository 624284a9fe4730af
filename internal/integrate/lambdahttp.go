package integrate

import (
	"encoding/json"
	"errors"

	"gatehouse/internal/plan"
)

// An httpLambda is an AWS_PROXY integration of an HTTP API with a function.
type httpLambda struct {
	lambdaCaller
	event func([]byte, *plan.Exchange) []byte
	reply func([]byte, *plan.Response) error
}

// Integrate calls the function with the exchange as its event and makes the
// response of its result.
func (l *httpLambda) Integrate(x *plan.Exchange) error {
	if l.target.Permitted != nil {
		if err := l.target.Permitted(x); err != nil {
			return l.fail(x, plan.IntegrationFailure, "the API may not invoke "+l.target.FunctionARN, err)
		}
	}
	if err := x.ReadBody(); err != nil {
		return l.fail(x, plan.BadRequest, "the request's body can't be read", err)
	}
	call := Invocation{
		FunctionARN: l.target.FunctionARN,
		Qualifier:   l.target.Qualifier,
		TraceID:     "Root=" + x.TraceRoot,
		Payload:     l.payload(x, l.event),
	}
	result, err := l.invoke(x, call)
	if err != nil {
		return l.refused(x, err)
	}
	x.Integration.Status, x.Integration.RequestID = 200, result.RequestID
	if result.FunctionError != "" {
		return l.fail(x, plan.IntegrationFailure, functionError(result.Payload), nil)
	}
	if err := l.reply(result.Payload, &x.Response); err != nil {
		return l.fail(x, plan.IntegrationFailure, "the function's result can't be made a response", err)
	}
	x.Integration.FunctionStatus = x.Response.Status
	return nil
}

// refused is the fault of a function that wasn't run, or not to its end.
func (l *httpLambda) refused(x *plan.Exchange, err error) error {
	switch {
	case errors.Is(err, errLambdaTimeout):
		return l.fail(x, plan.IntegrationTimeout, "the function didn't answer within "+l.target.Timeout.String(), err)
	case errors.Is(err, errLambdaClientGone):
		return l.fail(x, plan.ClientGone, "the function's answer has no reader", err)
	}
	var status interface{ Status() int }
	if !errors.As(err, &status) {
		return l.fail(x, plan.IntegrationFailure, "the function can't be invoked", err)
	}
	x.Integration.Status = status.Status()
	if x.Integration.Status == 413 {
		// UNVERIFIED: that an event over Lambda's limit is answered like a body
		// over the gateway's own.
		return l.fail(x, plan.RequestTooLarge, "the event is too large for a function", err)
	}
	return l.fail(x, plan.IntegrationFailure, "the function can't be invoked", err)
}

// fail reports why there is no response.
func (l *httpLambda) fail(x *plan.Exchange, kind plan.FaultKind, reason string, cause error) error {
	if cause != nil {
		reason += ": " + cause.Error()
	}
	x.Integration.Error = reason
	return &plan.Fault{Kind: kind, Reason: reason, Cause: cause}
}

// functionError says what a function's error document says.
func functionError(payload []byte) string {
	var doc struct {
		ErrorMessage string `json:"errorMessage"`
		ErrorType    string `json:"errorType"`
	}
	text := "the function failed"
	if json.Unmarshal(payload, &doc) != nil {
		return text // and its error document isn't one
	}
	for _, part := range []string{doc.ErrorType, doc.ErrorMessage} {
		if part != "" {
			text += ": " + part[:min(len(part), maxErrorText)]
		}
	}
	return text
}
