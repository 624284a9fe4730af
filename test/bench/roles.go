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

	"github.com/valyala/fasthttp"
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
	case roleDataPlane:
		return dataPlane(ctx, l, args[0])
	case roleBareSocket:
		return bareSocket(ctx, l)
	case roleSocketPlane:
		return socketPlane(ctx, l)
	case roleBareTLS:
		return bareTLS(ctx, l, args[0], args[1])
	case roleProfiled:
		return profiled(ctx, l, args[0], args[1])
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

// profile writes a CPU profile of the data plane under the proxy section's load.
func profile(ctx context.Context, s settings) error {
	b, err := child("backend")
	if err != nil {
		return err
	}
	defer b.stop()
	p, err := child(roleProfiled, b.addr, s.profile)
	if err != nil {
		return err
	}
	defer p.stop()
	per, r, err := measure(ctx, s, subject{name: "data plane", process: p, host: dataPlaneHost})
	if err != nil {
		return err
	}
	fmt.Printf("%s CPU per request, %.0f requests/s, p50 %s, p99 %s\n", micros(per), float64(r.requests)/r.elapsed.Seconds(), micros(r.p50), micros(r.p99))
	return nil
}
