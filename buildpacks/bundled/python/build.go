package python

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/cnb"
)

// A build is one run of bin/build.
type build struct {
	app     string
	layers  libcnb.Layers
	store   map[string]any
	stack   string
	out     cnb.Output
	env     cnb.Environment
	rts     *runtimes
	runtime runtime
	plan    *buildpacks.Plan
	manager *manager // nil for pip
	tmp     string   // files of this build only
}

func newBuild(c libcnb.BuildContext, environ []string, out io.Writer) (*build, error) {
	rts, err := readRuntimes(root(c.Buildpack))
	if err != nil {
		return nil, err
	}
	env := newEnvironment(environ, c.Platform.Environment)
	return &build{
		app: c.Application.Path, layers: c.Layers, store: c.PersistentMetadata, stack: cnb.Stack(c.StackID, env),
		out: cnb.Output{W: out}, env: env, rts: rts,
	}, nil
}

func (b *build) run(ctx context.Context, bp libcnb.Buildpack) (_ libcnb.BuildResult, err error) {
	result := libcnb.NewBuildResult()
	if b.tmp, err = os.MkdirTemp("", "slipway-python-"); err != nil {
		return result, fmt.Errorf("make a directory for temporary files: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.tmp)) }()
	if err := b.hook(ctx, "pre_compile"); err != nil {
		return result, err
	}
	if err := b.decide(ctx); err != nil {
		return result, err
	}
	if b.plan.PackageManager != "pip" {
		if err := b.decideManager(bp); err != nil {
			return result, err
		}
	}
	py, err := b.pythonLayer()
	if err != nil {
		return result, err
	}
	deps, err := b.dependenciesLayer()
	if err != nil {
		return result, err
	}
	result.Layers = []libcnb.LayerContributor{py, deps}
	var tool *managerLayer
	if b.manager != nil {
		if tool, err = b.managerLayer(); err != nil {
			return result, err
		}
	}
	if err := b.make(ctx, py, deps, tool); err != nil {
		return result, err
	}
	if tool != nil && cnb.Exists(tool.bin()) {
		result.Layers = append(result.Layers, tool)
	}
	b.adviseWeb()
	result.PersistentMetadata["python"] = b.runtime.version
	return result, nil
}

// decide detects, and says what was decided as Heroku does.
func (b *build) decide(ctx context.Context) error {
	o := b.rts.options(b.store)
	o.Language = language // else this would not be asked
	plan, err := buildpacks.Detect(ctx, os.DirFS(b.app), o)
	var bad *buildpacks.DetectError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	b.plan = plan
	if plan.Language != language {
		return fmt.Errorf("build a %s app: it is none of Python's", plan.Language)
	}
	if v := plan.Version; v.Requested != "" {
		b.sayVersion(v)
	}
	if bad != nil {
		_, _ = io.WriteString(b.out.W, bad.Text()) // nobody is left to tell
		return cnb.ErrShown
	}
	for _, w := range plan.Warnings {
		_, _ = io.WriteString(b.out.W, w.Text()) // nobody is left to tell
	}
	b.runtime = b.rts.runtime(plan.Version.Resolved)
	return nil
}

func (b *build) sayVersion(v buildpacks.Version) {
	switch v.Origin {
	case "default":
		b.out.Step("No Python version was specified. Using the buildpack default: Python %s", v.Requested)
	case "cached":
		b.out.Step("No Python version was specified. Using the same major version as the last build: Python %s", v.Requested)
	default:
		b.out.Step("Using Python %s specified in %s", v.Requested, v.Origin)
	}
}

// make fills the layers that cannot be kept, and runs what needs them. tool is
// nil for pip.
func (b *build) make(ctx context.Context, py *pythonLayer, deps *dependenciesLayer, tool *managerLayer) error {
	if py.reuse {
		b.out.Step("Using cached install of Python %s", b.runtime.version)
	} else {
		b.out.Step("Installing Python %s", b.runtime.version)
	}
	wanted := tool != nil && (!deps.reuse || tool.cached || tool.manager.atLaunch)
	if !deps.reuse || deps.needed || wanted && !tool.cached {
		unlink, err := py.link()
		if err != nil {
			return err
		}
		defer unlink()
	}
	if wanted {
		if err := b.installManager(ctx, tool); err != nil {
			return err
		}
	}
	if deps.reuse {
		b.out.Step("Requirements unchanged, skipping installation")
	} else if err := b.install(ctx, deps); err != nil {
		return err
	}
	if err := b.collectstatic(ctx, deps); err != nil {
		return err
	}
	return b.hook(ctx, "post_compile")
}

// adviseWeb tells of an app that nothing will answer for. The Procfile's
// processes are declared by the Procfile buildpack.
func (b *build) adviseWeb() {
	if _, ok := b.plan.Web(); ok {
		return
	}
	what := "has no Procfile"
	if b.plan.HasProcfile {
		what = "has a Procfile without a 'web' line"
	}
	b.out.Block(`Warning: No web process was declared.

Your app %s, so nothing will answer its web address.

If it should answer, add a file named 'Procfile' (without an
extension) to the root directory of your app, with a line such as:
web: gunicorn app:app --bind 0.0.0.0:$PORT`, what)
}

func (b *build) appFile(name string) string { return filepath.Join(b.app, name) }
