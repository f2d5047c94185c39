// Package embedded runs containers for pack without a daemon: pack's
// DockerClient, in process, over containerd's content store and snapshotters
// and runc.
//
// An [Engine] keeps images on disk (content, layers unpacked, a bolt file of
// names), volumes as plain directories, and containers in memory. What a
// killed server left behind is removed by the next [Open].
//
// It does only what pack asks of a daemon: no port publishing, no restart
// policies, no exec, no image builds. It needs root. All methods of an Engine
// may be called concurrently.
//
//	e, err := embedded.Open(ctx, embedded.Config{Dir: "/var/lib/slipway/engine"})
//	if err != nil {
//		return err
//	}
//	defer e.Close()
//	p, err := client.NewClient(client.WithDockerClient(e))
package embedded
