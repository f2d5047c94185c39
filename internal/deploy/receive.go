package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"go.uber.org/zap"

	"slipway/buildpacks"
	"slipway/buildpacks/project"
	"slipway/gitserver"
	"slipway/internal/state"
)

var _ gitserver.Receiver = (*Deployer)(nil)

// declined is what git prints behind "! [remote rejected]".
const declined = "pre-receive hook declined"

// A push as it goes through the stages.
type push struct {
	*gitserver.Push
	opts    options
	command gitserver.Command // the ref that deploys
	tarball *Tarball          // nil for a push
	source  fs.FS             // once it is open, as the project wants it built
	project *project.Project  // nil before
	set     state.Buildpacks  // that the app was set to use
	// buildpacks are those to use: the app's, or those that came with the push; none
	// if its files decide.
	buildpacks []string
	plan       *buildpacks.Plan
	current    state.Release // the newest release; Version 0 if there is none
	out        transcript
	record     *record // of its build; nil before it begins to build
	log        *zap.Logger
}

// Receive decides whether a push stands: it does if it deploys nothing, or if
// its commit can be built. The returned function records the release.
func (d *Deployer) Receive(ctx context.Context, gp *gitserver.Push, progress io.Writer) (gitserver.CommitFunc, error) {
	logged := d.cfg.Logs.Writer(gp.Repo, "slipway", "build")
	// The push's own function writes, too, and ends with ctx.
	context.AfterFunc(ctx, func() { _ = logged.Close() }) // the log keeps its own account of what it could not write
	p := &push{Push: gp, out: transcript{io.MultiWriter(progress, logged)}}
	var err error
	if p.opts, err = parseOptions(gp.Options); err != nil {
		return nil, err
	}
	deploys, err := p.pick()
	if err != nil {
		return nil, err
	}
	if !deploys {
		if p.opts.detect {
			return nil, &gitserver.RejectError{Text: " !     There is nothing to detect: push main or master with -o detect.\n", Reason: declined}
		}
		p.explainSkip()
		return nil, nil
	}
	p.log = d.log.With(zap.String("app", p.Repo), zap.String("push", p.ID), zap.String("commit", p.command.New.String()))
	commit, err := d.deploy(ctx, p)
	if err != nil {
		return nil, d.reject(ctx, p, err)
	}
	return commit, nil
}

// pick finds the command that deploys, if there is one.
func (p *push) pick() (bool, error) {
	found := false
	for _, c := range p.Commands {
		if c.IsDelete() || c.Ref != "refs/heads/main" && c.Ref != "refs/heads/master" {
			continue
		}
		if found && c.New != p.command.New {
			return false, &gitserver.RejectError{
				Text:   " !     Both main and master deploy, and this push has a different commit for each.\n !     Push one of them.\n",
				Reason: declined,
			}
		}
		if !found {
			p.command, found = c, true
		}
	}
	return found, nil
}

// explainSkip says why nothing is built.
func (p *push) explainSkip() {
	for _, c := range p.Commands {
		if !c.IsDelete() {
			p.out.step("Pushed to branch other than [main, master], skipping build.")
			return
		}
	}
}

// deploy takes a push from its commit to a slug.
func (d *Deployer) deploy(ctx context.Context, p *push) (gitserver.CommitFunc, error) {
	var err error
	if p.current, err = d.newest(ctx, p.Repo); err != nil {
		return nil, err
	}
	if err := d.settings(ctx, p); err != nil {
		return nil, err
	}
	if p.source, err = p.Tree(p.command.New); err != nil {
		return nil, fmt.Errorf("read commit: %w", err)
	}
	if !p.opts.detect {
		s, done, err := d.known(ctx, p)
		if err != nil || done && s == nil {
			return nil, err
		}
		if done {
			return d.readyToRelease(ctx, p, *s)
		}
	}
	if !p.opts.detect {
		ctx = d.recordPush(ctx, p)
	}
	p.out.text("Compressing source files... done.\n")
	return d.compile(ctx, p)
}

// compile takes source code to a slug.
func (d *Deployer) compile(ctx context.Context, p *push) (gitserver.CommitFunc, error) {
	p.out.text("Building source:\n\n")
	p.out.step("Building on the %s stack", d.cfg.Stack)
	if err := d.openProject(ctx, p); err != nil {
		return nil, err
	}
	if err := d.detect(ctx, p); err != nil {
		return nil, err
	}
	s, err := d.build(ctx, p)
	if err != nil {
		return nil, err
	}
	return d.readyToRelease(ctx, p, s)
}

// known answers a push of a commit that has a slug already, without a build. The
// slug is nil if it is the current one, so that there is nothing to do.
func (d *Deployer) known(ctx context.Context, p *push) (found *slug, done bool, err error) {
	if p.opts.noCache || p.opts.builder != "" || len(p.opts.buildpacks) > 0 {
		return nil, false, nil
	}
	rel, err := d.cfg.Releases.ReleaseOf(ctx, p.Repo, p.command.New.String())
	if errors.Is(err, state.ErrNotFound) || err == nil && rel.Created.Before(p.set.Set) {
		return nil, false, nil // or other buildpacks were set since
	}
	if err != nil {
		return nil, false, err
	}
	release := d.hold(ctx)
	if _, err := d.cfg.Slugs.Resolve(ctx, p.Repo, rel.Slug); err != nil {
		release()
		return nil, false, nil //nolint:nilerr // a slug that was swept is built again
	}
	p.out.text("\n")
	p.out.warn("The same version of this code has already been built: " + rel.Commit)
	if rel.Slug == p.current.Slug && rel.Commit == p.current.Commit {
		release()
		p.out.warn(fmt.Sprintf("It is the current release, %s. Nothing was built; -o no-cache builds it anew.", p.current.Tag()))
		p.out.text("\n")
		return nil, true, nil
	}
	p.out.warn(fmt.Sprintf("Releasing the slug of %s again. Nothing was built; -o no-cache builds it anew.", rel.Tag()))
	p.out.text("\n")
	return &slug{
		digest: rel.Slug, size: rel.Size, processes: rel.Processes, hold: release,
		language: rel.Language, version: rel.LanguageVersion,
	}, true, nil
}

// detectOptions tell detection what the builder has. Of a builder that the push
// names nothing is known. An app that names no version keeps that of its last
// build, unless the push says to forget it.
func (d *Deployer) detectOptions(p *push) buildpacks.Options {
	if builder := p.otherBuilder(); builder != "" {
		return buildpacks.Options{Builder: builder, Language: p.mainLanguage()}
	}
	o := buildpacks.Options{Python: d.cfg.Builder.PythonVersions(), Language: p.mainLanguage()}
	if p.current.Language == "python" && !p.opts.noCache {
		o.CachedPython = p.current.LanguageVersion
	}
	return o
}

// detect decides what the app is.
func (d *Deployer) detect(ctx context.Context, p *push) error {
	started := time.Now()
	plan, err := buildpacks.Detect(ctx, p.source, d.detectOptions(p))
	p.plan = plan
	took := time.Since(started)
	if plan == nil {
		return err
	}
	stops := err != nil && p.stops(plan, err)
	if !stops || p.opts.detect {
		p.announceChoice()
	}
	if p.opts.detect || p.opts.trace {
		d.explain(ctx, p)
	}
	if p.opts.detect {
		return errOnlyDetect
	}
	if stops {
		return err
	}
	p.announceLanguage()
	p.log.Info("app detected", zap.String("language", plan.Language), zap.String("version", plan.Version.Resolved),
		zap.Duration("took", took))
	p.warnOfGit()
	return nil
}

// maxAttributes is how much of .gitattributes is looked at, in bytes.
const maxAttributes = 64 << 10

// warnOfGit tells of what git keeps elsewhere than in the commit.
func (p *push) warnOfGit() {
	if _, err := fs.Stat(p.source, ".gitmodules"); err == nil {
		p.out.warn("Warning: Git submodules are not fetched: their folders are empty in the build.\nCommit the files themselves if the build needs them.")
	}
	f, err := p.source.Open(".gitattributes")
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	attributes, err := io.ReadAll(io.LimitReader(f, maxAttributes))
	if err == nil && bytes.Contains(attributes, []byte("filter=lfs")) {
		p.out.warn("Warning: Git LFS files are not fetched: the build sees their pointers.\nCommit the files themselves if the build needs them.")
	}
}
