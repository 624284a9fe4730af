package integrate

import (
	"bytes"
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

// A lambdaStream is an AWS_PROXY integration of a REST API with the response
// transfer mode STREAM: what the function answers goes to the client while it
// is made.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
type lambdaStream struct{ restLambda }

const (
	// maxStreamHead is how many bytes the metadata and its delimiter may take.
	maxStreamHead = 16 << 10
	// streamIdle is how long a function may pause within an answer.
	streamIdle = 5 * time.Minute
)

// headDelimiter stands between the metadata and the payload.
var headDelimiter = make([]byte, 8)

var (
	errStreamIdle = errors.New("the function has paused its answer for too long")
	errStreamHead = errors.New("the answer doesn't begin with metadata")
	// errFunctionFailed tells that the function failed; the result says how.
	errFunctionFailed = errors.New("the function failed before its answer was complete")
)

// Integrate calls the function and waits for the metadata of its answer; the
// payload is left to be read.
func (l *lambdaStream) Integrate(x *plan.Exchange) error {
	if err := l.readBody(x); err != nil {
		return err
	}
	call := l.invocation(x, l.payload(x, lambdaevent.REST))
	l.traceRequest(x, call.Payload)
	if err := l.permitted(x); err != nil {
		return err
	}
	call.RequestID = l.service.newID()
	start := l.service.clock()
	s := l.begin(call, x.Request.Done)
	head, err := s.head()
	x.Integration.Called = true
	x.Integration.Latency = l.service.clock().Sub(start)
	if err != nil {
		return l.failed(x, s, err)
	}
	x.Integration.Status, x.Integration.RequestID = 200, call.RequestID
	l.traceResponse(x, &InvocationResult{RequestID: call.RequestID, Payload: head})
	if err := lambdaevent.RESTStreamHead(head, x); err != nil {
		return l.failed(x, s, fmt.Errorf("%w: %w", errStreamHead, err))
	}
	x.Integration.FunctionStatus = x.Response.Status
	x.Response.BodyStream, x.Response.StreamLength = s, -1
	return nil
}

// failed ends an answer that has no head, and is the fault of it.
func (l *lambdaStream) failed(x *plan.Exchange, s *resultStream, err error) error {
	_ = s.Close() // never fails
	switch {
	case errors.Is(err, errFunctionFailed):
		x.Integration.Status, x.Integration.RequestID = 200, s.result.RequestID
		l.traceResponse(x, &s.result)
		return l.functionFailed(x, s.result)
	case errors.Is(err, errStreamHead):
		// UNVERIFIED: status and words; another implementation answers 500.
		x.Integration.Status = 200
		return l.fail(x, plan.IntegrationFailure, malformedReply, err)
	case errors.Is(err, errStreamIdle):
		return l.fail(x, plan.IntegrationTimeout, timedOut, err)
	default:
		return l.refused(x, err)
	}
}

// A resultStream is the answer of a function under way. The function writes to
// it while the client's front reads from it; neither gets ahead of the other.
type resultStream struct {
	from *io.PipeReader
	to   *io.PipeWriter
	// stop ends the call, and the stream with the cause.
	stop context.CancelCauseFunc
	// idle runs while the function is waited for.
	idle *time.Timer
	// rest is what was read behind the head.
	rest []byte

	// running are the call and the watch of the client. result is readable once
	// they have ended, or the stream has with errFunctionFailed.
	running sync.WaitGroup
	result  InvocationResult
}

// begin calls the function. The stream has to be closed.
func (l *lambdaStream) begin(call Invocation, done <-chan struct{}) *resultStream {
	s := &resultStream{}
	s.from, s.to = io.Pipe()
	timed, release := context.WithTimeoutCause(context.Background(), l.target.Timeout, errLambdaTimeout)
	ctx, cancel := context.WithCancelCause(timed)
	s.stop = func(cause error) {
		cancel(cause)
		release()
	}
	s.idle = time.AfterFunc(streamIdle, func() { s.stop(errStreamIdle) })
	s.running.Go(func() { s.run(ctx, l.service.streamer, call) })
	s.running.Go(func() {
		// A nil channel is that of a client who can't go away.
		select {
		case <-done:
			s.stop(errLambdaClientGone)
		case <-ctx.Done():
		}
		_ = s.to.CloseWithError(context.Cause(ctx)) // never fails
	})
	return s
}

// run calls the function and ends the stream as the call ends.
func (s *resultStream) run(ctx context.Context, streamer Streamer, call Invocation) {
	result, err := streamer.InvokeStream(ctx, call, s)
	s.result = result
	switch {
	case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
		err = context.Cause(ctx)
	case err != nil:
	case result.FunctionError != "":
		err = errFunctionFailed
	case !result.Streamed:
		// A function that doesn't stream has answered all at once.
		_, err = s.to.Write(result.Payload)
	}
	_ = s.to.CloseWithError(err) // never fails; nil is the end
}

// Start implements ResultStream.
func (s *resultStream) Start(string) error { return nil }

// Write implements ResultStream: it takes what the function answers.
func (s *resultStream) Write(b []byte) (int, error) { return s.to.Write(b) }

// head reads the metadata that an answer begins with.
func (s *resultStream) head() ([]byte, error) {
	buf := make([]byte, 0, 4<<10)
	for {
		n, err := s.wait(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if i := bytes.Index(buf, headDelimiter); i >= 0 && i+len(headDelimiter) <= maxStreamHead {
			s.rest = buf[i+len(headDelimiter):]
			return buf[:i:i], nil
		}
		switch {
		case errors.Is(err, io.EOF) || len(buf) >= maxStreamHead:
			return nil, fmt.Errorf("%w: there is none before eight NUL bytes", errStreamHead)
		case err != nil:
			return nil, err
		case len(buf) == cap(buf):
			buf = slices.Grow(buf, len(buf))
		}
	}
}

// wait reads what the function writes next.
func (s *resultStream) wait(p []byte) (int, error) {
	s.idle.Reset(streamIdle)
	n, err := s.from.Read(p)
	s.idle.Stop()
	return n, err
}

// Read reads the payload. What breaks it off is an error; the client must not
// take what there is for the whole.
func (s *resultStream) Read(p []byte) (int, error) {
	if len(s.rest) > 0 {
		n := copy(p, s.rest)
		s.rest = s.rest[n:]
		return n, nil
	}
	n, err := s.wait(p)
	if errors.Is(err, errFunctionFailed) {
		err = fmt.Errorf("%w: %s", err, cut(errorMessage(s.result.Payload), maxErrorText))
	}
	return n, err
}

// Close ends the call if it isn't over, and waits until nothing of it runs.
func (s *resultStream) Close() error {
	s.stop(nil)
	err := s.from.Close()
	s.running.Wait()
	return err
}
