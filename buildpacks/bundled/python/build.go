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
)

// A build is one run of bin/build.
type build struct {
	app     string
	layers  libcnb.Layers
	store   map[string]any
	stack   string
	out     output
	env     environment
	rts     *runtimes
	runtime runtime
	plan    *buildpacks.Plan
}

func newBuild(c libcnb.BuildContext, environ []string, out io.Writer) (*build, error) {
	rts, err := readRuntimes(root(c.Buildpack))
	if err != nil {
		return nil, err
	}
	env := newEnvironment(environ, c.Platform.Environment)
	return &build{
		app: c.Application.Path, layers: c.Layers, store: c.PersistentMetadata, stack: stack(c.StackID, env),
		out: output{out}, env: env, rts: rts,
	}, nil
}

// stack names what the packages are compiled for: a package that fits one
// distribution need not fit the next.
func stack(id string, env environment) string {
	if name := env["CNB_TARGET_DISTRO_NAME"]; name != "" {
		return name + "-" + env["CNB_TARGET_DISTRO_VERSION"]
	}
	return id
}

func (b *build) run(ctx context.Context) (libcnb.BuildResult, error) {
	result := libcnb.NewBuildResult()
	if err := b.hook(ctx, "pre_compile"); err != nil {
		return result, err
	}
	if err := b.decide(ctx); err != nil {
		return result, err
	}
	py, err := b.pythonLayer()
	if err != nil {
		return result, err
	}
	deps, err := b.dependenciesLayer()
	if err != nil {
		return result, err
	}
	if err := b.make(ctx, py, deps); err != nil {
		return result, err
	}
	result.Layers = []libcnb.LayerContributor{py, deps}
	result.Processes = b.processes()
	result.PersistentMetadata["python"] = b.runtime.version
	return result, nil
}

// decide detects, and says what was decided as Heroku does.
func (b *build) decide(ctx context.Context) error {
	plan, err := buildpacks.Detect(ctx, os.DirFS(b.app), b.rts.options(b.store))
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
		_, _ = io.WriteString(b.out.w, bad.Text()) // nobody is left to tell
		return errShown
	}
	for _, w := range plan.Warnings {
		_, _ = io.WriteString(b.out.w, w.Text()) // nobody is left to tell
	}
	if plan.PackageManager != "pip" {
		return b.unsupported()
	}
	b.runtime = b.rts.runtime(plan.Version.Resolved)
	return nil
}

func (b *build) sayVersion(v buildpacks.Version) {
	switch v.Origin {
	case "default":
		b.out.step("No Python version was specified. Using the buildpack default: Python %s", v.Requested)
	case "cached":
		b.out.step("No Python version was specified. Using the same major version as the last build: Python %s", v.Requested)
	default:
		b.out.step("Using Python %s specified in %s", v.Requested, v.Origin)
	}
}

// make fills the layers that cannot be kept, and runs what needs them.
func (b *build) make(ctx context.Context, py *pythonLayer, deps *dependenciesLayer) error {
	if py.reuse {
		b.out.step("Using cached install of Python %s", b.runtime.version)
	} else {
		b.out.step("Installing Python %s", b.runtime.version)
	}
	if !deps.reuse || deps.needed {
		unlink, err := py.link()
		if err != nil {
			return err
		}
		defer unlink()
	}
	if deps.reuse {
		b.out.step("Requirements unchanged, skipping installation")
	} else if err := b.install(ctx, deps); err != nil {
		return err
	}
	if err := b.collectstatic(ctx, deps); err != nil {
		return err
	}
	return b.hook(ctx, "post_compile")
}

func (b *build) unsupported() error {
	how := map[string]string{
		"pipenv": "pipenv requirements > requirements.txt",
		"poetry": "poetry export -f requirements.txt -o requirements.txt",
		"uv":     "uv export --format requirements.txt -o requirements.txt",
	}[b.plan.PackageManager]
	file := map[string]string{"pipenv": "Pipfile.lock", "poetry": "poetry.lock", "uv": "uv.lock"}[b.plan.PackageManager]
	return b.out.fail(`Error: The package manager %[1]s isn't supported yet.

Your app has a %[2]s, so its packages would be installed by
%[1]s, which Slipway's own builder doesn't have yet.

Either export your locked packages for pip, and commit the file:

  %[3]s
  git rm %[4]s
  git add requirements.txt

or push with a builder that has %[1]s, such as:

  git push -o builder=heroku/builder:24`,
		b.plan.PackageManager, file, how, filesOf(b.plan.PackageManager))
}

// filesOf are what else would still tell the package manager.
func filesOf(manager string) string {
	if manager == "pipenv" {
		return "Pipfile Pipfile.lock"
	}
	return map[string]string{"poetry": "poetry.lock", "uv": "uv.lock"}[manager]
}

// processes are the Procfile's. They run through bash, after .profile, as on
// Heroku.
func (b *build) processes() []libcnb.Process {
	var list []libcnb.Process
	for _, p := range b.plan.Processes {
		list = append(list, libcnb.Process{Type: p.Type, Command: p.Command, Default: p.Default})
	}
	if _, ok := b.plan.Web(); ok {
		return list
	}
	what := "has no Procfile"
	if b.plan.HasProcfile {
		what = "has a Procfile without a 'web' line"
	}
	b.out.block(`Warning: No web process was declared.

Your app %s, so nothing will answer its web address.

If it should answer, add a file named 'Procfile' (without an
extension) to the root directory of your app, with a line such as:
web: gunicorn app:app --bind 0.0.0.0:$PORT`, what)
	return list
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (b *build) appFile(name string) string { return filepath.Join(b.app, name) }
