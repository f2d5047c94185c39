// Package embedded runs dynos without a daemon: slugs are pulled from our
// registry and unpacked by internal/images, and run by runc in a network of
// their own.
//
// A dyno has namespaces of its own for everything, no capabilities, a seccomp
// filter, and limits on memory, processor, processes and disk. What it writes
// lies above its slug's layers, in memory, and goes with it. It reaches the
// outside and the addresses of Config.Reach, nothing else. Its first process is
// an init (tini), which reaps what is orphaned and lets SIGTERM do what it does
// elsewhere.
//
// A [Backend] owns one directory. What a killed server left in it, or running,
// is removed by the next [Open]. The package does not decide what runs. It needs
// root. All methods may be called concurrently.
//
//	b, err := embedded.Open(ctx, embedded.Config{Dir: dir, Registry: "127.0.0.1:5000"})
//	...
//	defer b.Close()
//	c, err := b.Start(ctx, dyno.Spec{ID: "shop-web-1", Slug: slug, Type: "web"}, dyno.Stdio{Stdout: w, Stderr: w})
//	...
//	defer c.Remove(ctx)
//	exit, err := c.Wait(ctx)
package embedded
