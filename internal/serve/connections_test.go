package serve_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/socket"
)

// tellCall answers a call of @connections with what it was.
type tellCall struct{}

func (tellCall) ServeConnections(w http.ResponseWriter, r *http.Request, stage *plan.Stage, management bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = fmt.Fprintf(w, "%s %s of %s/%s, management %t: %s", r.Method, r.RequestURI, stage.API.ID, stage.Name, management, body)
}

// Calls of @connections are where their stage is, with its API's host or in a
// path form, on every listener.
func TestConnectionsCalls(t *testing.T) {
	authority := certificate(t)
	g := startSockets(t, serve.Options{Connections: tellCall{}, Certificate: authority.Certificate}, socket.Options{})
	traffic, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- g.ServeTraffic(traffic) }()
	t.Cleanup(func() { _ = traffic.Close(); <-failed })
	h2 := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: trust(t, authority)}}
	defer h2.CloseIdleConnections()
	plain := &http.Client{Transport: &http.Transport{}}
	defer plain.CloseIdleConnections()

	const id = "R1kmxc2VNjMCFIA%3D"
	for _, test := range []struct {
		client            *http.Client
		base, host        string
		method, path      string
		status            int
		management, proto string
	}{
		{plain, "http://" + g.addr, "wsa.execute-api.localhost", "POST", "/prod/@connections/" + id, 200, "true", "HTTP/1.1"},
		{plain, "http://" + g.addr, "wsa.execute-api.localhost", "GET", "/prod/%40connections/" + id, 200, "true", "HTTP/1.1"},
		{plain, "http://" + g.addr, "127.0.0.1", "DELETE", "/_aws/execute-api/wsa/prod/@connections/" + id, 200, "true", "HTTP/1.1"},
		{plain, "http://" + traffic.Addr().String(), "wsa.execute-api.localhost", "POST", "/prod/@connections/" + id, 200, "false", "HTTP/1.1"},
		{h2, "https://" + g.addr, "wsa.execute-api.localhost", "POST", "/prod/@connections/" + id, 200, "true", "HTTP/2.0"},
		{plain, "http://" + g.addr, "wsa.execute-api.localhost", "POST", "/other/@connections/" + id, 403, "", "HTTP/1.1"},
		{plain, "http://" + g.addr, "wsa.execute-api.localhost", "POST", "/@connections/" + id, 403, "", "HTTP/1.1"},
		{plain, "http://" + g.addr, "wsa.execute-api.localhost", "GET", "/prod/@connections", 403, "", "HTTP/1.1"},
	} {
		r, err := http.NewRequest(test.method, test.base+test.path, strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = test.host
		res, err := test.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		want := fmt.Sprintf("%s %s of wsa/prod, management %s: hello", test.method, test.path, test.management)
		if test.status == 403 {
			want = `{"message":"Forbidden"}`
			if res.Header.Get("x-amzn-ErrorType") != "ForbiddenException" {
				t.Errorf("%s: %v", test.path, res.Header)
			}
		}
		if res.StatusCode != test.status || string(body) != want || res.Proto != test.proto {
			t.Errorf("%s %s: %d %s %s, want %s", test.method, test.path, res.StatusCode, res.Proto, body, want)
		}
	}
}
