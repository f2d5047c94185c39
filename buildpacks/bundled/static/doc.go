// Package static is Slipway's buildpack for static sites: bin/detect and
// bin/build as one program.
//
// It finds the directory to serve, reads the settings of Heroku's static.json or
// of a Staticfile, compresses what gains by it, and writes the configuration of
// the file server, which is Caddy (see buildpacks/bundled/caddy), out of the
// builder. It runs no generator: that is what the Node.js buildpack before it, or
// the app's author, does.
//
// A setting that keeps something from being served, and is not understood, is an
// error; any other is a warning.
package static
