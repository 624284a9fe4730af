package serve_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/socket"
)

// A socketGateway is a running server with a WebSocket API "wsa", stage "prod".
type socketGateway struct {
	*serve.Server
	addr    string
	plan    atomic.Pointer[plan.Plan]
	sockets *socket.Registry
	counts  *counts
	ended   chan string
}

// firstWord selects routes by the first word of a message.
type firstWord struct{}

func (firstWord) Select(x *plan.Exchange) string {
	word, _, _ := strings.Cut(string(x.Request.Body), " ")
	return word
}

// socketStage is a stage with routes: echo and slow answer, boom panics, mute
// says nothing, late times out, big answers too much.
func socketStage(g *socketGateway) *plan.SocketStage {
	twoWay := &plan.SocketRoute{TwoWay: true}
	reply := func(x *plan.Exchange) error {
		x.Response.Status = 200
		x.Response.Body = append([]byte("echo:"), x.Request.Body...)
		return nil
	}
	fault := func(kind plan.FaultKind) step {
		return func(*plan.Exchange) error { return &plan.Fault{Kind: kind, Reason: "a test"} }
	}
	return &plan.SocketStage{
		Select: firstWord{},
		Keys: map[string]*plan.Route{
			"echo": {Key: "echo", Integration: step(reply), Socket: twoWay},
			"mute": {Key: "mute", Integration: step(reply), Socket: &plan.SocketRoute{}},
			"boom": {Key: "boom", Integration: step(func(*plan.Exchange) error { panic("boom") })},
			"late": {Key: "late", Integration: fault(plan.IntegrationTimeout)},
			"fail": {Key: "fail", Integration: fault(plan.FunctionFailure)},
			"hang": {Key: "hang", Integration: step(func(x *plan.Exchange) error {
				<-x.Request.Done
				return &plan.Fault{Kind: plan.ClientGone}
			})},
			"full":  {Key: "full", Limit: never{}, Integration: step(reply)},
			"model": {Key: "model", Integration: step(reply), Socket: &plan.SocketRoute{Validator: invalid{}}},
			"big": {Key: "big", Socket: twoWay, Integration: step(func(x *plan.Exchange) error {
				x.Response.Status, x.Response.Body = 200, make([]byte, socket.MaxMessageBytes+1)
				return nil
			})},
		},
		Disconnect: &plan.Route{Key: "$disconnect", Integration: step(func(x *plan.Exchange) error {
			g.ended <- fmt.Sprintf("%s %d %s", strings.Clone(x.Socket.ConnectionID), x.Socket.DisconnectCode, strings.Clone(x.Socket.DisconnectReason))
			return nil
		})},
	}
}

type never struct{}

func (never) Take(time.Time) bool { return false }

func (never) Numbers() (rate float64, burst int32) { return 1, 2 }

type invalid struct{}

func (invalid) Validate(*plan.Exchange) error { return &plan.Fault{Kind: plan.BadRequestBody} }

func startSockets(t testing.TB, o serve.Options, so socket.Options) *socketGateway {
	t.Helper()
	g := &socketGateway{counts: &counts{}, ended: make(chan string, 1000)}
	g.setStage(socketStage(g))
	g.sockets = socket.New(so)
	o.Plan, o.Sockets = &g.plan, g.sockets
	g.Server = serve.New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.addr = l.Addr().String()
	failed := make(chan error, 1)
	go func() { failed <- g.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := g.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-failed; err != nil {
			t.Errorf("serve: %v", err)
		}
		if n := g.sockets.Len(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
	return g
}

// setStage deploys.
func (g *socketGateway) setStage(s *plan.SocketStage) {
	api := &plan.API{ID: "wsa", Protocol: plan.WebSocket, Stages: map[string]*plan.Stage{}}
	api.Stages["prod"] = &plan.Stage{API: api, Name: "prod", Socket: s, AccessLog: g.counts, Metrics: g.counts}
	g.plan.Store((*plan.Plan)(nil).With(api))
}

// A wsClient is a client that sends and receives single frames.
type wsClient struct {
	net.Conn
	r *bufio.Reader
	t testing.TB
	// handshake is the answer to the handshake.
	handshake *http.Response
}

const handshake = "GET /prod HTTP/1.1\r\nHost: wsa.execute-api.localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUser-Agent: test\r\n\r\n"

func (g *socketGateway) connect(t testing.TB) *wsClient {
	t.Helper()
	return upgrade(t, dial(t, g.addr), handshake)
}

func upgrade(t testing.TB, nc net.Conn, request string) *wsClient {
	t.Helper()
	if _, err := io.WriteString(nc, request); err != nil {
		t.Fatal(err)
	}
	c := &wsClient{Conn: nc, r: bufio.NewReader(nc), t: t}
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 101 {
		t.Fatalf("the handshake was answered %s", res.Status)
	}
	c.handshake = res
	return c
}

func (c *wsClient) send(f ws.Frame) {
	c.t.Helper()
	if _, err := c.Write(ws.MustCompileFrame(ws.MaskFrameInPlace(f))); err != nil {
		c.t.Fatal(err)
	}
}

func (c *wsClient) say(text string) { c.t.Helper(); c.send(ws.NewTextFrame([]byte(text))) }

func (c *wsClient) frame() ws.Frame {
	c.t.Helper()
	f, err := readFrame(c.r)
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

func (c *wsClient) hear() string {
	c.t.Helper()
	f := c.frame()
	if f.Header.OpCode != ws.OpText || !f.Header.Fin || f.Header.Masked {
		c.t.Fatalf("heard %+v", f.Header)
	}
	return string(f.Payload)
}

// expectClose reads the close frame, and the end behind it.
func (c *wsClient) expectClose(code int, reason string) {
	c.t.Helper()
	f := c.frame()
	if f.Header.OpCode != ws.OpClose {
		c.t.Fatalf("got %+v %q, want a close frame", f.Header, f.Payload)
	}
	gotCode, gotReason := ws.ParseCloseFrameData(f.Payload)
	if int(gotCode) != code || gotReason != reason {
		c.t.Errorf("closed with %d %q, want %d %q", gotCode, gotReason, code, reason)
	}
}

func (c *wsClient) expectEnd() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err != io.EOF {
		c.t.Errorf("read %x, %v, want the end", b, err)
	}
}

func (g *socketGateway) expectDisconnect(t testing.TB, want string) {
	t.Helper()
	select {
	case got := <-g.ended:
		if _, got, _ = strings.Cut(got, " "); got != want {
			t.Errorf("$disconnect was told %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Error("$disconnect was never told")
	}
}

func TestSocketMessages(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{})
	c := g.connect(t)
	if got := c.handshake.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("Sec-WebSocket-Accept is %q", got)
	}
	c.say("echo hello")
	if got := c.hear(); got != "echo:echo hello" {
		t.Errorf("heard %q", got)
	}
	for message, want := range map[string]string{
		"nothing":       "Forbidden",
		"$connect":      "Forbidden",
		"boom":          "Internal server error",
		"fail":          "Internal server error",
		"big":           "Internal server error",
		"late":          "Endpoint request timed out",
		"full":          "Too Many Requests",
		"model is here": "Bad request body",
	} {
		c.say(message)
		got := c.hear()
		name := "requestId"
		if want == "Bad request body" {
			name = "messageId"
		}
		prefix := `{"message": "` + want + `", "connectionId":"`
		id, rest, _ := strings.Cut(strings.TrimPrefix(got, prefix), `"`)
		if !strings.HasPrefix(got, prefix) || len(id) != 16 || !strings.HasPrefix(rest, `, "`+name+`":"`) || !strings.HasSuffix(rest, `="}`) {
			t.Errorf("%q was answered %s", message, got)
		}
	}
	// A one-way route says nothing: the next thing heard is the echo.
	c.say("mute")
	c.say("echo 2")
	if got := c.hear(); got != "echo:echo 2" {
		t.Errorf("heard %q", got)
	}
	c.send(ws.NewPingFrame([]byte("p")))
	if f := c.frame(); f.Header.OpCode != ws.OpPong || string(f.Payload) != "p" {
		t.Errorf("a ping was answered %+v", f)
	}
	c.send(ws.NewCloseFrame(ws.NewCloseFrameBody(4001, "bye")))
	c.expectClose(4001, "")
	c.expectEnd()
	g.expectDisconnect(t, "4001 bye")
}

func TestHandshakesRefused(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{})
	replace := func(old, by string) string { return strings.Replace(handshake, old, by, 1) }
	for name, c := range map[string]struct {
		request string
		status  int
		body    string
	}{
		"plain":         {"GET /prod HTTP/1.1\r\nHost: wsa.execute-api.localhost\r\n\r\n", 426, `{"message":"Upgrade Required"}`},
		"unknown stage": {replace("/prod", "/dev"), 403, `{"message":"Forbidden"}`},
		"path":          {replace("/prod", "/prod/x"), 403, `{"message":"Forbidden"}`},
		"post":          {replace("GET", "POST"), 426, `{"message":"Upgrade Required"}`},
		"version 8":     {replace("Version: 13", "Version: 8"), 426, `{"message":"Upgrade Required"}`},
		"other upgrade": {replace("Upgrade: websocket", "Upgrade: h2c"), 426, `{"message":"Upgrade Required"}`},
		"short key":     {replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhl"), 400, `{"message":"Bad Request"}`},
		"long url":      {replace("/prod", "/prod?"+strings.Repeat("x", 4096)), 414, `{"message":"Request-URI Too Long"}`},
	} {
		res, body := send(t, g.addr, c.request)
		if res.StatusCode != c.status || body != c.body {
			t.Errorf("%s: %d %s, want %d %s", name, res.StatusCode, body, c.status, c.body)
		}
		if c.status == 426 && (res.Header.Get("Sec-WebSocket-Version") != "13" || res.Header.Get("Upgrade") != "websocket") {
			t.Errorf("%s: the headers are %v", name, res.Header)
		}
	}
}

func TestConnectRoute(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{})
	for name, c := range map[string]struct {
		connect step
		status  int
	}{
		"refused":   {answerStatus(400), 400},
		"fails":     {func(*plan.Exchange) error { return &plan.Fault{Kind: plan.FunctionFailure} }, 502},
		"times out": {func(*plan.Exchange) error { return &plan.Fault{Kind: plan.IntegrationTimeout} }, 502},
		"panics":    {func(*plan.Exchange) error { panic("here") }, 500},
		"error":     {func(*plan.Exchange) error { return errors.New("unforeseen") }, 500},
		"denied":    {func(*plan.Exchange) error { return &plan.Fault{Kind: plan.Unauthorized} }, 401},
	} {
		stage := socketStage(g)
		stage.Connect = &plan.Route{Key: "$connect", Integration: c.connect}
		g.setStage(stage)
		if res, _ := send(t, g.addr, handshake); res.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", name, res.StatusCode, c.status)
		}
	}
	var asked error
	stage := socketStage(g)
	stage.Connect = &plan.Route{Key: "$connect", Integration: step(func(x *plan.Exchange) error {
		// Posting inside $connect finds nothing.
		asked = g.sockets.Post("wsa", "prod", x.Socket.ConnectionID, []byte("early"))
		x.Response.Status, x.Socket.Subprotocol = 204, "chat"
		return nil
	})}
	g.setStage(stage)
	c := g.connect(t)
	if got := c.handshake.Header.Get("Sec-WebSocket-Protocol"); got != "chat" {
		t.Errorf("the subprotocol is %q", got)
	}
	if !errors.Is(asked, socket.ErrGone) {
		t.Errorf("a post inside $connect: %v", asked)
	}
	// A deployment changes what an open connection runs.
	stage = socketStage(g)
	stage.Keys["new"] = stage.Keys["echo"]
	g.setStage(stage)
	c.say("new")
	if got := c.hear(); got != "echo:new" {
		t.Errorf("heard %q", got)
	}
}

func answerStatus(status int) step {
	return func(x *plan.Exchange) error { x.Response.Status = status; return nil }
}

func TestSocketOverTLS(t *testing.T) {
	a := certificate(t)
	g := startSockets(t, serve.Options{Certificate: a.Certificate}, socket.Options{})
	nc, err := tls.Dial("tcp", g.addr, &tls.Config{RootCAs: trust(t, a).RootCAs, ServerName: "wsa.execute-api.localhost", NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := upgrade(t, nc, handshake)
	for _, text := range []string{"echo a", "echo " + strings.Repeat("b", 30_000)} {
		c.say(text)
		if got := c.hear(); got != "echo:"+text {
			t.Errorf("heard %d bytes", len(got))
		}
	}
	c.send(ws.NewCloseFrame(nil))
	if f := c.frame(); f.Header.OpCode != ws.OpClose || len(f.Payload) != 0 {
		t.Errorf("got %+v", f)
	}
	c.expectEnd()
	g.expectDisconnect(t, "1005 Client-side close frame status not set")
}

func TestSocketsAreCounted(t *testing.T) {
	g := startSockets(t, serve.Options{MaxConnections: 2}, socket.Options{})
	a := g.connect(t)
	g.connect(t)
	refused := dial(t, g.addr)
	if _, err := refused.Read(make([]byte, 1)); err == nil {
		t.Error("a third connection was served")
	}
	a.send(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "")))
	a.expectClose(1000, "")
	g.expectDisconnect(t, "1000 ")
	deadline := time.Now().Add(patience)
	for {
		nc := dial(t, g.addr)
		if _, err := io.WriteString(nc, handshake); err == nil {
			if res, err := http.ReadResponse(bufio.NewReader(nc), nil); err == nil && res.StatusCode == 101 {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of the closed connection was never free")
		}
	}
}

func TestShutdownClosesSockets(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{CloseTimeout: time.Second})
	polite, deaf := g.connect(t), g.connect(t)
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		done <- g.Shutdown(ctx)
	}()
	polite.expectClose(1001, "Going away")
	polite.send(ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "")))
	polite.expectEnd()
	if err := <-done; err != nil {
		t.Error(err)
	}
	deaf.expectClose(1001, "Going away")
	for range 2 {
		g.expectDisconnect(t, "1001 Going away")
	}
}

func TestShutdownGivesUpOnMessages(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{CloseTimeout: 50 * time.Millisecond})
	c := g.connect(t)
	c.say("hang")
	c.say("echo now")
	c.hear()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := g.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
}

// However many connections end at once, few $disconnect routes run at a time.
func TestEndsTakeTurns(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{})
	var running, most atomic.Int64
	stage := socketStage(g)
	told := stage.Disconnect.Integration
	stage.Disconnect = &plan.Route{Key: "$disconnect", Integration: step(func(x *plan.Exchange) error {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		running.Add(-1)
		return told.Integrate(x)
	})}
	g.setStage(stage)
	var all []*wsClient
	for range 200 {
		all = append(all, g.connect(t))
	}
	for _, c := range all {
		c.Close()
	}
	for range all {
		g.expectDisconnect(t, "1006 ")
	}
	if most.Load() > 32 {
		t.Errorf("%d ran at a time", most.Load())
	}
}

// Many connections open and end in every way, and nothing is left of them.
func TestSocketChurn(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{CloseTimeout: 2 * time.Second})
	before := descriptors(t)
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for j := range 20 {
				nc, err := net.Dial("tcp", g.addr)
				if err != nil {
					t.Error(err)
					return
				}
				c := upgrade(t, nc, handshake)
				c.say("echo")
				c.hear()
				switch (i + j) % 4 {
				case 0:
					c.send(ws.NewCloseFrame(nil))
					c.frame()
				case 1: // vanishes
				case 2:
					if tcp, ok := nc.(*net.TCPConn); ok {
						_ = tcp.SetLinger(0)
					}
				case 3: // vanishes in the middle of a frame
					_, _ = c.Write([]byte{0x81, 0xfe, 0x10})
				}
				nc.Close()
			}
		})
	}
	clients.Wait()
	for range 8 * 20 {
		select {
		case <-g.ended:
		case <-time.After(patience):
			t.Fatal("a $disconnect is missing")
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors were open, now %d are", before, after)
	}
}

// descriptors is how many descriptors this process has open, where that can be
// known.
func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return len(list)
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
