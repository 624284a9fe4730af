package lambdaevent

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden runs make over the inputs of a folder and compares with the outputs
// beside them. Lines of an input that begin with "# " say what it shows and on
// what evidence.
func golden(t *testing.T, folder, in, out string, make func(t *testing.T, input []byte) []byte) {
	inputs, err := filepath.Glob(filepath.Join("testdata", folder, "*"+in))
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	var known []string
	for _, name := range inputs {
		goldenName := strings.TrimSuffix(name, in) + out
		known = append(known, goldenName)
		t.Run(strings.TrimSuffix(filepath.Base(name), in), func(t *testing.T) {
			input, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := make(t, input)
			if *update {
				if err := os.WriteFile(goldenName, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(goldenName)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	outputs, err := filepath.Glob(filepath.Join("testdata", folder, "*"+out))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range outputs {
		if slices.Contains(known, name) {
			continue
		}
		if !*update {
			t.Errorf("%s has no input", name)
		} else if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// cutComments takes the lines that begin with "# " off the top.
func cutComments(input []byte) []byte {
	for bytes.HasPrefix(input, []byte("# ")) {
		_, input, _ = bytes.Cut(input, []byte("\n"))
	}
	return input
}

// parseExchange reads a request in HTTP's own form, with lines "@name value"
// before it: @route, @stage (if not $default), @var name=value, @plain for a
// request without TLS, @certificate for one with a client certificate. A line "@method ANY /{proxy+}" makes it a request for
// that method of a REST API; then there are @operation name, @binary media-type,
// @key of the request's API key, @canary stage or canary and @test for a
// request of a test, too. The request is placed and matched as serve
// does. A line "@event CONNECT $connect", with the event and the key of its
// route, makes it one of a WebSocket API; "@close 1001 reason" is how a
// connection ended and "@caller" makes its handshake a signed one.
func parseExchange(t testing.TB, input []byte) *plan.Exchange {
	t.Helper()
	api := &plan.API{ID: "a1b2c3d4e5", AccountID: "123456789012", Region: "eu-west-1", Protocol: plan.HTTP}
	stage := &plan.Stage{API: api, Name: plan.DefaultStage}
	x := &plan.Exchange{
		RequestID: "JKJaXmPLvHcESHA=",
		TraceRoot: "1-5e6722a7-cc56xmpl46db7ae02d4da47e",
		Start:     time.Date(2020, 4, 21, 15, 8, 21, 123e6, time.UTC),
	}
	x.Request.Source, x.Request.LocalPort, x.Request.Secure = netip.MustParseAddrPort("205.255.255.176:50123"), 443, true

	restMethod := &plan.Method{ResourceID: "r3s0rc"}
	var binary []string
	head, body, _ := bytes.Cut(cutComments(input), []byte("\n\n"))
	lines := strings.Split(strings.TrimSuffix(string(head), "\n"), "\n")
	for strings.HasPrefix(lines[0], "@") {
		name, value, _ := strings.Cut(lines[0][1:], " ")
		lines = lines[1:]
		switch name {
		case "route":
			k, err := plan.ParseRouteKey(value)
			if err != nil {
				t.Fatal(err)
			}
			route := &plan.Route{Key: value, Method: k.Method, Path: k.Path, ParamNames: k.ParamNames, Greedy: k.Greedy}
			if stage.Routes = stage.Routes.With(route); k.Path == "" {
				stage.Default = route
			}
		case "method":
			asREST(x, api, stage)
			method, path, _ := strings.Cut(value, " ")
			k, err := plan.ParseRouteKey(value)
			if err != nil {
				t.Fatal(err)
			}
			stage.Routes = stage.Routes.With(&plan.Route{
				Key: value, Method: method, Path: path, ParamNames: k.ParamNames, Greedy: k.Greedy, Rest: restMethod,
			})
		case "operation":
			restMethod.OperationName = value
		case "key":
			restMethod.APIKey, x.APIKey, x.APIKeyID = anyKey{}, value, "id-of-"+value
		case "test":
			x.Request.SourceName, x.Request.Source = "test-invoke-source-ip", netip.AddrPort{}
			x.APIKey, x.APIKeyID = "test-invoke-api-key", "test-invoke-api-key-id"
			x.Caller = plan.Caller{AccountID: "123456789012", ID: "AIDAEXAMPLE", AccessKeyID: "AKIAEXAMPLE", ARN: "arn:aws:iam::123456789012:user/me"}
		case "binary":
			binary = append(binary, value)
		case "canary":
			stage.Rest.IsCanary = value == "canary"
			if !stage.Rest.IsCanary {
				stage.Rest.Canary = &plan.Canary{}
			}
		case "stage":
			stage.Name = value
		case "var":
			if stage.Variables == nil {
				stage.Variables = map[string]string{}
			}
			key, text, _ := strings.Cut(value, "=")
			stage.Variables[key] = text
		case "event":
			asWebSocket(x, api, stage, value)
		case "close":
			code, reason, _ := strings.Cut(value, " ")
			x.Socket.DisconnectReason = reason
			if _, err := fmt.Sscan(code, &x.Socket.DisconnectCode); err != nil {
				t.Fatal(err)
			}
		case "caller":
			x.Caller = plan.Caller{AccountID: "123456789012", ID: "AIDAEXAMPLE", AccessKeyID: "AKIAEXAMPLE", ARN: "arn:aws:iam::123456789012:user/me"}
		case "certificate":
			x.ClientCert = &plan.ClientCert{
				PEM:       "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
				SubjectDN: "CN=www.example.com", IssuerDN: `CN=Example issuer,O=Quoted \"O\"`, SerialNumber: "a1:a1:a1:a1:a1:a1:a1:a1:a1",
				NotBefore: "May 28 12:30:02 2019 GMT", NotAfter: "Aug  5 09:36:04 2021 GMT",
			}
		case "plain":
			x.Request.Secure, x.Request.LocalPort = false, 4566
		default:
			t.Fatalf("unknown line @%s", name)
		}
	}
	if stage.Rest != nil {
		stage.Rest.BinaryTypes = plan.NewMediaTypes(binary)
	}
	api.Stages = map[string]*plan.Stage{stage.Name: stage}

	target := ""
	if _, err := fmt.Sscan(lines[0], &x.Request.Method, &target, &x.Request.Proto); err != nil {
		t.Fatal(err)
	}
	x.Request.Path, x.Request.Query, _ = strings.Cut(target, "?")
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("header line %q", line)
		}
		x.Request.Headers = append(x.Request.Headers, plan.Header{Name: name, Value: strings.TrimSpace(value)})
	}
	x.Request.Host = x.Request.Headers.Get("Host")
	if x.Request.SourceName != "" {
		x.Request.Host = api.ID + ".execute-api.localhost" // tests are placed without a host
	}
	x.Request.Body = bytes.TrimSuffix(body, []byte("\n"))
	if traffic, err := (*plan.Plan)(nil).With(api).Place(x); !traffic || err != nil {
		t.Fatalf("Place: %t, %v", traffic, err)
	}
	if x.Socket != nil {
		x.Socket.UserAgent = x.Request.Headers.Get("user-agent")
		return x
	}
	if err := stage.Match(x); err != nil {
		t.Fatal(err)
	}
	return x
}

// asWebSocket makes an exchange an event of a WebSocket API.
func asWebSocket(x *plan.Exchange, api *plan.API, stage *plan.Stage, value string) {
	api.Protocol = plan.WebSocket
	stage.Name, stage.Socket = "dev", &plan.SocketStage{}
	event, key, _ := strings.Cut(value, " ")
	x.Route = &plan.Route{Key: key, Socket: &plan.SocketRoute{}}
	x.Socket = &plan.Socket{ConnectionID: "R1kmxc2VNjMCFIA=", ConnectedAt: x.Start.Add(-time.Second)}
	switch event {
	case "CONNECT":
		x.Socket.Event = plan.SocketConnect
	case "MESSAGE":
		x.Socket.Event, x.Socket.MessageID = plan.SocketMessage, "R1kpLfTqtjMCFIA="
	case "DISCONNECT":
		x.Socket.Event = plan.SocketDisconnect
	}
}

// asREST makes an exchange one of a REST API.
func asREST(x *plan.Exchange, api *plan.API, stage *plan.Stage) {
	api.Protocol = plan.REST
	stage.Name, stage.DeploymentID, stage.Rest = "dev", "d3p10y", &plan.RestStage{}
	x.RequestID, x.ExtendedRequestID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "JKJaXmPLvHcESHA="
	x.TraceHeader = "Root=" + x.TraceRoot + ";Parent=7fa8c0f79203be72"
}

// anyKey lets every API key pass.
type anyKey struct{}

func (anyKey) CheckAPIKey(*plan.Exchange) error { return nil }

func eventGolden(t *testing.T, folder string, event func([]byte, *plan.Exchange) []byte) {
	golden(t, folder, ".http", ".json", func(t *testing.T, input []byte) []byte {
		got := event(nil, parseExchange(t, input))
		if !json.Valid(got) {
			t.Errorf("the event isn't JSON: %s", got)
		}
		return append(got, '\n')
	})
}

func TestHTTP20Golden(t *testing.T) { eventGolden(t, "http20", HTTP20) }
func TestHTTP10Golden(t *testing.T) { eventGolden(t, "http10", HTTP10) }
func TestRESTGolden(t *testing.T)   { eventGolden(t, "rest", REST) }

func TestWebSocketGolden(t *testing.T) { eventGolden(t, "websocket", WebSocket) }

func replyGolden(t *testing.T, folder string, reply func([]byte, *plan.Response) error) {
	golden(t, folder, ".json", ".http", func(t *testing.T, input []byte) []byte {
		var resp plan.Response
		if err := reply(bytes.TrimSuffix(cutComments(input), []byte("\n")), &resp); err != nil {
			return fmt.Appendf(nil, "error: %v\n", err)
		}
		got := fmt.Appendf(nil, "%d\n", resp.Status)
		for _, h := range resp.Headers {
			got = fmt.Appendf(got, "%s: %s\n", h.Name, h.Value)
		}
		return fmt.Appendf(got, "\n%s\n", resp.Body)
	})
}

func TestReply20Golden(t *testing.T) { replyGolden(t, "reply20", Reply20) }
func TestReply10Golden(t *testing.T) { replyGolden(t, "reply10", Reply10) }

// A result for a REST API may begin with a line "@accept type, type": what the
// client of an API whose binary types are image/png, binary/* and */test accepts.
func TestRESTReplyGolden(t *testing.T) {
	replyGolden(t, "restreply", func(result []byte, resp *plan.Response) error {
		x := restReplyExchange("image/png", "binary/*", "*/test")
		if accept, rest, ok := bytes.Cut(result, []byte("\n")); ok && bytes.HasPrefix(accept, []byte("@accept ")) {
			x.Request.Headers = plan.Headers{{Name: "Accept", Value: string(accept[len("@accept "):])}}
			result = rest
		}
		err := RESTReply(result, x)
		*resp = x.Response
		if errors.Is(err, ErrNotBase64) {
			return fmt.Errorf("not the function's fault: %w", err)
		}
		return err
	})
}

// A result for a WebSocket API is that of a handshake if it begins with the line
// "@connect".
func TestWebSocketReplyGolden(t *testing.T) {
	replyGolden(t, "websocketreply", func(result []byte, resp *plan.Response) error {
		x := &plan.Exchange{Socket: &plan.Socket{Event: plan.SocketMessage}}
		if rest, ok := bytes.CutPrefix(result, []byte("@connect\n")); ok {
			result, x.Socket.Event = rest, plan.SocketConnect
		}
		err := WebSocketReply(result, x)
		*resp = x.Response
		if x.Socket.Subprotocol != "" {
			resp.Body = fmt.Appendf(resp.Body, "[subprotocol %s]", x.Socket.Subprotocol)
		}
		return err
	})
}

func restReplyExchange(binary ...string) *plan.Exchange {
	return &plan.Exchange{Stage: &plan.Stage{Rest: &plan.RestStage{BinaryTypes: plan.NewMediaTypes(binary)}}}
}

func TestRESTStreamHeadGolden(t *testing.T) {
	replyGolden(t, "reststream", func(metadata []byte, resp *plan.Response) error {
		x := restReplyExchange()
		err := RESTStreamHead(metadata, x)
		*resp = x.Response
		return err
	})
}
