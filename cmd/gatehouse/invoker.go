package main

import (
	"context"
	"crypto/rand"
	"fmt"

	"gatehouse/internal/control/lambda"
	"gatehouse/internal/function"
	"gatehouse/internal/integrate"
)

// An invoker runs functions for integrations.
type invoker struct{ directory *lambda.Directory }

// Invoke implements integrate.Invoker.
func (i invoker) Invoke(ctx context.Context, call integrate.Invocation) (integrate.InvocationResult, error) {
	return i.InvokeStream(ctx, call, nil)
}

// InvokeStream implements integrate.Streamer.
func (i invoker) InvokeStream(ctx context.Context, call integrate.Invocation, to integrate.ResultStream) (integrate.InvocationResult, error) {
	res, _, err := i.directory.InvokeWith(ctx, calledARN(call), &function.Invocation{
		Payload: call.Payload, TraceID: call.TraceID, RequestID: call.RequestID, Stream: to,
	})
	if err != nil {
		return integrate.InvocationResult{}, err
	}
	return integrate.InvocationResult{
		RequestID: res.RequestID, Payload: res.Payload, FunctionError: res.FunctionError, Streamed: res.Streamed,
	}, nil
}

// calledARN is the ARN of a call, qualified if it is for a version or an alias.
func calledARN(call integrate.Invocation) string {
	return qualifiedARN(call.FunctionARN, call.Qualifier)
}

func qualifiedARN(function, qualifier string) string {
	if qualifier == "" {
		return function
	}
	return function + ":" + qualifier
}

// lateEvents takes events for functions once the service that delivers them is
// there. Nothing is served earlier.
type lateEvents struct{ *lambda.Service }

// Queue implements integrate.EventQueue.
func (e *lateEvents) Queue(event integrate.Invocation) error {
	return e.InvokeLater(calledARN(event), event.Payload, event.TraceID)
}

// newUUID makes a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
