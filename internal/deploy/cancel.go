package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/internal/state"
)

// cancelTimeout is how long a cancelled build may take to stop what it runs, and
// how long others wait for a build that goes on.
const cancelTimeout = 30 * time.Second

// CancelBuild stops a build as Ctrl-C at its push does, and returns what is then
// recorded of it. One that has ended, or that is being released, is
// [ErrBuildEnded].
func (d *Deployer) CancelBuild(ctx context.Context, by state.Actor, app, id string) (state.Build, error) {
	b, err := d.cfg.Builds.Build(ctx, app, id)
	if err != nil {
		return b, err
	}
	r := d.recordOf(b.ID)
	if r == nil || !r.stop("Build cancelled by user "+by.User) {
		return b, fmt.Errorf("cancel build %s: %w", b.ID, ErrBuildEnded)
	}
	d.say(app, fmt.Sprintf("Build %.8s cancelled by user %s", b.ID, by.User))
	wait, cancel := context.WithTimeout(ctx, cancelTimeout)
	defer cancel()
	select {
	case <-r.done:
	case <-wait.Done(): // it will end, later
	}
	return d.cfg.Builds.Build(ctx, app, id)
}

// ForgetCache forgets what builds of an app left for the next ones.
func (d *Deployer) ForgetCache(ctx context.Context, by state.Actor, app string) error {
	wait, cancel := context.WithTimeout(ctx, cancelTimeout)
	defer cancel()
	leave, err := d.cfg.TakeTurn(wait, app, func() {})
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrBuilding
	}
	if err != nil {
		return err
	}
	defer leave()
	if err := d.cfg.Builder.ForgetCache(ctx, app); err != nil {
		return err
	}
	d.say(app, "Build cache purged by user "+by.User)
	return nil
}

// Stop waits for the builds of tarballs until ctx is done, and then cancels
// those that go on. No build of a tarball begins afterwards. Pushes are the
// gitserver's to end.
func (d *Deployer) Stop(ctx context.Context) {
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		d.tarballs.Wait()
	}()
	select {
	case <-idle:
		return
	case <-ctx.Done():
	}
	d.mu.Lock()
	for _, r := range d.building {
		if !r.pushed {
			r.stop("Build cancelled, since the server stops: build it again when it is back")
		}
	}
	d.mu.Unlock()
	<-idle
}
