package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/buildpacks/pack/pkg/blob"
	"github.com/buildpacks/pack/pkg/cache"
	"github.com/buildpacks/pack/pkg/client"
	"github.com/buildpacks/pack/pkg/image"
	"github.com/buildpacks/pack/pkg/index"
	"github.com/moby/moby/api/types/container"
)

// pack runs pack.
func (j *job) pack(ctx context.Context, network Network) error {
	cfg := j.b.cfg
	s := j.session()
	defer func() { j.cleaned("containers", s.close(ctx)) }()
	f := &fetcher{b: j.b, s: s, keys: j.keys, readable: j.readable(ctx), asked: j.r.Builder != "" || j.project.Build.Builder != ""}
	if err := j.translate(ctx, f); err != nil {
		return err
	}
	if err := j.chooseBuildpacks(ctx, f); err != nil {
		return err
	}
	inline := filepath.Join(j.dir, "inline")
	if err := os.Mkdir(inline, 0o755); err != nil {
		return fmt.Errorf("make build directory: %w", err)
	}
	onlyOwn, err := unfoldInline(inline, &j.project, j.ownCode)
	if err != nil {
		return err
	}
	logger := packLogger{j.t}
	c, err := client.NewClient(
		client.WithLogger(logger),
		client.WithDockerClient(s),
		client.WithFetcher(f),
		client.WithKeychain(j.keys),
		// What pack would keep in the user's home, which it must not touch:
		client.WithDownloader(blob.NewDownloader(logger, filepath.Join(cfg.Dir, "downloads"))),
		client.WithIndexFactory(index.NewIndexFactory(j.keys, filepath.Join(j.dir, "index"))),
	)
	if err != nil {
		return fmt.Errorf("set up pack: %w", err)
	}
	return c.Build(ctx, j.options(network.Mode(), onlyOwn))
}

// session makes the decorator that pack sees as its engine.
func (j *job) session() *session {
	cfg := j.b.cfg
	return &session{
		Engine: cfg.Engine, dir: j.dir,
		instance: j.b.instance,
		labels:   map[string]string{LabelInstance: j.b.instance, LabelBuild: j.r.ID, LabelApp: j.r.App},
		resources: container.Resources{
			Memory: cfg.Memory, MemorySwap: cfg.Memory, NanoCPUs: int64(cfg.CPUs * 1e9), PidsLimit: &cfg.Pids,
		},
		disk: newDiskLimit(cfg),
		env:  j.env, t: j.t, version: j.b.version,
		containers: make(map[string]*created), volumes: make(map[string]bool), images: make(map[string]bool),
	}
}

// options says what pack is to do.
func (j *job) options(network string, onlyOwn bool) client.BuildOptions {
	volume := CacheVolume(j.b.instance, j.r.App)
	return client.BuildOptions{
		Image:             j.r.Image,
		PreviousImage:     j.r.Previous,
		Publish:           true,
		Builder:           j.builder,
		LifecycleImage:    j.lifecycle(),
		TrustBuilder:      j.b.trusts,
		AppPath:           j.app(),
		AdditionalMirrors: j.mirrors(),
		ClearCache:        j.r.NoCache,
		Cache: cache.CacheOpts{
			Build:  cache.CacheInfo{Format: cache.CacheVolume, Source: volume},
			Launch: cache.CacheInfo{Format: cache.CacheVolume, Source: volume + ".launch"},
			Kaniko: cache.CacheInfo{Format: cache.CacheVolume, Source: volume + ".kaniko"},
		},
		PullPolicy:               image.PullIfNotPresent,
		TrustExtraBuildpacks:     onlyOwn,
		ContainerConfig:          client.ContainerConfig{Network: network},
		ProxyConfig:              &client.ProxyConfig{}, // builds do not inherit the server's
		ProjectDescriptor:        j.project,
		ProjectDescriptorBaseDir: j.app(),
		RelativeBaseDir:          j.app(),
		GroupID:                  -1,
		UserID:                   -1,
	}
}

// mirrors sends pack to the copy of the bundled run image in our registry.
// BuildOptions.RunImage would do so too, and make a new builder image for
// each build.
func (j *job) mirrors() map[string][]string {
	if !j.bundled() || j.b.cfg.RunImage == "" {
		return nil
	}
	m := make(map[string][]string)
	for _, name := range j.b.bundle.runNames {
		m[name] = []string{j.b.cfg.RunImage}
	}
	return m
}

func (j *job) readable(ctx context.Context) func(string) bool {
	ours := j.mirrors() != nil
	return func(ref string) bool {
		if ours {
			return ref == j.b.cfg.RunImage
		}
		return j.b.readable(ctx, ref, j.keys)
	}
}
