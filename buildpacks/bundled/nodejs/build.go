package nodejs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/cnb"
)

// A build is one run of bin/build.
type build struct {
	app      string
	layers   libcnb.Layers
	stack    string
	out      cnb.Output
	env      cnb.Environment
	registry *registry
	plan     *buildpacks.Plan // of the app as a Node.js app
	whole    *buildpacks.Plan // of the app as a whole
	helper   bool             // the app is of another language
	pkg      *packageFile     // nil without a package.json
	locks    []string         // lock files of the app
	lists    *lists
	manager  manager
	made     []libcnb.LayerContributor
}

func newBuild(c libcnb.BuildContext, environ []string, out io.Writer) (*build, error) {
	env := newEnvironment(environ, c.Platform.Environment)
	b := &build{
		app: c.Application.Path, layers: c.Layers, stack: cnb.Stack(c.StackID, env), out: cnb.Output{W: out}, env: env,
		lists: &lists{dir: filepath.Join(c.Layers.Path, listsLayer)},
	}
	var err error
	if b.registry, err = newRegistry(registryOf(env)); err != nil {
		return nil, b.out.Fail("%s", badRegistry)
	}
	return b, nil
}

func (b *build) run(ctx context.Context) (libcnb.BuildResult, error) {
	result := libcnb.NewBuildResult()
	if err := b.decide(ctx); err != nil {
		return result, err
	}
	if b.helper {
		b.out.Step("Node.js builds the assets of this %s app first", buildpacks.LanguageName(b.whole.Language))
	}
	b.sayEnvironment()
	b.out.Step("Installing binaries")
	if err := b.binaries(ctx); err != nil {
		return result, err
	}
	if b.pkg != nil {
		if err := b.packages(ctx); err != nil {
			return result, err
		}
	}
	b.keepLists()
	b.adviseStart()
	result.Layers = b.made
	if web := b.web(); web != "" && !b.helper {
		result.Processes = []libcnb.Process{{Type: "web", Command: web, Default: true}}
	}
	return result, nil
}

// adviseStart tells of an app that nothing will answer for. The Procfile's
// processes are declared by the Procfile buildpack.
func (b *build) adviseStart() {
	if _, ok := b.whole.Web(); !ok && b.web() == "" && !b.helper {
		b.out.Block("%s", noStart)
	}
}

// packages installs what the app asks for, builds the app, and leaves out what
// only the build needed.
func (b *build) packages(ctx context.Context) error {
	downloads, err := b.openDownloads()
	if err != nil {
		return err
	}
	if err := b.tune(ctx, downloads); err != nil {
		return err
	}
	if err := b.script(ctx, "Prebuild", prebuildScript); err != nil {
		return err
	}
	b.out.Step("Installing dependencies")
	if err := b.install(ctx); err != nil {
		return err
	}
	if err := b.script(ctx, "Build", b.pkg.buildScript()); err != nil {
		return err
	}
	if err := b.prune(ctx); err != nil {
		return err
	}
	if err := b.script(ctx, "Cleanup", cleanupScript); err != nil {
		return err
	}
	if err := b.tidy(); err != nil {
		return err
	}
	b.keepDownloads(downloads)
	b.out.Step("Build succeeded!")
	return nil
}

// decide detects what the app is, alone and to Node.js, and refuses what cannot
// be built.
func (b *build) decide(ctx context.Context) error {
	fsys := os.DirFS(b.app)
	whole, err := buildpacks.Detect(ctx, fsys, buildpacks.Options{Language: b.env[buildpacks.LanguageEnv]})
	var bad *buildpacks.DetectError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	b.whole = whole
	b.helper = slices.Contains(helped, whole.Language)
	b.plan, err = buildpacks.DetectAs(ctx, fsys, language, buildpacks.Options{})
	if errors.As(err, &bad) {
		b.out.Block("%s", strings.Join(bad.Lines, "\n"))
		return cnb.ErrShown
	}
	if err != nil {
		return err
	}
	for _, w := range b.plan.Warnings {
		b.out.Block("%s", strings.Join(w.Lines, "\n"))
	}
	b.pkg, err = readPackage(fsys)
	if errors.Is(err, fs.ErrNotExist) {
		b.pkg = nil
	} else if err != nil {
		return err
	}
	b.locks = b.lockFiles()
	if len(b.locks) > 1 {
		return b.out.Fail(manyLocks, strings.Join(b.locks, "\n"), b.plan.PackageManager, howToDrop(b.locks, b.plan.PackageManager))
	}
	if b.pkg != nil && cnb.IsDir(b.appFile("node_modules")) {
		b.out.Block("%s", nodeModulesThere)
	}
	return nil
}

// A lockFile is the lock file of a package manager.
type lockFile struct{ name, manager string }

var lockFiles = []lockFile{
	{"package-lock.json", "npm"},
	{"npm-shrinkwrap.json", "npm"},
	{"yarn.lock", "yarn"},
	{"pnpm-lock.yaml", "pnpm"},
}

func (b *build) lockFiles() []string {
	var found []string
	for _, l := range lockFiles {
		if cnb.IsFile(b.appFile(l.name)) {
			found = append(found, l.name)
		}
	}
	return found
}

// locked tells whether there is a lock file of the package manager in use.
func (b *build) locked() bool {
	return slices.ContainsFunc(lockFiles, func(l lockFile) bool {
		return l.manager == b.manager.name && slices.Contains(b.locks, l.name)
	})
}

// howToDrop is the commands that leave only the lock file of a package manager.
func howToDrop(locks []string, manager string) string {
	var lines []string
	kept := false
	for _, l := range lockFiles {
		if !slices.Contains(locks, l.name) {
			continue
		}
		if l.manager == manager && !kept {
			kept = true
			continue
		}
		lines = append(lines, "  git rm "+l.name)
	}
	return strings.Join(lines, "\n")
}

// tidy removes what package managers leave that differs from build to build.
func (b *build) tidy() error {
	for _, name := range []string{"node_modules/.modules.yaml", "node_modules/.pnpm-workspace-state.json", "node_modules/.pnpm-workspace-state-v1.json"} {
		if err := os.Remove(b.appFile(name)); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return fmt.Errorf("tidy up: %w", err)
		}
	}
	return nil
}

func (b *build) appFile(name string) string { return filepath.Join(b.app, filepath.FromSlash(name)) }
