package terraform

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/test/frame"
)

// TestWebSocket is the life of every resource of a WebSocket API: applied, planned
// again without a difference, changed in place, talked to after each, destroyed.
func TestWebSocket(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, 100)
		n, _ := r.Body.Read(body)
		_, _ = w.Write([]byte(r.Method + " " + r.URL.RequestURI() + " " + string(body[:n])))
	}))
	defer backend.Close()
	tf := newTerraform(t, filepath.Join("testdata", "websocket"))
	tf.env = append(tf.env, "TF_VAR_backend="+backend.URL)
	api := ""
	apply := func(step string) {
		t.Helper()
		tf.run("apply", "-auto-approve", "-input=false", "-no-color", "-var", "step="+step)
		if out, code := tf.try("plan", "-detailed-exitcode", "-input=false", "-no-color", "-var", "step="+step); code != 0 {
			t.Fatalf("step %s: the plan after apply isn't empty (exit code %d):\n%s", step, code, out)
		}
		was := api
		if api = tf.output("api"); was != "" && was != api {
			t.Errorf("the API %s became %s", was, api)
		}
	}
	apply("1")
	if got, want := tf.output("endpoint"), "ws://"+api+".execute-api.localhost:"; !strings.HasPrefix(got, want) {
		t.Errorf("the endpoint is %s", got)
	}
	const selections = "${integration.response.statuscode} ${integration.response.statuscode} ${integration.response.body.errorMessage} [] WHEN_NO_MATCH 29000 1.0 POST"
	if got := tf.output("selections"); got != selections {
		t.Errorf("integrations have %s, want %s", got, selections)
	}
	tf.talk(api, "/live?token=t", [][2]string{
		{`{"room":"r"}`, "step 1, room r"},
		{`{"action":"post","room":"a b","kind":"plain","text":"hi"}`, "PUT /step1/a%20b?v=value1 plain hi"},
		{`{"action":"post","room":"a","kind":"none"}`, "PUT /step1/a?v=value1 other"},
	})
	if _, err := frame.Dial(tf.gateway.Addr, "/live", tf.host(api)); err == nil {
		t.Error("a handshake without what $connect asks for was accepted")
	}
	apply("2")
	for _, stage := range []string{"live", "plain", "auto"} {
		tf.talk(api, "/"+stage+"?token=t", [][2]string{
			{`{"room":7}`, "step 2, room 7"},
			{`{"action":"put","room":"a","kind":"plain","text":"hi"}`, "POST /step2/a?v=value2 plain hi"},
		})
	}
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color", "-var", "step=2")
}

// host is the Host of an API of the gateway.
func (tf *terraform) host(apiID string) string {
	_, port, _ := strings.Cut(tf.gateway.Addr, ":")
	return apiID + ".execute-api.localhost:" + port
}

// talk connects to a WebSocket API, sends messages and wants each answered.
func (tf *terraform) talk(apiID, path string, lines [][2]string) {
	tf.t.Helper()
	conn, err := frame.Dial(tf.gateway.Addr, path, tf.host(apiID))
	if err != nil {
		tf.t.Fatalf("%s: %v\n%s", path, err, tf.gateway.Logs())
	}
	defer conn.Close() //nolint:errcheck // nothing to do about it
	for _, line := range lines {
		if err := conn.SendText(line[0]); err != nil {
			tf.t.Fatal(err)
		}
		got, err := conn.Receive(30 * time.Second)
		if err != nil || string(got.Payload) != line[1] {
			tf.t.Errorf("%s: %s was answered %q, %v; want %q", path, line[0], got.Payload, err, line[1])
		}
	}
}
