// Package sandbox runs programs that only look at an app: the bin/detect of
// buildpacks that nobody vouches for.
//
// A program sees the app at /workspace, the programs of this machine or the file
// system of an image, directories that were named, a /tmp, a /proc and a /dev of
// its own, and nothing else: no other files, no network, no other processes. What
// it changes in the app goes to memory, is told, and thrown away. Its time,
// memory, processes, files and output are limited, and when it has ended all
// that it started is stopped.
//
// It needs Linux 5.12 and either root or user namespaces. Where these are
// missing a [Pool] says so ([Pool.Support]), and one that is opened as Plain runs
// programs without walls, but with what limits remain.
//
// Namespaces are made by workers: this program itself, started again, which an
// init function of this package recognises. A worker serves many programs, one
// after the other, so that each costs a few milliseconds.
//
//	pool, err := sandbox.Open(sandbox.Config{})
//	...
//	defer pool.Close()
//	out, err := pool.Run(ctx, sandbox.Command{App: dir, Args: []string{"/bin/sh", "-c", "ls"}})
//
// A Pool may be used by many goroutines at once.
package sandbox
