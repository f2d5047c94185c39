package detector

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/phase"

	"slipway/buildpacks/bundled/cnb"
	"slipway/buildpacks/sandbox"
)

// An executor runs the detection of single modules, each once a run.
type executor struct {
	run   *run
	app   string // directory; "" if all is in this process
	slots chan struct{}

	mu      sync.Mutex
	records map[buildpack.Descriptor]*Result
	scripts int // bin/detects that were run
	ours    int // of our own that were asked
	blind   bool
	missing []string
	pool    *sandbox.Pool // nil until a script is run
	plain   bool
	partly  bool
	env     string // platform directory, made for the first script
}

func (r *run) newExecutor(dir string) (*executor, error) {
	if dir != "" {
		var err error
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, fmt.Errorf("look at the app: %w", err)
		}
	}
	return &executor{
		run: r, app: dir,
		slots:   make(chan struct{}, r.options.Jobs),
		records: map[buildpack.Descriptor]*Result{},
	}, nil
}

// close removes what the run made.
func (x *executor) close() error {
	if x.env == "" {
		return nil
	}
	return removeAll(x.env)
}

// detect runs one module and keeps what is told of it.
func (x *executor) detect(ctx context.Context, d buildpack.Descriptor, in buildpack.DetectInputs) buildpack.DetectOutputs {
	m := x.run.builder.store.of[d]
	started := time.Now()
	res := &Result{}
	var out buildpack.DetectOutputs
	switch {
	case m.problem != nil && (m.problem.nested != 0 || x.run.rec.fatal != 0):
		out = buildpack.DetectOutputs{Code: -1, Err: errors.New(m.problem.text)}
	case m.detect != nil:
		out = x.ask(m)
	default:
		out = x.script(ctx, m, in, res)
	}
	if !m.classic || out.Code != phase.CodeDetectFail {
		res.ExitCode = out.Code // else it is the script's own
	}
	res.Output = out.Output
	if out.Err != nil {
		res.Err = out.Err.Error()
	}
	for _, sections := range append([]buildpack.PlanSections{out.PlanSections}, out.Or...) {
		if p := planOf(sections); len(p.Provides)+len(p.Requires) > 0 || len(out.Or) > 0 {
			res.Plans = append(res.Plans, p)
		}
	}
	if res.Took == 0 { // else it is the script's own
		res.Took = time.Since(started)
	}
	x.mu.Lock()
	x.records[d] = res
	x.mu.Unlock()
	return out
}

// ask asks one of our own, which is quick and reads the tree that was given.
func (x *executor) ask(m *module) buildpack.DetectOutputs {
	x.mu.Lock()
	x.ours++
	x.mu.Unlock()
	if x.run.report.App == nil {
		return buildpack.DetectOutputs{Code: codeFailed, Err: errors.New("the app cannot be read")}
	}
	return answered(m.detect(x.run.fsys, x.run.report.App))
}

// answered is an answer as the lifecycle reads it from a plan.
func answered(a cnb.Answer) buildpack.DetectOutputs {
	out := buildpack.DetectOutputs{Output: []byte(a.Output)}
	if !a.Pass {
		out.Code = 100
		return out
	}
	for _, name := range a.Provides {
		out.Provides = append(out.Provides, buildpack.Provide{Name: name})
	}
	for _, name := range a.Requires {
		out.Requires = append(out.Requires, buildpack.Require{Name: name})
	}
	return out
}

// script runs a bin/detect, one of a bounded number at once.
func (x *executor) script(ctx context.Context, m *module, in buildpack.DetectInputs, res *Result) buildpack.DetectOutputs {
	select {
	case x.slots <- struct{}{}:
		defer func() { <-x.slots }()
	case <-ctx.Done():
		return buildpack.DetectOutputs{Code: -1, Err: ctx.Err()}
	}
	if m.kind == buildpack.KindExtension && !exists(filepath.Join(m.dir, "bin", "detect")) {
		return fixedPlan(m)
	}
	if err := x.prepare(ctx); err != nil {
		return buildpack.DetectOutputs{Code: -1, Err: err}
	}
	c, cleanup, err := x.command(m, in)
	if err != nil {
		return buildpack.DetectOutputs{Code: -1, Err: err}
	}
	defer cleanup()
	done, err := x.pool.Run(ctx, c)
	if err != nil {
		return buildpack.DetectOutputs{Code: -1, Err: err}
	}
	x.observe(done, res)
	return outputs(m, done, x.run.options, res)
}

// prepare makes the platform directory and finds out what this machine allows,
// before the first script.
func (x *executor) prepare(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.scripts++
	if x.pool != nil {
		return nil
	}
	var err error
	if x.env == "" {
		if x.env, err = platformDir(x.run.options.Env); err != nil {
			return err
		}
	}
	pool, err := x.run.builder.pool(x.run.options.NoSandbox)
	if err != nil {
		return err
	}
	support, err := pool.Support(ctx)
	if err != nil {
		return err
	}
	if !support.Isolated && x.run.options.NeedSandbox {
		return fmt.Errorf("it may only run in a sandbox, which this machine does not allow: %s", strings.Join(support.Missing, "; "))
	}
	if !support.Isolated && !x.run.options.NoSandbox {
		if pool, err = x.run.builder.pool(true); err != nil {
			return err
		}
	}
	x.plain, x.partly = !support.Isolated, !support.Watched
	x.missing = append(x.missing, support.Missing...)
	if x.plain && x.run.builder.root != "" {
		x.missing = append(x.missing, "the builder's own file system: scripts ran with this machine's programs")
	}
	x.pool = pool
	return nil
}

// observe keeps what the sandbox saw.
func (x *executor) observe(done *sandbox.Outcome, res *Result) {
	res.Dropped, res.Wrote, res.Network, res.Files = done.Dropped, done.Wrote, done.Network, done.Files
	res.LeftRunning, res.ExitCode, res.Took = done.LeftRunning, done.ExitCode, done.Took
	x.mu.Lock()
	x.blind = x.blind || !done.FilesSeen
	x.mu.Unlock()
}

// sandboxed says how the scripts were held back.
func (x *executor) sandboxed() Sandbox {
	s := Sandbox{Missing: slices.Clone(x.missing)}
	if x.scripts > 0 {
		s.Missing = append(s.Missing, x.run.builder.notes...)
	}
	switch {
	case x.scripts == 0:
		s.How = "in process"
	case x.plain:
		s.How = "none"
	case x.partly:
		s.How = "partly"
	default:
		s.How = "sandbox"
	}
	return s
}

// platformDir makes the directory that holds the app's build environment.
func platformDir(env map[string]string) (string, error) {
	dir, err := os.MkdirTemp("", "slipway-platform-")
	if err != nil {
		return "", fmt.Errorf("make platform directory: %w", err)
	}
	err = os.Chmod(dir, 0o755)
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "env"), 0o755)
	}
	for name, value := range env {
		if err != nil {
			break
		}
		if name == "" || path.Base(name) != name || name == "." || name == ".." {
			err = fmt.Errorf("%q cannot name a variable", name)
			break
		}
		err = os.WriteFile(filepath.Join(dir, "env", name), []byte(value), 0o644)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("make platform directory: %w", err), removeAll(dir))
	}
	return dir, nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
