package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// shutdownGrace is how long requests in flight have to finish once the program
// was told to stop: the longest an HTTP API integration may take.
const shutdownGrace = 30 * time.Second

func newServe() *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: `Run the gateway until it is interrupted.

Management (AWS's APIs) and traffic share one port by default, plain and TLS;
everything is kept in the data directory. Every flag is also an environment
variable (--root-access-key-id is GATEHOUSE_ROOT_ACCESS_KEY_ID) and a key of a
YAML file given with --config; flags outrank the environment, which outranks
the file.`,
		Example: `  gatehouse serve
  gatehouse serve --listen 127.0.0.1:4566 --data ./state
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 terraform apply`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := load(cmd, os.LookupEnv); err != nil {
				return err
			}
			if err := c.check(); err != nil {
				return err
			}
			return runGateway(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().String("config", "", "YAML `FILE` with the same settings")
	c.bind(cmd.Flags())
	return cmd
}

// runGateway runs a gateway until ctx ends.
func runGateway(ctx context.Context, c config, out, logs io.Writer) error {
	level, err := c.level()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: level}))
	g, err := start(ctx, c, log, logs)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "gatehouse %s serves on http://%s (and https); export AWS_ENDPOINT_URL=http://%s\n", version, g.Addr(), g.Addr()); err != nil {
		log.Warn("cannot write to standard output", "error", err)
	}
	if err := rest(); err != nil {
		log.Debug("cannot give back memory of the start", "error", err)
	}
	select {
	case <-ctx.Done():
		log.Info("stopping: finishing requests in flight")
	case err := <-g.Failed():
		log.Error("a listener failed", "error", err)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	return g.Close(stop)
}
