package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// coldStarts is how many new functions are called once.
	coldStarts = 9
	// warmConnections is the concurrency of the CPU measurement.
	warmConnections = 16
)

// handler is the function that both Node subjects run.
const handler = `export const handler = async (event) => ({
  statusCode: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ hello: event.queryStringParameters?.name ?? "world", path: event.rawPath }),
});
`

// bareServer is the shortest HTTP server around the handler.
const bareServer = `import http from "node:http";
import { handler } from "./index.mjs";
const server = http.createServer(async (req, res) => {
  const [path, query] = req.url.split("?");
  const parameters = query ? Object.fromEntries(new URLSearchParams(query)) : undefined;
  const answer = await handler({ version: "2.0", rawPath: path, rawQueryString: query ?? "", headers: req.headers, queryStringParameters: parameters });
  res.writeHead(answer.statusCode, answer.headers);
  res.end(answer.body);
});
server.keepAliveTimeout = 60000;
server.listen(0, "127.0.0.1", () => console.log("127.0.0.1:" + server.address().port));
`

// function compares a Node function behind an HTTP API with a bare Node server.
func (b *bench) function(ctx context.Context) error {
	code, err := zipFile("index.mjs", handler)
	if err != nil {
		return err
	}
	g, err := b.startGateway()
	if err != nil {
		return err
	}
	defer g.stop()
	config := awsConfig(g.addr)
	role, err := createRole(ctx, config)
	if err != nil {
		return err
	}
	hosts := make([]string, coldStarts)
	for i := range hosts {
		if hosts[i], err = createFunction(ctx, config, fmt.Sprintf("bench-%d", i), role, code); err != nil {
			return err
		}
	}
	if err := b.cold(ctx, g.addr, hosts); err != nil {
		return err
	}

	bare, err := b.bareNode()
	if err != nil {
		return err
	}
	defer bare.stop()
	b.title("Warm Node function through an HTTP API (payload 2.0), function's CPU included")
	b.row("", "p50, 1 connection", "p99", fmt.Sprintf("CPU per request, %d connections", warmConnections), "requests/s", "p50", "p99")
	for _, s := range []subject{
		{name: "bare Node server", process: bare, host: "localhost"},
		{name: "gatehouse AWS_PROXY", process: g, host: hosts[0]},
	} {
		one, many := b.settings, b.settings
		one.connections, many.connections = 1, warmConnections
		_, single, err := measure(ctx, one, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		per, r, err := measure(ctx, many, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		b.row(s.name, millis(single.p50), millis(single.p99), micros(per), fmt.Sprintf("%.0f", float64(r.requests)/r.elapsed.Seconds()), millis(r.p50), millis(r.p99))
	}
	return nil
}

// cold calls each function for its first time.
func (b *bench) cold(ctx context.Context, addr string, hosts []string) error {
	var node, first []time.Duration
	for range hosts {
		start := time.Now()
		if out, err := exec.CommandContext(ctx, "node", "-e", "0").CombinedOutput(); err != nil {
			return fmt.Errorf("node -e 0: %w\n%s", err, out)
		}
		node = append(node, time.Since(start))
	}
	for _, host := range hosts {
		start := time.Now()
		if _, err := get(ctx, addr, host, "/"); err != nil {
			return err
		}
		first = append(first, time.Since(start))
	}
	slices.Sort(node)
	slices.Sort(first)
	median := len(first) / 2
	b.title("Cold Node function through an HTTP API (median of %d functions)", len(hosts))
	b.row("", "p50", "slowest")
	b.row("node -e 0", millis(node[median]), millis(node[len(node)-1]))
	b.row("gatehouse AWS_PROXY, first call", millis(first[median]), millis(first[len(first)-1]))
	b.row("the bar: 1.5 × node -e 0 + 20 ms", millis(node[median]*3/2+20*time.Millisecond))
	return nil
}

func (b *bench) bareNode() (*process, error) {
	dir := filepath.Join(b.dir, "node")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"index.mjs": handler, "server.mjs": bareServer} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return spawn(exec.Command("node", filepath.Join(dir, "server.mjs")), strings.TrimSpace)
}

func zipFile(name, text string) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.Create(name)
	if err == nil {
		_, err = io.WriteString(f, text)
	}
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}
