package serve_test

import (
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/socket"
)

// What a handshake must have is checked before $connect is called, and a stage
// that was never deployed opens no connection.
func TestHandshakesChecked(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{})
	called := false
	stage := socketStage(g)
	stage.Connect = &plan.Route{
		Key: "$connect", Socket: &plan.SocketRoute{Validator: invalid{}},
		Integration: step(func(*plan.Exchange) error { called = true; return nil }),
	}
	g.setStage(stage)
	if res, body := send(t, g.addr, handshake); res.StatusCode != 400 || called {
		t.Errorf("%d %s, called %v", res.StatusCode, body, called)
	}
	g.setStage(nil)
	if res, body := send(t, g.addr, handshake); res.StatusCode != 403 || body != `{"message":"Forbidden"}` {
		t.Errorf("never deployed: %d %s", res.StatusCode, body)
	}
}

// A connection whose stage serves nothing any more is told so, and ends in peace.
func TestSocketOfAnEmptyStage(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{})
	c := g.connect(t)
	g.setStage(nil)
	c.say("echo")
	if got := c.hear(); got == "" || got == "echo:echo" {
		t.Errorf("heard %q", got)
	}
}
