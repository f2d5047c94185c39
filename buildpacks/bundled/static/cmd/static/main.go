// Command static is bin/detect and bin/build of Slipway's buildpack for static sites, told apart by
// the name that it is called by.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"slipway/buildpacks/bundled/static"
)

func main() {
	os.Exit(run()) //nolint:forbidigo // this is main
}

func run() int {
	//nolint:forbidigo // this is main
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return static.Main(ctx, os.Args, os.Environ(), os.Stdout)
}
