package apitest

import (
	"context"
	"fmt"
	"io"
	"sync"

	"slipway/internal/api"
	"slipway/internal/deploy"
	"slipway/internal/outputs"
	"slipway/internal/sources"
	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

// Building builds nothing: its builds of tarballs read them, and say how long
// they are.
type Building struct {
	// Hold keeps builds going until they are cancelled, or finished.
	Hold bool
	// Refuse is the error of every build, if it is not nil.
	Refuse error

	store   *sqlstore.Store
	outputs *outputs.Store
	mu      sync.Mutex
	running map[string]*outputs.Output // by the build's ID
	purged  []string
	built   []byte
}

var _ api.Building = (*Building)(nil)

// Begin records a build as a push makes one, which goes on until it is finished.
func (b *Building) Begin(ctx context.Context, by state.Actor, record state.Build) (state.Build, io.Writer, error) {
	record, err := b.store.AddBuild(ctx, by, record)
	if err != nil {
		return record, nil, err
	}
	out := b.outputs.Create(record.App, record.ID)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running == nil {
		b.running = map[string]*outputs.Output{}
	}
	b.running[record.ID] = out
	return record, out, nil
}

// Finish ends a build.
func (b *Building) Finish(ctx context.Context, id, status, slug string, release int) error {
	b.mu.Lock()
	out := b.running[id]
	delete(b.running, id)
	b.mu.Unlock()
	if out == nil {
		return deploy.ErrBuildEnded
	}
	defer func() { _ = out.Close() }() // never fails
	return b.store.EndBuild(ctx, id, status, slug, release)
}

// BuildTarball reads a tarball; the build fails if that cannot be done.
func (b *Building) BuildTarball(ctx context.Context, by state.Actor, app string, t deploy.Tarball) (state.Build, error) {
	if b.Refuse != nil {
		return state.Build{}, b.Refuse
	}
	record, out, err := b.Begin(ctx, by, state.Build{App: app, Commit: t.Version, Source: t.Address})
	if err != nil || b.Hold {
		return record, err
	}
	status, slug, release := state.BuildSucceeded, "sha256:ab", 1
	raw, err := readAll(ctx, t)
	if err != nil {
		status, slug, release = state.BuildFailed, "", 0
		fmt.Fprintf(out, " !     %v\n", err)
	} else {
		fmt.Fprintf(out, "-----> Built %d bytes\n", len(raw))
		b.mu.Lock()
		b.built = raw
		b.mu.Unlock()
	}
	return record, b.Finish(ctx, record.ID, status, slug, release)
}

func readAll(ctx context.Context, t deploy.Tarball) ([]byte, error) {
	in, err := t.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // it was only read
	return io.ReadAll(in)
}

// Built is the tarball that was built last.
func (b *Building) Built() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.built
}

// CancelBuild ends a build as failed.
func (b *Building) CancelBuild(ctx context.Context, _ state.Actor, app, id string) (state.Build, error) {
	if err := b.Finish(ctx, id, state.BuildFailed, "", 0); err != nil {
		return state.Build{}, err
	}
	return b.store.Build(ctx, app, id)
}

// ForgetCache notes it.
func (b *Building) ForgetCache(_ context.Context, _ state.Actor, app string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.purged = append(b.purged, app)
	return b.Refuse
}

// Purged lists the apps whose caches were forgotten.
func (b *Building) Purged() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.purged...)
}

// fetch is what the address of every tarball that was not uploaded has.
func fetch(context.Context, string) (io.ReadCloser, error) {
	return nil, &sources.Error{Text: "the source cannot be fetched: this test has no network"}
}
