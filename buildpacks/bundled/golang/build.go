package golang

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/cnb"
)

// A build is one run of bin/build.
type build struct {
	app     string
	layers  libcnb.Layers
	out     cnb.Output
	env     cnb.Environment
	proxies *proxies
	plan    *buildpacks.Plan
	mod     modFile
	choice  choice
}

func newBuild(c libcnb.BuildContext, environ []string, out io.Writer) (*build, error) {
	env := cnb.NewEnvironment(environ, c.Platform.Environment, moved...)
	ps, err := parseProxies(env["GOPROXY"])
	if err != nil {
		return nil, err
	}
	return &build{app: c.Application.Path, layers: c.Layers, out: cnb.Output{W: out}, env: env, proxies: ps}, nil
}

func (b *build) run(ctx context.Context) (libcnb.BuildResult, error) {
	result := libcnb.NewBuildResult()
	if err := b.decide(ctx); err != nil {
		return result, err
	}
	toolchain, err := b.toolchainLayer()
	if err != nil {
		return result, err
	}
	if err := b.provide(ctx, toolchain); err != nil {
		return result, err
	}
	modules, err := b.cacheLayer(modulesLayerName, maxModulesUses, nil)
	if err != nil {
		return result, err
	}
	compiled, err := b.cacheLayer(compiledLayerName, maxCompiledUses, map[string]any{"series": b.choice.series()})
	if err != nil {
		return result, err
	}
	programs := &programsLayer{dir: filepath.Join(b.layers.Path, programsLayerName)}
	if err := b.make(ctx, toolchain, modules, compiled, programs); err != nil {
		return result, err
	}
	names, err := programs.names()
	if err != nil {
		return result, err
	}
	if err := b.linkPrograms(programs, names); err != nil {
		return result, err
	}
	result.Processes = b.web(names)
	result.Layers = []libcnb.LayerContributor{toolchain, modules, compiled, programs}
	return result, nil
}

// decide detects, and chooses the Go.
func (b *build) decide(ctx context.Context) error {
	plan, err := buildpacks.Detect(ctx, os.DirFS(b.app), buildpacks.Options{Language: language}) // else this would not be asked
	var bad *buildpacks.DetectError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	b.plan = plan
	if bad != nil {
		_, _ = io.WriteString(b.out.W, bad.Text()) // nobody is left to tell
		return cnb.ErrShown
	}
	for _, w := range plan.Warnings {
		_, _ = io.WriteString(b.out.W, w.Text()) // nobody is left to tell
	}
	asked, origin, err := b.readMod()
	if err != nil {
		return err
	}
	b.sayVersion(asked, origin)
	return b.chooseGo(ctx, asked, origin)
}

func (b *build) chooseGo(ctx context.Context, asked, origin string) error {
	want, err := parseRequirement(asked)
	if err != nil {
		return err
	}
	cached, err := b.cachedGo()
	if err != nil {
		return err
	}
	line := b.mod.toolchain
	if b.mod.directive || b.env["GOTOOLCHAIN"] != "" && b.env["GOTOOLCHAIN"] != "auto" {
		line = ""
	}
	choice, there, err := choose(ctx, b.proxies, want, line, cached)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errNoSuchGo):
		return b.noSuchGo(strings.TrimPrefix(asked, "="), origin, offer(there, want))
	case err != nil:
		return err
	case choice.compare(oldest) < 0:
		return b.tooOld(choice.version, origin, offer(there, nil))
	case choice.why != "":
		b.out.Detail("go.mod's line '%s' asks for a later one", choice.why)
	}
	b.choice = choice
	return nil
}

// readMod reads go.mod, or go.work where there is no go.mod, and gives the version
// that is asked for, and by which file.
func (b *build) readMod() (asked, origin string, err error) {
	data, err := os.ReadFile(b.appFile("go.mod"))
	if err == nil {
		b.mod = parseMod(data)
		return b.plan.Version.Requested, b.plan.Version.Origin, nil
	}
	work, err := os.ReadFile(b.appFile("go.work"))
	if err != nil {
		return "", "", b.noModules()
	}
	if b.mod, err = parseWork(work); err != nil {
		return "", "", b.out.Fail("Error: Unable to read go.work.\n\n%v", err)
	}
	if b.mod.goLine == "" {
		return "", "default", nil
	}
	return "=" + b.mod.goLine, "go.work", nil
}

func (b *build) sayVersion(asked, origin string) {
	if asked == "" {
		b.out.Step("No Go version was specified. Using the newest")
		return
	}
	b.out.Step("Using Go %s specified in %s", strings.TrimPrefix(asked, "="), origin)
}

// provide installs the toolchain, unless the cache has it.
func (b *build) provide(ctx context.Context, l *toolchainLayer) error {
	if l.reuse {
		b.out.Step("Using cached install of Go %s", b.choice.text)
		return nil
	}
	b.out.Step("Installing Go %s", b.choice.text)
	if err := os.RemoveAll(l.dir); err != nil {
		return fmt.Errorf("clear the layer of the toolchain: %w", err)
	}
	note, err := install(ctx, b.proxies, b.env, b.choice.version, l.dir)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errNotFound):
		return b.noSuchGo(b.choice.text, "go.mod", "")
	case err != nil:
		return b.unreachable(err)
	case note != "":
		b.out.Block("Warning: Go %s was not checked.\n\nThe checksum database was not asked, because %s.", b.choice.text, note)
	}
	return nil
}

// make compiles the programs, between the app's hooks.
func (b *build) make(ctx context.Context, tc *toolchainLayer, modules, compiled *cacheLayer, programs *programsLayer) error {
	env := b.goEnvironment(tc, modules, compiled)
	if err := b.hook(ctx, "go-pre-compile", env); err != nil {
		return err
	}
	packages, err := b.packages(ctx, env)
	if err != nil {
		return err
	}
	if err := b.compile(ctx, env, packages, programs); err != nil {
		return err
	}
	return b.hook(ctx, "go-post-compile", env.With("PATH", programs.bin()+":"+env["PATH"]))
}

func (b *build) appFile(name string) string { return filepath.Join(b.app, name) }
