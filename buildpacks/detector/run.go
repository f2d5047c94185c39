package detector

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/buildpacks/lifecycle/api"
	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/log"
	"github.com/buildpacks/lifecycle/phase"
	"github.com/buildpacks/lifecycle/platform/files"

	"slipway/buildpacks"
)

// platformAPI is what a platform of the lifecycle would ask for.
const platformAPI = "0.14"

// A run is one detection.
type run struct {
	builder *Builder
	options Options
	fsys    fs.FS
	watched *watchedFS
	report  *Report

	rec *recorder
	exe *executor
}

func (b *Builder) detect(ctx context.Context, dir string, fsys fs.FS, o Options) (*Report, error) {
	started := time.Now()
	r := &run{builder: b, options: o.withDefaults(), report: &Report{Dir: dir, Builder: b.name, Chosen: -1}}
	r.watched = watch(fsys)
	r.fsys = r.watched.withLinks()
	if err := r.readApp(ctx); err != nil {
		return nil, err
	}
	code, why := b.store.verify(b.groups, b.exts)
	r.rec = &recorder{run: r, stop: ctx.Err, fatal: code, why: why}
	var err error
	if r.exe, err = r.newExecutor(dir); err != nil {
		return nil, err
	}
	r.tryAll(ctx)
	err = r.exe.close()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	r.finish()
	r.report.Took = time.Since(started)
	return r.report, nil
}

// readApp asks package buildpacks, whose answer our own buildpacks go by.
func (r *run) readApp(ctx context.Context) error {
	var o buildpacks.Options
	if r.builder.ours {
		o = buildpacks.Options{Python: r.builder.python, Builder: "this builder"}
	}
	o.Language = r.options.Env[buildpacks.LanguageEnv]
	plan, err := buildpacks.Detect(ctx, r.fsys, o)
	var bad *buildpacks.DetectError
	switch {
	case err == nil || errors.As(err, &bad):
		r.report.App = plan
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		r.report.Err = err.Error()
	}
	return nil
}

// tryAll has the lifecycle's detector try each group of the order.
func (r *run) tryAll(ctx context.Context) {
	d := &phase.Detector{
		DirStore: r.builder.store,
		Executor: executorFunc(func(d buildpack.Descriptor, in buildpack.DetectInputs) buildpack.DetectOutputs {
			return r.exe.detect(ctx, d, in)
		}),
		Logger:      log.NewDefaultLogger(io.Discard),
		Resolver:    r.rec,
		Runs:        &sync.Map{},
		PlatformAPI: api.MustParse(platformAPI),
		AnalyzeMD:   files.Analyzed{RunImage: &files.RunImage{TargetMetadata: &r.builder.target}},
	}
	for i, group := range r.builder.order {
		r.rec.number = i + 1
		// The groups one by one are the same as the whole order, since it keeps
		// nothing but its runs between them.
		_, _, err := d.DetectOrder(buildpack.Order{group})
		if r.rec.ended(err) {
			return
		}
	}
}

// executorFunc is the lifecycle's executor.
type executorFunc func(buildpack.Descriptor, buildpack.DetectInputs) buildpack.DetectOutputs

var _ buildpack.DetectExecutor = executorFunc(nil)

// Detect implements [buildpack.DetectExecutor].
func (f executorFunc) Detect(d buildpack.Descriptor, in buildpack.DetectInputs, _ log.Logger) buildpack.DetectOutputs {
	return f(d, in)
}

// finish fills the report with what is said of all groups together.
func (r *run) finish() {
	r.rec.verdict(r.report)
	seen := map[string]bool{}
	if r.builder.ours && r.report.App != nil { // else its answer decides nothing
		for _, name := range append(r.watched.names(), r.report.App.Files...) {
			seen[name] = true
		}
	}
	r.report.FilesSeen = !r.exe.blind
	for _, g := range r.report.Groups {
		for _, res := range g.Results {
			for _, name := range res.Files {
				seen[name] = true
			}
		}
	}
	r.report.Files = slices.Sorted(maps.Keys(seen))
	r.report.Sandbox = r.exe.sandboxed()
}
