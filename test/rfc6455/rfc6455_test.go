package rfc6455

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/frame"
	"gatehouse/test/harness"
)

var update = flag.Bool("update", false, "write README.md again")

func TestMain(m *testing.M) { harness.Main(m) }

const (
	// patience is how long anything may take that should happen soon.
	patience = time.Minute
	// apart is how far apart pieces are sent, so that they arrive as such.
	apart = time.Millisecond
	// target is where the API's stage is.
	target = "/test"
)

// An echo is a WebSocket API that sends each message back.
type echo struct{ address, host string }

func newEcho(t *testing.T) echo {
	t.Helper()
	g := harness.Start(t, "")
	client := apigatewayv2.NewFromConfig(g.Config())
	api, err := client.CreateApi(t.Context(), &apigatewayv2.CreateApiInput{
		Name: new("echo"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action"),
	})
	if err != nil {
		t.Fatal(err)
	}
	integration, err := client.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
		ApiId: api.ApiId, IntegrationType: types.IntegrationTypeMock, TemplateSelectionExpression: new(`\$default`),
		RequestTemplates: map[string]string{"$default": `{"statusCode": 200}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CreateIntegrationResponse(t.Context(), &apigatewayv2.CreateIntegrationResponseInput{
		ApiId: api.ApiId, IntegrationId: integration.IntegrationId, IntegrationResponseKey: new("$default"),
		TemplateSelectionExpression: new(`\$default`), ResponseTemplates: map[string]string{"$default": "$input.body"},
	})
	if err != nil {
		t.Fatal(err)
	}
	route, err := client.CreateRoute(t.Context(), &apigatewayv2.CreateRouteInput{
		ApiId: api.ApiId, RouteKey: new("$default"), Target: new("integrations/" + *integration.IntegrationId), RouteResponseSelectionExpression: new("$default"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateRouteResponse(t.Context(), &apigatewayv2.CreateRouteResponseInput{ApiId: api.ApiId, RouteId: route.RouteId, RouteResponseKey: new("$default")}); err != nil {
		t.Fatal(err)
	}
	deployment, err := client.CreateDeployment(t.Context(), &apigatewayv2.CreateDeploymentInput{ApiId: api.ApiId})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{ApiId: api.ApiId, StageName: new("test"), DeploymentId: deployment.DeploymentId}); err != nil {
		t.Fatal(err)
	}
	return echo{g.Addr, *api.ApiId + ".execute-api.localhost"}
}

// TestRFC6455 runs all cases and compares the list of their results with
// README.md.
func TestRFC6455(t *testing.T) {
	e := newEcho(t)
	var mu sync.Mutex
	results := map[string]string{}
	judge := func(t *testing.T, key string, err error) {
		result := "as it must be"
		if err != nil {
			t.Error(err)
			result = "**fails**"
		}
		mu.Lock()
		defer mu.Unlock()
		results[key] = result
	}
	t.Run("cases", func(t *testing.T) {
		for _, g := range groups() {
			for i, c := range g.cases {
				t.Run(g.name+"/"+c.what, func(t *testing.T) {
					t.Parallel()
					judge(t, fmt.Sprint(g.name, i), e.run(c))
				})
			}
		}
		for i, c := range handshakes() {
			t.Run("handshake/"+c.what, func(t *testing.T) {
				t.Parallel()
				judge(t, fmt.Sprint("handshake", i), e.shake(c))
			})
		}
	})
	if t.Failed() {
		return // the list is of a gateway that passes
	}
	page := list(results)
	if *update {
		if err := os.WriteFile("README.md", []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile("README.md"); err != nil || string(got) != page {
		t.Errorf("README.md isn't the list of these results, %v; run go test ./test/rfc6455 -update", err)
	}
}

// run runs a case over a connection of its own.
func (e echo) run(c testCase) error {
	conn, err := frame.Dial(e.address, target, e.host)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the case is over
	for i, piece := range c.pieces {
		if i > 0 {
			time.Sleep(apart)
		}
		if _, err := conn.Write(piece); err != nil {
			if c.close == 0 && c.answer == 0 {
				return err
			}
			break // the gateway may have ended the connection meanwhile
		}
	}
	ends := c.close != 0 || c.answer != 0 || c.bare
	var echoes, pongs []string
	for ends || len(echoes) < len(c.echoes) || len(pongs) < len(c.pongs) {
		f, message, err := next(conn)
		switch {
		case err != nil:
			return fmt.Errorf("after %d messages and %d pongs: %w", len(echoes), len(pongs), err)
		case f.Opcode == frame.Pong:
			pongs = append(pongs, message)
			continue
		case f.Opcode == frame.Text:
			echoes = append(echoes, message)
			continue
		case f.Opcode != frame.Close || !ends:
			return fmt.Errorf("got %s", f)
		}
		if code, _, _ := f.CloseCode(); code != c.close+c.answer {
			return fmt.Errorf("got %s, want close %d", f, c.close+c.answer)
		}
		if c.close != 0 {
			_ = conn.Send(frame.CloseWith(c.close, "")) // unless it is closed already
		}
		return errors.Join(c.compare(echoes, pongs), conn.Ended(patience))
	}
	if err := c.compare(echoes, pongs); err != nil {
		return err
	}
	// It goes on as if nothing had happened.
	if err := conn.Send(frame.CloseWith(1000, "")); err != nil {
		return err
	}
	f, _, err := next(conn)
	if code, _, _ := f.CloseCode(); err != nil || f.Opcode != frame.Close || code != 1000 {
		return fmt.Errorf("the close was answered by %s, %w", f, err)
	}
	return conn.Ended(patience)
}

// compare compares what came back. What came before an offence may be lost.
func (c testCase) compare(echoes, pongs []string) error {
	want := slices.Clone(c.echoes)
	slices.Sort(echoes)
	slices.Sort(want)
	lost := c.close != 0 && len(echoes) == 0
	if !lost && !slices.Equal(echoes, want) {
		return fmt.Errorf("got the messages %.300q, want %.300q", echoes, want)
	}
	if !slices.Equal(pongs, c.pongs) {
		return fmt.Errorf("got the pongs %.300q, want %.300q", pongs, c.pongs)
	}
	return nil
}

// next reads a control frame or a whole message; what the gateway sends must
// be proper itself.
func next(conn *frame.Conn) (first frame.Frame, payload string, err error) {
	first, err = conn.Receive(patience)
	if err != nil {
		return first, "", err
	}
	message := first.Payload
	for f := first; ; {
		if minimal := (frame.Frame{Opcode: f.Opcode, More: f.More, Unmasked: true, Payload: f.Payload}).Bytes(); string(minimal) != string(f.Raw) {
			return first, "", fmt.Errorf("the gateway sent the bytes %.80x, where %.80x says the same", f.Raw, minimal)
		}
		if !f.More {
			return first, string(message), nil
		}
		if f, err = conn.Receive(patience); err != nil {
			return first, "", err
		}
		if f.Opcode != frame.Continuation {
			return first, "", fmt.Errorf("the gateway sent %s within a message", f)
		}
		message = append(message, f.Payload...)
	}
}

// shake runs a handshake.
func (e echo) shake(c handshakeCase) error {
	conn, err := net.Dial("tcp", e.address)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the case is over
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(cmp.Or(c.method, "GET") + " " + target + " " + cmp.Or(c.protocol, "HTTP/1.1") + "\r\nHost: " + e.host + "\r\n")
	for _, line := range []string{"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: " + frame.Key, "Sec-WebSocket-Version: 13"} {
		if name, _, _ := strings.Cut(line, ":"); !slices.Contains(strings.Fields(c.without), name) {
			b.WriteString(line + "\r\n")
		}
	}
	for _, line := range c.lines {
		b.WriteString(line + "\r\n")
	}
	if _, err := io.WriteString(conn, b.String()+"\r\n"); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	if res.StatusCode != c.status {
		return fmt.Errorf("got %s, want %d", res.Status, c.status)
	}
	if name, value, ok := strings.Cut(c.header, ": "); ok && !strings.EqualFold(res.Header.Get(name), value) {
		return fmt.Errorf("%s is %q, want %q", name, res.Header.Values(name), value)
	}
	return nil
}

// list is README.md.
func list(results map[string]string) string {
	var b strings.Builder
	b.WriteString(`# RFC 6455

What a WebSocket API makes of each thing a client may send, frame by frame, over a connection of its own to the running gateway; its
route sends every message back. ` + "`go test ./test/rfc6455`" + ` runs the cases, with ` + "`-update`" + ` it writes this list. Everything the gateway
itself sends is checked too: no masks, no reserved bits, the shortest lengths. Sections are the RFC's; where it says "limits", API Gateway
adds its own: no binary messages, 32 KB a frame, 128 KB a message.

`)
	for _, g := range groups() {
		b.WriteString("## " + g.name + "\n| Section | What is sent | What comes of it | Result |\n|---|---|---|---|\n")
		for i, c := range g.cases {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.section, c.what, c.outcome(), results[fmt.Sprint(g.name, i)])
		}
		b.WriteString("\n")
	}
	b.WriteString("## Handshakes\n| Section | What is sent | What comes of it | Result |\n|---|---|---|---|\n")
	for i, c := range handshakes() {
		outcome := fmt.Sprint(c.status)
		if c.header != "" {
			outcome += ", `" + c.header + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.section, c.what, outcome, results[fmt.Sprint("handshake", i)])
	}
	return b.String()
}

// outcome says what must come of a case.
func (c testCase) outcome() string {
	count := func(n int, one, many string) string {
		switch n {
		case 0:
			return ""
		case 1:
			return one
		}
		return fmt.Sprint(n, " ", many)
	}
	var parts []string
	for _, part := range []string{count(len(c.echoes), "the message", "messages"), count(len(c.pongs), "a pong", "pongs")} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	switch {
	case c.close != 0:
		return fmt.Sprintf("the end with %d", c.close)
	case c.answer != 0:
		return fmt.Sprintf("a close with %d", c.answer)
	case c.bare:
		return "a close without a code"
	}
	return strings.Join(parts, ", ")
}
