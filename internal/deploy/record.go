package deploy

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"slipway/internal/outputs"
	"slipway/internal/state"
)

// recordTimeout bounds the end of a build's record, which is written after the
// push itself may have been cancelled.
const recordTimeout = 30 * time.Second

// A record is what is kept of a build while it goes on. A nil record keeps
// nothing: a build that cannot be recorded is built all the same.
type record struct {
	d      *Deployer
	log    *zap.Logger
	id     string
	app    string
	out    *outputs.Output
	cancel context.CancelFunc
	pushed bool          // by git, and not from a tarball
	done   chan struct{} // closed when it has ended

	mu       sync.Mutex
	stage    stage
	canceler string // why it was cancelled: "Build cancelled by user ann"
}

// A stage is how far a build has come.
type stage int

const (
	building  stage = iota // it can be cancelled
	canceling              // it was
	releasing              // it cannot any more
	ended
)

// record begins to keep a build. The context that it returns ends when the build
// is cancelled.
func (d *Deployer) record(ctx context.Context, log *zap.Logger, b state.Build) (context.Context, *record) {
	ctx, cancel := context.WithCancel(ctx)
	r := &record{
		d: d, log: log.With(zap.String("build", b.ID)), id: b.ID, app: b.App, cancel: cancel,
		pushed: b.Source == sourceGit, out: d.cfg.Outputs.Create(b.App, b.ID), done: make(chan struct{}),
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.building[b.ID] = r
	return ctx, r
}

// recordPush begins to keep the build of a push, and shows its output to both.
func (d *Deployer) recordPush(ctx context.Context, p *push) context.Context {
	b, err := d.cfg.Builds.AddBuild(ctx, state.ActorAt(p.User, p.Remote), state.Build{
		App: p.Repo, Commit: p.command.New.String(), Ref: p.command.Ref, Source: sourceGit,
	})
	if err != nil {
		p.log.Warn("build not recorded", zap.Error(err))
		return ctx
	}
	ctx, p.record = d.record(ctx, p.log, b)
	// The output first: it goes on where the pusher has gone.
	p.out = transcript{io.MultiWriter(p.record.out, p.out.Writer)}
	return ctx
}

// mayRelease says whether a build is still wanted. From then on it cannot be
// cancelled.
func (r *record) mayRelease() bool {
	return r == nil || r.move(releasing, building)
}

// move brings the build to a stage, if it is at one of others.
func (r *record) move(to stage, from ...stage) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(from, r.stage) {
		return false
	}
	r.stage = to
	return true
}

// stop cancels a build, and says whether it could.
func (r *record) stop(why string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch r.stage {
	case building:
		r.stage, r.canceler = canceling, why
		r.cancel()
		return true
	case canceling:
		return true
	case releasing, ended:
	}
	return false
}

// canceled says why a build was cancelled; "" if nobody did.
func (r *record) canceled() string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.canceler
}

// abandoned ends the record of a build whose push has ended without asking for
// its release.
func (r *record) abandoned(ctx context.Context) {
	if r != nil && r.move(ended, building, canceling) {
		r.end(ctx, state.BuildFailed, state.Release{})
	}
}

func (r *record) failed(ctx context.Context) {
	if r != nil && r.move(ended, building, canceling, releasing) {
		r.end(ctx, state.BuildFailed, state.Release{})
	}
}

func (r *record) succeeded(ctx context.Context, rel state.Release) {
	if r != nil && r.move(ended, releasing) {
		r.end(ctx, state.BuildSucceeded, rel)
	}
}

// end records how a build ended, and ends its output.
func (r *record) end(ctx context.Context, status string, rel state.Release) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer done()
	if err := r.d.cfg.Builds.EndBuild(ctx, r.id, status, rel.Slug, rel.Version); err != nil {
		r.log.Warn("end of build not recorded", zap.Error(err))
	}
	_ = r.out.Close() // never fails
	r.d.forget(r.id)
	close(r.done)
	r.cancel()
}

func (d *Deployer) forget(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.building, id)
}

func (d *Deployer) recordOf(id string) *record {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.building[id]
}
