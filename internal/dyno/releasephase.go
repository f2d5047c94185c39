package dyno

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"slipway/internal/state"
)

// RunRelease runs the "release" process of a release that is not recorded yet,
// and returns how it has ended. What it prints goes to out and to the app's
// log.
func (m *Manager) RunRelease(ctx context.Context, rel state.Release, out io.Writer) (Exit, error) {
	a, err := m.loaded(ctx, rel.App)
	if err != nil {
		return Exit{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.ctx, cancel)() //nolint:contextcheck // it ends with the manager, too
	r, w, err := os.Pipe()
	if err != nil {
		return Exit{}, errors.Join(errors.New("make pipe"), err)
	}
	name := releasePhase + ".1"
	logged := m.cfg.Logs.Writer(rel.App, "app", name)
	var copying sync.WaitGroup
	copying.Go(func() { copyOutput(io.MultiWriter(logged, out), r) })
	exit, err := m.execute(ctx, a, Spec{
		ID: containerID(name, uuid.NewString()[:13]), App: rel.App, Name: name, Type: releasePhase,
		Slug: Slug{App: rel.App, Digest: rel.Slug}, Env: environment(rel, name, nil),
	}, Stdio{Stdout: w, Stderr: w}, func(Container) { _ = w.Close() })
	_ = w.Close() // closed before, if it was started
	copying.Wait()
	if err := logged.Close(); err != nil {
		m.log.Warn("release phase not logged whole", zap.String("app", rel.App), zap.Error(err))
	}
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return exit, err
}
