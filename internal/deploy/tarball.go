package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"slipway/gitserver"
	"slipway/internal/sources"
	"slipway/internal/state"
)

const (
	// sourceGit is the source of builds that were pushed.
	sourceGit = "git"
	// maxTarballs is how many builds of tarballs go on or wait.
	maxTarballs = 100
	// tarballTimeout bounds such a build, waiting for others included.
	tarballTimeout = 3 * time.Hour
	// launchTimeout bounds the recording of its release.
	launchTimeout = time.Minute
)

// A Tarball is source code that is built without a push, so that the app's
// repository stays as it is.
type Tarball struct {
	Address  string // where it comes from, to be shown: without secrets
	Version  string // as its owner calls it; may be empty
	Checksum string // "SHA256:…"; not compared if empty
	// Buildpacks are used for this build instead of those that the app was set to
	// use; none if empty.
	Buildpacks []string
	// Open begins to read it, once. A [*sources.Error] says why it cannot be had.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// BuildTarball begins to build and release a tarball, and returns what is
// recorded of that. It goes on after ctx has ended; [Deployer.Stop] ends it.
func (d *Deployer) BuildTarball(ctx context.Context, by state.Actor, app string, t Tarball) (state.Build, error) {
	if err := d.admitTarball(); err != nil {
		return state.Build{}, err
	}
	b, err := d.cfg.Builds.AddBuild(ctx, by, state.Build{App: app, Commit: t.Version, Source: t.Address})
	if err != nil {
		d.tarballs.Done()
		return b, err
	}
	log := d.log.With(zap.String("app", app))
	// The request that asked for the build is answered while it goes on.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tarballTimeout)
	ctx, r := d.record(ctx, log, b)
	go func() {
		defer d.tarballs.Done()
		defer cancel()
		defer r.failed(ctx) // unless it has ended well
		d.runTarball(ctx, by, t, b, r)
	}()
	return b, nil
}

// admitTarball counts a build of a tarball, if there may be another.
func (d *Deployer) admitTarball() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	waiting := 0
	for _, r := range d.building {
		if !r.pushed {
			waiting++
		}
	}
	switch {
	case d.stopped:
		return ErrStopping
	case waiting >= maxTarballs:
		return ErrTooManyBuilds
	}
	d.tarballs.Add(1)
	return nil
}

// runTarball takes a tarball through the stages of a push.
func (d *Deployer) runTarball(ctx context.Context, by state.Actor, t Tarball, b state.Build, r *record) {
	logged := d.cfg.Logs.Writer(b.App, "slipway", "build")
	defer func() { _ = logged.Close() }() // the log keeps its own account of what it could not write
	p := &push{
		Push:    &gitserver.Push{ID: b.ID, Repo: b.App, User: by.User, Remote: by.From},
		tarball: &t, record: r, out: transcript{io.MultiWriter(r.out, logged)}, log: r.log,
	}
	leave, err := d.cfg.TakeTurn(ctx, b.App, func() {
		p.out.text(fmt.Sprintf("Waiting for another push to %s to finish...\n", b.App))
	})
	if err != nil {
		_ = d.reject(ctx, p, err) // which says it in the output
		return
	}
	defer leave()
	commit, err := d.deployTarball(ctx, p)
	if err != nil {
		_ = d.reject(ctx, p, err)
		return
	}
	// From here on it is no longer cancelled.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), launchTimeout)
	defer cancel()
	_ = commit(ctx) // which says in the output what went wrong
}

// deployTarball takes a tarball to a slug.
func (d *Deployer) deployTarball(ctx context.Context, p *push) (gitserver.CommitFunc, error) {
	// The app may have gone while the build waited.
	if _, err := d.cfg.Builds.Build(ctx, p.Repo, p.record.id); err != nil {
		return nil, err
	}
	var err error
	if p.current, err = d.newest(ctx, p.Repo); err != nil {
		return nil, err
	}
	if err := d.settings(ctx, p); err != nil {
		return nil, err
	}
	p.out.text("Fetching source... ")
	tree, err := d.unpack(ctx, p.tarball)
	if err != nil {
		p.out.text("failed.\n")
		return nil, err
	}
	defer func() {
		if err := tree.Close(); err != nil {
			p.log.Warn("source left for the next start", zap.Error(err))
		}
	}()
	p.out.text("done.\n")
	p.source = tree
	return d.compile(ctx, p)
}

func (d *Deployer) unpack(ctx context.Context, t *Tarball) (*sources.Tree, error) {
	in, err := t.Open(ctx)
	if err != nil {
		return nil, err
	}
	tree, err := sources.Unpack(ctx, in, t.Checksum, "", d.cfg.Source)
	if closed := in.Close(); err == nil && closed != nil {
		err = errors.Join(closed, tree.Close())
	}
	return tree, err
}

// begun is what a release has of where its code is from.
func (p *push) begun() state.Release {
	if p.tarball != nil {
		return state.Release{App: p.Repo, Description: "Deploy " + cmp.Or(p.tarball.Version, p.ID[:8])}
	}
	return state.Release{
		App: p.Repo, Commit: p.command.New.String(), Ref: p.command.Ref, OldCommit: p.command.Old.String(),
		Description: fmt.Sprintf("Deploy %.8s", p.command.New.String()),
	}
}
