package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/internal/store/sqlite"
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
the file. What may be repeated is a list there, and separated by commas in the
environment:

  traffic: [":80"]
  traffic-tls: [":443"]
  http3: true
  data: /var/lib/gatehouse

SIGTERM stops it: requests in flight have 30 seconds. Nothing needs a restart but
a changed setting.`,
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
			if names := strayEnvironment(os.Environ(), cmd.Flags()); len(names) > 0 {
				cmd.PrintErrf("gatehouse: no settings, so ignored: %s\n", strings.Join(names, ", "))
			}
			return runGateway(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().String("config", "", "YAML `FILE` with the same settings")
	c.bind(cmd.Flags())
	return cmd
}

// hangups yields SIGHUPs, which service managers send to have settings read again,
// and which would end the program without a word.
func hangups() <-chan os.Signal {
	hangup := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(hangup, syscall.SIGHUP)
	}
	return hangup
}

// stay returns once the gateway is to stop.
func stay(ctx context.Context, g *gateway, hangup <-chan os.Signal, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			log.Info("stopping: finishing requests in flight")
			return
		case err := <-g.Failed():
			log.Error("a listener failed", "error", err)
			return
		case <-hangup:
			if onTerminal() {
				log.Info("stopping: the terminal is gone")
				return
			}
			log.Warn("SIGHUP changes nothing: settings are read at the start, certificates count as soon as they change; SIGTERM stops the gateway")
		}
	}
}

// onTerminal tells whether somebody sits in front of the program, for whom it ends
// with the terminal.
func onTerminal() bool {
	in, err := os.Stdin.Stat()
	if err != nil || in.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(in, null)
}

// advised adds to why the gateway doesn't start what can be done about its disk.
func advised(err error, data string) error {
	switch {
	case errors.As(err, new(*sqlite.DiskError)):
		return err // says so itself
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: make room on the disk of %s, or choose another directory with --data", err, data)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: mount what %s lies on for writing, or choose another directory with --data", err, data)
	}
	return err
}

// runGateway runs a gateway until ctx ends.
func runGateway(ctx context.Context, c config, out, logs io.Writer) error {
	level, err := c.level()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: level}))
	// What a library says by package log, as quic-go does of small socket buffers,
	// belongs in the same log.
	slog.SetDefault(log)
	slog.SetLogLoggerLevel(slog.LevelWarn)
	hangup := hangups()
	g, err := start(ctx, c, log, logs)
	if err != nil {
		return advised(err, c.Data)
	}
	if _, err := fmt.Fprintf(out, "gatehouse %s serves on http://%s (and https); export AWS_ENDPOINT_URL=http://%s\n", version, g.Addr(), g.Addr()); err != nil {
		log.Warn("cannot write to standard output", "error", err)
	}
	if err := rest(); err != nil {
		log.Debug("cannot give back memory of the start", "error", err)
	}
	stay(ctx, g, hangup, log)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	return g.Close(stop)
}
