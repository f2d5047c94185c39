// Command slipway is the server and its client.
package main

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"slipway/internal/cli"
	"slipway/internal/server"
)

// version is set when a release is built.
var version = "dev"

// watchAPI looks at what the API answers; tests set it.
var watchAPI func(http.Handler) http.Handler

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	root := cli.New(environment())
	root.AddCommand(server.Command(version, os.Stderr, watchAPI))
	root.AddCommand(server.GitPrograms(version, os.Stdin, os.Stdout, os.Stderr)...)
	return cli.Run(ctx, root, os.Args[1:])
}
