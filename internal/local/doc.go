// Package local runs an app on the machine of whoever writes it, as "heroku
// local" does: the process types of its Procfile, with the variables of its .env
// file, until one of them ends. It needs no server and no rights.
//
// Each process leads a process group of its own, so that what it has started is
// ended with it. What has left that group (setsid) is not followed. The processes
// get a pipe for their output and no terminal; [Run] gives one command the
// terminal instead.
//
// The package does not build anything, and knows nothing of slugs or dynos.
//
//	code, err := local.Start(ctx, local.Config{Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ()})
package local
