package lambda

import (
	"context"
	"encoding/base64"
	"fmt"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/function"
)

// InvokeWithResponseStream calls a function and hands its answer on while it is
// made. The answer of a handler that doesn't stream is one chunk.
func (s *Service) InvokeWithResponseStream(c *awswire.Call, in *api.InvokeWithResponseStreamRequest) (*api.InvokeWithResponseStreamResponse, error) {
	t, inv, err := s.invocation(c, &api.InvocationRequest{
		FunctionName: in.FunctionName, Qualifier: in.Qualifier, InvocationType: in.InvocationType, LogType: in.LogType,
		ClientContext: in.ClientContext, Payload: in.Payload, TenantId: in.TenantId,
	})
	if err != nil {
		return nil, err
	}
	if str(in.InvocationType) == api.InvocationTypeDryRun {
		return &api.InvokeWithResponseStreamResponse{StatusCode: new(int32(204))}, nil
	}
	// The call ends with its client, and so does the goroutine.
	ctx, cancel := context.WithCancel(c)
	p := &pipe{ctx: ctx, started: make(chan string, 1), chunks: make(chan []byte), done: make(chan struct{})}
	inv.Stream = p
	go func() {
		defer close(p.done)
		p.result, p.err = s.directory.invoke(ctx, t.arn(), inv, &p.version)
	}()
	contentType := ""
	select {
	case contentType = <-p.started:
	case <-p.done:
		if p.err != nil {
			cancel()
			return nil, invokeError(t, p.err)
		}
		contentType = p.result.ContentType
	}
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	return &api.InvokeWithResponseStreamResponse{
		StatusCode: new(int32(200)), ExecutedVersion: &p.version, ResponseStreamContentType: &contentType,
		EventStream: func(yield func(api.InvokeWithResponseStreamResponseEvent, error) bool) {
			defer cancel()
			p.run(yield, inv.Tail)
		},
	}, nil
}

// A pipe carries a streamed answer from the function's goroutine to the one
// that writes the response.
type pipe struct {
	ctx     context.Context
	started chan string // the content type, once
	chunks  chan []byte
	done    chan struct{}
	// What the invocation came to; readable once done is closed.
	result *function.Result
	err    error
	// version is readable once started or done.
	version string
}

// Start takes the content type.
func (p *pipe) Start(contentType string) error {
	p.started <- contentType
	return nil
}

// Write hands a chunk over. It fails when nobody reads any more.
func (p *pipe) Write(b []byte) (int, error) {
	select {
	case p.chunks <- append([]byte(nil), b...):
		return len(b), nil
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	}
}

// run yields the chunks and then how it ended.
func (p *pipe) run(yield func(api.InvokeWithResponseStreamResponseEvent, error) bool, tail bool) {
	chunk := func(b []byte) bool {
		return yield(api.InvokeWithResponseStreamResponseEvent{PayloadChunk: &api.InvokeResponseStreamUpdate{Payload: b}}, nil)
	}
	for open := true; open; {
		select {
		case b := <-p.chunks:
			if !chunk(b) {
				return
			}
		case <-p.done:
			open = false
		}
	}
	if p.err != nil {
		yield(api.InvokeWithResponseStreamResponseEvent{}, fmt.Errorf("streaming invocation: %w", p.err))
		return
	}
	end := &api.InvokeWithResponseStreamCompleteEvent{}
	if p.result.FunctionError != "" {
		end.ErrorCode = &p.result.FunctionError
		end.ErrorDetails = new(string(p.result.Payload))
	} else if !p.result.Streamed && len(p.result.Payload) > 0 && !chunk(p.result.Payload) {
		return
	}
	if tail {
		end.LogResult = new(base64.StdEncoding.EncodeToString(p.result.LogTail))
	}
	yield(api.InvokeWithResponseStreamResponseEvent{InvokeComplete: end}, nil)
}
