package integrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/lambdaevent"
	"gatehouse/internal/plan"
)

// Lambda payload format versions of HTTP APIs.
const (
	PayloadFormat10 = "1.0"
	PayloadFormat20 = "2.0"
)

const (
	// maxLambdaTimeout is the longest that an HTTP API waits for a function.
	maxLambdaTimeout = 30 * time.Second
	// maxPooledEvent is the largest buffer of an event that is kept for another.
	maxPooledEvent = 256 << 10
	// maxErrorText is how much of a function's error message is reported.
	maxErrorText = 1024
)

// An Invocation is one call of a function.
type Invocation struct {
	// FunctionARN is the function's ARN without a qualifier, Qualifier the
	// version or alias, "" for none.
	FunctionARN, Qualifier string
	// TraceID is the X-Ray trace header, "Root=1-...".
	TraceID string
	// Payload is the event. It is the invoker's to keep.
	Payload []byte
}

// An InvocationResult is what a function that could be run came to.
type InvocationResult struct {
	// RequestID is the invocation's own id.
	RequestID string
	// Payload is the function's result, or the document of its error. It is the
	// receiver's to change.
	Payload []byte
	// FunctionError is "" when the function succeeded.
	FunctionError string
}

// An Invoker runs functions and waits for their results. An error means that
// the function couldn't be run; one with a method Status() int says with which
// HTTP status the Lambda service answers such a call. When ctx ends the wait
// ends with its error.
type Invoker interface {
	Invoke(ctx context.Context, call Invocation) (InvocationResult, error)
}

// LambdaOptions are what all integrations with functions share.
type LambdaOptions struct {
	Invoker Invoker
	// Clock measures latencies; nil is time.Now.
	Clock func() time.Time
}

// A LambdaService makes integrations with functions. It lives as long as the
// process and keeps what one plan leaves for the next.
type LambdaService struct {
	invoker Invoker
	clock   func() time.Time
	buffers sync.Pool // of *[]byte
}

// NewLambdaService returns a service.
func NewLambdaService(o LambdaOptions) *LambdaService {
	s := &LambdaService{invoker: o.Invoker, clock: o.Clock}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.buffers.New = func() any { return new([]byte) }
	return s
}

// A LambdaTarget says which function an integration calls, and how.
type LambdaTarget struct {
	// FunctionARN is the function's ARN without a qualifier, Qualifier the
	// version or alias, "" for none. Stage variables are replaced.
	FunctionARN, Qualifier string
	// PayloadFormat is PayloadFormat10 or PayloadFormat20.
	PayloadFormat string
	// Timeout bounds the call; 0 is the 30 seconds that are also the most.
	Timeout time.Duration
	// Permitted returns why the API may not invoke the function for a request,
	// nil when it may. SourceARN is what to ask the function's policy about. A
	// nil Permitted allows every call.
	Permitted func(x *plan.Exchange) error
}

// Lambda is an AWS_PROXY integration with a Lambda function.
type Lambda struct {
	service *LambdaService
	target  LambdaTarget
	event   func([]byte, *plan.Exchange) []byte
	reply   func([]byte, *plan.Response) error
}

// Lambda makes an integration. The error says what is wrong with the target.
func (s *LambdaService) Lambda(target LambdaTarget) (*Lambda, error) {
	l := &Lambda{service: s, target: target}
	switch target.PayloadFormat {
	case PayloadFormat10:
		l.event, l.reply = lambdaevent.HTTP10, lambdaevent.Reply10
	case PayloadFormat20:
		l.event, l.reply = lambdaevent.HTTP20, lambdaevent.Reply20
	default:
		return nil, fmt.Errorf("payload format version %q isn't known", target.PayloadFormat)
	}
	if target.FunctionARN == "" {
		return nil, errors.New("an integration with a function needs its ARN")
	}
	if target.Timeout < 0 || target.Timeout > maxLambdaTimeout {
		return nil, fmt.Errorf("a function can't be waited for %s", target.Timeout)
	}
	if target.Timeout == 0 {
		l.target.Timeout = maxLambdaTimeout
	}
	return l, nil
}

// SourceARN is the ARN that a function's policy is asked about before the
// route of x may invoke it: the route's own path, "*" for ANY.
func SourceARN(x *plan.Exchange) string {
	api := x.Stage.API
	arn := "arn:aws:execute-api:" + api.Region + ":" + api.AccountID + ":" + api.ID + "/" + x.Stage.Name + "/"
	switch x.Route.Method {
	case "":
		return arn + x.Route.Key
	case plan.AnyMethod:
		return arn + "*" + x.Route.Path
	default:
		return arn + x.Route.Method + x.Route.Path
	}
}

// Integrate calls the function with the exchange as its event and makes the
// response of its result.
func (l *Lambda) Integrate(x *plan.Exchange) error {
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
		Payload:     l.payload(x),
	}
	start := l.service.clock()
	result, err := l.invoke(x, call)
	x.Integration.Called = true
	x.Integration.Latency = l.service.clock().Sub(start)
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

// payload returns the event of x in memory of its own: a runtime may still be
// reading it when its result is here.
func (l *Lambda) payload(x *plan.Exchange) []byte {
	buf := l.service.buffers.Get().(*[]byte)
	*buf = l.event((*buf)[:0], x)
	payload := slices.Clone(*buf)
	if cap(*buf) <= maxPooledEvent {
		l.service.buffers.Put(buf)
	}
	return payload
}

var (
	errLambdaTimeout    = errors.New("the integration's timeout has passed")
	errLambdaClientGone = errors.New("the client has gone away")
)

// invoke calls the function until the timeout passes or the client goes away.
func (l *Lambda) invoke(x *plan.Exchange, call Invocation) (InvocationResult, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), l.target.Timeout, errLambdaTimeout)
	defer cancel()
	if done := x.Request.Done; done != nil {
		gone, leave := context.WithCancelCause(ctx)
		var watch sync.WaitGroup
		watch.Go(func() {
			select {
			case <-done:
				leave(errLambdaClientGone)
			case <-gone.Done():
			}
		})
		defer watch.Wait()
		defer leave(nil)
		ctx = gone
	}
	result, err := l.service.invoker.Invoke(ctx, call)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = context.Cause(ctx)
	}
	return result, err
}

// refused is the fault of a function that wasn't run, or not to its end.
func (l *Lambda) refused(x *plan.Exchange, err error) error {
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
func (l *Lambda) fail(x *plan.Exchange, kind plan.FaultKind, reason string, cause error) error {
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
