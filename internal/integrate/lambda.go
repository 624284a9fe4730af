package integrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/lambdaevent"
	"gatehouse/internal/plan"
)

// What functions get and answer: the payload format versions of HTTP APIs, the
// event and the reply of a REST API's AWS_PROXY integration, the same event with
// a reply that is streamed, the events and the replies of a WebSocket API's
// AWS_PROXY integration, and the body as a mapping made it and the result as it
// is, of AWS integrations of either.
const (
	PayloadFormat10        = "1.0"
	PayloadFormat20        = "2.0"
	PayloadFormatREST      = "rest"
	PayloadFormatStream    = "stream"
	PayloadFormatWebSocket = "websocket"
	PayloadFormatBody      = "body"
)

const (
	// httpTimeout is how long an HTTP API waits for a function that isn't told.
	httpTimeout = 30 * time.Second
	// restTimeout is how long a REST API or a WebSocket API waits that isn't told.
	restTimeout = 29 * time.Second
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
	// RequestID is the id that the invocation gets; "" lets the invoker make one.
	RequestID string
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
	// Streamed tells that the result went to a ResultStream; Payload has no more
	// than the document of an error then.
	Streamed bool
}

// An Invoker runs functions and waits for their results. An error means that
// the function couldn't be run; one with a method Status() int says with which
// HTTP status the Lambda service answers such a call. When ctx ends the wait
// ends with its error.
type Invoker interface {
	Invoke(ctx context.Context, call Invocation) (InvocationResult, error)
}

// A ResultStream takes a result while it is made, from one goroutine at a time.
// Write blocks while the client is slower than the function; after an error the
// rest of the result is for nobody.
type ResultStream interface {
	// Start is called once, before the first Write. REST APIs don't ask what the
	// content type is.
	Start(contentType string) error
	io.Writer
}

// A Streamer runs functions as an Invoker does and hands results on while they
// are made. The result of a function that doesn't stream is in the payload, as
// an Invoker's.
type Streamer interface {
	InvokeStream(ctx context.Context, call Invocation, to ResultStream) (InvocationResult, error)
}

// An EventQueue takes events for functions whose results nobody waits for. An
// error means that it didn't; one with a method Status() int is as an Invoker's.
type EventQueue interface {
	Queue(event Invocation) error
}

// LambdaOptions are what all integrations with functions share.
type LambdaOptions struct {
	Invoker Invoker
	// Streamer is needed for PayloadFormatStream.
	Streamer Streamer
	// Events takes asynchronous invocations of REST APIs; nil refuses them.
	Events EventQueue
	// Clock measures latencies; nil is time.Now.
	Clock func() time.Time
	// NewID makes the request id of an invocation that has to be known before it
	// is over, and of a call that Lambda refused, which has none of its own. Nil
	// gives them none.
	NewID func() string
}

// A LambdaService makes integrations with functions. It lives as long as the
// process and keeps what one plan leaves for the next.
type LambdaService struct {
	invoker  Invoker
	streamer Streamer
	events   EventQueue
	clock    func() time.Time
	newID    func() string
	buffers  sync.Pool // of *[]byte
}

// NewLambdaService returns a service.
func NewLambdaService(o LambdaOptions) *LambdaService {
	s := &LambdaService{invoker: o.Invoker, streamer: o.Streamer, events: o.Events, clock: o.Clock, newID: o.NewID}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.newID == nil {
		s.newID = func() string { return "" }
	}
	s.buffers.New = func() any { return new([]byte) }
	return s
}

// A LambdaTarget says which function an integration calls, and how.
type LambdaTarget struct {
	// FunctionARN is the function's ARN without a qualifier, Qualifier the
	// version or alias, "" for none. Stage variables are replaced.
	FunctionARN, Qualifier string
	// PayloadFormat is one of the PayloadFormat constants.
	PayloadFormat string
	// Timeout bounds the call, and of a streamed reply all of it; 0 is the 30
	// seconds that are also the most for an HTTP API, and 29 seconds for other
	// APIs.
	Timeout time.Duration
	// Permitted returns why the API may not invoke the function for a request,
	// nil when it may. SourceARN is what to ask the function's policy about. A
	// nil Permitted allows every call.
	Permitted func(x *plan.Exchange) error
}

// Lambda makes an integration. The error says what is wrong with the target.
func (s *LambdaService) Lambda(target LambdaTarget) (plan.Integration, error) {
	if target.FunctionARN == "" {
		return nil, errors.New("an integration with a function needs its ARN")
	}
	if target.Timeout < 0 {
		return nil, fmt.Errorf("a function can't be waited for %s", target.Timeout)
	}
	switch target.PayloadFormat {
	case PayloadFormat10:
		return s.httpAPI(target, lambdaevent.HTTP10, lambdaevent.Reply10)
	case PayloadFormat20:
		return s.httpAPI(target, lambdaevent.HTTP20, lambdaevent.Reply20)
	case PayloadFormatREST:
		return &lambdaProxy{s.restAPI(target)}, nil
	case PayloadFormatStream:
		if s.streamer == nil {
			return nil, errors.New("there is nothing that streams results")
		}
		return &lambdaStream{s.restAPI(target)}, nil
	case PayloadFormatWebSocket:
		return &lambdaSocket{s.restAPI(target)}, nil
	case PayloadFormatBody:
		return &lambdaBody{s.restAPI(target)}, nil
	default:
		return nil, fmt.Errorf("payload format %q isn't known", target.PayloadFormat)
	}
}

func (s *LambdaService) httpAPI(target LambdaTarget, event func([]byte, *plan.Exchange) []byte, reply func([]byte, *plan.Response) error) (plan.Integration, error) {
	if target.Timeout == 0 {
		target.Timeout = httpTimeout
	}
	return &httpLambda{lambdaCaller{s, target}, event, reply}, nil
}

// SourceARN is the ARN that a function's policy is asked about before the
// route of x may invoke it: the route's own path, "*" for ANY but on REST APIs,
// or the key of a route that has no path.
func SourceARN(x *plan.Exchange) string {
	api := x.Stage.API
	arn := "arn:aws:execute-api:" + api.Region + ":" + api.AccountID + ":" + api.ID + "/" + x.Stage.Name + "/"
	switch {
	case x.Route.Method == "":
		return arn + x.Route.Key
	case x.Route.Method == plan.AnyMethod && !isRest(x):
		return arn + "*" + x.Route.Path
	default:
		return arn + x.Route.Method + x.Route.Path
	}
}

// A lambdaCaller calls one function, for whichever kind of API.
type lambdaCaller struct {
	service *LambdaService
	target  LambdaTarget
}

// payload returns the event of x in memory of its own: a runtime may still be
// reading it when its result is here.
func (l *lambdaCaller) payload(x *plan.Exchange, event func([]byte, *plan.Exchange) []byte) []byte {
	buf := l.service.buffers.Get().(*[]byte)
	*buf = event((*buf)[:0], x)
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

// invoke calls the function until the timeout passes or the client goes away,
// and reports how long that took.
func (l *lambdaCaller) invoke(x *plan.Exchange, call Invocation) (InvocationResult, error) {
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
	start := l.service.clock()
	result, err := l.service.invoker.Invoke(ctx, call)
	x.Integration.Called = true
	x.Integration.Latency = l.service.clock().Sub(start)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = context.Cause(ctx)
	}
	return result, err
}
