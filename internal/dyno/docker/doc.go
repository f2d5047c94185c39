// Package docker runs dynos on a Docker daemon, 20.10 or newer, on this machine.
//
// A dyno is a container without capabilities and with limits, in the network
// namespace of a holder (see buildpacks/docker), in which its walls are put up
// from outside. The daemon has no bound for what a container writes to disk, so
// that is measured every second, and what exceeds it is killed.
//
// A [Backend] touches only what carries the label of its directory, and the
// images that it pulled itself. What a killed server left is removed by the next
// [Open]. All methods may be called concurrently.
//
//	b, err := docker.Open(ctx, docker.Config{Dir: dir, Registry: "127.0.0.1:5000"})
//	...
//	defer b.Close()
package docker
