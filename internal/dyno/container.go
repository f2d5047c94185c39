package dyno

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"go.uber.org/zap"
)

const (
	// startTimeout bounds the start of a container whose slug is unpacked.
	startTimeout = 2 * time.Minute
	// removeTimeout bounds how long a container may take to be gone.
	removeTimeout = time.Minute
)

// start prepares the slug and starts a container, a few at a time.
func (m *Manager) start(ctx context.Context, spec Spec, stdio Stdio) (Container, error) {
	if err := m.cfg.Backend.Prepare(ctx, spec.Slug); err != nil {
		return nil, err
	}
	select {
	case m.starting <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-m.starting }()
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	c, err := m.cfg.Backend.Start(ctx, spec, stdio)
	if err == nil {
		m.log.Debug("container started", zap.String("app", spec.App), zap.String("dyno", spec.Name), zap.Duration("took", time.Since(began)))
	}
	return c, err
}

// wait returns how a container has ended. Its end always comes: whoever wants
// it sooner kills it.
func (m *Manager) wait(ctx context.Context, c Container, app, dyno string) Exit {
	exit, err := c.Wait(context.WithoutCancel(ctx))
	if err != nil {
		m.log.Error("dyno's end not known", zap.String("app", app), zap.String("dyno", dyno), zap.Error(err))
		return Exit{Code: -1}
	}
	return exit
}

// terminate asks a container to end, and kills it where it does not.
func (m *Manager) terminate(ctx context.Context, c Container, exits <-chan Exit, app, dyno string) Exit {
	m.say(app, dyno, "Stopping all processes with SIGTERM")
	late := time.NewTimer(m.cfg.StopTimeout)
	defer late.Stop()
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.cfg.StopTimeout)
	defer cancel()
	if err := c.Terminate(asking); err != nil {
		m.log.Warn("dyno not terminated", zap.String("app", app), zap.String("dyno", dyno), zap.Error(err))
	}
	select {
	case exit := <-exits:
		return exit
	case <-late.C:
	}
	m.say(app, dyno, "Error R12 (Exit timeout) -> At least one process failed to exit within "+seconds(m.cfg.StopTimeout)+" of SIGTERM")
	return m.kill(ctx, c, exits, app, dyno)
}

// kill ends a container at once.
func (m *Manager) kill(ctx context.Context, c Container, exits <-chan Exit, app, dyno string) Exit {
	m.say(app, dyno, "Stopping remaining processes with SIGKILL")
	m.discard(ctx, c, app, dyno)
	late := time.NewTimer(removeTimeout)
	defer late.Stop()
	select {
	case exit := <-exits:
		return exit
	case <-late.C:
		return Exit{Code: 137}
	}
}

// discard removes a container, whoever is in a hurry.
func (m *Manager) discard(ctx context.Context, c Container, app, dyno string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	if err := c.Remove(ctx); err != nil {
		m.log.Error("dyno leaves something behind", zap.String("app", app), zap.String("dyno", dyno), zap.Error(err))
	}
}

// copyOutput copies until all writers of a pipe have closed it.
func copyOutput(to io.Writer, from *os.File) {
	_, err := io.Copy(to, from)
	if err != nil && !errors.Is(err, os.ErrClosed) {
		// The process must not block because its reader has gone.
		_, _ = io.Copy(io.Discard, from)
	}
	_ = from.Close() // only read
}
