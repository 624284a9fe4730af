// The race detector makes pools forget on purpose.
//go:build !race

package serve_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/integrate"
	"gatehouse/internal/observe"
	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/transform"
	"gatehouse/internal/transform/rest"
)

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
		t.Run(path, func(t *testing.T) { withinBudget(t, g, path, budget) })
	}
}

// A request for a REST API that answers by itself costs no memory either, with
// whatever a stage can log switched off; an access log gathers lines in memory it
// keeps.
func TestRESTAllocationBudget(t *testing.T) {
	writer := observe.NewLogWriter(observe.LogWriterOptions{})
	t.Cleanup(writer.Close)
	format, err := observe.ParseFormat("$context.requestId $context.extendedRequestId $context.resourcePath $context.status $context.error.message", contextvar.LookupREST)
	if err != nil {
		t.Fatal(err)
	}
	access := writer.AccessLog(format, nowhere{}, "group", "stream")
	for _, test := range []struct {
		name   string
		access plan.AccessLog
		log    plan.ExecutionLogging
		budget float64
	}{
		{"nothing is logged", nil, plan.ExecutionLogging{Data: true}, 0},
		{"an access log", access, plan.ExecutionLogging{}, 0},
		{"an execution log of errors", access, plan.ExecutionLogging{Level: plan.LogError, Data: true}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			mock := restMethod(t, "GET /pets/{id}", test.log, integrate.Mock{})
			var err error
			if mock.MapRequest, err = rest.NewRequest(rest.RequestOptions{Kind: rest.Mock, Templates: map[string]string{"application/json": `{"statusCode": 200}`}}); err != nil {
				t.Fatal(err)
			}
			if mock.MapResponse, err = rest.NewResponse(rest.ResponseOptions{Kind: rest.Mock, Responses: []rest.IntegrationResponse{
				{Status: 200, Templates: map[string]string{"application/json": "ok"}, Parameters: map[string]string{"method.response.header.X-Id": "'1'"}},
			}}); err != nil {
				t.Fatal(err)
			}
			g := startREST(t, serve.Options{}, plan.RestStage{MinCompression: -1, ExecutionLog: writer.ExecutionLog(nowhere{}, "group", "stream")}, mock)
			stage := g.plan.Load()
			api, _ := stage.API("abc")
			api.Stages["dev"].AccessLog = test.access
			withinBudget(t, g, "/dev/pets/1", test.budget)
		})
	}
}

// An answer from the cache costs no memory: nothing of it is copied but to the
// client.
func TestCacheAllocationBudget(t *testing.T) {
	body := []byte(strings.Repeat("x", 2000) + "ok")
	for name, sealed := range map[string]bool{"plain": false, "sealed": true} {
		t.Run(name, func(t *testing.T) {
			method := restMethod(t, "GET /pets/{id}", plan.ExecutionLogging{}, step(func(x *plan.Exchange) error {
				x.Response.Status, x.Response.Body = 200, body
				x.Response.Add("Content-Type", "text/plain")
				x.Response.Add("X-Id", x.RequestID)
				return nil
			}))
			g := startREST(t, serve.Options{}, plan.RestStage{MinCompression: -1}, cached(t, method, func(c *plan.MethodCache) { c.Sealed = sealed }))
			withinBudget(t, g, "/dev/pets/1", 0)
		})
	}
}

// nowhere takes lines and keeps none.
type nowhere struct{}

func (nowhere) Append(string, string, time.Time, []byte) error { return nil }

// withinBudget tells what a request costs, on a connection of its own, that is
// answered with a body that ends in "ok".
func withinBudget(t *testing.T, g *gateway, path string, budget float64) {
	t.Helper()
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
}
