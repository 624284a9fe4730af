package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
)

func newDemo() *cobra.Command {
	d := &demo{}
	var listen string
	story := func(tell func(context.Context, *gateway) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, _ []string) error {
			d.config.bind(newFlagSet()) // every setting at its default
			d.config.Listen = listen
			d.out, d.logs = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return d.run(cmd.Context(), tell)
		}
	}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a function and an HTTP API, created and called",
		Long: `Start a gateway on an empty temporary state, create through AWS's public APIs
what examples/hello creates with Terraform (a role, a Node.js function from a
zip, an HTTP API with an integration, a route GET /hello and a $default stage,
then a certificate, a custom domain name and a mapping), call it, over TLS too,
and keep serving until interrupted. Nothing is left behind.`,
		Args: cobra.NoArgs,
		RunE: story(d.hello),
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "chat",
		Short: "See WebSocket APIs work: a chat with rooms, and a page to try it",
		Long: `Start a gateway on an empty temporary state, create through AWS's public APIs
what examples/chat creates with Terraform (a WebSocket API with the routes of a
chat, the functions behind it, and a page behind an HTTP API), have two clients
talk to each other, and keep serving the page until interrupted. Nothing is
left behind.`,
		Args: cobra.NoArgs,
		RunE: story(d.chat),
	})
	cmd.PersistentFlags().BoolVar(&d.once, "once", false, "end after the calls")
	cmd.PersistentFlags().StringVar(&listen, "listen", "127.0.0.1:0", "loopback `HOST:PORT` to serve on; port 0 takes a free one")
	return cmd
}

// A demo is one run of `gatehouse demo`.
type demo struct {
	out, logs io.Writer
	config    config
	once      bool
}

// run starts the gateway, has tell create and call, and waits for the end.
func (d *demo) run(ctx context.Context, tell func(context.Context, *gateway) error) (err error) {
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
	if err := tell(ctx, g); err != nil {
		return err
	}
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

// dialer connects to the gateway whatever host is asked for: the host name of
// an API needn't resolve on this machine.
func dialer(addr string) func(ctx context.Context, network, _ string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
}
