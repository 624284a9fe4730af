package main

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/gobwas/ws"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/socket"
)

// The roles of servers of WebSockets, and the word on which the bare one
// broadcasts.
const (
	roleBareSocket  = "baresocket"
	roleSocketPlane = "socketplane"
	broadcastWord   = "broadcast"
)

// bareSocket echoes messages and knows nothing else: what gobwas/ws and a
// goroutine for each connection take at least.
func bareSocket(ctx context.Context, l net.Listener) error {
	var all sync.Map
	return serveUntil(ctx, l, func(l net.Listener) error {
		for {
			nc, err := l.Accept()
			if err != nil {
				return err
			}
			go func() {
				defer nc.Close() //nolint:errcheck // the client is gone
				if _, err := ws.Upgrade(nc); err != nil {
					return
				}
				all.Store(nc, nil)
				defer all.Delete(nc)
				for {
					f, err := readFrame(nc)
					if err != nil {
						return
					}
					f = ws.UnmaskFrameInPlace(f)
					if f.Header.OpCode == ws.OpClose {
						_ = ws.WriteFrame(nc, ws.NewCloseFrame(f.Payload))
						return
					}
					if string(f.Payload) == broadcastWord {
						message := ws.MustCompileFrame(ws.NewTextFrame(make([]byte, 100)))
						all.Range(func(to, _ any) bool {
							_, _ = to.(net.Conn).Write(message)
							return true
						})
						continue
					}
					if err := ws.WriteFrame(nc, ws.NewTextFrame(f.Payload)); err != nil {
						return
					}
				}
			}()
		}
	})
}

// echoStep answers with the message.
type echoStep struct{}

// Integrate implements plan.Integration.
func (echoStep) Integrate(x *plan.Exchange) error {
	x.Response.Status, x.Response.Body = 200, x.Request.Body
	return nil
}

// socketPlane serves a WebSocket API that echoes, without management.
func socketPlane(ctx context.Context, l net.Listener) error {
	seen := &counter{}
	echo := &plan.Route{Key: "$default", ID: "echo", Integration: echoStep{}, Socket: &plan.SocketRoute{TwoWay: true}}
	api := &plan.API{ID: "bench", Protocol: plan.WebSocket, Stages: map[string]*plan.Stage{}}
	api.Stages["bench"] = &plan.Stage{
		API: api, Name: "bench", Default: echo, AccessLog: seen, Metrics: seen, Socket: &plan.SocketStage{},
	}
	var current atomic.Pointer[plan.Plan]
	current.Store(current.Load().With(api))
	s := serve.New(serve.Options{Plan: &current, Sockets: socket.New(socket.Options{})})
	return serveUntil(ctx, l, s.Serve)
}

// readFrame reads one frame of at most 1 MB.
func readFrame(r io.Reader) (ws.Frame, error) {
	header, err := ws.ReadHeader(r)
	if err != nil {
		return ws.Frame{}, err
	}
	if header.Length > 1<<20 {
		return ws.Frame{}, ws.ErrHeaderLengthUnexpected
	}
	payload := make([]byte, header.Length)
	_, err = io.ReadFull(r, payload)
	return ws.Frame{Header: header, Payload: payload}, err
}
