package fault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/frame"
	"gatehouse/test/harness"
)

// newSocketAPI starts a gateway with a WebSocket API whose $default route sends
// messages back and whose route `id` tells the connection's id. change may add
// to it before it is deployed.
func newSocketAPI(t testing.TB, change func(a *api), args ...string) *api {
	t.Helper()
	g := harness.Start(t, "", args...)
	a := &api{Gateway: g, client: apigatewayv2.NewFromConfig(g.Config())}
	out, err := a.client.CreateApi(t.Context(), &apigatewayv2.CreateApiInput{
		Name: new("fault"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action"),
	})
	if err != nil {
		t.Fatal(err)
	}
	a.id, a.host = out.ApiId, *out.ApiId+".execute-api.localhost"
	a.answers(t, "$default", "$input.body")
	a.answers(t, "id", "$context.connectionId")
	if change != nil {
		change(a)
	}
	deployment, err := a.client.CreateDeployment(t.Context(), &apigatewayv2.CreateDeploymentInput{ApiId: a.id})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.client.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{ApiId: a.id, StageName: new("test"), DeploymentId: deployment.DeploymentId}); err != nil {
		t.Fatal(err)
	}
	return a
}

// answers makes a route whose mock answers by a template.
func (a *api) answers(t testing.TB, key, template string) {
	t.Helper()
	integration, err := a.client.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
		ApiId: a.id, IntegrationType: types.IntegrationTypeMock, TemplateSelectionExpression: new(`\$default`),
		RequestTemplates: map[string]string{"$default": `{"statusCode": 200}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.client.CreateIntegrationResponse(t.Context(), &apigatewayv2.CreateIntegrationResponseInput{
		ApiId: a.id, IntegrationId: integration.IntegrationId, IntegrationResponseKey: new("$default"),
		TemplateSelectionExpression: new(`\$default`), ResponseTemplates: map[string]string{"$default": template},
	}); err != nil {
		t.Fatal(err)
	}
	a.socketRoute(t, key, *integration.IntegrationId)
}

// socketRoute makes a two-way route; those of events are one-way.
func (a *api) socketRoute(t testing.TB, key, integration string) {
	t.Helper()
	in := &apigatewayv2.CreateRouteInput{ApiId: a.id, RouteKey: &key, Target: new("integrations/" + integration)}
	twoWay := key != "$connect" && key != "$disconnect"
	if twoWay {
		in.RouteResponseSelectionExpression = new("$default")
	}
	route, err := a.client.CreateRoute(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if !twoWay {
		return
	}
	if _, err := a.client.CreateRouteResponse(t.Context(), &apigatewayv2.CreateRouteResponseInput{ApiId: a.id, RouteId: route.RouteId, RouteResponseKey: new("$default")}); err != nil {
		t.Fatal(err)
	}
}

// open connects a client.
func (a *api) open(t testing.TB, query string) *frame.Conn {
	t.Helper()
	c, err := frame.Dial(a.Addr, "/test"+query, a.host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ask sends a message and returns what comes next.
func ask(t testing.TB, c *frame.Conn, text string) string {
	t.Helper()
	if err := c.SendText(text); err != nil {
		t.Fatal(err)
	}
	f, err := c.Receive(patience)
	if err != nil || f.Opcode != frame.Text {
		t.Fatalf("%s was answered by %s, %v", text, f, err)
	}
	return string(f.Payload)
}

// reset ends a connection as a machine does that has forgotten it.
func reset(t testing.TB, c *frame.Conn) {
	t.Helper()
	if err := errors.Join(c.Conn.(*net.TCPConn).SetLinger(0), c.Close()); err != nil {
		t.Error(err)
	}
}

// Clients that vanish without a word, at whatever moment, leave nothing behind,
// and their ids are gone.
func TestSocketClientsVanish(t *testing.T) {
	a := newSocketAPI(t, nil)
	a.mark(t)
	half := frame.TextOf(strings.Repeat("x", 1000)).Bytes()[:500]
	var long []frame.Frame
	for range 20 {
		long = append(long, frame.TextOf(strings.Repeat("x", 30_000)))
	}
	for _, test := range []struct {
		name string
		do   func(t *testing.T, c *frame.Conn) error
	}{
		{"idle", func(*testing.T, *frame.Conn) error { return nil }},
		{"after a message", func(t *testing.T, c *frame.Conn) error { ask(t, c, "x"); return nil }},
		{"in a header", func(_ *testing.T, c *frame.Conn) error { _, err := c.Write(half[:1]); return err }},
		{"in a frame", func(_ *testing.T, c *frame.Conn) error { _, err := c.Write(half); return err }},
		{"between fragments", func(_ *testing.T, c *frame.Conn) error {
			return c.Send(frame.Frame{Opcode: frame.Text, More: true, Payload: []byte("x")})
		}},
		{"before the answers", func(_ *testing.T, c *frame.Conn) error { return c.Send(long...) }},
		{"after half a close", func(_ *testing.T, c *frame.Conn) error {
			_, err := c.Write(frame.CloseWith(1000, "").Bytes()[:3])
			return err
		}},
		{"after an offence", func(_ *testing.T, c *frame.Conn) error { return c.Send(frame.Frame{Opcode: frame.Binary}) }},
	} {
		for _, how := range []string{"by the network's end", "by a reset"} {
			t.Run(test.name+" "+how, func(t *testing.T) {
				var running sync.WaitGroup
				for range 20 {
					running.Go(func() {
						c := a.open(t, "")
						if err := test.do(t, c); err != nil {
							t.Error(err)
						}
						if how == "by a reset" {
							reset(t, c)
						} else if err := c.Close(); err != nil {
							t.Error(err)
						}
					})
				}
				running.Wait()
				a.nothingLeft(t)
			})
		}
	}
	t.Run("in the handshake", func(t *testing.T) {
		request := frame.Request("/test", a.host)
		for _, n := range []int{1, 20, len(request) - 1, len(request)} {
			c := a.dial(t)
			c.send(string(request[:n]))
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		a.nothingLeft(t)
	})
}

// Clients that are half there: they read but say nothing more, or say nothing
// to a close.
func TestSocketHalfOpen(t *testing.T) {
	a := newSocketAPI(t, nil)
	a.mark(t)
	t.Run("no more to say", func(t *testing.T) {
		c := a.open(t, "")
		ask(t, c, "x")
		if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := c.Ended(patience); err != nil {
			t.Error(err)
		}
		_ = c.Close()
		a.nothingLeft(t)
	})
	t.Run("no answer to a close", func(t *testing.T) {
		c := a.open(t, "")
		id := ask(t, c, `{"action":"id"}`)
		if status := a.connections(t, http.MethodDelete, id, ""); status != http.StatusNoContent {
			t.Errorf("got %d", status)
		}
		// The connection is still open here, and nothing is read from it.
		a.nothingLeft(t)
		if status := a.connections(t, http.MethodGet, id, ""); status != http.StatusGone {
			t.Errorf("got %d of a connection that was deleted", status)
		}
	})
	t.Run("no answer to an offence", func(t *testing.T) {
		c := a.open(t, "")
		if err := c.Send(frame.Frame{Opcode: 15}); err != nil {
			t.Error(err)
		}
		a.nothingLeft(t)
		_ = c.Close()
	})
}

// connections calls the management API and returns the status.
func (a *api) connections(t testing.TB, method, id, body string) int {
	t.Helper()
	status, _, err := a.manage(t.Context(), method, id, body)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// manage is connections for goroutines, and tells the error's type.
func (a *api) manage(ctx context.Context, method, id, body string) (status int, kind string, err error) {
	escaped := strings.NewReplacer("/", "%2F", "=", "%3D", "+", "%2B").Replace(id)
	req, err := http.NewRequestWithContext(ctx, method, a.URL+"/test/@connections/"+escaped, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Host, req.Close = a.host, true
	// An unknown key counts as root on loopback, so the signature needn't be good.
	day := time.Now().UTC().Format("20060102")
	req.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/"+day+"/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, res.Header.Get("X-Amzn-Errortype"), errors.Join(err, res.Body.Close())
}

// A client that reads a byte a second is sent what it can hold and no more; it
// costs a bounded amount of memory, and the others nothing. It is given up after
// a while, as is one that writes a byte a second.
func TestSocketCrawlers(t *testing.T) {
	a := newSocketAPI(t, nil)
	a.mark(t)
	const readers = 10
	var slow []*frame.Conn
	var ids []string
	for range readers {
		c := a.open(t, "")
		if err := c.Conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, ask(t, c, `{"action":"id"}`))
		slow = append(slow, c)
	}
	stop := make(chan struct{})
	var reading sync.WaitGroup
	for _, c := range slow {
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
				}
				_ = c.SetReadDeadline(time.Now().Add(time.Second))
				_, _ = c.Conn.Read(make([]byte, 1))
			}
		})
	}
	// So are clients that send a byte a second of a frame.
	slowFrame := frame.TextOf(strings.Repeat("x", 200)).Bytes()
	for range readers {
		c := a.open(t, "")
		reading.Go(func() {
			for i := range slowFrame {
				_, _ = c.Write(slowFrame[i : i+1]) // the answer tells
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
				}
			}
		})
		reading.Go(func() {
			ends(t, c, 1001, "Going away")
			_ = c.Close()
		})
	}
	before := a.memory(t)
	a.besides(t, func() {
		var posting sync.WaitGroup
		for _, id := range ids {
			posting.Go(func() { a.fill(t, id) })
		}
		posting.Wait()
	})
	if grown := a.memory(t) - before; grown > 64<<20 {
		t.Errorf("the gateway grew by %d MB", grown>>20)
	}
	a.givenUp(t, ids)
	close(stop)
	reading.Wait()
	for _, c := range slow {
		reset(t, c)
	}
	a.nothingLeft(t)
}

// fill posts to a connection until it stays full: the gateway's own room and
// the kernel's.
func (a *api) fill(t *testing.T, id string) {
	body := strings.Repeat("x", 128<<10)
	posted, full := 0, 0
	for full < 20 {
		switch status, kind, err := a.manage(t.Context(), http.MethodPost, id, body); {
		case err != nil:
			t.Error(err)
			return
		case status == http.StatusTooManyRequests && kind == "LimitExceededException":
			full++
			time.Sleep(20 * time.Millisecond)
		case status == http.StatusOK && posted < 400:
			posted, full = posted+1, 0
		default:
			t.Errorf("after %d posts to a slow reader: %d %s", posted, status, kind)
			return
		}
	}
}

// givenUp waits until the gateway has ended connections itself.
func (a *api) givenUp(t *testing.T, ids []string) {
	t.Helper()
	const after = 3 * patience // 30 s without progress, and time to notice
	deadline := time.Now().Add(after)
	for _, id := range ids {
		for {
			status := a.connections(t, http.MethodGet, id, "")
			if status == http.StatusGone {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("a client that hardly reads is still there after %s: %d", after, status)
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// memory is the resident memory of the gateway's process.
func (a *api) memory(t testing.TB) int64 {
	t.Helper()
	var pages, resident int64
	if _, err := fmt.Sscan(fileOf(t, fmt.Sprintf("/proc/%d/statm", a.PID())), &pages, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * 4096
}

// Clients that send as fast as they can, whatever they send, whether they read
// the answers or not.
func TestSocketFloods(t *testing.T) {
	a := newSocketAPI(t, nil)
	a.mark(t)
	ping := frame.Frame{Opcode: frame.Ping, Payload: []byte("x")}
	for _, test := range []struct {
		name  string
		flood frame.Frame
		reads bool
	}{
		{"pings", ping, true},
		{"pings whose pongs aren't read", ping, false},
		{"pongs", frame.Frame{Opcode: frame.Pong}, false},
		{"long messages whose answers aren't read", frame.TextOf(strings.Repeat("x", 32<<10)), false},
		{"fragments without an end", frame.Frame{Opcode: frame.Continuation, More: true}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := a.memory(t)
			var flooding []*frame.Conn
			a.besides(t, func() {
				until := time.Now().Add(2 * time.Second)
				var running sync.WaitGroup
				for range 5 {
					c := a.open(t, "")
					flooding = append(flooding, c)
					if test.flood.Opcode == frame.Continuation {
						if err := c.Send(frame.Frame{Opcode: frame.Text, More: true}); err != nil {
							t.Error(err)
						}
					}
					_ = c.SetWriteDeadline(until)
					piece := bytes.Repeat(test.flood.Bytes(), 1+4096/len(test.flood.Bytes()))
					running.Go(func() {
						for time.Now().Before(until) {
							if _, err := c.Write(piece); err != nil {
								return // the gateway takes no more
							}
						}
					})
					if test.reads {
						running.Go(func() {
							_ = c.SetReadDeadline(until)
							_, _ = io.Copy(io.Discard, c.Conn)
						})
					}
				}
				running.Wait()
			})
			if grown := a.memory(t) - before; grown > 64<<20 {
				t.Errorf("the gateway grew by %d MB", grown>>20)
			}
			for _, c := range flooding {
				reset(t, c)
			}
			a.nothingLeft(t)
		})
	}
}

// Thousands of connections that come and go leave nothing.
func TestSocketChurn(t *testing.T) {
	a := newSocketAPI(t, nil)
	a.mark(t)
	a.besides(t, func() {
		var running sync.WaitGroup
		for range 10 {
			running.Go(func() {
				for i := range 100 {
					c, err := frame.Dial(a.Addr, "/test", a.host)
					if err != nil {
						t.Error(err)
						return
					}
					if i%2 == 0 {
						if err := c.Send(frame.CloseWith(1000, "")); err != nil {
							t.Error(err)
						}
						if _, err := c.Receive(patience); err != nil {
							t.Error(err)
						}
					}
					_ = c.Close()
				}
			})
		}
		running.Wait()
	})
	a.nothingLeft(t)
}

// leave closes a connection with a reason.
func (a *api) leave(t testing.TB, c *frame.Conn, reason string) {
	t.Helper()
	if err := c.Send(frame.CloseWith(1000, reason)); err != nil {
		t.Error(err)
	}
	if f, err := c.Receive(patience); err != nil || f.Opcode != frame.Close {
		t.Errorf("a close was answered by %s, %v", f, err)
	}
	_ = c.Close()
}

// settle notes what the gateway holds once that doesn't change any more.
func (a *api) settle(t testing.TB) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	last := usage{}
	a.before = a.awaitUsage(t, func(u usage) bool {
		same := u.sockets == last.sockets
		last = u
		return same
	})
}

// fine checks that a client is served and that the gateway comes to hold no
// more than at settle.
func (a *api) fine(t testing.TB) {
	t.Helper()
	c := a.open(t, "?how=fine")
	if got := ask(t, c, "x"); got != "x" {
		t.Errorf("got %q", got)
	}
	a.leave(t, c, "fine")
	a.nothingLeft(t)
}
