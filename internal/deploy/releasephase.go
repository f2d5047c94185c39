package deploy

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"slipway/internal/dyno"
	"slipway/internal/outputs"
	"slipway/internal/state"
)

// releaseProcess is the process type that runs before a release stands.
const releaseProcess = "release"

// releaseTimeout bounds it. A push has a deadline of its own beside.
const releaseTimeout = time.Hour

// A PhaseError says that a release phase has failed, so that there is no
// release.
type PhaseError struct {
	dyno.Exit
}

// Error says what its owner does next.
func (e *PhaseError) Error() string {
	why := fmt.Sprintf("the release command failed with exit code %d", e.Code)
	if cause := e.Cause(); cause != "" {
		why += " (" + cause + ")"
	}
	return why + ": nothing was released, and the release before goes on"
}

// Unwrap is [state.ErrInvalid]: it is the app that is not right.
func (e *PhaseError) Unwrap() error { return state.ErrInvalid }

// A phase is what a release's command has printed; nil if there is none.
type phase struct{ out *outputs.Output }

// keep makes it that of the release, once that is recorded.
func (p *phase) keep(rel state.Release) {
	if p != nil {
		p.out.KeepAs(rel.Tag())
	}
}

// discard forgets it, unless it was kept.
func (p *phase) discard() {
	if p != nil {
		p.out.Discard()
	}
}

// releasePhase runs the release process of a release that is to be recorded, if
// it has one. What it prints is to be kept or discarded.
func (d *Deployer) releasePhase(ctx context.Context, rel state.Release, out io.Writer) (*phase, error) {
	if rel.Slug == "" || !slices.ContainsFunc(rel.Processes, func(p state.Process) bool { return p.Type == releaseProcess }) {
		return nil, nil
	}
	printed := &phase{d.cfg.Outputs.Create(rel.App, "phase-"+strings.ToLower(rand.Text()))}
	err := d.runPhase(ctx, rel, io.MultiWriter(printed.out, &indent{Writer: out}), transcript{out})
	if err != nil {
		printed.discard()
		return nil, err
	}
	_ = printed.out.Close() // never fails
	return printed, nil
}

func (d *Deployer) runPhase(ctx context.Context, rel state.Release, out io.Writer, progress transcript) error {
	progress.step("Running release command...")
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	exit, err := d.cfg.Dynos.RunRelease(ctx, rel, out)
	d.log.Info("release phase ended", zap.String("app", rel.App), zap.Int("code", exit.Code), zap.Duration("took", time.Since(started)), zap.Error(err))
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("run release phase of %s: %w", rel.App, err)
	}
	if err != nil {
		return err
	}
	if exit.Code != 0 {
		return &PhaseError{exit}
	}
	return nil
}
