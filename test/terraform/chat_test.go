package terraform

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/test/frame"
)

// TestChat is the life of examples/chat: applied, planned again without a
// difference, talked over, destroyed.
func TestChat(t *testing.T) {
	tf := newTerraform(t, filepath.Join("..", "..", "examples", "chat"))
	tf.run("apply", "-auto-approve", "-input=false", "-no-color")
	if out, code := tf.try("plan", "-detailed-exitcode", "-input=false", "-no-color"); code != 0 {
		t.Fatalf("the plan after apply isn't empty (exit code %d):\n%s", code, out)
	}
	socketURL := strings.TrimSpace(tf.run("output", "-raw", "websocket_url"))
	pageURL := strings.TrimSpace(tf.run("output", "-raw", "page_url"))
	page, _, _ := strings.Cut(strings.TrimPrefix(pageURL, "http://"), ".")
	tf.get(page, "/", `content="`+socketURL+`"`)

	u, err := url.Parse(socketURL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := frame.Dial(tf.gateway.Addr, u.RequestURI(), u.Host)
	if err != nil {
		t.Fatalf("%v\n%s", err, tf.gateway.Logs())
	}
	defer conn.Close() //nolint:errcheck // nothing to do about it
	for _, talk := range []struct{ send, want string }{
		{`hello?`, `{"type":"error","code":"unknown-action","message":"Send an \"action\": \"join\" or \"say\"."}`},
		{`{"action":"join","room":"tea","name":"Ann"}`, `{"type":"joined","room":"tea","name":"Ann","names":["Ann"],"said":0}`},
		{`{"action":"say","text":"Hello"}`, `{"type":"said","n":1,"name":"Ann","text":"Hello"}`},
	} {
		if err := conn.SendText(talk.send); err != nil {
			t.Fatal(err)
		}
		got, err := conn.Receive(30 * time.Second)
		if err != nil || string(got.Payload) != talk.want {
			t.Fatalf("%s was answered %s, %v; want %s\n%s", talk.send, got, err, talk.want, tf.gateway.Logs())
		}
	}
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color")
}
