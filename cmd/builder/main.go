// Command builder makes Slipway's bundled builder, an OCI image layout that
// holds a builder and its run image. It needs root, Debian's packages and the
// Go module proxy.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"slipway/buildpacks/bundled"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := bundled.Config{Progress: os.Stdout}
	cacheHome, err := os.UserCacheDir()
	if err != nil {
		cacheHome = os.TempDir()
	}
	flag.StringVar(&c.Root, "C", ".", "`folder` of Slipway's source")
	flag.StringVar(&c.Out, "o", "bin/builder", "`folder` to make")
	flag.StringVar(&c.Cache, "cache", filepath.Join(cacheHome, "slipway", "builder"), "`folder` to keep parts in")
	flag.BoolVar(&c.Fresh, "fresh", false, "install Debian and CPython anew, with today's packages")
	flag.StringVar(&c.Mirrors.Debian, "debian", "", "Debian mirror, `http://…/debian` (default: as in this machine's apt sources)")
	flag.StringVar(&c.Mirrors.Security, "debian-security", "", "mirror of Debian's security updates")
	flag.StringVar(&c.Mirrors.Ubuntu, "ubuntu", "", "Ubuntu mirror, for C headers of CPythons that Debian lacks")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		return 2
	}
	// File modes in the images come from here.
	syscall.Umask(0o022)
	if err := bundled.Build(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, "builder:", err)
		return 1
	}
	return 0
}
