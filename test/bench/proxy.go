package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// routes is how many routes the HTTP API has.
const routes = 1000

// A subject is one way to the backend.
type subject struct {
	name    string
	process *process
	host    string // of the Host header
	// pooled subjects' lines say what they do beside passing on.
	note string
}

// proxy compares the CPU time that a proxied request costs.
func (b *bench) proxy(ctx context.Context) error {
	back, err := child("backend")
	if err != nil {
		return err
	}
	defer back.stop()

	var subjects []subject
	add := func(name, host, note string, p *process, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		subjects = append(subjects, subject{name: name, process: p, host: host, note: note})
		return nil
	}
	defer func() {
		for _, s := range subjects {
			s.process.stop()
		}
	}()
	p, err := b.nginx(back.addr)
	if err := add("nginx proxy_pass", "localhost", "access log", p, err); err != nil {
		return err
	}
	g, err := b.startGateway()
	if err := add("gatehouse HTTP_PROXY", "", "1,000 routes, access log, metrics", g, err); err != nil {
		return err
	}
	if subjects[1].host, err = createProxyAPI(ctx, g.addr, back.addr); err != nil {
		return err
	}
	p, err = child("dataplane", back.addr, "")
	if err := add("its data plane alone", "bench.execute-api.localhost", "1,000 routes", p, err); err != nil {
		return err
	}
	p, err = child("fasthttp", back.addr)
	if err := add("fasthttp both sides", "localhost", "nothing else", p, err); err != nil {
		return err
	}
	p, err = child("net/http", back.addr)
	if err := add("net/http ReverseProxy", "localhost", "nothing else", p, err); err != nil {
		return err
	}

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
	b.row("", "CPU per request", "× nginx", "requests/s", "p50", "p99", "does beside passing on")
	for i, s := range subjects {
		r := results[i]
		b.row(s.name, micros(best[i]), ratio(best[i], best[0]), fmt.Sprintf("%.0f", float64(r.requests)/r.elapsed.Seconds()), micros(r.p50), micros(r.p99), s.note)
	}
	return nil
}

// measure puts load on a subject and returns its CPU time per request.
func measure(ctx context.Context, s settings, sub subject) (time.Duration, result, error) {
	requests := make([][]byte, routes)
	for i := range requests {
		requests[i] = []byte("GET /r" + strconv.Itoa(i) + "/items/42?expand=price&lang=en HTTP/1.1\r\n" +
			"Host: " + sub.host + "\r\n" +
			"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n" +
			"Accept: application/json, text/plain, */*\r\n" +
			"Accept-Encoding: gzip, deflate, br\r\n" +
			"Accept-Language: en-GB,en;q=0.9\r\n" +
			"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkEifQ.c2lnbmF0dXJl\r\n\r\n")
	}
	l := load{addr: sub.process.addr, connections: s.connections, duration: s.duration / 4, request: func(connection, i int) []byte {
		return requests[(connection*31+i)%routes]
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
	// nginx says nothing when it listens; the shell prints the address once it
	// does not end at once, and the load generator's first dial is the proof.
	cmd := exec.Command("nginx", "-c", file, "-p", dir, "-e", filepath.Join(dir, "error.log"))
	p, err := spawnQuiet(cmd, addr)
	if err != nil {
		return nil, fmt.Errorf("nginx: %w (is it installed? apt-get install nginx)", err)
	}
	return p, nil
}
