package lambdaevent

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gatehouse/internal/plan"
)

// An event of a WebSocket API is JSON whatever the client sent, and has the
// members of its kind and no others.
func FuzzWebSocket(f *testing.F) {
	f.Add(uint8(1), "x=1&x=%22;y", "X-A: 1\nx-a: 2\nsec-websocket-key: a\n-: b", "", "")
	f.Add(uint8(2), "", "", "{\"a\":\"\x00\xff\u2028\\\"", "")
	f.Add(uint8(3), "%=%&+=+", "", "", "bye\" \xc3")
	f.Fuzz(func(t *testing.T, kind uint8, query, headers, body, reason string) {
		x := &plan.Exchange{
			Stage: &plan.Stage{API: &plan.API{ID: "a"}, Name: "s"}, Route: &plan.Route{Key: "k"}, Start: time.Unix(0, 0),
			Socket: &plan.Socket{Event: plan.SocketConnect + plan.SocketEvent(kind%3), DisconnectReason: reason, UserAgent: reason},
		}
		x.Request = plan.Request{Query: query, Body: []byte(body), Source: netip.MustParseAddrPort("[::1]:1")}
		for line := range strings.SplitSeq(headers, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok && isToken(name) {
				x.Request.Headers = append(x.Request.Headers, plan.Header{Name: name, Value: value})
			}
		}
		payload := WebSocket(nil, x)
		var members map[string]json.RawMessage
		decode(t, payload, &members)
		var event struct {
			Headers, QueryStringParameters                     map[string]string
			MultiValueHeaders, MultiValueQueryStringParameters map[string][]string
			Body                                               *string
			RequestContext                                     struct{ DisconnectReason *string }
		}
		decode(t, payload, &event)
		lastOfAll(t, event.Headers, event.MultiValueHeaders)
		lastOfAll(t, event.QueryStringParameters, event.MultiValueQueryStringParameters)
		want := 2
		switch x.Socket.Event {
		case plan.SocketConnect:
			if want = 4; len(event.QueryStringParameters) > 0 {
				want = 6
			}
		case plan.SocketMessage:
			if want = 3; event.Body == nil || *event.Body != decodeText(body) {
				t.Errorf("body %v, want %q", event.Body, body)
			}
		case plan.SocketDisconnect:
			if want = 4; event.RequestContext.DisconnectReason == nil || *event.RequestContext.DisconnectReason != decodeText(reason) {
				t.Errorf("reason %v, want %q", event.RequestContext.DisconnectReason, reason)
			}
		}
		if len(members) != want {
			t.Errorf("%d members, want %d: %s", len(members), want, payload)
		}
	})
}

// A result is a response or an error, never half of one; what encoding/json
// reads of it is what the client gets.
func FuzzWebSocketReplies(f *testing.F) {
	for _, result := range []string{
		`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"a"},"body":"\u00e4\ud83d\ude00\ud800x\n"}`,
		`{"statusCode":"401","multiValueHeaders":{"sec-websocket-protocol":["b",true]}}`,
		`{}`, `[1]`, ` null `, `{"a":}`, `{"body":1,"x":2}`, `{"statusCode":200}x`,
	} {
		f.Add([]byte(result), true)
		f.Add([]byte(result), false)
	}
	f.Fuzz(func(t *testing.T, result []byte, connect bool) {
		x := &plan.Exchange{Socket: &plan.Socket{Event: plan.SocketMessage}}
		if connect {
			x.Socket.Event = plan.SocketConnect
		}
		err := WebSocketReply(slices.Clone(result), x)
		checkWhole(t, err, &x.Response)
		if got := x.Socket.Subprotocol; got != "" && (!connect || err != nil || got != x.Response.Headers.Get("sec-websocket-protocol")) {
			t.Errorf("%q chose %q, error %v", result, got, err)
		}
		if err != nil {
			return
		}
		var object map[string]any
		if json.Unmarshal(result, &object) != nil || object == nil {
			t.Fatalf("%q made %+v", result, x.Response)
		}
		if body, isText := object["body"].(string); isText && utf8.Valid(result) && body != string(x.Response.Body) {
			t.Errorf("body %q, want %q", x.Response.Body, body)
		}
	})
}
