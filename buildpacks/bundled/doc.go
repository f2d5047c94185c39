// Package bundled makes Slipway's own builder: the build and run images, the
// lifecycle, the language runtimes and the buildpacks that a fresh machine
// needs to turn a push into a slug, with nothing but Debian's packages and the
// Go module proxy within reach.
//
// [Build] writes an OCI image layout with two images:
//
//	bin/builder/
//	  index.json     refs "builder" and "run" (org.opencontainers.image.ref.name)
//	  blobs/         layers that both images share are there once
//	  versions.json  language versions that the builder has
//	  id             names the content: it changes only when an image does
//	  inputs         what it was made from: unchanged inputs, nothing to do
//
// The recipe (which Debian, which packages, which CPythons, which buildpacks)
// is in recipe.go. Each buildpack has a folder of its own below this one. Parts
// that take long (Debian, each CPython, the lifecycle) are kept in a cache by
// the hash of what goes into them, so that a change of a buildpack's code costs
// seconds.
//
// The package does not run builds and does not read the environment. It needs
// root, since it makes a Debian root file system. Two processes may call Build
// at once; the second waits for the first where they share a cache.
package bundled
