package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

// answerBody is what the backend answers: a small JSON document.
var answerBody = []byte(`{"id":42,"name":"Gatehouse","tags":["a","b","c"],"price":{"amount":1299,"currency":"EUR"},` +
	`"description":"a small document, of the size that an API often answers with","available":true}`)

// runRole runs this program as one of its children until it is told to stop.
func runRole(ctx context.Context, role string, args []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	switch role {
	case "backend":
		return backend(ctx, l)
	case "net/http":
		return reverseProxy(ctx, l, args[0])
	case "fasthttp":
		return fasthttpProxy(ctx, l, args[0])
	case "dataplane":
		return dataPlane(ctx, l, args[0], args[1])
	}
	return fmt.Errorf("role %q isn't known", role)
}

// serveUntil announces the listener and serves until the parent is done.
func serveUntil(ctx context.Context, l net.Listener, run func(net.Listener) error) error {
	failed := make(chan error, 1)
	go func() { failed <- run(l) }()
	announce(l.Addr().String())
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// backend answers every request with the same document.
func backend(ctx context.Context, l net.Listener) error {
	s := &fasthttp.Server{NoDefaultServerHeader: true, Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("application/json")
		ctx.SetBody(answerBody)
	}}
	return serveUntil(ctx, l, s.Serve)
}

// reverseProxy is net/http's ReverseProxy and nothing else: no log, no metrics.
func reverseProxy(ctx context.Context, l net.Listener, backend string) error {
	p := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: backend})
	p.Transport = &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	p.ErrorLog = log.New(io.Discard, "", 0)
	return serveUntil(ctx, l, (&http.Server{Handler: p}).Serve)
}

// fasthttpProxy is fasthttp's server and client back to back and nothing else.
func fasthttpProxy(ctx context.Context, l net.Listener, backend string) error {
	client := &fasthttp.HostClient{Addr: backend, MaxConns: 256, NoDefaultUserAgentHeader: true}
	s := &fasthttp.Server{NoDefaultServerHeader: true, Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.Request.SetHost(backend)
		ctx.Request.Header.Del("Connection")
		if err := client.Do(&ctx.Request, &ctx.Response); err != nil {
			ctx.Error(err.Error(), http.StatusBadGateway)
		}
		ctx.Response.Header.Del("Connection")
	}}
	return serveUntil(ctx, l, s.Serve)
}

// dataPlane is the gateway's data plane without its management, for profiles:
// 1,000 routes to the backend, a counter in place of the log and the metrics.
func dataPlane(ctx context.Context, l net.Listener, backend, profile string) error {
	upstreams := integrate.NewUpstreams(integrate.UpstreamOptions{})
	api := &plan.API{ID: "bench", Protocol: plan.HTTP, Stages: map[string]*plan.Stage{}}
	var tree *plan.Tree
	for i := range routes {
		key := "GET /r" + strconv.Itoa(i) + "/items/{id}"
		k, err := plan.ParseRouteKey(key)
		if err != nil {
			return err
		}
		h, err := integrate.NewHTTP(integrate.HTTPOptions{URI: "http://" + backend + "/r/items/{id}", Upstreams: upstreams})
		if err != nil {
			return err
		}
		tree = tree.With(&plan.Route{Key: key, ID: key, Method: k.Method, Path: k.Path, ParamNames: k.ParamNames, Greedy: k.Greedy, Integration: h})
	}
	seen := &counter{}
	api.Stages[plan.DefaultStage] = &plan.Stage{API: api, Name: plan.DefaultStage, Routes: tree, AccessLog: seen, Metrics: seen}
	var current atomic.Pointer[plan.Plan]
	current.Store(current.Load().With(api))
	s := serve.New(serve.Options{Plan: &current})

	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only read
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	return serveUntil(ctx, l, s.Serve)
}

// counter stands for the access log and the metrics.
type counter struct{ n atomic.Int64 }

func (c *counter) Count(*plan.Exchange, time.Duration) { c.n.Add(1) }
func (c *counter) Log(*plan.Exchange, time.Duration)   { c.n.Add(1) }

// profile writes a CPU profile of the data plane under the proxy section's load.
func profile(ctx context.Context, s settings) error {
	b, err := child("backend")
	if err != nil {
		return err
	}
	defer b.stop()
	p, err := child("dataplane", b.addr, s.profile)
	if err != nil {
		return err
	}
	defer p.stop()
	per, r, err := measure(ctx, s, subject{name: "data plane", process: p, host: "bench.execute-api.localhost"})
	if err != nil {
		return err
	}
	fmt.Printf("%s CPU per request, %.0f requests/s, p50 %s, p99 %s\n", micros(per), float64(r.requests)/r.elapsed.Seconds(), micros(r.p50), micros(r.p99))
	return nil
}
