// The race detector makes pools forget on purpose.
//go:build !race

package serve_test

import (
	"bytes"
	"net"
	"testing"

	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/transform"
)

// constantBackend answers every request of any connection with the same bytes.
func constantBackend(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf, answer := make([]byte, 4096), []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// A request on a kept-alive connection costs no memory of its own.
func TestAllocationBudget(t *testing.T) {
	backend := constantBackend(t)
	// The backend ends with its connection, so Upstreams close first.
	u := newUpstreams(t, integrate.UpstreamOptions{})
	body := []byte("ok")
	constant := step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.Body = 200, body
		return nil
	})
	mapped := route(t, "GET /mapped/{id}", newHTTP(t, integrate.HTTPOptions{URI: "http://" + backend, Upstreams: u}))
	var err error
	if mapped.MapRequest, err = transform.NewRequest(map[string]string{
		"overwrite:path": "/${request.path.id}", "append:header.x-id": "$context.requestId", "overwrite:querystring.a": "${request.header.accept}", "remove:header.user-agent": "''",
	}, nil); err != nil {
		t.Fatal(err)
	}
	if mapped.MapResponse, err = transform.NewResponse(map[string]map[string]string{"200": {"append:header.x-body": "$response.body", "remove:header.content-type": "''"}}, nil); err != nil {
		t.Fatal(err)
	}
	g := startGateway(t, serve.Options{}, route(t, "GET /constant/{id}", constant), mapped,
		route(t, "GET /proxy/{id}", newHTTP(t, integrate.HTTPOptions{URI: "http://" + backend + "/{id}", Upstreams: u})))
	for path, budget := range map[string]float64{"/constant/1": 0, "/proxy/1": 0, "/mapped/1": 0} {
		t.Run(path, func(t *testing.T) {
			c := dial(t, g.addr)
			request := []byte("GET " + path + "?a=b HTTP/1.1\r\n" + host + "User-Agent: x\r\nAccept: */*\r\n\r\n")
			buf := make([]byte, 4096)
			got := testing.AllocsPerRun(200, func() {
				if _, err := c.Write(request); err != nil {
					t.Fatal(err)
				}
				n, err := c.Read(buf)
				if err != nil || !bytes.HasSuffix(buf[:n], []byte("ok")) {
					t.Fatalf("%q, %v", buf[:n], err)
				}
			})
			// AllocsPerRun rounds down: a stray one of the runtime's doesn't count.
			if got > budget {
				t.Errorf("%v allocations per request, budget %v", got, budget)
			}
		})
	}
}
