// Command go is bin/detect and bin/build of Slipway's Go buildpack, told apart by
// the name that it is called by.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"slipway/buildpacks/bundled/golang"
)

func main() {
	os.Exit(run()) //nolint:forbidigo // this is main
}

func run() int {
	//nolint:forbidigo // this is main
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return golang.Main(ctx, os.Args, os.Environ(), os.Stdout)
}
