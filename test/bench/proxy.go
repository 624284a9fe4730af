package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

// routes is how many routes an HTTP API has where its size isn't the point.
const routes = 1_000

// A subject is one way to the backend.
type subject struct {
	name    string
	process *process
	host    string      // of the Host header
	prefix  string      // of the paths
	routes  int         // over which the requests are spread; 0 is routes
	note    string      // what it does beside passing on
	tls     *tls.Config // nil for plain connections
	// identify appends the header lines by which a client says who it is, for the
	// route and the n-th request; nil is a token that nobody looks at.
	identify func(dst []byte, route, n int) []byte
}

// ignoredToken is a token of a usual length.
func ignoredToken(dst []byte, _, _ int) []byte {
	return append(dst, "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkEifQ.c2lnbmF0dXJl\r\n"...)
}

// proxy compares the CPU time that a proxied request costs.
func (b *bench) proxy(ctx context.Context) error {
	back, err := child("backend")
	if err != nil {
		return err
	}
	defer back.stop()
	nginx, err := b.nginx(back.addr)
	if err != nil {
		return err
	}
	defer nginx.stop()
	subjects := []subject{{name: "nginx proxy_pass", process: nginx, host: "localhost", note: "access log"}}

	g, err := b.startGateway(throttled()...)
	if err != nil {
		return err
	}
	defer g.stop()
	own, err := gatewaySubjects(ctx, g, back.addr)
	if err != nil {
		return err
	}
	rest, err := restSubjects(ctx, g, back.addr)
	if err != nil {
		return err
	}
	subjects = append(append(subjects, own...), rest...)

	for _, peer := range []struct {
		name, role, host, note string
	}{
		{"its data plane alone", roleDataPlane, dataPlaneHost, "1,000 routes, nothing else"},
		{"fasthttp both sides", "fasthttp", "localhost", "nothing else"},
		{"net/http ReverseProxy", "net/http", "localhost", "nothing else"},
	} {
		p, err := child(peer.role, back.addr)
		if err != nil {
			return fmt.Errorf("%s: %w", peer.name, err)
		}
		defer p.stop()
		subjects = append(subjects, subject{name: peer.name, process: p, host: peer.host, note: peer.note})
	}
	return b.compare(ctx, subjects)
}

// gatewaySubjects creates HTTP APIs of several sizes.
func gatewaySubjects(ctx context.Context, g *process, backend string) ([]subject, error) {
	const on = "CORS, throttles, access log, metrics"
	config := awsConfig(g.addr)
	if err := createLogGroup(ctx, config); err != nil {
		return nil, err
	}
	var subjects []subject
	for _, s := range []struct {
		name, note string
		api        proxyAPI
	}{
		{"gatehouse HTTP_PROXY, 10 routes", on, proxyAPI{routes: 10}},
		{"gatehouse HTTP_PROXY, 1,000 routes", on, proxyAPI{routes: 1_000}},
		{"gatehouse HTTP_PROXY, 10,000 routes", on, proxyAPI{routes: 10_000}},
		{"gatehouse HTTP_PROXY, 1,000 routes", on + ", mapping", proxyAPI{routes: 1_000, mapped: true}},
	} {
		s.api.backend = backend
		host, err := s.api.create(ctx, config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		subjects = append(subjects, subject{name: s.name, process: g, host: host, routes: s.api.routes, note: s.note})
	}
	return subjects, nil
}

// compare measures subjects in turns and prints them beside the first one.
func (b *bench) compare(ctx context.Context, subjects []subject) error {
	best := make([]time.Duration, len(subjects))
	results := make([]result, len(subjects))
	for range b.rounds {
		for i, s := range subjects {
			per, r, err := measure(ctx, b.settings, s)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if best[i] == 0 || per < best[i] {
				best[i], results[i] = per, r
			}
		}
	}
	b.title("HTTP_PROXY, %d connections kept alive, %d byte answers (best of %d rounds of %s)", b.connections, len(answerBody), b.rounds, b.duration)
	b.row("", "CPU per request", "× the first", "requests/s", "p50", "p99", "does beside passing on")
	for i, s := range subjects {
		r := results[i]
		b.row(s.name, micros(best[i]), ratio(best[i], best[0]), fmt.Sprintf("%.0f", float64(r.requests)/r.elapsed.Seconds()), micros(r.p50), micros(r.p99), s.note)
	}
	return nil
}

// measure puts load on a subject and returns its CPU time per request. The
// requests are those of a browser's page, to each route in a random order that
// is always the same.
func measure(ctx context.Context, s settings, sub subject) (time.Duration, result, error) {
	order := rand.New(rand.NewPCG(1, 2)).Perm(cmp.Or(sub.routes, routes))
	rest := "/items/42?expand=price&lang=en HTTP/1.1\r\n" +
		"Host: " + sub.host + "\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n" +
		"Accept: application/json, text/plain, */*\r\n" +
		"Accept-Encoding: gzip, deflate, br\r\n" +
		"Accept-Language: en-GB,en;q=0.9\r\n" +
		"Origin: " + origin + "\r\n"
	identify := sub.identify
	if identify == nil {
		identify = ignoredToken
	}
	var sent atomic.Int64
	l := load{addr: sub.process.addr, tls: sub.tls, connections: s.connections, duration: s.duration / 4, request: func(dst []byte, connection, i int) []byte {
		route := order[(connection*31+i)%len(order)]
		dst = append(append(append(dst, "GET "...), sub.prefix...), "/r"...)
		dst = strconv.AppendInt(dst, int64(route), 10)
		dst = append(dst, rest...)
		return append(identify(dst, route, int(sent.Add(1))), "\r\n"...)
	}}
	if _, err := l.run(ctx); err != nil { // warms up
		return 0, result{}, err
	}
	before, err := sub.process.cpu()
	if err != nil {
		return 0, result{}, err
	}
	l.duration = s.duration
	r, err := l.run(ctx)
	if err != nil {
		return 0, r, err
	}
	after, err := sub.process.cpu()
	if err != nil {
		return 0, r, err
	}
	return (after - before) / time.Duration(r.requests), r, nil
}

// nginx starts nginx as a plain reverse proxy with its default access log.
func (b *bench) nginx(backend string) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.dir, "nginx")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`daemon off;
worker_processes 1;
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections 1024; }
http {
  access_log %[1]s/access.log combined;
  client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  keepalive_requests 1000000000;
  upstream backend { server %[2]s; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen %[3]s;
    location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`, dir, backend, addr)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	return startNginx(file, addr)
}

// startNginx starts nginx with a configuration that has it listen on addr.
func startNginx(config, addr string) (*process, error) {
	// nginx says nothing when it listens: the first dial that succeeds is the proof.
	dir := filepath.Dir(config)
	p, err := spawnQuiet(exec.Command("nginx", "-c", config, "-p", dir, "-e", filepath.Join(dir, "error.log")), addr)
	if err != nil {
		return nil, fmt.Errorf("nginx: %w (is it installed? apt-get install nginx)", err)
	}
	return p, nil
}
