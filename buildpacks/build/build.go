package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/buildpacks/pack/pkg/blob"
	"github.com/buildpacks/pack/pkg/cache"
	"github.com/buildpacks/pack/pkg/client"
	"github.com/buildpacks/pack/pkg/image"
	"github.com/buildpacks/pack/pkg/index"
	projectTypes "github.com/buildpacks/pack/pkg/project/types"
	"github.com/moby/moby/api/types/container"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// A job is one build under way.
type job struct {
	b       *Builder
	r       Request
	t       *transcript
	dir     string // removed at the end
	builder string // the reference that the engine knows
	env     map[string]string
	project projectTypes.Descriptor
	keys    keychain
}

// Build builds and publishes an image. The error is an [*Error] where there
// is something to tell the pusher. Nothing is left of the build when it
// returns but the published image and the app's cache. A canceled ctx ends it
// within two seconds; Progress must not block for longer than that once ctx
// is done.
func (b *Builder) Build(ctx context.Context, r Request) (*Result, error) {
	started := time.Now()
	j, err := b.newJob(r)
	if err != nil {
		return nil, err
	}
	deadline := started.Add(b.cfg.Timeout)
	bctx, cancel := context.WithDeadlineCause(ctx, deadline, ErrTimeout)
	defer cancel()
	res, err := j.run(bctx)
	phase, buildpacks, said := j.t.end()
	log := b.cfg.Log.With(zap.String("app", r.App), zap.String("build", r.ID), zap.Duration("took", time.Since(started)))
	if err != nil {
		if bctx.Err() == nil {
			j.t.fail()
		}
		err = b.explain(bctx, err, phase, said)
		log.Info("build failed", zap.String("phase", phase), zap.Error(err))
		return nil, err
	}
	res.Took, res.BuildpacksTook = time.Since(started), buildpacks
	res.Builder = j.builder
	log.Info("build done", zap.Duration("buildpacks_took", buildpacks), zap.String("slug", res.Digest))
	return res, nil
}

func (b *Builder) newJob(r Request) (*job, error) {
	switch {
	case !idPattern.MatchString(r.ID):
		return nil, fmt.Errorf("build: %q cannot be the ID of a build", r.ID)
	case !idPattern.MatchString(r.App):
		return nil, fmt.Errorf("build: %q cannot be an app", r.App)
	case r.Source == nil || r.Progress == nil:
		return nil, errors.New("build: source and progress are required")
	case !strings.HasPrefix(r.Image, b.cfg.Registry+"/"):
		return nil, fmt.Errorf("build: image %q is not in registry %s", r.Image, b.cfg.Registry)
	}
	builder := firstOf(r.Builder, b.cfg.Builder)
	if builder == Bundled {
		if b.bundle == nil {
			return nil, ErrNoBundled
		}
		builder = b.bundle.ref
	}
	for key := range r.Env {
		if !validEnv(key) {
			return nil, refuse(ErrRefused, "The config var %q cannot name an environment variable.", key)
		}
	}
	return &job{
		b: b, r: r, builder: builder,
		t:    newTranscript(r.Progress, r.Trace),
		keys: keychain{registry: b.cfg.Registry, user: r.User, token: r.Token, others: b.cfg.Keychain},
	}, nil
}

// explain turns any error of a build into the one that callers see.
func (b *Builder) explain(ctx context.Context, err error, phase string, said []string) error {
	var told *Error
	switch {
	case errors.Is(context.Cause(ctx), ErrTimeout):
		return &Error{Phase: phase, UserFault: true, Err: ErrTimeout,
			Text: fmt.Sprintf("The build took longer than %s and was stopped.", b.cfg.Timeout)}
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ErrCanceled, context.Cause(ctx))
	case errors.As(err, &told):
		return err
	}
	return failure(err, phase, said, b.cfg.Memory)
}

func (j *job) run(ctx context.Context) (res *Result, err error) {
	if j.dir, err = os.MkdirTemp(j.b.workDir(), j.r.ID+"-"); err != nil {
		return nil, fmt.Errorf("make build directory: %w", err)
	}
	defer func() { j.cleaned("directory", os.RemoveAll(j.dir)) }()
	var network Network
	defer func() {
		if network != nil {
			j.cleaned("network", network.Close())
		}
	}()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		network, err = j.openNetwork(ctx) // not gctx: it ends with Wait
		return err
	})
	g.Go(func() error { return j.prepare(gctx) })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := j.pack(ctx, network); err != nil {
		return nil, err
	}
	return j.b.describe(ctx, j.r.Image, j.keys)
}

// cleaned notes what could not be removed. The next start tries again.
func (j *job) cleaned(what string, err error) {
	if err != nil {
		j.b.cfg.Log.Warn("build leaves something behind", zap.String("what", what), zap.String("build", j.r.ID), zap.Error(err))
	}
}

func (j *job) openNetwork(ctx context.Context) (Network, error) {
	ports, err := j.b.ports(ctx)
	if err != nil {
		return nil, err
	}
	network, err := j.b.cfg.Engine.OpenNetwork(ctx, ports)
	if err != nil {
		return nil, fmt.Errorf("open build network: %w", err)
	}
	return network, nil
}

func (j *job) app() string { return filepath.Join(j.dir, "app") }

// prepare makes the build's copy of the app, and reads what it asks for.
func (j *job) prepare(ctx context.Context) error {
	if err := os.Mkdir(j.app(), 0o755); err != nil {
		return fmt.Errorf("make build directory: %w", err)
	}
	if err := extract(ctx, j.r.Source, j.app(), j.b.cfg.SourceBytes, j.b.cfg.SourceFiles); err != nil {
		return err
	}
	var err error
	if j.project, err = readDescriptor(j.app(), j.t); err != nil {
		return err
	}
	bundled := j.b.bundle != nil && j.builder == j.b.bundle.ref
	if bundled {
		if err := j.b.ensureBundled(ctx, j.t); err != nil {
			return err
		}
	} else if err := translate(j.app(), j.r.Plan, j.builder, j.t); err != nil {
		return err
	}
	j.env = maps.Clone(j.b.cfg.Env)
	if j.env == nil {
		j.env = make(map[string]string)
	}
	for _, e := range j.project.Build.Env {
		j.env[e.Name] = e.Value
	}
	maps.Copy(j.env, j.r.Env)
	j.project.Build.Env = nil // else pack puts it into an image layer
	return nil
}

// pack runs pack.
func (j *job) pack(ctx context.Context, network Network) error {
	cfg := j.b.cfg
	s := &session{
		Engine:   cfg.Engine,
		instance: j.b.instance,
		labels:   map[string]string{LabelInstance: j.b.instance, LabelBuild: j.r.ID, LabelApp: j.r.App},
		resources: container.Resources{
			Memory: cfg.Memory, MemorySwap: cfg.Memory, NanoCPUs: int64(cfg.CPUs * 1e9), PidsLimit: &cfg.Pids,
		},
		env: j.env, t: j.t, version: j.b.version,
		containers: make(map[string]*created), volumes: make(map[string]bool),
	}
	defer func() { j.cleaned("containers", s.close(ctx)) }()
	f := &fetcher{b: j.b, s: s, keys: j.keys, readable: j.readable(ctx)}
	if err := j.checkProject(ctx, f); err != nil {
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
	volume := CacheVolume(j.b.instance, j.r.App)
	return c.Build(ctx, client.BuildOptions{
		Image:             j.r.Image,
		PreviousImage:     j.r.Previous,
		Publish:           true,
		Builder:           j.builder,
		LifecycleImage:    cfg.LifecycleImage,
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
		ContainerConfig:          client.ContainerConfig{Network: network.Mode()},
		ProxyConfig:              &client.ProxyConfig{}, // builds do not inherit the server's
		ProjectDescriptor:        j.project,
		ProjectDescriptorBaseDir: j.app(),
		RelativeBaseDir:          j.app(),
		GroupID:                  -1,
		UserID:                   -1,
	})
}

// mirrors sends pack to the copy of the bundled run image in our registry.
// BuildOptions.RunImage would do so too, and make a new builder image for
// each build.
func (j *job) mirrors() map[string][]string {
	if j.b.bundle == nil || j.builder != j.b.bundle.ref || j.b.cfg.RunImage == "" {
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

// checkProject refuses what this server does not let a project.toml ask for.
func (j *job) checkProject(ctx context.Context, f *fetcher) error {
	p := j.project.Build
	if p.Builder == "" && len(p.Buildpacks)+len(p.Pre.Buildpacks)+len(p.Post.Buildpacks) == 0 {
		return nil
	}
	r := rule{builder: j.builder, allowed: slices.Concat(j.b.cfg.Allowed, j.b.cfg.Trusted)}
	if len(p.Buildpacks)+len(p.Pre.Buildpacks)+len(p.Post.Buildpacks) > 0 {
		// Only now is the builder needed to answer; it may have to be pulled.
		if _, err := f.Fetch(ctx, j.builder, image.FetchOptions{Daemon: true, PullPolicy: image.PullIfNotPresent}); err != nil {
			return err
		}
		res, err := j.b.cfg.Engine.ImageInspect(ctx, j.builder)
		if err != nil {
			return fmt.Errorf("inspect builder: %w", err)
		}
		if r.available, err = buildpacksOf(res); err != nil {
			return err
		}
	}
	return r.check(j.project)
}
