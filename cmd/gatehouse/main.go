// Gatehouse is Amazon API Gateway on your own machines: one program that
// speaks AWS's management APIs and serves the traffic of what was created
// through them.
//
// This package reads flags, environment and configuration file, and is the only
// place where the concrete types of the other packages meet. Start at serve.go
// for the command and gateway.go for the wiring.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/internal/function"
)

// version is set by the linker (make build).
var version = "dev"

func main() {
	// A function's process starts as this same program; it never returns from here.
	function.ReexecMain()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newRoot().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "gatehouse: "+err.Error())
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "Amazon API Gateway on your own machines",
		Long: `Gatehouse is Amazon API Gateway on your own machines.

It answers AWS's management APIs, so Terraform, the AWS CLI and the AWS SDKs
work unchanged once AWS_ENDPOINT_URL points at it, and it serves the APIs they
create: routing, Lambda functions run as local processes, HTTP proxying.

Start with:
  gatehouse demo         see it work: a function and an HTTP API, created and called
  gatehouse demo chat    the same for a WebSocket API: a chat, with a page to try it
  gatehouse serve        run the gateway
  gatehouse trust        print the root of the certificates it issues, or trust it`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newServe(), newDemo(), newBackup(), newRestore(), newTrust(), newVersion())
	return root
}
