package serve_test

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/socket"
)

// Bodies that are held whole share a memory: one too many is refused, and what is
// passed on as it comes takes nothing of it.
func TestHeldBodies(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	read := step(func(x *plan.Exchange) error {
		if err := x.ReadBody(); err != nil {
			return &plan.Fault{Kind: plan.BadRequest, Reason: err.Error()}
		}
		x.Response = plan.Response{Status: 200, Body: fmt.Append(nil, len(x.Request.Body))}
		return nil
	})
	hold := step(func(x *plan.Exchange) error {
		err := read(x)
		close(held)
		<-release
		return err
	})
	pass := step(func(x *plan.Exchange) error {
		n, err := io.Copy(io.Discard, x.Request.BodyReader)
		x.Response = plan.Response{Status: 200, Body: fmt.Append(nil, n)}
		return err
	})
	answer := step(func(x *plan.Exchange) error {
		x.Response = plan.Response{Status: 200, BodyStream: io.NopCloser(strings.NewReader(strings.Repeat("b", 600_000))), StreamLength: -1}
		return x.ReadResponse()
	})
	g := startGateway(t, serve.Options{MaxHeldBytes: 1 << 20},
		route(t, "POST /hold", hold), route(t, "POST /read", read),
		route(t, "POST /pass", pass), route(t, "GET /answer", answer))
	post := func(path string, size int) (int, string) {
		res, body := send(t, g.addr, "POST "+path+" HTTP/1.1\r\n"+host+fmt.Sprintf("Content-Length: %d\r\n\r\n", size)+strings.Repeat("b", size))
		return res.StatusCode, body
	}
	first := make(chan string, 1)
	go func() {
		status, body := post("/hold", 500_000)
		first <- fmt.Sprint(status, " ", body)
	}()
	<-held
	one := g.Numbers().HeldBytes
	if one < 400_000 || one > 1<<20 {
		t.Errorf("%d bytes are held", one)
	}
	const refused = `{"message":"Service Unavailable"}`
	if status, body := post("/read", 600_000); status != 503 || body != refused {
		t.Errorf("one too many: %d %s", status, body)
	}
	g.awaitHeld(t, one)
	if res, body := send(t, g.addr, "GET /answer HTTP/1.1\r\n"+host+"\r\n"); res.StatusCode != 503 || body != refused {
		t.Errorf("a response: %d %.80s", res.StatusCode, body)
	}
	g.awaitHeld(t, one)
	if status, body := post("/pass", 3_000_000); status != 200 || body != "3000000" {
		t.Errorf("passed on: %d %s", status, body)
	}
	if status, body := post("/read", 60_000); status != 200 || body != "60000" {
		t.Errorf("a short one: %d %s", status, body)
	}
	close(release)
	if got := <-first; got != "200 500000" {
		t.Errorf("the first: %s", got)
	}
	g.awaitHeld(t, 0)
	if res, body := send(t, g.addr, "GET /answer HTTP/1.1\r\n"+host+"\r\n"); res.StatusCode != 200 || len(body) != 600_000 {
		t.Errorf("the response, once there is room: %d %.80s", res.StatusCode, body)
	}
	g.awaitHeld(t, 0)
}

// awaitHeld waits until so many bytes are held: a client has its answer a moment
// before the gateway is done with it.
func (g *gateway) awaitHeld(t testing.TB, want int64) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for g.Numbers().HeldBytes != want {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are held, want %d", g.Numbers().HeldBytes, want)
		}
		time.Sleep(time.Millisecond)
	}
}

// A client that sends long bodies slowly doesn't keep those of others out.
func TestHeldBodiesOfAClient(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	hold := step(func(x *plan.Exchange) error {
		if err := x.ReadBody(); err != nil {
			return &plan.Fault{Kind: plan.BadRequest, Reason: err.Error()}
		}
		if x.Request.Path == "/hold" {
			held <- struct{}{}
			<-release
		}
		x.Response = plan.Response{Status: 200}
		return nil
	})
	g := startGateway(t, serve.Options{MaxHeldBytes: 1 << 20, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		route(t, "POST /hold", hold), route(t, "POST /read", hold))
	addr := g.serveOn(t, g.ServeTraffic)
	post := func(path, client string) int {
		const size = 220_000
		res, _ := send(t, addr, "POST "+path+" HTTP/1.1\r\n"+host+"X-Forwarded-For: "+client+"\r\n"+
			fmt.Sprintf("Content-Length: %d\r\n\r\n", size)+strings.Repeat("b", size))
		return res.StatusCode
	}
	answers := make(chan int)
	for range 3 {
		go func() { answers <- post("/hold", "192.0.2.1") }()
		select {
		case <-held:
		case status := <-answers:
			t.Fatalf("one of three bodies: %d", status)
		}
	}
	if status := post("/read", "192.0.2.1"); status != 503 {
		t.Errorf("the fourth body of a client: %d", status)
	}
	if status := post("/read", "192.0.2.2"); status != 200 {
		t.Errorf("the first one of another client: %d", status)
	}
	close(release)
	for range 3 {
		if status := <-answers; status != 200 {
			t.Errorf("one that was held: %d", status)
		}
	}
	if status := post("/read", "192.0.2.1"); status != 200 {
		t.Errorf("once there is room: %d", status)
	}
	g.awaitHeld(t, 0)
}

// Messages of WebSocket APIs are held in the same memory, also while they come.
func TestHeldMessages(t *testing.T) {
	g := startSockets(t, serve.Options{MaxHeldBytes: 256 << 10}, socket.Options{MaxMessageBytes: 1 << 20, MaxFrameBytes: 1 << 20})
	await := func(what string, held func(n int64) bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !held(g.Numbers().HeldBytes); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d bytes are held", what, g.Numbers().HeldBytes)
			}
		}
	}
	part := func(op ws.OpCode) ws.Frame { return ws.NewFrame(op, false, bytes.Repeat([]byte("x"), 100<<10)) }
	first, second := g.connect(t), g.connect(t)
	first.send(part(ws.OpText))
	await("half a message", func(n int64) bool { return n > 90<<10 })
	second.send(part(ws.OpText))
	second.send(part(ws.OpContinuation))
	second.expectClose(1013, "")
	for _, c := range []*wsClient{first, second} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	await("messages of clients that went", func(n int64) bool { return n == 0 })
}
