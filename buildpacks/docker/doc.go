// Package docker runs build containers on a Docker daemon, 20.10 or newer.
//
// An [Engine] is the daemon's client with a network of our own added: each
// build's containers join the network namespace of a holder, a container that
// does nothing, in which the build's ports, its resolver and its walls are
// put up from outside. That needs root on the machine on which the daemon
// runs; [Open] says so where it is not given.
//
// The package does not install or start a daemon, and touches only what
// carries its own label. All methods may be called concurrently.
//
//	e, err := docker.Open(ctx, docker.Config{Dir: dir})
//	if err != nil {
//		return err
//	}
//	defer e.Close()
package docker
