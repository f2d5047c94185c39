// Package build turns a tree of files into an image, by driving pack.
//
// A [Builder] runs pack's own Build over an [Engine], which is anything that
// implements pack's DockerClient and can make a build's network: the Docker
// daemon (buildpacks/docker) or no daemon at all (buildpacks/embedded). There
// is one code path for both. Each build works in its own directory, its own
// network and its own containers, all of which are gone when Build returns,
// however it returns. Images are published straight to a registry.
//
// Between pack and the engine sits a decorator, one a build. It sets limits,
// carries the build's environment in as files of the platform directory (so
// that it is in no layer and no container's configuration), reads output to
// its last line, and removes what pack forgets.
//
// The package decides nothing about releases or apps, and keeps no state but
// each app's cache volume. Build may be called at once for different apps;
// builds of one app are for the caller to queue.
//
//	b, err := build.New(ctx, build.Config{Engine: e, Registry: "127.0.0.1:5000", Builder: "bundled", Bundled: "bin/builder", Dir: dir})
//	if err != nil {
//		return err
//	}
//	res, err := b.Build(ctx, build.Request{ID: "b1", App: "hello", Source: tree, Image: "127.0.0.1:5000/hello:build-b1", Progress: w})
package build
