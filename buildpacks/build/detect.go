package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	projectTypes "github.com/buildpacks/pack/pkg/project/types"
	"go.uber.org/zap"

	"slipway/buildpacks"
	"slipway/buildpacks/detector"
	"slipway/buildpacks/project"
	"slipway/buildpacks/sandbox"
	"slipway/internal/sources"
)

// detectTimeout bounds one detection, with fetching a builder and unpacking it
// the first time.
const detectTimeout = 5 * time.Minute

// A Detection asks what the buildpacks of a builder answer about a tree.
type Detection struct {
	App    string // what the report calls the tree
	Source fs.FS  // required
	// These are as in [Request].
	Builder    string
	Buildpacks []string
	Language   string
	Env        map[string]string
	// Plan is Slipway's own answer, for the report; required.
	Plan *buildpacks.Plan
}

// Detect runs the detection of a builder alone, as `slipway detect` does, and
// builds nothing. The bundled builder's answers in this process; of another,
// the bin/detects run in a sandbox over a copy of the tree. The error is an
// [*Error] where there is something to tell the pusher.
func (b *Builder) Detect(ctx context.Context, r Detection) (report *detector.Report, err error) {
	ref := firstOf(r.Builder, b.cfg.Builder)
	if _, err := b.mayUse(ref, "The push asks for"); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, detectTimeout)
	defer cancel()
	app := "" // a copy of the tree on disk, where something reads it there
	if ref != Bundled || len(r.Buildpacks) > 0 {
		dir, err := os.MkdirTemp(b.workDir(), "detect-")
		if err != nil {
			return nil, fmt.Errorf("make directory for detection: %w", err)
		}
		defer b.removeCopy(dir)
		if app, err = b.copyTree(ctx, r.Source, dir); err != nil {
			return nil, err
		}
	}
	named, err := b.named(ctx, ref, app, r)
	if err != nil {
		return nil, err
	}
	d, err := detector.Open(ctx, detector.Source{Builder: ref, Buildpacks: named, Python: b.PythonVersions(), Cache: filepath.Join(b.cfg.Dir, "detect")})
	if err != nil {
		return nil, fmt.Errorf("open builder %q: %w", ref, err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	o := detector.Options{Env: b.detectEnv(r), All: true}
	if d.InProcess() {
		report, err = d.DetectFS(ctx, r.Source, o)
	} else if err = walled(ctx); err == nil {
		report, err = d.Detect(ctx, app, o)
	}
	if err != nil {
		return nil, err
	}
	report.Dir, report.App = r.App, r.Plan
	return report, nil
}

// walled refuses to run the bin/detects of others, which may have come with the
// push, where nothing would hold them back from the server itself.
func walled(ctx context.Context) error {
	pool, err := sandbox.Open(sandbox.Config{})
	if err != nil {
		return err
	}
	support, err := pool.Support(ctx)
	if err := errors.Join(err, pool.Close()); err != nil {
		return err
	}
	if !support.Isolated {
		return refuse(ErrRefused, "This server cannot run them apart from itself: %s.", strings.Join(support.Missing, ", "))
	}
	return nil
}

// detectEnv is what a build's environment would be.
func (b *Builder) detectEnv(r Detection) map[string]string {
	env := maps.Clone(b.cfg.Env)
	if env == nil {
		env = make(map[string]string)
	}
	maps.Copy(env, r.Env)
	maps.DeleteFunc(env, func(key, _ string) bool { return !validEnv(key) })
	if r.Language != "" {
		env[buildpacks.LanguageEnv] = r.Language
	}
	return env
}

// named are buildpacks that were chosen, as the detector takes them. What lies
// behind an address is for builds to fetch.
func (b *Builder) named(ctx context.Context, ref, app string, r Detection) ([]string, error) {
	c := chooser{
		asks: "The app is set to use", allowed: slices.Concat(b.cfg.Allowed, b.cfg.Trusted), app: app, note: func(string) {},
		fetch: func(_ context.Context, uri string) (string, error) {
			return "", refuse(ErrRefused, "The buildpack %s is fetched by builds alone.", sources.Shown(uri))
		},
	}
	if ref == Bundled && b.bundle != nil {
		c.have = b.bundle.have
	}
	names := slices.Clone(r.Buildpacks)
	whole := slices.Contains(names, allOfBuilder) // with the Procfile's
	if id := procfileOf(c.have, r.Plan); id != "" && len(names) > 0 && !whole && !slices.Contains(names, id) {
		names = append(names, id)
	}
	var all []string
	for _, name := range names {
		parsed, err := project.Parse(name)
		if err == nil && parsed.Kind == project.OfBuilder && c.have == nil {
			all = append(all, parsed.Name) // the detector knows that builder
			continue
		}
		bp, err := c.choose(ctx, projectTypes.Buildpack{URI: name})
		if err != nil {
			return nil, err
		}
		switch {
		case bp.URI != "":
			all = append(all, strings.TrimPrefix(bp.URI, inDocker))
		case bp.Version != "":
			all = append(all, bp.ID+"@"+bp.Version)
		default:
			all = append(all, bp.ID)
		}
	}
	return all, nil
}

// copyTree makes a copy of a tree in dir, and returns where it is.
func (b *Builder) copyTree(ctx context.Context, tree fs.FS, dir string) (string, error) {
	app := filepath.Join(dir, "app")
	if err := os.Mkdir(app, 0o755); err != nil {
		return "", fmt.Errorf("make directory for detection: %w", err)
	}
	return app, extract(ctx, tree, app, b.cfg.SourceBytes, b.cfg.SourceFiles)
}

func (b *Builder) removeCopy(dir string) {
	if err := os.RemoveAll(dir); err != nil { // the next start tries again
		b.cfg.Log.Warn("detection leaves something behind", zap.String("dir", dir), zap.Error(err))
	}
}
