package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// demoWarmCalls is how many further calls the demo times.
const demoWarmCalls = 50

func newDemo() *cobra.Command {
	var once bool
	c, defaults := config{}, newFlagSet()
	c.bind(defaults) // every setting at its default
	listen := "127.0.0.1:0"
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a function and an HTTP API, created and called",
		Long: `Start a gateway on an empty temporary state, create through AWS's public APIs
what examples/hello creates with Terraform (a role, a Node.js function from a
zip, an HTTP API with an integration, a route GET /hello and a $default stage),
call it, and keep serving until interrupted. Nothing is left behind.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Listen = listen
			d := &demo{out: cmd.OutOrStdout(), logs: cmd.ErrOrStderr(), config: c, once: once}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end after the call")
	cmd.Flags().StringVar(&listen, "listen", listen, "loopback `HOST:PORT` to serve on; port 0 takes a free one")
	return cmd
}

// A demo is one run of `gatehouse demo`.
type demo struct {
	out, logs io.Writer
	config    config
	once      bool
}

// run starts the gateway, creates, calls, and waits for the end.
func (d *demo) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "gatehouse-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d.config.Data = dir
	if err := d.config.check(); err != nil {
		return err
	}
	if !d.config.loopback() {
		return fmt.Errorf("--listen %s: the demo serves on loopback only", d.config.Listen)
	}
	began := time.Now()
	// Only warnings: the demo tells its own story.
	g, err := start(ctx, d.config, slog.New(slog.NewTextHandler(d.logs, &slog.HandlerOptions{Level: slog.LevelWarn})), d.logs)
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		err = errors.Join(err, g.Close(stop))
	}()
	d.printf("A gateway on an empty temporary state, ready in %s at http://%s\n\n", millis(time.Since(began)), g.Addr())

	hello, err := createHello(ctx, newDemoClient(g.Addr(), d.config.Region), d.out)
	if err != nil {
		return err
	}
	if err := d.call(ctx, g.Addr(), hello.host); err != nil {
		return err
	}
	d.printf("\nTry it:\n")
	d.printf("  curl http://%s/hello?name=you\n", hello.host)
	d.printf("  curl 'http://%s/_aws/execute-api/%s/$default/hello'     (where *.localhost doesn't resolve)\n", g.Addr(), hello.apiID)
	d.printf("  AWS_ENDPOINT_URL=http://%s aws apigatewayv2 get-apis\n", g.Addr())
	if d.once {
		return nil
	}
	d.printf("\nServing until Ctrl-C.\n")
	select {
	case <-ctx.Done():
		return nil
	case err := <-g.Failed():
		return err
	}
}

// call requests GET /hello, prints request, response and timings, and fails
// unless the answer is a 200.
func (d *demo) call(ctx context.Context, addr, host string) error {
	// The host name of an API needn't resolve on this machine.
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}}
	defer client.CloseIdleConnections()
	get := func() (*http.Response, []byte, time.Duration, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/hello", nil)
		if err != nil {
			return nil, nil, 0, err
		}
		began := time.Now()
		resp, err := client.Do(req)
		if err != nil {
			return nil, nil, 0, err
		}
		body, err := io.ReadAll(resp.Body)
		return resp, body, time.Since(began), errors.Join(err, resp.Body.Close())
	}
	resp, body, cold, err := get()
	if err != nil {
		return err
	}
	d.printf("\n> GET /hello HTTP/1.1\n> Host: %s\n\n< %s %s\n", host, resp.Proto, resp.Status)
	names := make([]string, 0, len(resp.Header))
	for name := range resp.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		d.printf("< %s: %s\n", strings.ToLower(name), strings.Join(resp.Header[name], ", "))
	}
	d.printf("\n%s\n", body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /hello answered %s, not 200", resp.Status)
	}
	warm := make([]time.Duration, demoWarmCalls)
	for i := range warm {
		var again *http.Response
		if again, _, warm[i], err = get(); err != nil {
			return err
		}
		if again.StatusCode != http.StatusOK {
			return fmt.Errorf("GET /hello answered %s, not 200", again.Status)
		}
	}
	slices.Sort(warm)
	d.printf("\nfirst call %s (the function's process started), then %s (median of %d)\n", millis(cold), millis(warm[len(warm)/2]), len(warm))
	return nil
}

// printf writes to standard output; a reader that went away is no failure.
func (d *demo) printf(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format, args...) }

// millis prints a duration the way a person reads it.
func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return fmt.Sprintf("%.2f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}
