package serve_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
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

// A party is a listener to which clients come from any address.
type party struct {
	guests chan net.Conn
	closed chan struct{}
	end    sync.Once
}

// A guest is one end of a pipe that is said to lead somewhere.
type guest struct {
	net.Conn
	from net.Addr
}

func (g guest) RemoteAddr() net.Addr { return g.from }

func (p *party) Accept() (net.Conn, error) {
	select {
	case c := <-p.guests:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *party) Close() error {
	p.end.Do(func() { close(p.closed) })
	return nil
}

func (p *party) Addr() net.Addr { return &net.TCPAddr{} }

// The addresses of one client of IPv6 are more than there are connections.
func TestConnectionsOfANetwork(t *testing.T) {
	g := startGateway(t, serve.Options{MaxPerClient: 2}, route(t, "$default", answer("x")))
	p := &party{guests: make(chan net.Conn), closed: make(chan struct{})}
	failed := make(chan error, 1)
	go func() { failed <- g.ServeTraffic(p) }()
	g.serving = append(g.serving, failed)
	visit := func(from string) (served bool) {
		here, there := net.Pipe()
		t.Cleanup(func() { _ = here.Close() })
		p.guests <- guest{there, &net.TCPAddr{IP: net.ParseIP(from), Port: 1}}
		_, err := io.WriteString(here, "GET / HTTP/1.1\r\n"+hostLine+"\r\n")
		if err != nil {
			return false
		}
		_, err = here.Read(make([]byte, 1))
		return err == nil
	}
	for _, test := range []struct {
		from string
		want bool
	}{
		{"2001:db8::1", true}, {"2001:db8::2", true}, {"2001:db8::ffff:3", false}, {"2001:db8:0:1::1", true},
		{"192.0.2.1", true}, {"192.0.2.2", true}, {"192.0.2.2", true}, {"192.0.2.2", false}, {"::1", true}, {"::1", true}, {"::1", true},
	} {
		if got := visit(test.from); got != test.want {
			t.Errorf("from %s: served %t, want %t", test.from, got, test.want)
		}
	}
}
