// Package bundle runs OCI bundles with runc.
//
// A [Runtime] owns one directory and one cgroup. A [Container] is made in
// steps: Create mounts its root file system, with every bind mount in place,
// so that files can be copied in and out by ordinary means ([Root]); Start
// runs one process in it; Wait gives the exit code; Kill ends every process;
// Remove takes everything away again: mounts, cgroup, files. What a killed
// program left behind is removed by the next [Open] on the same directory.
//
// Limits work on cgroup v1 and v2. A container gets what Docker gives by
// default: fourteen capabilities, a seccomp profile, masked paths, fresh
// /proc, /dev and /sys, and namespaces of its own.
//
// The package knows nothing of images and networks: it is given directories
// and the path of a network namespace. It needs root. All methods may be
// called concurrently.
//
//	rt, err := bundle.Open(ctx, bundle.Config{Dir: dir, Cgroup: "/slipway-1f2e3d"})
//	...
//	c, err := rt.Create(ctx, bundle.Spec{ID: "web-1", Lower: layers})
//	...
//	defer c.Remove(ctx)
//	err = c.Start(ctx, bundle.Process{Args: []string{"/bin/true"}}, bundle.Stdio{})
//	...
//	code, err := c.Wait(ctx)
package bundle
