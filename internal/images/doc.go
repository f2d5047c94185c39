// Package images keeps container images on disk, unpacked and ready to run:
// what a Docker daemon does with images, in process, over containerd's content
// store and snapshotters.
//
// A [Store] owns one directory. Images come from a registry (Pull) or an archive
// (Load); each has an ID, and names that may be moved and removed. What is
// neither named nor held by a container is deleted in the background. Layers
// are unpacked as they come, each in a directory of its own that is not written
// to again, so that any number of containers can share it.
//
// The package runs nothing and mounts nothing. Unpacking needs root. All
// methods may be called concurrently.
//
//	store, err := images.Open(ctx, images.Config{Dir: dir})
//	...
//	defer store.Close()
//	_, err = store.Pull(ctx, "127.0.0.1:5000/shop:v3", images.PullOptions{Username: "any", Password: token})
//	...
//	i, err := store.Acquire("127.0.0.1:5000/shop:v3")
//	...
//	defer store.Release(ctx, i)
//	layers, err := store.Layers(ctx, i, "web-1")
package images
