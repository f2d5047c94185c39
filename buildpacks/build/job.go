package build

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	projectTypes "github.com/buildpacks/pack/pkg/project/types"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"slipway/buildpacks"
	"slipway/internal/sources"
)

// A job is one build under way.
type job struct {
	b       *Builder
	r       Request
	t       *transcript
	dir     string // removed at the end
	builder string // the reference that the engine knows
	source  fs.FS  // the app without what it leaves out
	env     map[string]string
	project projectTypes.Descriptor
	trees   []*sources.Tree // buildpacks that were fetched
	keys    keychain
}

func (j *job) run(ctx context.Context) (res *Result, err error) {
	unlock, err := j.b.apps.Lock(ctx, j.r.App)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if j.dir, err = os.MkdirTemp(j.b.workDir(), j.r.ID+"-"); err != nil {
		return nil, fmt.Errorf("make build directory: %w", err)
	}
	defer func() { j.cleaned("directory", os.RemoveAll(j.dir)) }()
	defer j.dropTrees()
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
	if res, err = j.b.describe(ctx, j.r.Image, j.keys); err != nil {
		return nil, err
	}
	for _, line := range lostProcesses(j.r.Plan, res.Processes) {
		j.t.note(" !     " + line)
	}
	return res, nil
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

func (j *job) bundled() bool { return j.b.bundle != nil && j.builder == j.b.bundle.ref }

// lifecycle names the image whose lifecycle holds the token when the builder
// is not trusted, or has buildpacks added that are not; "" is pack's choice.
// The bundled builder has one, so that another builder needs nothing else from
// a registry.
func (j *job) lifecycle() string { return firstOf(j.b.cfg.LifecycleImage, j.b.bundledRef()) }

// needsBundled tells whether the engine must have the bundled builder: to
// build with, or for its lifecycle.
func (j *job) needsBundled() bool {
	switch {
	case j.b.bundle == nil:
		return false
	case j.bundled():
		return true
	case j.b.cfg.LifecycleImage != "":
		return false
	}
	return !j.b.trusts(j.builder) || asksBuildpacks(j.project)
}

// prepare makes the build's copy of the app, and reads what it asks for.
func (j *job) prepare(ctx context.Context) error {
	if err := os.Mkdir(j.app(), 0o755); err != nil {
		return fmt.Errorf("make build directory: %w", err)
	}
	if err := j.readProject(ctx); err != nil {
		return err
	}
	if err := extract(ctx, j.source, j.app(), j.b.cfg.SourceBytes, j.b.cfg.SourceFiles); err != nil {
		return err
	}
	if ref := j.project.Build.Builder; ref != "" && j.r.Builder == "" {
		var err error
		if j.builder, err = j.b.mayUse(ref, "project.toml asks for"); err != nil {
			return err
		}
	}
	if j.needsBundled() {
		if err := j.b.ensureBundled(ctx, j.t); err != nil {
			return err
		}
	}
	j.env = maps.Clone(j.b.cfg.Env)
	if j.env == nil {
		j.env = make(map[string]string)
	}
	for _, e := range j.project.Build.Env {
		j.env[e.Name] = e.Value
	}
	maps.Copy(j.env, j.r.Env)
	if j.r.Language != "" {
		j.env[buildpacks.LanguageEnv] = j.r.Language
	}
	j.project.Build.Env = nil // else pack puts it into an image layer
	return nil
}

// translate tells a builder that is not ours, in its own way, what the app wants.
func (j *job) translate(ctx context.Context, f *fetcher) error {
	if j.bundled() || j.r.Plan == nil || j.r.Plan.Language != "python" {
		return nil
	}
	have, err := j.buildpacks(ctx, f)
	if err != nil {
		return err
	}
	return translation{dir: j.app(), env: j.env, have: have, t: j.t}.python(j.r.Plan, j.builder)
}
